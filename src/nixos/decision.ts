import { DeployError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { SystemState } from "../deploy/ports.js";
import { parseFacts, systemState } from "./facts.js";
import type { ScriptEnd } from "./reconnect.js";

// Exit codes of decide.sh, settle.sh and confirm.sh.
const tooLate = 7;
export const forgotten = 3;

/** Reads the answer to a decision: the state of the machine, or why it was not made. Throws a `DeployError` for any other exit code. */
export function readDecision(end: ScriptEnd): SystemState | "late" | "restarted" {
  return undecidable(end) ?? systemState(parseFacts(end.stdout));
}

/** Why a decision was not made; `undefined` where it was. Throws a `DeployError` for an unexpected exit code. */
export function undecidable(end: ScriptEnd): "late" | "restarted" | undefined {
  if (end.exitCode === 0) return undefined;
  if (end.exitCode === tooLate) return "late";
  if (end.exitCode === forgotten) return "restarted";
  throw refusal("confirm", "the watchdog on the machine did not accept the decision", end);
}

/** Explains a script that refused what it was asked for. */
export function refusal(phase: "confirm" | "rollback", reason: string, end: ScriptEnd): DeployError {
  return new DeployError({ phase, reason: `${reason} (exit code ${end.exitCode})`, lines: lastLines(end.stderr), exitCode: end.exitCode });
}
