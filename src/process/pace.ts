import type { Readable, Writable } from "node:stream";

/**
 * Holds sources up while the reader of the log is slower than they are. Node queues without a limit what a pipe does not take, and
 * an output of more than 2 GiB in that queue is lost (ENOBUFS).
 */
export class Pace {
  readonly #log: Writable;
  readonly #waiting = new Set<Readable>();

  constructor(log: Writable) {
    this.#log = log;
  }

  /** Pauses a source until the log has been taken. */
  hold(source: Readable): void {
    // False as well for a log that nobody reads any more.
    if (!this.#log.writableNeedDrain || source.isPaused()) return;
    source.pause();
    this.#waiting.add(source);
    if (this.#waiting.size > 1) return;
    for (const event of ["drain", "error", "close"]) this.#log.once(event, this.#release);
  }

  readonly #release = (): void => {
    for (const event of ["drain", "error", "close"]) this.#log.off(event, this.#release);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const source of waiting) source.resume();
  };
}

/** The pace of the step's log. */
export const logPace = new Pace(process.stdout);
