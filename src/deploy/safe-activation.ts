import { DeployError } from "../domain/errors.js";
import { changesRunningSystem, changesSystemProfile, rebuildAction, type Operation } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { Status } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import type { UnitPlan } from "../domain/unit-plan.js";
import type { Safety } from "./run-settings.js";
import type { ActivationEnd, HostLog, Machine, Rebuild, SystemState } from "./ports.js";

/** How it ended for a host. */
export type Outcome = { readonly status: Status; readonly error: Error | undefined };

/** What an activation adds to what is known of a host, as it happens. */
export type ActivationKnowledge = {
  before: SystemState | undefined;
  after: SystemState | undefined;
  newlyFailedUnits: readonly string[];
  exitCode: number | undefined;
  plan: UnitPlan | undefined;
};

export type SafeActivation = {
  readonly machine: Machine;
  readonly operation: Operation;
  readonly rebuild: Rebuild | undefined;
  readonly toplevel: StorePath;
  readonly safety: Safety;
  readonly known: ActivationKnowledge;
  readonly signal: AbortSignal;
  readonly log: HostLog;
  readonly begin: (phase: Phase) => void;
  /** The phase has ended well. */
  readonly ended: () => void;
  /** From here on the machine is not left alone without saying so. */
  readonly onArmed: () => void;
};

/** Why the new system is not to stay. */
type Doubt = { readonly phase: Phase; readonly reason: string; readonly hint?: string; readonly lines: readonly string[]; readonly decided?: true };

/**
 * Activates a system under the machine's watchdog: activate, reach the machine over a fresh connection, check its health,
 * and only then keep it; else go back. Throws a `DeployError` when the machine is lost before that is decided.
 */
export async function activateSafely(work: SafeActivation): Promise<Outcome> {
  const { machine, operation, rebuild, safety, known, signal, log } = work;
  const end = await machine.activate({ operation, rebuild, guarded: safety.rollback, limits: safety.limits, onArmed: work.onArmed }, signal);
  known.before = end.before;
  known.after = end.after;
  known.exitCode = end.exitCode;
  known.plan = end.plan ?? known.plan;
  const doubt = (await judge(work, end)) ?? (await prove(work));
  if (doubt !== undefined) return await goBack(work, doubt);
  if (known.after.rebootNeeded) log.note("kernel, initrd or kernel modules differ from the booted ones: they take effect with a reboot");
  return { status: known.newlyFailedUnits.length > 0 ? "degraded" : "deployed", error: undefined };
}

/** What the end of the activation itself has against the new system. */
async function judge(work: SafeActivation, end: ActivationEnd): Promise<Doubt | undefined> {
  const { operation, toplevel } = work;
  const { failure, lines } = end;
  if (failure !== undefined && failure.kind !== "units") return { phase: "activate", reason: failure.reason, hint: failure.hint, lines };
  const units = await judgeUnits(work, end.after);
  if (units !== undefined) return units;
  const { profile, running } = end.after;
  const other = "Has somebody else changed it in the meantime?";
  if (changesSystemProfile(operation) && profile !== toplevel)
    return { phase: "activate", reason: `the machine boots ${profile ?? "no system of the store"} and not ${toplevel}`, hint: other, lines };
  if (changesRunningSystem(operation) && running !== toplevel)
    return { phase: "activate", reason: `the machine runs ${running ?? "no system of the store"} and not ${toplevel}`, hint: other, lines };
  return undefined;
}

/** Units that failed before do not count; what has failed anew is named with the end of its journal. */
async function judgeUnits({ machine, known, safety, signal, log }: SafeActivation, after: SystemState): Promise<Doubt | undefined> {
  const failed = newlyFailed(known.before, after);
  if (failed.length === 0) return undefined;
  const already = known.newlyFailedUnits;
  known.newlyFailedUnits = failed;
  if (safety.unitFailures === "warn" && failed.every((unit) => already.includes(unit))) return undefined;
  const lines = await machine.journal(failed, signal);
  const reason = `units failed that had not failed before: ${failed.join(", ")}`;
  if (safety.unitFailures === "fail") return { phase: "activate", reason, hint: "unit-failures: warn would keep the system", lines };
  log.warn([reason, ...lines].join("\n"));
  return undefined;
}

/** Names the units that are failed now and were not before. */
export function newlyFailed(before: SystemState | undefined, after: SystemState): string[] {
  return after.failedUnits.filter((unit) => before?.failedUnits.includes(unit) !== true);
}

/** Reaches the machine again, checks its health, and keeps the system. Returns what has prevented it. */
async function prove(work: SafeActivation): Promise<Doubt | undefined> {
  const { machine, safety, known, signal } = work;
  const late: Doubt = {
    phase: "confirm",
    reason: `the machine was not reached again within confirm-timeout (${safety.limits.confirm} s)`,
    hint: "Does the new system change network, firewall or sshd?",
    lines: [],
    decided: true,
  };
  work.ended();
  work.begin("confirm");
  const restarted: Doubt = {
    phase: "confirm",
    reason: "the machine was restarted before it was confirmed",
    hint: "Look at its journal: `journalctl --boot -1`",
    lines: [],
  };
  const reached = await machine.reach(signal);
  if (reached === "late") return late;
  if (reached === "restarted") return restarted;
  if (safety.healthCheck !== undefined) {
    const complaint = await machine.checkHealth(safety.healthCheck, safety.limits.healthCheck, signal);
    if (complaint !== undefined) {
      return {
        phase: "confirm",
        reason: `the health check did not succeed within ${safety.limits.healthCheck} s`,
        lines: [safety.healthCheck, ...complaint.split("\n")],
      };
    }
  }
  const units = await judgeUnits(work, reached);
  if (units !== undefined) return units;
  const kept = await machine.keep(signal);
  if (kept === "late") return late;
  if (kept === "restarted") return restarted;
  known.after = kept;
  work.ended();
  return undefined;
}

async function goBack(work: SafeActivation, doubt: Doubt): Promise<Outcome> {
  const { machine, safety, known, log, signal } = work;
  const { phase, reason, hint, lines } = doubt;
  const exitCode = known.exitCode;
  if (!safety.rollback && doubt.decided === undefined) {
    await machine.keep(signal);
    const stays = "The new system stays, since rollback is false";
    return { status: "failed", error: new DeployError({ phase, reason, hint: hint === undefined ? stays : `${hint}. ${stays}`, lines, exitCode }) };
  }
  log.note(`${reason}: going back to the old system`);
  work.begin("rollback");
  const end = await machine.rollBack(signal);
  known.after = end.state;
  const wrong = notBack(known.before, end);
  if (wrong === undefined) {
    return {
      status: "rolled-back",
      error: new DeployError({
        phase,
        reason,
        hint: hint === undefined ? "The machine is back at its old system" : `${hint}. The machine is back at its old system`,
        lines,
        exitCode,
      }),
    };
  }
  const repair = repairCommands(known.before, work.operation);
  const error = new DeployError({
    phase: "rollback",
    reason: `${reason}; and the way back failed: ${wrong}`,
    hint: `Repair the machine by hand, as root: ${repair}`,
    lines: [...lines, ...end.lines],
    exitCode: end.exitCode,
  });
  return { status: "rollback-failed", error };
}

/** What is not as it was, after a rollback. */
function notBack(before: SystemState | undefined, { exitCode, state }: { exitCode: number; state: SystemState }): string | undefined {
  if (before === undefined) return "what was before is not known";
  if (state.profile !== before.profile) return `the system profile is ${state.profile ?? "not there"} and was ${before.profile ?? "not there"}`;
  if (state.running !== before.running) return `the machine runs ${state.running ?? "no system of the store"} and ran ${before.running ?? "none"}`;
  if (exitCode === 4 && newlyFailed(before, state).length === 0) return undefined;
  return exitCode === 0 ? undefined : `the old system's switch-to-configuration ended with exit code ${exitCode}`;
}

function repairCommands(before: SystemState | undefined, operation: Operation): string {
  const system = before?.profile ?? before?.running ?? "/nix/var/nix/profiles/system-N-link";
  const profile = changesSystemProfile(operation) ? `nix-env --profile /nix/var/nix/profiles/system --set ${system} && ` : "";
  return `${profile}${before?.running ?? system}/bin/switch-to-configuration ${rebuildAction(operation)}`;
}
