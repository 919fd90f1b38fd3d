import { CommandError, messageOf } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { StorePath } from "../domain/store-path.js";
import { planUnits } from "../domain/unit-decision.js";
import type { UnitPlan } from "../domain/unit-plan.js";
import type { HostLog, SystemDifference } from "../deploy/ports.js";
import { mostCompared, parseDifference } from "./difference.js";
import type { RemoteShell } from "./remote-shell.js";
import type { ScriptName } from "./script-files.js";
import { explainLimit } from "./unanswered.js";
import { mostFacts, parseUnitFacts } from "./unit-facts.js";

// For each query to the machine's Nix or systemd, and for all of them: after that, the comparison is skipped.
const questionSeconds = 20;
const comparisonSeconds = 45;

/**
 * Compares two systems of the machine's store: their packages, and what a switch would do to units, one after the other in one session.
 * Never throws: `undefined`, and a note in the log, where they cannot be compared.
 */
export async function compareSystems(
  [before, after]: readonly [StorePath, StorePath],
  shell: RemoteShell,
  log: HostLog,
  signal: AbortSignal,
): Promise<SystemDifference | undefined> {
  const begin = performance.now();
  const ask = async (script: ScriptName, args: readonly string[]): Promise<string> => {
    const timeout = Math.max(1, comparisonSeconds - (performance.now() - begin) / 1000);
    // Not retried after a loss of the connection, which the next step notices.
    const outcome = await shell.run({ script, args, privileged: false, signal, timeout }).catch((error: unknown) => {
      throw (error instanceof CommandError ? explainLimit(error, "build") : undefined) ?? error;
    });
    if (outcome.kind === "lost") throw new Error("the connection was lost");
    if (outcome.exitCode !== 0) throw new Error(lastLines(outcome.stderr).at(-1) ?? `exit code ${outcome.exitCode}`);
    return outcome.stdout;
  };
  const units = async (): Promise<UnitPlan | undefined> => {
    const facts = parseUnitFacts(await ask("units", ["/etc/systemd/system", after, String(questionSeconds), String(mostFacts)]));
    return facts === undefined ? undefined : planUnits(facts);
  };
  const difference = ask("difference", [before, after, String(questionSeconds), String(mostCompared)]).then(parseDifference);
  const [closure, plan] = await Promise.allSettled([difference, difference.then(units)]);
  if (closure.status === "rejected") {
    log.note(`the old and the new system could not be compared: ${messageOf(closure.reason)}`, "difference-unknown");
    return undefined;
  }
  if (plan.status === "rejected") log.note(`the effect of a switch on units is unknown: ${messageOf(plan.reason)}`, "plan-unknown");
  return { closure: closure.value, units: plan.status === "fulfilled" ? plan.value : undefined };
}
