import type { ActivationCause } from "../domain/activation-cause.js";
import { makeFailure, type Failure } from "../domain/failure.js";
import { changesMachine, changesRunningSystem, changesSystemProfile, protectedWay } from "../domain/operation.js";
import { DeployError } from "../domain/errors.js";
import type { Phase } from "../domain/phase.js";
import type { Status } from "../domain/result.js";
import type { UnitPlan } from "../domain/unit-plan.js";
import type { RunSettings, Safety } from "./run-settings.js";
import type { ActivatableSystem, ActivationEnd, ArmedMachine, ConnectedMachine, HostLog, LastStep, RollbackEnd, SystemState } from "./ports.js";
import { repairCommands, repairLastStep } from "./repair.js";
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
  /** The machine is about to be armed, and may be. */
  arming: boolean;
  /** It was told to keep the new system, or about to be; from then on it does the last step by itself. */
  confirmed: boolean;
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
  /** What is left to do, where that is no rollback. */
  readonly then?: Aftermath;
};

/**
 * `refused`: switch-to-configuration changed nothing. `foreign`: the machine runs neither the old nor the new system. `restarted`: it
 * has booted since, and what it runs must be asked.
 */
type Aftermath = "refused" | "foreign" | "restarted";

/**
 * Activates a system under the machine's watchdog: activate, reach the machine over a fresh connection, check its health, only
 * then have it set system profile and boot loader; else roll back. Throws a `DeployError` when the machine is lost before that is
 * decided.
 */
export async function activateSafely(work: SafeActivation): Promise<Outcome> {
  const { known, signal, log } = work;
  const armed = await arm(work);
  known.before = armed.before;
  known.undecided = true;
  warnOfBoot(armed, log);
  const guarded: Guarded = { ...work, armed };
  const end = await armed.activate(signal);
  known.after = end.after;
  known.exitCode = end.exitCode;
  known.plan = end.plan ?? known.plan;
  const { rejection, degraded } = await judgeEnd(guarded, end);
  const rejected = rejection ?? (await confirm(guarded, end, degraded));
  const outcome = rejected ?? (await keep(guarded));
  const final = outcome === undefined ? succeeded(known.after, degraded, log) : "status" in outcome ? outcome : await reject(guarded, outcome);
  known.undecided = false;
  return final;
}

async function arm({ machine, system, known, settings, signal }: SafeActivation): Promise<ArmedMachine> {
  const { operation, safety, variant } = settings;
  const { installBootLoader } = variant;
  known.arming = true;
  try {
    const armed = await machine.arm({ operation, system, installBootLoader, guarded: safety.rollback, limits: safety.limits }, signal);
    known.arming = false;
    return armed;
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    if (error.unreachable) throw new DeployError({ ...error.failure, outcome: armedOutlook(safety), unreachable: true, cause: error });
    known.arming = false;
    throw error;
  }
}

/** What becomes of a machine whose connection was lost while it was armed. */
export function armedOutlook({ rollback, limits }: Safety): string {
  const end = rollback ? `its watchdog ends ${limits.activation} s later without changing anything` : "its lock ends within a minute";
  return `Nothing was activated. If the machine was armed before the connection was lost, ${end}`;
}

function warnOfBoot({ scarceBoot }: ArmedMachine, log: HostLog): void {
  if (scarceBoot === undefined) return;
  const [free, needed] = [scarceBoot.free, scarceBoot.needed].map((kibibytes) => (kibibytes / 1024).toFixed(1));
  log.warn(
    `only ${free} MiB are free on /boot of the machine, and kernel and initrd of the new system need ${needed} MiB: the boot loader may fail after the activation, which is then rolled back. Remove old generations with \`nix-collect-garbage -d\` and \`/run/current-system/bin/switch-to-configuration boot\` on the machine`,
  );
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

/** What makes switch-to-configuration refuse `test`, where it has neither stopped nor activated anything by then. */
const refusals: ReadonlySet<ActivationCause["kind"]> = new Set(["locked", "not-nixos", "inhibitor", "pre-switch-check", "other-init"]);

/** What the end of the activation itself has against the new system. */
async function judgeEnd(work: Guarded, end: ActivationEnd): Promise<{ rejection: Rejection | undefined; degraded: Failure[] }> {
  const { system, settings, known, armed, signal, log } = work;
  const { operation, safety } = settings;
  const { lines, causes, after } = end;
  const degraded: Failure[] = [];
  const protectedSwitch = safety.rollback && changesRunningSystem(operation);
  const reject = (complaint: Complaint, more = lines, then?: Aftermath): { rejection: Rejection; degraded: Failure[] } => ({
    rejection: { phase: "activate", lines: more, causes, ...(then === undefined ? {} : { then }), ...complaint },
    degraded,
  });
  const verdict = judge({ operation, toplevel: system.toplevel, before: armed.before, end });
  known.failedUnits = verdict.failedUnits;
  const broken = explainEnd(end.end, settings) ?? verdict.failure;
  if (broken !== undefined) {
    const refused = protectedSwitch && end.end === "ended" && !end.touched && causes.some(({ kind }) => refusals.has(kind));
    return reject(broken, lines, end.end === "restarted" ? "restarted" : refused ? "refused" : undefined);
  }
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
  // A protected switch sets the profile when it is confirmed.
  if (changesSystemProfile(operation) && !protectedSwitch && after.profile !== system.toplevel)
    return reject({ reason: `the machine boots ${after.profile ?? "no system of the store"} and not ${system.toplevel}`, hint: other });
  if (changesRunningSystem(operation) && after.running !== system.running) {
    const complaint = { reason: `the machine runs ${after.running ?? "no system of the store"} and not ${system.running}`, hint: other };
    return reject(complaint, lines, isForeign(work, after) ? "foreign" : undefined);
  }
  return { rejection: undefined, degraded };
}

/** Tells whether the machine runs neither the old nor the new system, which nobody but somebody else has switched to. */
function isForeign({ armed, system, settings }: Guarded, { running }: SystemState): boolean {
  return settings.safety.rollback && changesRunningSystem(settings.operation) && running !== system.running && running !== armed.before.running;
}

/** Tells whether units were started, so that they must show that they stay up. */
function settles({ settings }: Guarded, { plan }: ActivationEnd): boolean {
  if (settings.safety.limits.settle === 0 || !changesRunningSystem(settings.operation)) return false;
  return plan === undefined || plan.start.length + plan.restart.length > 0;
}

/** Reaches the machine again and checks its health. Returns why the system is not to be kept. */
async function confirm(work: Guarded, end: ActivationEnd, degraded: Failure[]): Promise<Rejection | undefined> {
  const { armed, settings, signal } = work;
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
  if (isForeign(work, reached)) return switchedByOthers(reached);
  return await judgeLateUnits(work, reached, degraded);
}

function switchedByOthers({ running }: SystemState): Rejection {
  return {
    phase: "confirm",
    reason: `somebody else has switched the machine since: it runs ${running ?? "no system of the store"}, which is neither the old nor the new system`,
    hint: "Find out who did, then deploy again",
    lines: [],
    then: "foreign",
  };
}

/** Keeps the system, which is when profile and boot loader are set. Returns what has prevented it. */
async function keep(work: Guarded): Promise<Rejection | Outcome | undefined> {
  const { armed, settings, known, signal } = work;
  known.confirmed = true;
  const kept = await armed.keep(signal);
  if (kept === "restarted") {
    const reason = "the machine was restarted before system profile and boot loader were set";
    return { ...notReached(kept, settings.safety), reason };
  }
  if (kept === "late") return notReached(kept, settings.safety);
  known.after = kept.state;
  switch (kept.kind) {
    case "done":
      work.ended();
      return undefined;
    case "foreign": {
      const { reason, hint } = switchedByOthers(kept.state);
      return { status: "failed", error: makeFailure({ phase: "confirm", reason, hint, outcome: "System profile and boot loader were not changed" }) };
    }
    case "failed":
      return undoneStep(work, kept);
  }
}

/** What a last step that failed has left: it has undone itself. */
function undoneStep({ armed, settings, system, known, begin }: Guarded, step: Extract<LastStep, { kind: "failed" }>): Outcome {
  const { exitCode, causes, lines, undone, state } = step;
  known.exitCode = exitCode;
  begin("rollback");
  const { operation } = settings;
  const evidence = { operation, toplevel: system.toplevel, before: armed.before } as const;
  const none = { reason: `system profile and boot loader could not be set (exit code ${exitCode})`, hint: "The lines below are the end of the output" };
  const timedOut = exitCode === 124 || exitCode === 137;
  const late = { reason: `the last step took longer than activation-timeout (${settings.safety.limits.activation} s)`, hint: none.hint };
  const judged = judge({ ...evidence, end: { exitCode, causes, after: { failedUnits: [] } } }).failure;
  const why = timedOut ? late : causes.length === 0 ? none : (judged ?? none);
  const parts = { ...why, lines, causes, exitCode };
  const wrong = [
    ...(undone.profile ? [] : [`the system profile is ${state.profile ?? "not there"}`]),
    ...(undone.bootLoader ? [] : [`the boot loader's default entry may be ${system.toplevel}`]),
    ...wrongTest(),
  ];
  if (wrong.length === 0) return { status: "rolled-back", error: makeFailure({ phase: "confirm", ...parts, outcome: backAtOld }) };
  return {
    status: "rollback-failed",
    error: makeFailure({
      phase: "rollback",
      ...parts,
      reason: `${why.reason}; and the rollback failed: ${wrong.join("; ")}`,
      hint: `Repair the machine by hand, as root: ${repairLastStep(armed.before)}`,
    }),
  };

  function wrongTest(): string[] {
    const { running } = armed.before;
    if (state.running !== running) return [`the machine runs ${state.running ?? "no system of the store"} and ran ${running ?? "none"}`];
    if (undone.test === undefined) return ["the old system was not activated"];
    if (undone.test.exitCode === 0) return [];
    const { failure, units } = judge({ ...evidence, end: { ...undone.test, after: state } });
    const complaint = failure ?? units;
    return complaint === undefined ? [] : [complaint.reason];
  }
}

const backAtOld = "The machine is back at its old system";

function notReached(how: "late" | "slow-login" | "restarted", { limits }: Safety): Rejection {
  switch (how) {
    case "restarted":
      return {
        phase: "confirm",
        reason: "the machine was restarted before it was confirmed",
        hint: "Look at its journal: `journalctl --boot -1`",
        lines: [],
        then: "restarted",
      };
    case "slow-login":
      return {
        phase: "confirm",
        reason: `the machine answered, but the login over ssh took longer than confirm-timeout (${limits.confirm} s)`,
        hint: "Find out what makes the login slow, or raise confirm-timeout",
        lines: [],
        decided: true,
      };
    case "late":
      return {
        phase: "confirm",
        reason: `the machine was not reached again within confirm-timeout (${limits.confirm} s)`,
        hint: "Does the new system change network, firewall or sshd?",
        lines: [],
        decided: true,
      };
  }
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

/** What becomes of a machine whose new system is not to stay. */
async function reject(work: Guarded, rejection: Rejection): Promise<Outcome> {
  const { then } = rejection;
  if (then === undefined) return await goBack(work, rejection);
  if (then === "restarted") return await afterRestart(work, rejection);
  return await leave(work, rejection, then === "foreign" ? "Nothing more was changed on the machine" : "Nothing was activated");
}

/** Ends the run on a machine where nothing is to be rolled back. */
async function leave({ armed, known, signal }: Guarded, { then: _, ...rejection }: Rejection, outcome: string): Promise<Outcome> {
  const state = await armed.drop(signal);
  if (typeof state !== "string") known.after = state;
  return { status: "failed", error: makeFailure({ ...rejection, exitCode: known.exitCode, outcome }) };
}

/** A restart ends every protection, and boots what the boot loader has: only the machine itself can say what that is. */
async function afterRestart(work: Guarded, { then: _, ...rejection }: Rejection): Promise<Outcome> {
  const { armed, known, settings, system, signal, log } = work;
  const { before } = armed;
  const state = await armed.afterRestart(signal);
  known.after = state;
  if (known.confirmed && state.running === system.running && state.profile === system.toplevel) {
    log.note("the machine was restarted after it was confirmed, and has booted the new system");
    return { status: "deployed", error: undefined };
  }
  const { exitCode } = known;
  if (settings.safety.rollback && state.running === before.running && state.profile === before.profile) {
    return { status: "rolled-back", error: makeFailure({ ...rejection, exitCode, outcome: "The machine has booted its old system" }) };
  }
  const boots = state.profile === state.running ? "" : `, and its system profile is ${state.profile ?? "not there"}`;
  const outcome = `The machine has booted ${state.running ?? "no system of the store"}${boots}; it ran ${before.running ?? "no system of the store"} before`;
  return { status: "failed", error: makeFailure({ ...rejection, exitCode, outcome }) };
}

async function goBack(work: Guarded, { decided, then: _, ...rejection }: Rejection): Promise<Outcome> {
  const { armed, known, log, settings, signal } = work;
  const { safety, operation } = settings;
  const { reason, lines, causes } = rejection;
  const { exitCode } = known;
  if (!safety.rollback && decided === undefined) {
    await armed.keep(signal);
    return { status: "failed", error: makeFailure({ ...rejection, exitCode, outcome: "The new system stays, since rollback is false" }) };
  }
  log.note(`${reason}: rolling back`);
  work.begin("rollback");
  const end = await armed.rollBack(signal);
  if (end === "restarted") return await afterRestart(work, { ...rejection, reason: `${reason}; and the machine was restarted during the rollback` });
  known.after = end.state;
  if (end.foreign) {
    const outcome = `Nothing was rolled back: the machine runs ${end.state.running ?? "no system of the store"}, which is neither the old nor the new system, so somebody else has switched it`;
    return { status: "failed", error: makeFailure({ ...rejection, exitCode, outcome }) };
  }
  const wrong = notBack(armed.before, end, work);
  if (wrong === undefined) {
    return { status: "rolled-back", error: makeFailure({ ...rejection, exitCode, outcome: backAtOld }) };
  }
  const error = makeFailure({
    phase: "rollback",
    reason: `${reason}; and the rollback failed: ${wrong}`,
    hint: `Repair the machine by hand, as root: ${protectedWay(operation) === "boot" ? repairLastStep(armed.before) : repairCommands(armed.before)}`,
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
