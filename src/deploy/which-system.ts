import { attributeOf } from "../domain/configuration.js";
import { DeployError } from "../domain/errors.js";
import type { Target } from "../domain/target.js";
import type { Generation, MachineFacts } from "./ports.js";

/** The configuration of a target: the named one, else that of the machine's own hostname. Throws a `DeployError` for a hostname that is no name of one. */
export function configurationFor({ configuration }: Pick<Target, "configuration">, { hostname }: Pick<MachineFacts, "hostname">): string {
  const named = attributeOf(configuration);
  if (named !== undefined) return named;
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(hostname)) return hostname;
  throw new DeployError({
    phase: "connect",
    reason: `the machine's hostname (${JSON.stringify(hostname)}) is not a valid name of a configuration`,
    hint: "Add the configuration to the target: host#configuration",
    topic: "hostname-unknown",
  });
}

/** The generation to roll back to. Throws a `DeployError` where the machine has no older one. */
export function generationBefore({ olderGeneration, state }: Pick<MachineFacts, "olderGeneration" | "state">): Generation {
  if (olderGeneration !== undefined) return olderGeneration;
  throw new DeployError({
    phase: "connect",
    reason: `no generation older than ${state.generation === undefined ? "the running system" : `generation ${state.generation}`} was found to roll back to`,
    hint: "Run `nix-env --profile /nix/var/nix/profiles/system --list-generations` on the machine to list them",
    topic: "no-older-generation",
  });
}
