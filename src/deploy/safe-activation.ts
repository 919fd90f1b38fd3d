import { renderBytes } from "../domain/bytes.js";
import type { ActivationCause } from "../domain/activation-cause.js";
import { DeployError } from "../domain/errors.js";
import { makeFailure, type Failure } from "../domain/failure.js";
import { changesMachine, changesRunningSystem, changesSystemProfile } from "../domain/operation.js";
import { armedOutlook, isForeign, notReached, type Aftermath, type Guarded, type Outcome, type Rejection, type SafeActivation } from "./guarded.js";
import { confirm } from "./confirmation.js";
import { afterLastStep, keep } from "./last-step.js";
import type { ActivationEnd, ArmedMachine, HostLog, SystemState } from "./ports.js";
import { endRejected } from "./rejected.js";
import type { RunSettings } from "./run-settings.js";
import { judge, type Complaint } from "./verdict.js";

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
  const confirmed = rejection ?? (await confirm(guarded, end, degraded));
  const outcome = confirmed === undefined ? await keep(guarded) : "kind" in confirmed ? afterLastStep(guarded, confirmed) : confirmed;
  const final = outcome === undefined ? succeeded(known.after, degraded, log) : "status" in outcome ? outcome : await endRejected(guarded, outcome);
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

function warnOfBoot({ scarceBoot }: ArmedMachine, log: HostLog): void {
  if (scarceBoot === undefined) return;
  const [free, needed] = [scarceBoot.free, scarceBoot.needed].map((kibibytes) => renderBytes(kibibytes * 1024));
  log.warn(
    `only ${free} are free on /boot of the machine, but kernel and initrd of the new system need ${needed}: installing the boot loader may fail after the activation, which is then rolled back. Remove old generations with \`nix-collect-garbage -d\` and \`/run/current-system/bin/switch-to-configuration boot\` on the machine`,
  );
}

function succeeded(after: SystemState, degraded: readonly Failure[], log: HostLog): Outcome {
  if (after.rebootNeeded) log.note("kernel, initrd or kernel modules have changed: they take effect after a reboot");
  const [first, ...rest] = degraded;
  if (first === undefined) return { status: "deployed", error: undefined };
  const reason = [first, ...rest].map((failure) => failure.reason).join("; ");
  return { status: "degraded", error: makeFailure({ ...first, reason, lines: degraded.flatMap(({ lines }) => lines) }) };
}

/** Explains an activation that did not end normally. */
export function explainEnd(end: ActivationEnd["end"], { safety, operation }: Pick<RunSettings, "safety" | "operation">): Complaint | undefined {
  const { activation } = safety.limits;
  switch (end) {
    case "ended":
      return undefined;
    case "restarted":
      return { reason: "the machine was restarted during the activation", hint: "Check its journal: `journalctl --boot -1`", topic: "restarted" };
    case "killed": {
      const late = safety.rollback && changesMachine(operation) ? ` took longer than activation-timeout (${activation} s), or` : "";
      const hint = "Check `journalctl --unit 'nix-flake-deploy-*-activate'` on the machine";
      return { reason: `the activation${late} was killed`, hint, topic: "activation-timeout" };
    }
    case "not-started":
      return { reason: "the activation could not be started on the machine", hint: "Check that systemd-run works on the machine" };
  }
}

/** What makes switch-to-configuration refuse `test`, where it has neither stopped nor activated anything by then. */
const refusals: ReadonlySet<ActivationCause["kind"]> = new Set(["locked", "not-nixos", "inhibitor", "pre-switch-check", "other-init"]);

/** Judges the end of the activation itself. */
async function judgeEnd(work: Guarded, end: ActivationEnd): Promise<{ rejection: Rejection | undefined; degraded: Failure[] }> {
  const { system, settings, known, armed, signal, log } = work;
  const { operation, safety } = settings;
  const { lines, causes, after } = end;
  const degraded: Failure[] = [];
  const protectedSwitch = safety.rollback && changesRunningSystem(operation);
  const reject = (complaint: Complaint, more = lines, aftermath?: Aftermath): { rejection: Rejection; degraded: Failure[] } => ({
    rejection: { phase: "activate", lines: more, causes, ...(aftermath === undefined ? {} : { aftermath }), ...complaint },
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
  const other = "Check whether someone else changed it in the meantime";
  // A protected switch sets the profile when it is confirmed.
  if (changesSystemProfile(operation) && !protectedSwitch && after.profile !== system.toplevel)
    return reject({
      reason: `the machine boots ${after.profile ?? "no system of the store"} instead of ${system.toplevel}`,
      hint: other,
      topic: "other-system",
    });
  if (changesRunningSystem(operation) && after.running !== system.running) {
    // After a long loss of the connection, the machine may have rolled back by now.
    const reached = protectedSwitch && after.running === armed.before.running ? await armed.reach(signal) : after;
    if (typeof reached === "string") return { rejection: notReached(reached, safety), degraded };
    const complaint = {
      reason: `the machine runs ${after.running ?? "no system of the store"} instead of ${system.running}`,
      hint: other,
      topic: "other-system",
    } as const;
    return reject(complaint, lines, isForeign(work, after) ? "foreign" : undefined);
  }
  return { rejection: undefined, degraded };
}
