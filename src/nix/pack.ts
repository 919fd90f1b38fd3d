import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Writable } from "node:stream";

import { storePath, type StorePath } from "../domain/store-path.js";
import { run } from "../process/run.js";
import { runNix, runNixStore } from "./nix-command.js";

/**
 * Paths of the runner's store as a binary cache of files, compressed once for all machines of a run. Nix makes it and Nix reads it: a
 * source tree of many small files needs a quarter of the bytes, and arrives in one stream. Signatures are kept.
 */
export class Pack {
  readonly #directory: string;
  readonly #packed = new Set<StorePath>();
  #packing: Promise<void> = Promise.resolve();

  /** `directory`: where the cache is made; it need not exist. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Writes these paths as a tar archive of a binary cache that holds them and no others: what they refer to must be on the machine.
   * Throws a `CommandError`, or the error of a file that cannot be read.
   */
  async write(paths: readonly StorePath[], to: Writable, signal: AbortSignal): Promise<void> {
    await this.#add(paths, signal);
    const files = ["nix-cache-info", ...paths.flatMap((path) => this.#filesOf(path))];
    await run({ file: "tar", args: ["--create", "--file=-", `--directory=${this.#directory}`, "--", ...files] }, { stdoutTo: to, signal });
  }

  /** Machines that come at the same time wait for each other's paths, and pack only what is not there yet. */
  async #add(paths: readonly StorePath[], signal: AbortSignal): Promise<void> {
    const before = this.#packing;
    const mine = this.#addAfter(before, paths, signal);
    this.#packing = mine.catch(() => undefined);
    await mine;
  }

  async #addAfter(before: Promise<void>, paths: readonly StorePath[], signal: AbortSignal): Promise<void> {
    await before;
    const lacking = paths.filter((path) => !this.#packed.has(path));
    if (lacking.length === 0) return;
    mkdirSync(this.#directory, { recursive: true });
    const own = new Set([...lacking, ...this.#packed]);
    const elsewhere = (await queryReferences(lacking, signal)).filter((path) => !own.has(path));
    try {
      for (const path of elsewhere) writeFileSync(this.#descriptionOf(path), placeholder(path));
      await runNix(["copy", "--no-recursive", "--to", `file://${this.#directory}?compression=zstd`, ...lacking], { signal });
    } finally {
      // Another machine may lack these, too.
      for (const path of elsewhere) rmSync(this.#descriptionOf(path), { force: true });
    }
    for (const path of lacking) this.#packed.add(path);
  }

  #filesOf(path: StorePath): string[] {
    const description = this.#descriptionOf(path);
    const url = /^URL: (nar\/[\w.-]+)$/m.exec(readFileSync(description, "utf8"))?.[1];
    if (url === undefined) throw new Error(`${description} names no file of its binary cache`);
    return [basename(description), url];
  }

  #descriptionOf(path: StorePath): string {
    return join(this.#directory, `${basename(path).slice(0, 32)}.narinfo`);
  }
}

/** The description of a path that is not in the binary cache: Nix adds none whose references it does not find there. */
function placeholder(path: StorePath): string {
  return `StorePath: ${path}\nURL: nar/none\nCompression: none\nNarHash: sha256:${"0".repeat(52)}\nNarSize: 1\nReferences: \n`;
}

async function queryReferences(paths: readonly StorePath[], signal: AbortSignal): Promise<StorePath[]> {
  const { stdout } = await runNixStore(["--query", "--references", ...paths], { signal });
  return [...new Set(stdout.split("\n").filter((line) => line !== ""))].map(storePath);
}
