import type { ClosureDifference } from "../domain/closure-difference.js";
import { CommandError, messageOf } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { StorePath } from "../domain/store-path.js";
import { planUnits } from "../domain/unit-decision.js";
import type { UnitPlan } from "../domain/unit-plan.js";
import type { HostLog, SystemDifference } from "../deploy/ports.js";
import { mostCompared, readDifference } from "./difference.js";
import type { RemoteShell } from "./remote-shell.js";
import { explainLimit } from "./unanswered.js";
import { mostFacts, parseUnitFacts } from "./unit-facts.js";

// For each query to the machine's Nix, which are side by side, and to its systemd, which are in series.
export const nixSeconds = 20;
const systemdSeconds = 10;

/**
 * Compares two systems of the machine's store: their packages, and with `withUnits` what a switch would do to units. Never throws:
 * `undefined`, and a note in the log, where they cannot be compared.
 */
export async function compareSystems(
  systems: readonly [StorePath, StorePath],
  withUnits: boolean,
  shell: RemoteShell,
  log: HostLog,
  signal: AbortSignal,
): Promise<SystemDifference | undefined> {
  try {
    const { units, closure } = await ask(systems, withUnits, shell, signal);
    return { closure, units: units === undefined ? undefined : planOf(units, log) };
  } catch (error) {
    noteIncomparable(log, messageOf(error));
    return undefined;
  }
}

/** Says in the log that two systems could not be compared. */
export function noteIncomparable(log: HostLog, reason: string): void {
  log.note(`the old and the new system could not be compared: ${reason}`, "difference-unknown");
}

async function ask(
  systems: readonly [StorePath, StorePath],
  withUnits: boolean,
  shell: RemoteShell,
  signal: AbortSignal,
): Promise<{ readonly units: string | undefined; readonly closure: ClosureDifference }> {
  const forUnits = withUnits ? ["/etc/systemd/system", systemdSeconds, mostFacts] : [];
  const args = [...systems, nixSeconds, mostCompared, ...forUnits].map(String);
  const script = withUnits ? "compare" : "difference";
  // Not retried after a loss of the connection, which the next step notices.
  const outcome = await shell.run({ script, args, privileged: false, signal }).catch((error: unknown) => {
    throw (error instanceof CommandError ? explainLimit(error, "build") : undefined) ?? error;
  });
  if (outcome.kind === "lost") throw new Error("the connection was lost");
  const said = lastLines(outcome.stderr).at(-1);
  if (outcome.exitCode !== 0) throw new Error(said ?? `exit code ${outcome.exitCode}`);
  const [, units, closure = ""] = /^(?:((?:.*\n)*?)difference\n)?([^]*)$/.exec(outcome.stdout) ?? [];
  return { units, closure: readDifference(closure, said) };
}

function planOf(text: string, log: HostLog): UnitPlan | undefined {
  try {
    const facts = parseUnitFacts(text);
    return facts === undefined ? undefined : planUnits(facts);
  } catch (error) {
    log.note(`the effect of a switch on units is unknown: ${messageOf(error)}`, "plan-unknown");
    return undefined;
  }
}
