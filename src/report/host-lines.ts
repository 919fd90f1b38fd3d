// Lines of one host that are kept from the beginning, and from the end.
const keptAtBeginning = 5000;
const keptAtEnd = 20_000;

/** The lines of one host; a very long log loses its middle. */
export class HostLines {
  readonly #beginning: string[] = [];
  #end: string[] = [];
  #dropped = 0;

  push(line: string): void {
    if (this.#beginning.length < keptAtBeginning) {
      this.#beginning.push(line);
      return;
    }
    this.#end.push(line);
    if (this.#end.length > 2 * keptAtEnd) {
      this.#dropped += this.#end.length - keptAtEnd;
      this.#end = this.#end.slice(-keptAtEnd);
    }
  }

  *all(): Iterable<string> {
    yield* this.#beginning;
    if (this.#dropped > 0) yield `… ${this.#dropped} lines omitted …`;
    yield* this.#end;
  }
}
