import type { ActivationCause } from "./activation-cause.js";
import { shownLines } from "./lines.js";
import type { Phase } from "./phase.js";
import type { Topic } from "./topic.js";

/** Why the work on one host failed, or was not done; the text is made where it is shown. */
export type Failure = {
  readonly phase: Phase;
  /** What went wrong, in one sentence without a full stop at the end. */
  readonly reason: string;
  /** What to do next. */
  readonly hint: string | undefined;
  /** The state of the machine, now or later. */
  readonly outcome: string | undefined;
  /** The last lines of what the failed command printed. */
  readonly lines: readonly string[];
  /** Exit code of the command on the machine, 255 where it could not be reached. */
  readonly exitCode: number | undefined;
  /** The causes that a failed activation named. */
  readonly causes: readonly ActivationCause[];
  readonly topic: Topic | undefined;
};

/** A failure of these parts; of the lines, the last 20 are kept. */
export function makeFailure(parts: Pick<Failure, "phase" | "reason"> & { readonly [K in keyof Failure]?: Failure[K] | undefined }): Failure {
  const { phase, reason, hint, outcome, lines = [], exitCode, causes = [], topic } = parts;
  return { phase, reason, hint, outcome, lines: lines.slice(-shownLines), exitCode, causes, topic };
}

/** The sentences of a failure: its reason, what to do next, the state of the machine. */
export function failureSentences({ reason, hint, outcome }: Failure): string[] {
  return [reason, hint, outcome].filter((sentence) => sentence !== undefined);
}

/** Renders a failure: its sentences in one line, then its lines, indented. */
export function renderFailure(failure: Failure): string {
  return [failureSentences(failure).join(". "), ...renderFailureLines(failure)].join("\n");
}

/** Renders the lines of a failure, indented. */
export function renderFailureLines({ lines }: Failure): string[] {
  return lines.map((line) => `  ${line}`);
}
