import type { Systems } from "../safety/trial.js";

/** What the run reported, in its outputs. */
export type Report = {
  readonly status: string;
  readonly exit: number;
  readonly error: string;
  /** Whether the log says that the step was cancelled. */
  readonly cancelled: boolean;
};

/** What was seen of a cell. */
export type Observation = {
  /** Nothing where the action was killed. */
  readonly report: Report | undefined;
  readonly old: string;
  readonly new: string | undefined;
  /** When the machine did nothing any more, and again after the next run where a record of the last step was left. */
  readonly systems: Systems;
  readonly recorded: boolean;
  readonly afterNextRun: Systems | undefined;
  /** Generations of the new system in the system profile, when nothing is left to be done. */
  readonly newGenerations: number;
  readonly failedUnits: readonly string[];
  /** On the machine: when it did nothing any more, the timers that were to remove that, and what was still there after they had fired. */
  readonly left: readonly string[];
  readonly timers: readonly string[];
  readonly leftAfterTimers: readonly string[];
  /** Whether roots are left that a reboot has ended, until the next run. */
  readonly endedRoots: boolean;
  /** On the runner, after the post step: files and processes. */
  readonly leftOnRunner: readonly string[];
};

const green = new Set(["deployed", "unchanged"]);

/** What is wrong with a cell: untrue reports, a machine between two systems, or leftovers that nothing removes. */
export function problemsOf(seen: Observation): string[] {
  return [...untrue(seen), ...between(seen), ...leftovers(seen)];
}

/** Whether the machine runs a system, has it in its profile, and boots it. */
export function isAt({ current, profile, boot }: Systems, system: string | undefined): boolean {
  return system !== undefined && [current, profile, boot].every((path) => path === system);
}

function untrue({ report, systems, old, new: built }: Observation): string[] {
  if (report === undefined) return [];
  const { status, exit, error, cancelled } = report;
  const problems: string[] = [];
  if (green.has(status)) {
    // A step that somebody cancelled is red, also if its last host had been deployed before.
    if (exit !== 0 && !cancelled) problems.push(`the status is ${status}, and the exit code ${exit}`);
    if (!isAt(systems, built)) problems.push(`the status is ${status}, and the machine is not at the new system`);
    return problems;
  }
  if (exit === 0) problems.push(`the status is ${status}, and the exit code 0`);
  if (error === "") problems.push(`the status is ${status}, without a reason`);
  switch (status) {
    case "failed":
    case "rolled-back":
      if (!isAt(systems, old)) problems.push(`the status is ${status}, and the machine is not at the old system`);
      break;
    case "unknown":
      // Each of them says what the machine does, or that it does nothing more.
      if (!promises.some(([text]) => text.test(error))) problems.push("the message does not say what the machine does");
      break;
    case "rollback-failed":
      if (!/manually, as root: /.test(error)) problems.push("the message has no commands that repair the machine");
      break;
    default:
      problems.push(`the status is ${status}`);
  }
  for (const [text, system] of promises) {
    if (system === "old" && text.test(error) && !isAt(systems, old))
      problems.push(`the message says ${String(text)}, and the machine is not at the old system`);
  }
  return problems;
}

// What a message may say of a machine that is left alone, and the system at which it must then be.
const promises: readonly (readonly [RegExp, "old" | "either"])[] = [
  [/Without confirmation the machine rolls back on its own/, "old"],
  [/Nothing has changed on the machine/, "old"],
  [/If the machine received the confirmation, it sets system profile and boot loader on its own/, "either"],
];

function between({ report, systems, recorded, afterNextRun, old, new: built, newGenerations, failedUnits }: Observation): string[] {
  const problems: string[] = [];
  const settled = afterNextRun ?? systems;
  // Commands that a person runs come first then.
  const isRepair = report?.status === "rollback-failed";
  if (!isRepair && !isAt(settled, old) && !isAt(settled, built)) problems.push("the machine is between two systems");
  if (recorded && systems.current !== systems.boot) problems.push("the machine runs one system and boots another, beside a record of the last step");
  if (isAt(settled, old) && newGenerations > 0) problems.push("the rejected system is a generation");
  if (failedUnits.length > 0) problems.push(`units are failed: ${failedUnits.join(", ")}`);
  return problems;
}

function leftovers({ left, timers, leftAfterTimers, leftOnRunner }: Observation): string[] {
  const problems: string[] = [];
  if (left.length > 0 && timers.length === 0) problems.push(`nothing on the machine will remove ${left.join(", ")}`);
  if (leftAfterTimers.length > 0) problems.push(`the timers of the machine have left ${leftAfterTimers.join(", ")}`);
  if (leftOnRunner.length > 0) problems.push(`on the runner is left ${leftOnRunner.join(", ")}`);
  return problems;
}
