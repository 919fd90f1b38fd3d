import { KeptOutput } from "../process/kept-output.js";

// Bytes kept of what comes before the line that begins the script's output.
const keptBefore = 64 * 1024;
const keptStderr = 2 * 1024 * 1024;

/**
 * Reads the answer of one script from both streams of the shell that runs it:
 *
 *     Welcome to web1
 *     begin NONCE
 *     …what the script prints…end NONCE CODE
 *
 * and on standard error what the script prints there, and the same end. What a login shell prints comes before.
 */
export class AnswerReader {
  readonly #begin: Buffer;
  readonly #end: Buffer;
  readonly #onOutput: (bytes: Buffer) => void;
  readonly #before = new KeptOutput(keptBefore);
  readonly #stderr = new KeptOutput(keptStderr);
  readonly #endOfStderr: RegExp;
  #held: Buffer = Buffer.alloc(0);
  #state: "before" | "output" | "end" = "before";

  /** `onOutput` takes what the script prints, without the marks around it; nothing of it where the script has just begun. */
  constructor(nonce: string, onOutput: (bytes: Buffer) => void) {
    this.#begin = Buffer.from(`begin ${nonce}\n`);
    // Without a line end before it: that of a line of output would have to wait for what follows.
    this.#end = Buffer.from(`end ${nonce} `);
    // What the script prints last need not end its line.
    this.#endOfStderr = new RegExp(`end ${nonce} (\\d{1,3})\\n`);
    this.#onOutput = onOutput;
  }

  /** Takes a piece of standard output. */
  stdout(chunk: Buffer): void {
    if (this.#state === "end") return;
    if (this.#state === "output") return this.#output(chunk);
    this.#before.push(chunk);
    // The line may come in pieces.
    const searched = Buffer.concat([this.#held, chunk]);
    const position = searched.indexOf(this.#begin);
    if (position === -1) {
      this.#held = searched.subarray(-(this.#begin.length - 1));
      return;
    }
    this.#state = "output";
    this.#held = Buffer.alloc(0);
    this.#onOutput(Buffer.alloc(0));
    this.#output(searched.subarray(position + this.#begin.length));
  }

  /** Takes a piece of standard error. */
  stderr(chunk: Buffer): void {
    this.#stderr.push(chunk);
  }

  /** The shell has ended: what was held back belongs to the output. */
  close(): void {
    if (this.#state !== "output") return;
    if (this.#held.length > 0) this.#onOutput(this.#held);
    this.#held = Buffer.alloc(0);
  }

  /** Returns whether both streams have come to the end of the answer. */
  isComplete(): boolean {
    return this.#state === "end" && this.exitCode() !== undefined;
  }

  /** The exit code of the script; `undefined` where it has not run to its end. */
  exitCode(): number | undefined {
    const code = this.#endOfStderr.exec(this.#stderr.text())?.[1];
    return code === undefined ? undefined : Number(code);
  }

  /** What the script, or whatever came before it, has printed on standard error. */
  errorText(): string {
    const text = this.#stderr.text();
    return text.slice(0, this.#endOfStderr.exec(text)?.index);
  }

  /** What was printed in place of the script's output; `undefined` where the script has begun. */
  instead(): string | undefined {
    return this.#state === "before" ? this.#before.text() : undefined;
  }

  #output(chunk: Buffer): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const position = bytes.indexOf(this.#end);
    const output = position === -1 ? bytes.length - beginningAtEnd(bytes, this.#end) : position;
    if (output > 0) this.#onOutput(bytes.subarray(0, output));
    this.#held = bytes.subarray(output);
    if (position !== -1 && this.#held.includes("\n", this.#end.length)) this.#state = "end";
  }
}

/** Returns how many of the last bytes may be the beginning of a mark. */
function beginningAtEnd(bytes: Buffer, mark: Buffer): number {
  for (let length = Math.min(bytes.length, mark.length - 1); length > 0; length -= 1) {
    if (bytes.subarray(-length).equals(mark.subarray(0, length))) return length;
  }
  return 0;
}
