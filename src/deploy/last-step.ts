import { makeFailure } from "../domain/failure.js";
import { rolledBack, notReached, switchedByOthers, type Guarded, type Outcome, type Rejection } from "./guarded.js";
import type { LastStep } from "./ports.js";
import { repairHint, repairLastStep } from "./repair.js";
import type { Safety } from "./run-settings.js";
import { judge } from "./verdict.js";

/** Keeps the system: sets profile and boot loader. Returns what has prevented it. */
export async function keep(work: Guarded): Promise<Rejection | Outcome | undefined> {
  const { armed, settings, known, signal } = work;
  known.confirmed = true;
  const kept = await armed.keep(signal);
  return typeof kept === "string" ? notKept(kept, settings.safety) : afterLastStep(work, kept);
}

/** Why a machine that may have decided for the new system does not keep it. */
export function notKept(how: "late" | "slow-login" | "restarted", safety: Safety): Rejection {
  const reached = notReached(how, safety);
  return how === "restarted" ? { ...reached, reason: "the machine was restarted before system profile and boot loader were set" } : reached;
}

/** Judges the last step of a system that is kept. Returns what has gone wrong. */
export function afterLastStep(work: Guarded, kept: LastStep): Outcome | undefined {
  work.known.after = kept.state;
  switch (kept.kind) {
    case "done":
      work.ended();
      return undefined;
    case "foreign": {
      const { reason, hint, topic } = switchedByOthers(kept.state);
      return { status: "failed", error: makeFailure({ phase: "confirm", reason, hint, topic, outcome: "System profile and boot loader were not changed" }) };
    }
    case "failed":
      return undoneStep(work, kept);
  }
}

/** The outcome of a failed last step, which has undone itself. */
function undoneStep({ armed, settings, system, known, begin }: Guarded, step: Extract<LastStep, { kind: "failed" }>): Outcome {
  const { exitCode, causes, lines, undone, state } = step;
  known.exitCode = exitCode;
  begin("rollback");
  const { operation } = settings;
  const evidence = { operation, toplevel: system.toplevel, before: armed.before } as const;
  const none = { reason: `system profile and boot loader could not be set (exit code ${exitCode})`, hint: "See the end of the output below" };
  const timedOut = exitCode === 124 || exitCode === 137;
  const late = {
    reason: `setting system profile and boot loader took longer than activation-timeout (${settings.safety.limits.activation} s)`,
    hint: none.hint,
    topic: "activation-timeout",
  } as const;
  const judged = judge({ ...evidence, end: { exitCode, causes, after: { failedUnits: [] } } }).failure;
  const why = timedOut ? late : causes.length === 0 ? none : (judged ?? none);
  const parts = { ...why, lines, causes, exitCode };
  const wrong = [
    ...(undone.profile ? [] : [`the system profile is ${state.profile ?? "missing"}`]),
    ...(undone.bootLoader ? [] : [`the boot loader's default entry may be ${system.toplevel}`]),
    ...wrongTest(),
  ];
  if (wrong.length === 0) return { status: "rolled-back", error: makeFailure({ phase: "confirm", ...parts, outcome: rolledBack }) };
  return {
    status: "rollback-failed",
    error: makeFailure({
      phase: "rollback",
      ...parts,
      reason: `${why.reason}; the rollback failed: ${wrong.join("; ")}`,
      hint: repairHint(
        repairLastStep(armed.before),
        undone.test?.causes ?? [],
        undone.test !== undefined && undone.test.exitCode !== 0 && state.running === armed.before.running,
      ),
      topic: "rollback-failed",
    }),
  };

  function wrongTest(): string[] {
    const { running } = armed.before;
    if (state.running !== running) return [`the machine runs ${state.running ?? "no system of the store"} (before: ${running ?? "none"})`];
    if (undone.test === undefined) return ["the old system was not activated"];
    if (undone.test.exitCode === 0) return [];
    const { failure, units } = judge({ ...evidence, end: { ...undone.test, after: state } });
    const complaint = failure ?? units;
    return complaint === undefined ? [] : [complaint.reason];
  }
}
