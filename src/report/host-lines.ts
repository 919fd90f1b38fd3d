// Lines and characters of one host that are kept from the beginning, and from the end: some 16 MiB at most.
const keptAtBeginning = { lines: 5000, characters: 1_000_000 };
const keptAtEnd = { lines: 20_000, characters: 2_000_000 };

/** Lines of one host that are shown; further ones are counted. */
export const mostShown = 100_000;
// Of very long lines fewer are shown.
const mostCharacters = 64_000_000;

/** The lines of one host; a very long log loses its middle. */
export class HostLines {
  readonly #beginning: string[] = [];
  readonly #end: string[] = [];
  /** Lines at the beginning of `#end` that are left out already. */
  #gone = 0;
  readonly #characters = { beginning: 0, end: 0, all: 0 };
  #lines = 0;
  #left = 0;
  #counted = 0;

  /** Takes a line of the machine. Returns false where it is only counted, as there were too many before it. */
  push(line: string): boolean {
    this.#lines += 1;
    this.#characters.all += line.length;
    if (this.#lines > mostShown || this.#characters.all > mostCharacters) {
      this.#counted += 1;
      return false;
    }
    this.note(line);
    return true;
  }

  /** Takes a line of the action itself, which is always shown. */
  note(line: string): void {
    if (
      this.#left === 0 &&
      this.#end.length === 0 &&
      this.#beginning.length < keptAtBeginning.lines &&
      this.#characters.beginning < keptAtBeginning.characters
    ) {
      this.#characters.beginning += line.length;
      this.#beginning.push(line);
      return;
    }
    this.#characters.end += line.length;
    this.#end.push(line);
    while (this.#end.length - this.#gone > keptAtEnd.lines || this.#characters.end > keptAtEnd.characters) this.#dropOldest();
  }

  /** How many lines were only counted. */
  get counted(): number {
    return this.#counted;
  }

  *all(): Iterable<string> {
    yield* this.#beginning;
    if (this.#left > 0) yield `… ${this.#left} lines omitted …`;
    yield* this.#end.slice(this.#gone);
    if (this.#counted > 0) yield `… ${this.#counted} more lines of this host omitted …`;
  }

  #dropOldest(): void {
    this.#characters.end -= this.#end[this.#gone]?.length ?? 0;
    this.#end[this.#gone] = "";
    this.#gone += 1;
    this.#left += 1;
    if (this.#gone <= keptAtEnd.lines) return;
    this.#end.splice(0, this.#gone);
    this.#gone = 0;
  }
}
