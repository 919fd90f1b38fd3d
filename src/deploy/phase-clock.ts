import type { Phase } from "../domain/phase.js";
import type { PhaseSpan } from "../domain/timeline.js";

/** Records when the phases of one host begin and end; waiting for other hosts belongs to no phase. */
export class PhaseClock {
  readonly #now: () => number;
  readonly #spans: PhaseSpan[] = [];
  #open: { readonly phase: Phase; readonly begin: number } | undefined;

  /** `now` returns milliseconds since the start of the run, by default since the start of this process; it is monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A phase begins, and the one before it ends. */
  begin(phase: Phase): void {
    if (this.#open?.phase === phase) return;
    this.pause();
    this.#open = { phase, begin: this.#seconds() };
  }

  /** The phase ends, and none begins yet. */
  pause(): void {
    if (this.#open !== undefined) this.#spans.push({ ...this.#open, end: this.#seconds() });
    this.#open = undefined;
  }

  /** The phases so far; the current one ends now. */
  spans(): PhaseSpan[] {
    return this.#open === undefined ? [...this.#spans] : [...this.#spans, { ...this.#open, end: this.#seconds() }];
  }

  #seconds(): number {
    return Math.round(this.#now() / 10) / 100;
  }
}
