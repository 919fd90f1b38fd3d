import { dirname } from "node:path";
import { types } from "node:util";

import { CommandError, EvaluationError, InputError, RunnerError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { Annotation } from "./annotations.js";

// Of a command line with an expression in it, the beginning says which command it is.
const longestCommand = 300;

/** The annotation for what ended a run before the machines did. An error that is not one of the action's own is shown with its stack. */
export function problemAnnotation(problem: unknown): Annotation {
  if (problem instanceof InputError || problem instanceof RunnerError) return { title: "The deployment cannot begin", message: problem.message };
  if (problem instanceof EvaluationError) return { title: "The flake does not evaluate; no machine was changed", message: problem.message };
  if (problem instanceof CommandError) {
    const lines = [problem.message.slice(0, longestCommand), ...lastLines(problem.stderr)];
    return { title: "A command on the runner failed; no machine was changed", message: lines.join("\n") };
  }
  if (isSystemError(problem)) {
    const place = problem.path === undefined ? "" : ` Check the space and the permissions of ${dirname(problem.path)}.`;
    return { title: "A file on the runner cannot be used; no machine was changed", message: `${problem.message}.${place}` };
  }
  return { title: "A fault in nix-flake-deploy", message: problem instanceof Error ? (problem.stack ?? problem.message) : String(problem) };
}

// What no program can help: a full or read-only disk, a quota, missing rights.
const systemErrors = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "EIO"]);

function isSystemError(problem: unknown): problem is NodeJS.ErrnoException {
  return types.isNativeError(problem) && "syscall" in problem && "code" in problem && systemErrors.has(String(problem.code));
}
