import { DeployError } from "../domain/errors.js";
import { switchAction } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { StorePath } from "../domain/store-path.js";
import type { Target } from "../domain/target.js";
import type { MachineFacts } from "./ports.js";
import type { RunSettings } from "./run-settings.js";

/**
 * Throws a `DeployError` where the new system would replace one that the runner does not know, and the flake forbids that. As colmena has
 * it (src/nix/deployment/mod.rs there), a system is known if the store of the runner has it.
 */
export async function requireKnownProfile(
  target: Target,
  { state }: Pick<MachineFacts, "state">,
  { toplevel, phase }: { readonly toplevel: StorePath; readonly phase: Phase },
  { operation, systemOf, knowsProfile }: Pick<RunSettings, "operation" | "systemOf" | "knowsProfile">,
  signal: AbortSignal,
): Promise<void> {
  const present = state.profile ?? state.running;
  // Only new systems are meant: a rollback replaces what is there on purpose.
  if (systemOf === undefined || knowsProfile === undefined || switchAction(operation) === undefined || present === undefined || present === toplevel) return;
  if (await knowsProfile(target, present, signal)) return;
  throw new DeployError({
    phase,
    reason: `the machine has a system that the store of this runner does not have (${present}), and replaceUnknownProfiles is false for the machine`,
    hint: "Nothing has changed on it. It may have been deployed by someone else. To replace it, remove replaceUnknownProfiles from the flake. A runner only knows former deployments if its store stays and it builds them itself (build-on: runner)",
    topic: "profile-unknown",
  });
}
