import { AnswerError, DeployError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { Phase } from "../domain/phase.js";
import type { StorePath } from "../domain/store-path.js";
import type { SystemState } from "../deploy/ports.js";
import { BuildPlanFolder } from "../nix/build-plan.js";
import { lineCutter } from "../process/lines.js";
import { parseFacts, storePathOf, systemState } from "./facts.js";
import type { ScriptCall } from "./remote-shell.js";
import { residentScript } from "./script-files.js";
import type { ScriptEnd } from "./reconnect.js";

/** Runs a script to its end, even if the connection is lost in between. */
export type CallScript = (call: () => ScriptCall, phase: Phase) => Promise<ScriptEnd>;

/** A command that continues on the machine without a connection. */
export type Job = {
  readonly run: string;
  readonly name: string;
  readonly phase: Phase;
  readonly command: readonly string[];
  readonly privileged: boolean;
  /** Seconds in which the job must end; without it, it may take as long as it takes. */
  readonly seconds?: number | undefined;
  readonly onLine: (line: string) => void;
};

export type JobExit = {
  readonly exitCode: number;
  /** The target of the link `result` in its directory. */
  readonly result: StorePath | undefined;
  /** The last lines that it printed, many more than are shown: the cause may be above a long build log or `systemctl status`. */
  readonly lines: readonly string[];
};

export type JobEnd = JobExit & { readonly state: SystemState };

/** A job without a recorded end, as after a restart of the machine or when the job was killed. */
export class LostJobError extends DeployError {}

/** A job that was not started. */
export class UnstartedJobError extends DeployError {}

const keptLines = 200;

// Exit code of run.sh and build.sh.
const notStarted = 1;

/** Starts a job, only once however often the connection is lost, and follows it. Throws an `UnstartedJobError`, or as `followJob`. */
export async function runJob(job: Job, call: CallScript): Promise<JobEnd> {
  return await watchJob(job, call, "run", [residentScript("job"), ...job.command]);
}

/** Starts a job, only once however often the connection is lost. Throws an `UnstartedJobError` when that fails. */
export async function startJob(job: Job, call: CallScript): Promise<void> {
  const { privileged, phase } = job;
  const started = await call(() => ({ script: "start", args: [job.run, job.name, residentScript("job"), ...job.command], privileged }), phase);
  if (started.exitCode !== 0) throw unstarted(job, started);
}

function unstarted({ phase }: Pick<Job, "phase">, { exitCode, stderr }: ScriptEnd): UnstartedJobError {
  return new UnstartedJobError({
    phase,
    reason: `the job could not be started on the machine (exit code ${exitCode})`,
    lines: lastLines(stderr),
    exitCode,
  });
}

/**
 * Shows the output of a job until it ends, without gap and repetition. Throws a `LostJobError` when no end was recorded, as
 * after a crash of the machine.
 */
export async function followJob(job: Omit<Job, "command">, call: CallScript): Promise<JobEnd> {
  return await watchJob(job, call, "follow", []);
}

async function watchJob(job: Omit<Job, "command">, call: CallScript, script: "run" | "follow", args: readonly string[]): Promise<JobEnd> {
  const { end, lines } = await watchScript(job, call, script, args);
  return jobEnd(job, end, lines, script);
}

/** A script that shows a job. */
export type JobScript = "run" | "build" | "follow" | "confirm";

/**
 * Shows the output of a job while a script runs that shows it, without gap and repetition. The script gets run, job and offset, then `args`. Returns how the script ended, and the last lines.
 */
export async function watchScript(
  job: Omit<Job, "command">,
  call: CallScript,
  script: JobScript,
  args: readonly string[],
): Promise<{ readonly end: ScriptEnd; readonly lines: readonly string[] }> {
  const { phase, privileged } = job;
  const lines: string[] = [];
  const plan = new BuildPlanFolder();
  const take = (line: string): void => {
    if (line.trim() !== "" && lines.push(line) > keptLines) lines.shift();
    job.onLine(line);
  };
  const cutter = lineCutter((line) => plan.fold(line).forEach(take));
  let offset = 0;
  const onStdout = (chunk: Buffer): void => {
    offset += chunk.length;
    // What a long log had in the place of these has given its room back (job.sh).
    cutter.push(chunk.includes(0) ? Buffer.from(chunk.filter((byte) => byte !== 0)) : chunk);
  };
  const deadline = job.seconds === undefined ? undefined : performance.now() + job.seconds * 1000;
  const left = (): number | undefined => (deadline === undefined ? undefined : Math.max(1, Math.ceil((deadline - performance.now()) / 1000)));
  const end = await call(() => ({ script, args: [job.run, job.name, String(offset), ...args], privileged, timeout: left(), onStdout }), phase);
  cutter.end();
  plan.end().forEach(take);
  return { end, lines };
}

/** Reads from a script that has shown a job how the job ended, and what the machine is then. Throws as `jobExit`. */
export function jobEnd(job: Pick<Job, "name" | "phase">, end: ScriptEnd, lines: readonly string[], script: JobScript): JobEnd {
  return { ...jobExit(job, end, lines, script), state: systemState(parseFacts(end.stderr)) };
}

/**
 * Reads from a script that has shown a job how the job ended. Throws an `UnstartedJobError` where the script was to start it and could not,
 * and a `LostJobError` when no end was recorded.
 */
export function jobExit({ name, phase }: Pick<Job, "name" | "phase">, end: ScriptEnd, lines: readonly string[], script: JobScript): JobExit {
  if ((script === "run" || script === "build") && end.exitCode === notStarted) throw unstarted({ phase }, end);
  const facts = parseFacts(end.stderr);
  const exit = facts.get("exit") ?? "";
  if (end.exitCode !== 0 || !/^\d+$/.test(exit)) {
    const reason = end.exitCode === 3 ? "the job was not found on the machine (was the machine restarted?)" : "the job ended, but no exit status was recorded";
    throw new LostJobError({ phase, reason, hint: "Check the machine's journal for a restart or a killed process", lines, exitCode: 255 });
  }
  if (!/^\d{1,3}$/.test(exit) || Number(exit) > 255) throw new AnswerError(`the job ${name} ended with ${exit.slice(0, 20)}, which is no exit code`);
  return { exitCode: Number(exit), result: storePathOf(facts, "result"), lines };
}
