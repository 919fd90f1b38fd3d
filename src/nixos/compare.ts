import type { ClosureDifference } from "../domain/closure-difference.js";
import { CommandError, messageOf } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { StorePath } from "../domain/store-path.js";
import { planUnits } from "../domain/unit-decision.js";
import type { UnitPlan } from "../domain/unit-plan.js";
import type { HostLog, SystemDifference } from "../deploy/ports.js";
import { mostCompared, parseDifference } from "./difference.js";
import type { RemoteShell } from "./remote-shell.js";
import { explainLimit } from "./unanswered.js";
import { mostFacts, parseUnitFacts } from "./unit-facts.js";

// For each query to the machine's Nix and to its systemd; of the first there are two in series, of the second some more.
const nixSeconds = 20;
const systemdSeconds = 10;

/**
 * Compares two systems of the machine's store: their packages, and what a switch would do to units. Never throws: `undefined`, and a note
 * in the log, where they cannot be compared.
 */
export async function compareSystems(
  [before, after]: readonly [StorePath, StorePath],
  shell: RemoteShell,
  log: HostLog,
  signal: AbortSignal,
): Promise<SystemDifference | undefined> {
  try {
    const { units, closure } = await ask([before, after], shell, signal);
    return { closure, units: planOf(units, log) };
  } catch (error) {
    log.note(`the old and the new system could not be compared: ${messageOf(error)}`, "difference-unknown");
    return undefined;
  }
}

async function ask(
  [before, after]: readonly [StorePath, StorePath],
  shell: RemoteShell,
  signal: AbortSignal,
): Promise<{ readonly units: string; readonly closure: ClosureDifference }> {
  const args = [before, after, "/etc/systemd/system", nixSeconds, mostCompared, systemdSeconds, mostFacts].map(String);
  // Not retried after a loss of the connection, which the next step notices.
  const outcome = await shell.run({ script: "compare", args, privileged: false, signal }).catch((error: unknown) => {
    throw (error instanceof CommandError ? explainLimit(error, "build") : undefined) ?? error;
  });
  if (outcome.kind === "lost") throw new Error("the connection was lost");
  const said = lastLines(outcome.stderr).at(-1);
  if (outcome.exitCode !== 0) throw new Error(said ?? `exit code ${outcome.exitCode}`);
  const [, units = "", closure = ""] = /^((?:.*\n)*?)difference\n([^]*)$/.exec(outcome.stdout) ?? [];
  const failed = /^failed (\d+)$/m.exec(closure);
  if (failed !== null) throw new Error(said ?? `exit code ${failed[1]}`);
  return { units, closure: parseDifference(closure) };
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
