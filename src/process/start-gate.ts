/**
 * Lets a number of programs begin side by side; a further one begins when one of them has ended, or has run for some time. So not all hosts
 * have a program in memory at once that only competes for the processor, and slow ones hold up no others.
 */
export class StartGate {
  #free: number;
  readonly #milliseconds: number;
  readonly #waiting = new Set<() => void>();

  /** `count` programs begin side by side; each counts for at most these milliseconds. */
  constructor(count: number, milliseconds: number) {
    this.#free = count;
    this.#milliseconds = milliseconds;
  }

  /** Does the work when it is its turn, in the order of the calls; at once when `signal` is aborted, which the work has to look at. Throws what the work throws. */
  async pass<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#turn(signal))) return await work();
    let counts = true;
    const leave = (): void => {
      if (counts) this.#release();
      counts = false;
    };
    const late = setTimeout(leave, this.#milliseconds);
    try {
      return await work();
    } finally {
      clearTimeout(late);
      leave();
    }
  }

  /** Returns whether it is the caller's turn; not when it was aborted before. */
  async #turn(signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted === true) return false;
    return await new Promise((resolve) => {
      const abort = (): void => {
        this.#waiting.delete(begin);
        resolve(false);
      };
      const begin = (): void => {
        signal?.removeEventListener("abort", abort);
        resolve(true);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.add(begin);
    });
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
