import type { ActivationCause } from "../domain/activation-cause.js";
import { makeFailure, type Failure } from "../domain/failure.js";
import { changesMachine, changesRunningSystem, changesSystemProfile, switchAction, type Operation } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { Status } from "../domain/result.js";
import type { UnitPlan } from "../domain/unit-plan.js";
import type { RunSettings, Safety } from "./run-settings.js";
import type { ActivatableSystem, ActivationEnd, ArmedMachine, ConnectedMachine, HostLog, RollbackEnd, SystemState } from "./ports.js";
import { judge, newlyFailed, type Complaint } from "./verdict.js";

/** How it ended for a host. */
export type Outcome = { readonly status: Status; readonly error: Failure | undefined };

/** What an activation adds to what is known of a host, as it happens. */
export type ActivationKnowledge = {
  before: SystemState | undefined;
  after: SystemState | undefined;
  /** Units that have failed anew. */
  failedUnits: readonly string[];
  exitCode: number | undefined;
  plan: UnitPlan | undefined;
  /** The machine is armed, and neither the new nor the old system was decided for: the one place that knows. */
  undecided: boolean;
};

export type SafeActivation = {
  readonly machine: ConnectedMachine;
  readonly system: ActivatableSystem;
  readonly settings: Pick<RunSettings, "operation" | "safety" | "variant">;
  readonly known: ActivationKnowledge;
  readonly signal: AbortSignal;
  readonly log: HostLog;
  readonly begin: (phase: Phase) => void;
  /** The phase has ended well. */
  readonly ended: () => void;
};

/** The activation of an armed machine. */
type Guarded = SafeActivation & { readonly armed: ArmedMachine };

/** Why the new system is not to stay. */
type Rejection = Complaint & {
  readonly phase: Phase;
  readonly lines: readonly string[];
  readonly causes?: readonly ActivationCause[];
  /** The machine has decided already. */
  readonly decided?: true;
};

/**
 * Activates a system under the machine's watchdog: activate, reach the machine over a fresh connection, check its health,
 * and only then keep it; else roll back. Throws a `DeployError` when the machine is lost before that is decided.
 */
export async function activateSafely(work: SafeActivation): Promise<Outcome> {
  const { machine, system, known, settings, signal, log } = work;
  const { operation, safety, variant } = settings;
  const { installBootLoader } = variant;
  const armed = await machine.arm({ operation, system, installBootLoader, guarded: safety.rollback, limits: safety.limits }, signal);
  known.before = armed.before;
  known.undecided = true;
  const guarded: Guarded = { ...work, armed };
  const end = await armed.activate(signal);
  known.after = end.after;
  known.exitCode = end.exitCode;
  known.plan = end.plan ?? known.plan;
  const { rejection, degraded } = await judgeEnd(guarded, end);
  const rejected = rejection ?? (await confirm(guarded, end, degraded));
  const outcome = rejected === undefined ? succeeded(known.after, degraded, log) : await goBack(guarded, rejected);
  known.undecided = false;
  return outcome;
}

function succeeded(after: SystemState, degraded: readonly Failure[], log: HostLog): Outcome {
  if (after.rebootNeeded) log.note("kernel, initrd or kernel modules differ from the booted ones: they take effect with a reboot");
  const [first, ...rest] = degraded;
  if (first === undefined) return { status: "deployed", error: undefined };
  const reason = [first, ...rest].map((failure) => failure.reason).join("; ");
  return { status: "degraded", error: makeFailure({ ...first, reason, lines: degraded.flatMap(({ lines }) => lines) }) };
}

/** How an activation went that did not come to its own end. */
export function explainEnd(end: ActivationEnd["end"], { safety, operation }: Pick<RunSettings, "safety" | "operation">): Complaint | undefined {
  const { activation } = safety.limits;
  switch (end) {
    case "ended":
      return undefined;
    case "restarted":
      return { reason: "the machine was restarted during the activation", hint: "Look at its journal: `journalctl --boot -1`" };
    case "killed": {
      const late = safety.rollback && changesMachine(operation) ? ` took longer than activation-timeout (${activation} s), or` : "";
      return { reason: `the activation${late} was killed`, hint: "Look at `journalctl --unit 'nix-flake-deploy-*-activate'` on the machine" };
    }
    case "not-started":
      return { reason: "the activation could not be started on the machine", hint: "Does systemd-run work there?" };
  }
}

/** What the end of the activation itself has against the new system. */
async function judgeEnd(work: Guarded, end: ActivationEnd): Promise<{ rejection: Rejection | undefined; degraded: Failure[] }> {
  const { system, settings, known, armed, signal, log } = work;
  const { operation, safety } = settings;
  const { lines, causes, after } = end;
  const degraded: Failure[] = [];
  const reject = (complaint: Complaint, more = lines): { rejection: Rejection; degraded: Failure[] } => ({
    rejection: { phase: "activate", lines: more, causes, ...complaint },
    degraded,
  });
  const verdict = judge({ operation, toplevel: system.toplevel, before: armed.before, end });
  known.failedUnits = verdict.failedUnits;
  const broken = explainEnd(end.end, settings) ?? verdict.failure;
  if (broken !== undefined) return reject(broken);
  for (const [complaint, fatal] of [
    [verdict.units, safety.unitFailures === "fail"],
    [verdict.users, false],
  ] as const) {
    if (complaint === undefined) continue;
    const journal = complaint === verdict.units ? await armed.journal(verdict.failedUnits, signal) : [];
    if (fatal) return reject(complaint, journal);
    degraded.push(makeFailure({ phase: "activate", ...complaint, lines: journal, causes }));
    log.warn([complaint.reason, ...journal].join("\n"));
  }
  const other = "Has somebody else changed it in the meantime?";
  if (changesSystemProfile(operation) && after.profile !== system.toplevel)
    return reject({ reason: `the machine boots ${after.profile ?? "no system of the store"} and not ${system.toplevel}`, hint: other });
  if (changesRunningSystem(operation) && after.running !== system.running)
    return reject({ reason: `the machine runs ${after.running ?? "no system of the store"} and not ${system.running}`, hint: other });
  return { rejection: undefined, degraded };
}

/** Tells whether units were started, so that they must show that they stay up. */
function settles({ settings }: Guarded, { plan }: ActivationEnd): boolean {
  if (settings.safety.limits.settle === 0 || !changesRunningSystem(settings.operation)) return false;
  return plan === undefined || plan.start.length + plan.restart.length > 0;
}

/** Reaches the machine again, checks its health, and keeps the system. Returns what has prevented it. */
async function confirm(work: Guarded, end: ActivationEnd, degraded: Failure[]): Promise<Rejection | undefined> {
  const { armed, settings, known, signal } = work;
  const { healthCheck, limits } = settings.safety;
  work.ended();
  work.begin("confirm");
  let reached = await armed.reach(signal);
  if (typeof reached === "string") return notReached(reached, settings.safety);
  if (healthCheck !== undefined) {
    const complaint = await armed.checkHealth(healthCheck, limits.healthCheck, signal);
    if (complaint !== undefined) {
      return {
        phase: "confirm",
        reason: `the health check did not succeed within ${limits.healthCheck} s`,
        hint: "Its output is in the lines below",
        lines: [healthCheck, ...complaint.split("\n")],
      };
    }
  }
  if (settles(work, end)) {
    reached = await armed.settle(signal);
    if (typeof reached === "string") return notReached(reached, settings.safety);
  }
  const units = await judgeLateUnits(work, reached, degraded);
  if (units !== undefined) return units;
  const kept = await armed.keep(signal);
  if (typeof kept === "string") return notReached(kept, settings.safety);
  known.after = kept;
  work.ended();
  return undefined;
}

function notReached(how: "late" | "restarted", { limits }: Safety): Rejection {
  if (how === "restarted") {
    return {
      phase: "confirm",
      reason: "the machine was restarted before it was confirmed",
      hint: "Look at its journal: `journalctl --boot -1`",
      lines: [],
    };
  }
  return {
    phase: "confirm",
    reason: `the machine was not reached again within confirm-timeout (${limits.confirm} s)`,
    hint: "Does the new system change network, firewall or sshd?",
    lines: [],
    decided: true,
  };
}

/** Units that failed after the activation had ended. */
async function judgeLateUnits({ armed, settings, known, signal, log }: Guarded, now: SystemState, degraded: Failure[]): Promise<Rejection | undefined> {
  const late = newlyFailed(armed.before, now.failedUnits).filter((unit) => !known.failedUnits.includes(unit));
  if (late.length === 0) return undefined;
  known.failedUnits = [...known.failedUnits, ...late];
  const lines = await armed.journal(late, signal);
  const reason = `units failed shortly after the activation that had not failed before: ${late.join(", ")}`;
  const rejection = { phase: "activate", reason, hint: "The journal is in the lines below. Correct the unit, then deploy again", lines } as const;
  if (settings.safety.unitFailures === "fail") return rejection;
  degraded.push(makeFailure(rejection));
  log.warn([reason, ...lines].join("\n"));
  return undefined;
}

async function goBack(work: Guarded, { decided, ...rejection }: Rejection): Promise<Outcome> {
  const { armed, known, log, settings, signal } = work;
  const { safety, operation } = settings;
  const { reason, lines, causes } = rejection;
  const { exitCode } = known;
  if (!safety.rollback && decided === undefined) {
    await armed.keep(signal);
    return { status: "failed", error: makeFailure({ ...rejection, exitCode, outcome: "The new system stays, since rollback is false" }) };
  }
  log.note(`${reason}: going back to the old system`);
  work.begin("rollback");
  const end = await armed.rollBack(signal);
  known.after = end.state;
  const wrong = notBack(armed.before, end, work);
  if (wrong === undefined) {
    return { status: "rolled-back", error: makeFailure({ ...rejection, exitCode, outcome: "The machine is back at its old system" }) };
  }
  const error = makeFailure({
    phase: "rollback",
    reason: `${reason}; and the rollback failed: ${wrong}`,
    hint: `Repair the machine by hand, as root: ${repairCommands(armed.before, operation)}`,
    lines: [...lines, ...end.lines],
    exitCode: end.exitCode,
    causes,
  });
  return { status: "rollback-failed", error };
}

/** What is not as it was, after a rollback. */
function notBack(before: SystemState, end: RollbackEnd, { settings, system }: Guarded): string | undefined {
  const { exitCode, causes, state } = end;
  if (state.profile !== before.profile) return `the system profile is ${state.profile ?? "not there"} and was ${before.profile ?? "not there"}`;
  if (state.running !== before.running) return `the machine runs ${state.running ?? "no system of the store"} and ran ${before.running ?? "none"}`;
  if (exitCode === 0) return undefined;
  const { failure, units } = judge({ operation: settings.operation, toplevel: system.toplevel, before, end: { exitCode, causes, after: state } });
  return failure?.reason ?? units?.reason;
}

function repairCommands(before: SystemState, operation: Operation): string {
  const system = before.profile ?? before.running ?? "/nix/var/nix/profiles/system-N-link";
  const profile = changesSystemProfile(operation) ? `nix-env --profile /nix/var/nix/profiles/system --set ${system} && ` : "";
  return `${profile}${before.running ?? system}/bin/switch-to-configuration ${switchAction(operation) ?? "test"}`;
}
