import { readFileSync } from "node:fs";

import type { CopyProgress } from "../domain/copy-progress.js";
import type { Finished } from "../process/run.js";
import type { StartGate } from "../process/start-gate.js";
import { runNix } from "./nix-command.js";

/**
 * Measures the progress of a nix command that copies store paths, from its output:
 *
 *     copying 2 paths...
 *     copying path '/nix/store/…-source' to 'ssh-ng://web1'...
 *
 * and from Linux's count of the bytes written (proc(5), io). `--log-format internal-json` has more details, but an entry for
 * every file of a source tree, and takes twice as long.
 */
export class CopyWatch {
  #process: number | undefined;
  #paths = 0;
  #expectedPaths = 0;

  started(process: number): void {
    this.#process = process;
  }

  /** Takes one line of standard error. */
  line(line: string): void {
    const expected = /^copying (\d+) paths\.\.\.$/.exec(line)?.[1];
    if (expected !== undefined) this.#expectedPaths = Number(expected);
    else if (/^copying path '.*' to '.*'\.\.\.$/.test(line)) this.#paths += 1;
  }

  get progress(): CopyProgress {
    return { paths: this.#paths, expectedPaths: Math.max(this.#paths, this.#expectedPaths), bytes: this.#written() };
  }

  #written(): number | undefined {
    if (this.#process === undefined) return undefined;
    try {
      const written = /^wchar: (\d+)$/m.exec(readFileSync(`/proc/${this.#process}/io`, "utf8"))?.[1];
      return written === undefined ? undefined : Number(written);
    } catch {
      // It has ended, or this is not Linux.
      return undefined;
    }
  }
}

/** Runs a nix command that copies store paths, and has its progress measured. Throws a `CommandError`. */
export async function runCopy(
  args: readonly string[],
  watch: CopyWatch,
  options: {
    readonly environment: Readonly<Record<string, string>>;
    readonly signal: AbortSignal | undefined;
    readonly starts: StartGate;
    readonly onLine: (line: string) => void;
  },
): Promise<Finished> {
  const { environment, signal, starts, onLine } = options;
  const run = async (): Promise<Finished> =>
    await runNix(args, {
      env: environment,
      signal,
      onStart: (process) => watch.started(process),
      onStderrLine: (line) => {
        watch.line(line);
        onLine(line);
      },
    });
  return await starts.pass(signal, run);
}
