import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { Writable } from "node:stream";

import { CommandError, type CommandFailure } from "../domain/errors.js";
import { childEnvironment } from "./environment.js";
import { KeptOutput } from "./kept-output.js";
import { lineCutter } from "./lines.js";
import { logPace } from "./pace.js";

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
  /** Seconds without any output after which the program and all its children are ended; 0 or nothing: no limit. */
  readonly silence?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Takes the number of the process once it runs, and a function that returns whether its output is being held back. */
  readonly onStart?: ((process: number, isHeld: () => boolean) => void) | undefined;
  /** Bytes of standard output that are kept; a program that prints more is ended. Default: 32 MiB. */
  readonly mostStdout?: number | undefined;
  /** Takes standard output as it comes; it is then not kept. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  /** What `onStdout` takes goes to the log, always or at that moment: it is then read no faster than the log is. */
  readonly shown?: boolean | (() => boolean) | undefined;
  /** Takes standard error as it comes; its end is kept as well. */
  readonly onStderr?: ((chunk: Buffer) => void) | undefined;
  /** Takes each line of standard error as it comes, no faster than the log is read; its end is kept as well. */
  readonly onStderrLine?: ((line: string) => void) | undefined;
  /**
   * A file for standard error and nothing for the other two. For a program that leaves a child behind (an ssh master, with
   * its jump host): it would hold a pipe open, which would then never end.
   */
  readonly stderrFile?: string | undefined;
};

export type Finished = { readonly stdout: string; readonly stderr: string };

const keptStdout = 32 * 1024 * 1024;
// The cause is at the end of a long output.
const keptStderr = 2 * 1024 * 1024;
// Between SIGTERM and SIGKILL. GitHub's runner kills the action itself 10 s after a cancellation.
const graceMilliseconds = 1500;

/**
 * Runs a program in a process group of its own and waits for its end. A time-out, a silence, an output that is too long and an abort
 * end the whole group. Throws a `CommandError` unless the exit code is 0.
 */
export async function run(command: Command, options: RunOptions = {}): Promise<Finished> {
  const mostStdout = options.mostStdout ?? keptStdout;
  const stdout = new KeptOutput(mostStdout);
  const stderr = new KeptOutput(keptStderr);
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
    const isHeld = (): boolean => child.stdout?.isPaused() === true || child.stderr?.isPaused() === true;
    if (child.pid !== undefined) options.onStart?.(child.pid, isHeld);
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
    const silence = options.silence ?? 0;
    const onSilence = (): void => {
      // What is held up here is not silent.
      if (isHeld()) watch?.refresh();
      else stop({ kind: "silent", seconds: silence });
    };
    const watch = silence > 0 ? setTimeout(onSilence, silence * 1000) : undefined;
    const settle = (): void => {
      clearTimeout(timer);
      clearTimeout(watch);
      options.signal?.removeEventListener("abort", onAbort);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      settle();
      reject(fail({ kind: "spawn", code: error.code ?? error.message }, error));
    });
    const { stdout: out, stderr: err } = child;
    out?.on("data", (chunk: Buffer) => {
      watch?.refresh();
      if (options.stdoutTo !== undefined) return;
      if (options.onStdout === undefined) stdout.push(chunk);
      else options.onStdout(chunk);
      if (stdout.overflowed) stop({ kind: "output", bytes: mostStdout });
      if (typeof options.shown === "function" ? options.shown() : options.shown === true) logPace.hold(out);
    });
    if (options.stdoutTo !== undefined) out?.pipe(options.stdoutTo, { end: false });
    err?.on("data", (chunk: Buffer) => {
      watch?.refresh();
      stderr.push(chunk);
      options.onStderr?.(chunk);
      stderrLines?.push(chunk);
      if (stderrLines !== undefined) logPace.hold(err);
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
