import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { Writable } from "node:stream";

import { CommandError, type CommandFailure } from "../domain/errors.js";
import { childEnvironment } from "./environment.js";
import { lineCutter } from "./lines.js";

/** A program and its arguments; never a shell's line. */
export type Command = { readonly file: string; readonly args: readonly string[] };

export type RunOptions = {
  /** Added to the environment of this process, of which the program gets no inputs and no tokens. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** What the program reads; without it its standard input is empty. */
  readonly stdin?: string | undefined;
  /** Takes over the program's standard input after `stdin`, and ends it: for what must not be kept in memory. */
  readonly feed?: ((input: Writable) => void) | undefined;
  /** Takes standard output in place of `onStdout`, no faster than it can. It is not ended. */
  readonly stdoutTo?: Writable | undefined;
  /** Seconds until the program and all its children are ended; 0 or nothing: no limit. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Takes the number of the process once it runs. */
  readonly onStart?: ((process: number) => void) | undefined;
  /** Takes standard output as it comes; it is then not kept. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  /** Takes each line of standard error as it comes; it is kept as well. */
  readonly onStderrLine?: ((line: string) => void) | undefined;
  /**
   * A file for standard error and nothing for the other two. For a program that leaves a child behind (an ssh master, with
   * its jump host): it would hold a pipe open, which would then never end.
   */
  readonly stderrFile?: string | undefined;
};

export type Finished = { readonly stdout: string; readonly stderr: string };

// The cause is at the end of a long output; a NAR listing or a build log must not fill the memory.
const keptBytes = 32 * 1024 * 1024;
// Between SIGTERM and SIGKILL. GitHub's runner kills the action itself 10 s after a cancellation.
const graceMilliseconds = 1500;

/**
 * Runs a program in a process group of its own and waits for its end. A time-out and an abort end the whole group.
 * Throws a `CommandError` unless the exit code is 0.
 */
export async function run(command: Command, options: RunOptions = {}): Promise<Finished> {
  const stdout = keeper();
  const stderr = keeper();
  const fail = (failure: CommandFailure, cause?: unknown): CommandError =>
    new CommandError({ command: pasteable(command), failure, stdout: stdout.text(), stderr: stderr.text(), cause });
  if (options.signal?.aborted === true) throw fail({ kind: "aborted" });

  const stderrLines = options.onStderrLine === undefined ? undefined : lineCutter(options.onStderrLine);
  const ended = await new Promise<{ exitCode: number | null; signal: string | null; stopped: CommandFailure | undefined }>((resolve, reject) => {
    const file = options.stderrFile === undefined ? undefined : openSync(options.stderrFile, "w", 0o600);
    const child: ChildProcess = spawn(command.file, command.args, {
      cwd: options.cwd,
      env: { ...childEnvironment(process.env), ...options.env },
      stdio: file === undefined ? ["pipe", "pipe", "pipe"] : ["ignore", "ignore", file],
      detached: true,
    });
    if (file !== undefined) closeSync(file);
    if (child.pid !== undefined) options.onStart?.(child.pid);
    let stopped: CommandFailure | undefined;
    const stop = (failure: CommandFailure): void => {
      stopped ??= failure;
      endGroup(child);
    };
    const onAbort = (): void => {
      stop({ kind: "aborted" });
    };
    const seconds = options.timeout ?? 0;
    const timer = seconds > 0 ? setTimeout(() => stop({ kind: "timeout", seconds }), seconds * 1000) : undefined;
    options.signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      settle();
      reject(fail({ kind: "spawn", code: error.code ?? error.message }, error));
    });
    if (options.stdoutTo === undefined) child.stdout?.on("data", options.onStdout ?? stdout.push);
    else child.stdout?.pipe(options.stdoutTo, { end: false });
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr.push(chunk);
      stderrLines?.push(chunk);
    });
    // A program that ends without reading its input closes the pipe; its exit code is more informative than EPIPE.
    child.stdin?.on("error", () => undefined);
    if (options.feed === undefined || child.stdin === null) child.stdin?.end(options.stdin ?? "");
    else {
      child.stdin.write(options.stdin ?? "");
      options.feed(child.stdin);
    }
    child.once("exit", () => {
      if (stopped === undefined) return;
      // Don't wait for processes that hold the pipes: grandchildren, or, outside the group, the ssh master, to which ssh passes its
      // pipes and which closes them when the command on the machine ends.
      killGroup(child, "SIGKILL");
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
    child.once("close", (exitCode, signal) => {
      settle();
      if (options.stderrFile !== undefined) stderr.push(readFileSync(options.stderrFile));
      resolve({ exitCode, signal, stopped });
    });
  });
  stderrLines?.end();
  if (ended.stopped !== undefined) throw fail(ended.stopped);
  if (ended.signal !== null) throw fail({ kind: "signal", signal: ended.signal });
  if (ended.exitCode !== 0) throw fail({ kind: "exit", exitCode: ended.exitCode ?? -1 });
  return { stdout: stdout.text(), stderr: stderr.text() };
}

/** The command, ready to paste into a POSIX shell. */
export function pasteable(command: Command): string {
  return [command.file, ...command.args].map(quote).join(" ");
}

/** Quotes one word for a POSIX shell (POSIX.1-2017, Shell Command Language 2.2.2). */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function endGroup(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  killGroup(child, "SIGTERM");
  setTimeout(() => killGroup(child, "SIGKILL"), graceMilliseconds).unref();
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended already.
  }
}

function keeper(): { push: (chunk: Buffer) => void; text: () => string } {
  let chunks: Buffer[] = [];
  let length = 0;
  return {
    push: (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > 2 * keptBytes) {
        const end = Buffer.concat(chunks).subarray(-keptBytes);
        chunks = [end];
        length = end.length;
      }
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
  };
}
