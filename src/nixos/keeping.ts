import type { Confirmed, HostLog, LastStep } from "../deploy/ports.js";
import { readDecision, undecidable } from "./decision.js";
import { parseFacts, systemState } from "./facts.js";
import { followJob, jobEnd, LostJobError, watchScript, type CallScript, type Job, type JobEnd } from "./job.js";
import { LastStepReader } from "./last-step.js";

/** Exit code of last.sh and watchdog.sh: the machine runs another system, and nothing was changed. */
export const foreignSystem = 9;

const interrupted = "setting system profile and boot loader was interrupted on the machine; starting it again";

/** What keeping the new system needs of its activation. */
export type Keeping = {
  readonly hasLastStep: boolean;
  /** The job that does the last step, whose output that reader gets, too. */
  readonly job: (reader: LastStepReader) => Omit<Job, "command">;
  readonly call: CallScript;
  readonly log: HostLog;
  readonly wasRestarted: () => Promise<boolean>;
};

/**
 * Has the machine decide for the new system where `running` runs, or where that is empty, and no other units have failed than the known
 * ones; then follows the last step. Else returns the state of the machine, and nothing is decided. Throws as `keepSystem`.
 */
export async function confirmSystem(keeping: Keeping, running: string, knownUnits: readonly string[]): Promise<Confirmed> {
  const reader = new LastStepReader();
  const job = keeping.job(reader);
  const { end, lines } = await watchScript(job, keeping.call, "confirm", [running, knownUnits.join(" ")]);
  const undecided = undecidable(end);
  if (undecided !== undefined) return undecided;
  const facts = parseFacts(end.stderr);
  if (facts.get("confirmed") !== "yes") return { kind: "undecided", state: systemState(facts) };
  if (!keeping.hasLastStep) return { kind: "done", state: systemState(facts) };
  const step = await lastStep(keeping, reader, () => jobEnd(job, end, lines, "confirm"));
  if (!(step instanceof LostJobError)) return step;
  keeping.log.note(interrupted);
  return await keepSystem(keeping);
}

/** Decides for the new system, and follows the last step where there is one. Throws a `LostJobError` when that is interrupted twice. */
export async function keepSystem(keeping: Keeping): Promise<LastStep | "late" | "restarted"> {
  for (let tries = 1; ; tries += 1) {
    const reader = new LastStepReader();
    const job = keeping.job(reader);
    const kept = readDecision(await keeping.call(() => ({ script: "decide", args: [job.run, "keep"], privileged: true }), "confirm"));
    if (typeof kept === "string") return kept;
    if (!keeping.hasLastStep) return { kind: "done", state: kept };
    const step = await lastStep(keeping, reader, async () => await followJob(job, keeping.call));
    if (!(step instanceof LostJobError)) return step;
    // It was killed. Started again, it continues from its record.
    if (tries > 1) throw step;
    keeping.log.note(interrupted);
  }
}

/** How the last step ended, or that no end was recorded although the machine was not restarted. */
async function lastStep(
  { wasRestarted }: Keeping,
  reader: LastStepReader,
  follow: () => JobEnd | Promise<JobEnd>,
): Promise<LastStep | "restarted" | LostJobError> {
  try {
    const { exitCode, lines, state } = await follow();
    if (exitCode === 0) return { kind: "done", state };
    if (exitCode === foreignSystem) return { kind: "foreign", state };
    return { kind: "failed", lines, state, ...reader.output() };
  } catch (error) {
    if (!(error instanceof LostJobError)) throw error;
    return (await wasRestarted()) ? "restarted" : error;
  }
}
