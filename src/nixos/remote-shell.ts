import { randomBytes } from "node:crypto";
import type { Writable } from "node:stream";

import { CommandError, type CommandFailure } from "../domain/errors.js";
import { KeptOutput } from "../process/kept-output.js";
import { AnswerLimits } from "./answer-limits.js";
import { AnswerReader } from "./answer.js";
import { elevationText, opening, type ScriptName } from "./script-files.js";
import { longestAnswer } from "./script-limits.js";
import { question } from "./script-program.js";
import { Sessions, type SessionConnection } from "./session.js";

/** A program that makes the scripts root and must not ask; `run0-with-manager` is a run0 that starts no user manager unless it is told to. */
export type PasswordlessProgram = "sudo" | "doas" | "run0" | "run0-with-manager";

/** How scripts become root: not at all, by a program that must not ask, or by sudo, which may ask for the password. */
export type Elevation =
  | { readonly kind: "none" }
  | { readonly kind: "passwordless"; readonly program: PasswordlessProgram }
  | { readonly kind: "password"; readonly password: string };

export type ScriptCall = {
  readonly script: ScriptName;
  readonly args: readonly string[];
  /** As root, elevated where the user is not root. */
  readonly privileged: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Seconds; without it those of `scriptSeconds`. */
  readonly timeout?: number | undefined;
  /** Takes what the script prints as it comes, no faster than the log is read; it is then not in the outcome. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  /** Sees what the script prints as it comes, which is in the outcome all the same. */
  readonly onOutput?: ((chunk: Buffer) => void) | undefined;
  /** Writes what the script reads. It is called when the script has begun, since a shell may read ahead of it. */
  readonly input?: ((stdin: Writable) => Promise<void>) | undefined;
  /** It may leave processes that still print: its session then serves no other script. */
  readonly leavesProcesses?: boolean | undefined;
};

/** How a script ended: normally, or with the connection. `instead` is the output of a machine that did not start the script. */
export type ScriptOutcome =
  | { readonly kind: "ended"; readonly exitCode: number; readonly stdout: string; readonly stderr: string; readonly instead?: string | undefined }
  | { readonly kind: "lost"; readonly stderr: string; readonly cause: CommandError };

/**
 * Runs scripts on one machine. A script comes with its arguments on the standard input of `/bin/sh -s` and is a function that
 * the last lines call with an empty standard input, so that it depends neither on the user's login shell nor on what its
 * children read.
 */
export class RemoteShell {
  readonly #sessions: Sessions;
  readonly #elevation: Elevation;
  readonly #inflates: boolean;

  /** Without `sessions`, each script has one of its own. */
  constructor(connection: SessionConnection, elevation: Elevation, sessions = new Sessions(connection, false), inflates = false) {
    this.#sessions = sessions;
    this.#elevation = elevation;
    this.#inflates = inflates;
  }

  /** A shell whose scripts run as the ssh user, in sessions that are kept until `close`. */
  static standing(connection: SessionConnection): RemoteShell {
    return new RemoteShell(connection, { kind: "none" }, new Sessions(connection, true));
  }

  /** The same shell, whose privileged scripts become root like this. `inflates`: the machine has gzip and base64. */
  elevated(elevation: Elevation, inflates: boolean): RemoteShell {
    return new RemoteShell(this.#sessions.connection, elevation, this.#sessions, inflates);
  }

  /** The same shell over another connection to the machine; each script has a session of its own. */
  over(connection: SessionConnection): RemoteShell {
    return new RemoteShell(connection, this.#elevation);
  }

  /** Returns whether a session over the present connection is kept. */
  get isOpen(): boolean {
    return this.#sessions.hasIdle;
  }

  /** Returns whether a session may be kept, which counts as one more on the connection. */
  get isStanding(): boolean {
    return this.#sessions.keeps;
  }

  /** From now on, gives each script a session of its own, and waits for the end of those that were kept. */
  async standDown(): Promise<void> {
    await this.#sessions.keepNone();
  }

  /** Ends the sessions that no script uses. The next script opens another one. */
  rest(): void {
    this.#sessions.rest();
  }

  /** Ends the sessions that were kept. */
  close(): void {
    this.#sessions.close();
  }

  /**
   * Runs a script. Throws a `CommandError` when the call was aborted, took too long, was silent for too long or had too long an
   * answer, never for its exit code.
   */
  async run(call: ScriptCall): Promise<ScriptOutcome> {
    const elevation: Elevation = call.privileged ? this.#elevation : { kind: "none" };
    const command = remoteCommand(elevation);
    if (call.signal?.aborted === true) throw new CommandError({ command, failure: { kind: "aborted" }, stdout: "", stderr: "" });
    const session = this.#sessions.take(command, `${beforeProgram(elevation)}${opening()}`);
    const kept = new KeptOutput(longestAnswer);
    const nonce = randomBytes(8).toString("hex");
    const limits = new AnswerLimits(call, session);
    let begun = false;
    let inputFailure: unknown;
    const answer = new AnswerReader(nonce, (bytes) => {
      if (!begun) {
        begun = true;
        limits.begun();
        void feed(session.stdin, call.input).catch((error: unknown) => (inputFailure = error));
      }
      if (bytes.length === 0) return;
      call.onOutput?.(bytes);
      if (call.onStdout !== undefined) call.onStdout(bytes);
      else {
        kept.push(bytes);
        if (kept.overflowed) limits.stop({ kind: "output", bytes: longestAnswer });
      }
    });
    const text = question(call.script, call.args, nonce, { reads: call.input !== undefined, deflated: this.#inflates });
    const isLast = !this.#sessions.keeps && call.input === undefined;
    const end = await session.ask({ text, answer, isLast, isShown: call.onStdout !== undefined, onReceived: () => limits.received() });
    limits.end();
    if (inputFailure !== undefined) {
      session.kill();
      throw inputFailure;
    }
    const problem = end?.problem;
    const stderr = answer.errorText();
    const fail = (failure: CommandFailure): CommandError => new CommandError({ command, failure, stdout: "", stderr, cause: problem });
    if (problem !== undefined && !(problem instanceof CommandError)) throw problem;
    // The end of an answer that is too long may have come before that of the session.
    if (kept.overflowed) throw fail({ kind: "output", bytes: longestAnswer });
    if (problem !== undefined && problem.failure.kind === "aborted") throw fail(limits.exceeded ?? problem.failure);
    // The end of a session is known here later than it happens: one that had ended before the question is no lost connection.
    if (problem !== undefined && session.hasAnswered && answer.instead() !== undefined) return await this.run(call);
    // What still writes to a script, or prints for one, would do so for the next.
    if (call.input !== undefined || call.leavesProcesses === true) session.kill();
    else this.#sessions.giveBack(session);
    const code = answer.exitCode();
    if (code !== undefined) return { kind: "ended", exitCode: code, stdout: kept.text(), stderr };
    // Without its last line the script did not run to its end: it was not started, or the connection was lost.
    const instead = answer.instead();
    if (problem === undefined) return { kind: "ended", exitCode: 1, stdout: "", stderr, instead };
    const exitCode = problem.failure.kind === "exit" ? problem.failure.exitCode : 255;
    if (exitCode !== 255) return { kind: "ended", exitCode, stdout: "", stderr, instead };
    return { kind: "lost", stderr, cause: problem };
  }
}

/** Has the caller write what a script reads. */
async function feed(stdin: Writable | undefined, input: ScriptCall["input"]): Promise<void> {
  if (stdin === undefined || input === undefined) return;
  try {
    await input(stdin);
    stdin.end();
  } catch (error) {
    stdin.destroy();
    throw error;
  }
}

// Reads a script from standard input up to a line "---" and runs it. `read` takes no byte more, under dash as under bash, so the
// script finds what follows. Without newlines and single quotes inside: the login shell may be fish or csh.
const scriptFirst = String.raw`/bin/sh -c 'eval "$(while IFS= read -r line && [ "$line" != --- ]; do printf "%s\n" "$line"; done)"'`;

const passwordless = {
  sudo: "sudo -n -- /bin/sh -s",
  doas: "doas -n -- /bin/sh -s",
  run0: "run0 --no-ask-password -- /bin/sh -s",
  "run0-with-manager": "run0 --no-ask-password --lightweight=no -- /bin/sh -s",
} as const;

/** The command for the login shell: one fixed line. As root, only `/bin/sh -s` runs, so that a rule can name it. */
export function remoteCommand(elevation: Elevation): string {
  switch (elevation.kind) {
    case "none":
      return "/bin/sh -s";
    case "passwordless":
      return passwordless[elevation.program];
    case "password":
      return scriptFirst;
  }
}

/** What precedes the script on standard input. The shell that becomes root reads none of it: see elevate.sh. */
export function beforeProgram(elevation: Elevation): string {
  return elevation.kind === "password" ? `${elevationText()}---\n${elevation.password}\n` : "";
}
