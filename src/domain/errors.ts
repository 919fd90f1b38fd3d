import { renderBytes } from "./bytes.js";
import { makeFailure, type Failure } from "./failure.js";
import type { Topic } from "./topic.js";

/** One bad input: its name, what is wrong with it and what is accepted, and what to do next. Never holds a secret. */
export type InputProblem = { readonly input: string; readonly problem: string; readonly advice?: string | undefined; readonly topic?: Topic | undefined };

/** All bad inputs of a run in one error. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    const heading = problems.length === 1 ? "An input is invalid" : `${problems.length} inputs are invalid`;
    super(
      [
        `${heading}; no host was changed:`,
        ...problems.map(({ input, problem, advice }) => `  ${input}: ${problem}${advice === undefined ? "" : `. ${advice}`}`),
      ].join("\n"),
    );
    this.problems = problems;
  }
}

/** Something that every run needs is missing on the runner. The message says what to add to the workflow. */
export class RunnerError extends Error {
  override readonly name = "RunnerError";
  readonly topic: Topic;

  constructor(message: string, { topic, ...options }: ErrorOptions & { readonly topic: Topic }) {
    super(message, options);
    this.topic = topic;
  }
}

/** Why a command failed. */
export type CommandFailure =
  | { readonly kind: "exit"; readonly exitCode: number }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "timeout"; readonly seconds: number }
  | { readonly kind: "silent"; readonly seconds: number }
  | { readonly kind: "output"; readonly bytes: number }
  | { readonly kind: "aborted" }
  | { readonly kind: "spawn"; readonly code: string };

/** A command that could not be started, failed, or was terminated. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** The command, ready to paste into a shell. */
  readonly command: string;
  readonly failure: CommandFailure;
  readonly stdout: string;
  readonly stderr: string;

  constructor(parts: { command: string; failure: CommandFailure; stdout: string; stderr: string; cause?: unknown }) {
    super(`${describe(parts.failure)}: ${parts.command}`, { cause: parts.cause });
    this.command = parts.command;
    this.failure = parts.failure;
    this.stdout = parts.stdout;
    this.stderr = parts.stderr;
  }
}

/** A flake that does not evaluate on the runner. The message holds Nix's own and the place in the flake, and no command line. */
export class EvaluationError extends CommandError {
  /** Nix's message and its place, at most 20 lines. */
  readonly lines: readonly string[];

  constructor(reference: string, lines: readonly string[], cause: CommandError) {
    super({ command: `nix eval ${reference}`, failure: cause.failure, stdout: "", stderr: lines.join("\n"), cause });
    this.message = [`The flake ${reference} does not evaluate:`, ...lines.map((line) => `  ${line}`)].join("\n");
    this.lines = lines;
  }
}

/** An answer of a machine that no machine gives that works as it should. The message is one sentence without a full stop. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}

/** The flake of a run could not be fetched, so that no machine can be deployed. The message is one sentence without a full stop. */
export class NoFlakeError extends Error {
  override readonly name = "NoFlakeError";
}

/** The entries of docs/troubleshooting.md about what ended a run, each once. */
export function topicsOf(problem: unknown): Topic[] {
  if (problem instanceof InputError) return [...new Set(problem.problems.flatMap(({ topic }) => topic ?? []))];
  if (problem instanceof RunnerError) return [problem.topic];
  return problem instanceof EvaluationError ? ["evaluation-failed"] : [];
}

/** The message of anything thrown, also of an error of another realm. */
export function messageOf(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error);
}

/** What ended a run, in one line without a full stop at the end. */
export function briefReason(problem: unknown): string {
  if (problem instanceof InputError) return problem.problems.map((bad) => `${bad.input}: ${bad.problem}`).join("; ");
  if (problem instanceof EvaluationError) return (problem.lines[0] ?? "the flake does not evaluate").replace(/^error: /, "the flake does not evaluate: ");
  if (problem instanceof CommandError)
    return (
      problem.stderr
        .split("\n")
        .findLast((line) => /^\s*error: \S/.test(line))
        ?.trim() ?? problem.message.slice(0, 200)
    );
  return messageOf(problem).split("\n")[0] ?? "";
}

function describe(failure: CommandFailure): string {
  switch (failure.kind) {
    case "exit":
      return `exit code ${failure.exitCode}`;
    case "signal":
      return `terminated by ${failure.signal}`;
    case "timeout":
      return `timed out after ${failure.seconds} s`;
    case "silent":
      return `no output for ${failure.seconds} s`;
    case "output":
      return `printed more than ${renderBytes(failure.bytes)}`;
    case "aborted":
      return "aborted";
    case "spawn":
      return failure.code === "ENOENT" ? "command not found" : `could not be started (${failure.code})`;
  }
}

/** What a `DeployError` is made of. */
export type DeployErrorParts = Pick<Failure, "phase" | "reason"> & { readonly [K in keyof Failure]?: Failure[K] | undefined } & {
  /** The machine could not be reached, so that trying again may help. */
  readonly unreachable?: boolean | undefined;
  readonly cause?: unknown;
};

/** A failure of one host, thrown; its message is the reason alone. */
export class DeployError extends Error {
  override readonly name = "DeployError";
  readonly failure: Failure;
  readonly unreachable: boolean;

  constructor({ unreachable, cause, ...parts }: DeployErrorParts) {
    super(parts.reason, { cause });
    this.failure = makeFailure(parts);
    this.unreachable = unreachable ?? false;
  }

  get phase(): Failure["phase"] {
    return this.failure.phase;
  }

  get reason(): string {
    return this.failure.reason;
  }

  get hint(): string | undefined {
    return this.failure.hint;
  }

  get lines(): readonly string[] {
    return this.failure.lines;
  }

  get exitCode(): number | undefined {
    return this.failure.exitCode;
  }
}
