import { CommandError, EvaluationError, InputError, RunnerError } from "../domain/errors.js";
import { installable } from "../domain/flake-reference.js";
import { lastLines, shownLines } from "../domain/lines.js";
import { evaluationMessage, missingFile } from "./evaluation-message.js";
import { explainFlake } from "./flake-failure.js";
import { neverLock } from "./flake.js";
import { runNix } from "./nix-command.js";

export type EvaluateOptions = { readonly cwd: string; readonly signal: AbortSignal | undefined; readonly onLine: (line: string) => void };

/** The arguments of an expression: strings, booleans, lists of strings, or null. */
export type Arguments = Readonly<Record<string, string | boolean | readonly string[] | null>>;

/**
 * Applies an expression, a function of its arguments and then of a flake's outputs, to a flake, in one pure evaluation. Returns
 * what it prints as JSON. Throws an `InputError` for a flake that cannot be fetched, a `RunnerError` for a Nix that is too old, an
 * `EvaluationError` for what does not evaluate, and a `CommandError` for an evaluation that was stopped.
 */
export async function applyToFlake(reference: string, expression: string, args: Arguments, options: EvaluateOptions): Promise<unknown> {
  const warnings = beforeError(options.onLine);
  try {
    const { stdout } = await runNix(applyArguments(reference, expression, args), {
      cwd: options.cwd,
      signal: options.signal,
      onStderrLine: warnings,
    });
    return JSON.parse(stdout);
  } catch (error) {
    throw explainApply(error, reference) ?? readable(error, reference) ?? error;
  }
}

/** Builds the arguments of that evaluation. The attribute path `.` is the outputs as a whole, from Nix 2.19 (NixOS/nix#8852). */
export function applyArguments(reference: string, expression: string, args: Arguments): string[] {
  const bindings = Object.entries(args).map(([name, value]) => `${name} = ${nixValue(value)};`);
  // Without --show-trace, Nix shows the outermost frames: those of the expression, and not the place in the flake.
  return ["eval", "--json", "--show-trace", ...neverLock, installable(reference, "."), "--apply", `(${expression}) { ${bindings.join(" ")} }`];
}

// The trace quotes the expression and has thousands of lines for a real NixOS: the error is shown at the end instead.
function beforeError(onLine: (line: string) => void): (line: string) => void {
  let failed = false;
  return (line) => {
    failed ||= line.startsWith("error:");
    if (!failed) onLine(line);
  };
}

function readable(error: unknown, reference: string): EvaluationError | undefined {
  if (!(error instanceof CommandError)) return undefined;
  const { failure, stderr } = error;
  if (failure.kind === "signal" && failure.signal === "SIGKILL") {
    const why = "nix was killed (SIGKILL). Linux kills processes when memory runs out; evaluating a NixOS configuration needs about 500 MB";
    return new EvaluationError(reference, [why, "Use a runner with more memory, or select fewer hosts"], error);
  }
  if (failure.kind !== "exit" && failure.kind !== "signal") return undefined;
  const message = evaluationMessage(stderr);
  const lines = message.length > 0 ? message : lastLines(stderr);
  const file = missingFile(stderr);
  const hint = `${file} is not in the source of the flake. If it exists in the work tree, it is not tracked by Git: run \`git add ${file}\` and commit it`;
  return new EvaluationError(reference, file === undefined ? lines : [...lines.slice(0, shownLines - 1), hint], error);
}

function explainApply(error: unknown, reference: string): InputError | RunnerError | undefined {
  if (error instanceof CommandError && /does not provide attribute .*or '\.'/.test(error.stderr)) {
    return new RunnerError(
      "nix on this runner is too old to evaluate the flake (2.19 or newer is required). Update Nix, or set the input targets and have the hosts evaluate (build-on: target)",
      {
        cause: error,
        topic: "nix-too-old",
      },
    );
  }
  return explainFlake(error, reference);
}

function nixValue(value: Arguments[string]): string {
  if (typeof value === "string") return nixString(value);
  if (typeof value === "boolean" || value === null) return String(value);
  return `[ ${value.map(nixString).join(" ")} ]`;
}

/** Quotes a string for Nix, where `${` would begin an expression. */
export function nixString(text: string): string {
  return `"${text
    .replaceAll(/["\\$]/g, String.raw`\$&`)
    .replaceAll("\n", String.raw`\n`)
    .replaceAll("\r", String.raw`\r`)}"`;
}
