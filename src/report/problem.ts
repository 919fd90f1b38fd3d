import { dirname } from "node:path";
import { types } from "node:util";

import { CommandError, EvaluationError, InputError, RunnerError, topicsOf } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { Annotation } from "./annotations.js";
import { linkToPath, seeAlso, type LinkTo } from "./troubleshooting.js";

// The beginning of a long command line identifies the command.
const longestCommand = 300;

/** The annotation for what ended a run before the machines did. An error that is not one of the action's own is shown with its stack. */
export function problemAnnotation(problem: unknown, linkTo: LinkTo = linkToPath): Annotation {
  const withHelp = (text: string): string => [text, ...topicsOf(problem).flatMap((topic) => seeAlso(topic, linkTo))].join("\n");
  if (problem instanceof InputError || problem instanceof RunnerError) return { title: "The deployment could not start", message: withHelp(problem.message) };
  if (problem instanceof EvaluationError) return { title: "The flake does not evaluate; no host was changed", message: withHelp(problem.message) };
  if (problem instanceof CommandError) {
    const lines = [problem.message.slice(0, longestCommand), ...lastLines(problem.stderr)];
    return { title: "A command on the runner failed; no host was changed", message: lines.join("\n") };
  }
  if (isSystemError(problem)) {
    const place = problem.path === undefined ? "" : ` Check the space and the permissions of ${dirname(problem.path)}.`;
    return { title: "A file on the runner could not be used; no host was changed", message: `${problem.message}.${place}` };
  }
  return { title: "Internal error", message: problem instanceof Error ? (problem.stack ?? problem.message) : String(problem) };
}

// Errors of the runner's file system: a full or read-only disk, a quota, missing permissions.
const systemErrors = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "EIO"]);

function isSystemError(problem: unknown): problem is NodeJS.ErrnoException {
  return types.isNativeError(problem) && "syscall" in problem && "code" in problem && systemErrors.has(String(problem.code));
}
