import { makeFailure } from "../domain/failure.js";
import { changesRunningSystem } from "../domain/operation.js";
import { rolledBack, type Guarded, type Outcome, type Rejection } from "./guarded.js";
import type { RollbackEnd, SystemState } from "./ports.js";
import { repairCommands, repairHint, repairLastStep } from "./repair.js";
import { judge } from "./verdict.js";

/** Ends the run on a machine whose new system is rejected. */
export async function endRejected(work: Guarded, rejection: Rejection): Promise<Outcome> {
  const { aftermath } = rejection;
  if (aftermath === undefined) return await rollBack(work, rejection);
  if (aftermath === "restarted") return await afterRestart(work, rejection);
  return await leave(work, rejection, aftermath === "foreign" ? "Nothing else was changed on the machine" : "Nothing was activated");
}

/** Ends the run on a machine where nothing is to be rolled back. */
async function leave({ armed, known, signal }: Guarded, rejection: Rejection, outcome: string): Promise<Outcome> {
  const state = await armed.drop(signal);
  if (typeof state !== "string") known.after = state;
  return { status: "failed", error: makeFailure({ ...rejection, exitCode: known.exitCode, outcome }) };
}

/** A restart ends the watchdog and boots the default entry of the boot loader, so query the machine for what it runs. */
async function afterRestart(work: Guarded, rejection: Rejection): Promise<Outcome> {
  const { armed, known, settings, system, signal, log } = work;
  const { before } = armed;
  const state = await armed.afterRestart(signal);
  known.after = state;
  if (known.confirmed && state.running === system.running && state.profile === system.toplevel) {
    log.note("the machine was restarted after the confirmation and booted the new system");
    return { status: "deployed", error: undefined };
  }
  const { exitCode } = known;
  if (settings.safety.rollback && state.running === before.running && state.profile === before.profile) {
    return { status: "rolled-back", error: makeFailure({ ...rejection, exitCode, outcome: "The machine booted its old system" }) };
  }
  const boots = state.profile === state.running ? "" : `, and its system profile is ${state.profile ?? "missing"}`;
  const outcome = `The machine booted ${state.running ?? "no system of the store"}${boots}; before, it ran ${before.running ?? "no system of the store"}`;
  return { status: "failed", error: makeFailure({ ...rejection, exitCode, outcome }) };
}

async function rollBack(work: Guarded, rejection: Rejection): Promise<Outcome> {
  const { armed, known, log, settings, signal } = work;
  const { safety, operation } = settings;
  const { reason, lines, causes, decided } = rejection;
  const { exitCode } = known;
  if (!safety.rollback && decided === undefined) {
    await armed.keep(signal);
    return { status: "failed", error: makeFailure({ ...rejection, exitCode, outcome: "The new system stays active, since rollback is false" }) };
  }
  log.note(`${reason}: rolling back`);
  work.begin("rollback");
  const end = await armed.rollBack(signal);
  if (end === "restarted") return await afterRestart(work, { ...rejection, reason: `${reason}; the machine was restarted during the rollback` });
  known.after = end.state;
  if (end.foreign) {
    const outcome = `Nothing was rolled back: the machine runs ${end.state.running ?? "no system of the store"}, which is neither the old nor the new system; someone else has switched it`;
    return { status: "failed", error: makeFailure({ ...rejection, exitCode, outcome }) };
  }
  const wrong = notBack(armed.before, end, work);
  if (wrong === undefined) {
    return { status: "rolled-back", error: makeFailure({ ...rejection, exitCode, outcome: rolledBack }) };
  }
  const error = makeFailure({
    phase: "rollback",
    reason: `${reason}; the rollback failed: ${wrong}`,
    hint: repairHint(
      changesRunningSystem(operation) ? repairCommands(armed.before) : repairLastStep(armed.before),
      end.causes,
      changesRunningSystem(operation) && end.exitCode !== 0 && end.state.running === armed.before.running,
    ),
    topic: "rollback-failed",
    lines: [...lines, ...end.lines],
    exitCode: end.exitCode,
    causes,
  });
  return { status: "rollback-failed", error };
}

/** What a rollback did not restore; `undefined` where it restored everything. */
function notBack(before: SystemState, end: RollbackEnd, { settings, system }: Guarded): string | undefined {
  const { exitCode, causes, state } = end;
  if (state.profile !== before.profile) return `the system profile is ${state.profile ?? "missing"} (before: ${before.profile ?? "missing"})`;
  if (state.running !== before.running) return `the machine runs ${state.running ?? "no system of the store"} (before: ${before.running ?? "none"})`;
  if (exitCode === 0) return undefined;
  const { failure, units } = judge({ operation: settings.operation, toplevel: system.toplevel, before, end: { exitCode, causes, after: state } });
  return failure?.reason ?? units?.reason;
}
