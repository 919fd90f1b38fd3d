/** Measures and bounds the work on one host, which happens in pieces: waiting for other hosts does not count. */
export class Stopwatch {
  /** Seconds; 0 is without limit. */
  readonly limit: number;
  readonly #outer: AbortSignal;
  #milliseconds = 0;
  #expired = false;

  constructor(limit: number, outer: AbortSignal) {
    this.limit = limit;
    this.#outer = outer;
  }

  /** Seconds of work so far, rounded to hundredths. */
  get seconds(): number {
    return Math.round(this.#milliseconds / 10) / 100;
  }

  get expired(): boolean {
    return this.#expired;
  }

  get cancelled(): boolean {
    return this.#outer.aborted;
  }

  /**
   * Runs one piece; its signal is aborted when the time is used up and when the whole run is cancelled. After a cancellation, no piece
   * starts: it throws the reason of the abort.
   */
  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#outer.throwIfAborted();
    const own = new AbortController();
    const begin = performance.now();
    const left = this.limit * 1000 - this.#milliseconds;
    const expire = (): void => {
      this.#expired = true;
      own.abort();
    };
    const timer = this.limit > 0 ? setTimeout(expire, Math.max(0, left)) : undefined;
    try {
      return await work(AbortSignal.any([own.signal, this.#outer]));
    } finally {
      clearTimeout(timer);
      this.#milliseconds += performance.now() - begin;
    }
  }
}
