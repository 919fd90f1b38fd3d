import { makeFailure, type Failure } from "../domain/failure.js";
import { changesRunningSystem } from "../domain/operation.js";
import { reactivation } from "../domain/unit-jobs.js";
import { notKept } from "./last-step.js";
import { isForeign, notReached, switchedByOthers, type Guarded, type Rejection } from "./guarded.js";
import type { ActivationEnd, LastStep, SystemState } from "./ports.js";
import { nameUnits, newlyFailed } from "./verdict.js";

/** Returns whether units were started, so that the settle time applies. */
function settles({ settings }: Guarded, { plan }: ActivationEnd): boolean {
  if (settings.safety.limits.settle === 0 || !changesRunningSystem(settings.operation)) return false;
  return plan === undefined || [...plan.start, ...plan.restart].some((unit) => unit !== reactivation);
}

/** Reaches the machine again and checks its health. Returns why the system is rejected, or the last step of a machine that has kept it already. */
export async function confirm(work: Guarded, end: ActivationEnd, degraded: Failure[]): Promise<Rejection | LastStep | undefined> {
  const { settings } = work;
  work.ended();
  work.begin("confirm");
  const isSettling = settles(work, end);
  if (settings.safety.healthCheck === undefined && !isSettling) return await confirmAtOnce(work, degraded);
  const reached = await check(work, isSettling);
  return "reason" in reached ? reached : await judgeReached(work, reached, degraded);
}

/** Leaves the decision to the machine, which needs no second question where nothing speaks against the system. */
async function confirmAtOnce(work: Guarded, degraded: Failure[]): Promise<Rejection | LastStep | undefined> {
  const { armed, known, settings, signal } = work;
  const confirmed = await armed.confirm(known.failedUnits, () => (known.confirmed = true), signal);
  if (typeof confirmed === "string") return notKept(confirmed, settings.safety);
  if (confirmed.kind !== "undecided") return confirmed;
  known.confirmed = false;
  return await judgeReached(work, confirmed.state, degraded);
}

/** Reaches the machine, runs the health check and waits for the settle time. Returns the state of the machine then. */
async function check({ armed, settings, signal }: Guarded, isSettling: boolean): Promise<Rejection | SystemState> {
  const { healthCheck, limits } = settings.safety;
  let reached = await armed.reach(signal, healthCheck === undefined ? limits.settle : Infinity);
  if (typeof reached === "string") return notReached(reached, settings.safety);
  if (healthCheck !== undefined) {
    const complaint = await armed.checkHealth(healthCheck, limits.healthCheck, signal);
    if (complaint !== undefined) {
      return {
        phase: "confirm",
        reason: `the health check did not succeed within ${limits.healthCheck} s`,
        hint: "See its output below",
        topic: "health-check",
        lines: [healthCheck, ...complaint.split("\n")],
      };
    }
  }
  if (isSettling) {
    reached = await armed.settle(signal);
    if (typeof reached === "string") return notReached(reached, settings.safety);
  }
  return reached;
}

async function judgeReached(work: Guarded, reached: SystemState, degraded: Failure[]): Promise<Rejection | undefined> {
  return isForeign(work, reached) ? switchedByOthers(reached) : await judgeLateUnits(work, reached, degraded);
}

/** Units that failed after the activation had ended. */
async function judgeLateUnits({ armed, settings, known, signal, log }: Guarded, now: SystemState, degraded: Failure[]): Promise<Rejection | undefined> {
  const late = newlyFailed(armed.before, now.failedUnits).filter((unit) => !known.failedUnits.includes(unit));
  if (late.length === 0) return undefined;
  known.failedUnits = [...known.failedUnits, ...late];
  const lines = await armed.journal(late, signal);
  const reason = `units failed shortly after the activation: ${nameUnits(late)}`;
  const rejection = { phase: "activate", reason, hint: "See the unit's journal below, fix it and deploy again", lines, topic: "units-failed" } as const;
  if (settings.safety.unitFailures === "fail") return rejection;
  degraded.push(makeFailure(rejection));
  log.warn([reason, ...lines].join("\n"));
  return undefined;
}
