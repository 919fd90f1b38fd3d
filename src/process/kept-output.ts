/** What is kept of an output: all of it, or its end once it is longer than the limit. */
export class KeptOutput {
  readonly #limit: number;
  #bytes = Buffer.alloc(0);
  #length = 0;
  #overflowed = false;

  /** `limit` is in bytes; at most twice as many are in memory. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Something of the beginning is missing. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  // One growing buffer and not a list of chunks: output in very small pieces would take many times its size.
  push(chunk: Buffer): void {
    const end = chunk.length > this.#limit ? chunk.subarray(-this.#limit) : chunk;
    if (end !== chunk || this.#length + end.length > 2 * this.#limit) this.#keepEnd(Math.max(0, this.#limit - end.length));
    if (this.#length + end.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(2 * this.#limit, 4096 + 2 * (this.#length + end.length)));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    end.copy(this.#bytes, this.#length);
    this.#length += end.length;
    if (this.#length > this.#limit) this.#overflowed = true;
  }

  text(): string {
    return this.#bytes.toString("utf8", Math.max(0, this.#length - this.#limit), this.#length);
  }

  #keepEnd(bytes: number): void {
    const begin = Math.max(0, this.#length - bytes);
    this.#bytes.copyWithin(0, begin, this.#length);
    this.#length -= begin;
    this.#overflowed = true;
  }
}
