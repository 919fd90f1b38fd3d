import { CommandError, InputError, RunnerError } from "../domain/errors.js";
import { explainFlake } from "./flake-failure.js";
import { neverLock } from "./flake.js";
import { runNix } from "./local.js";

export type EvaluateOptions = { readonly cwd: string; readonly signal: AbortSignal | undefined; readonly onLine: (line: string) => void };

/** What an expression of the project is given: texts, flags, lists of texts, or nothing. */
export type Arguments = Readonly<Record<string, string | boolean | readonly string[] | null>>;

/**
 * Applies an expression, a function of its arguments and then of a flake's outputs, to a flake, in one pure evaluation. Returns
 * what it prints as JSON. Throws an `InputError` for a flake that cannot be had, a `RunnerError` for a Nix that is too old, a
 * `CommandError` for what does not evaluate.
 */
export async function applyToFlake(reference: string, expression: string, args: Arguments, options: EvaluateOptions): Promise<unknown> {
  try {
    const { stdout } = await runNix(applyArguments(reference, expression, args), {
      cwd: options.cwd,
      signal: options.signal,
      onStderrLine: options.onLine,
    });
    return JSON.parse(stdout);
  } catch (error) {
    throw explainApply(error, reference) ?? error;
  }
}

/** Builds the arguments of that evaluation. The attribute path `.` is the outputs as a whole, from Nix 2.19 (NixOS/nix#8852). */
export function applyArguments(reference: string, expression: string, args: Arguments): string[] {
  const bindings = Object.entries(args).map(([name, value]) => `${name} = ${nixValue(value)};`);
  return ["eval", "--json", ...neverLock, `${reference}#.`, "--apply", `(${expression}) { ${bindings.join(" ")} }`];
}

function explainApply(error: unknown, reference: string): InputError | RunnerError | undefined {
  if (error instanceof CommandError && /does not provide attribute .*or '\.'/.test(error.stderr)) {
    return new RunnerError("nix on this runner is too old to read the machines from the flake, which needs 2.19. Write the targets yourself, or update Nix", {
      cause: error,
    });
  }
  return explainFlake(error, reference);
}

function nixValue(value: Arguments[string]): string {
  if (typeof value === "string") return nixString(value);
  if (typeof value === "boolean" || value === null) return String(value);
  return `[ ${value.map(nixString).join(" ")} ]`;
}

/** Quotes a text for Nix, where a `$` before a brace would begin an expression. */
export function nixString(text: string): string {
  return `"${text
    .replaceAll(/["\\$]/g, String.raw`\$&`)
    .replaceAll("\n", String.raw`\n`)
    .replaceAll("\r", String.raw`\r`)}"`;
}
