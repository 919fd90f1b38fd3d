import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Writable } from "node:stream";

import type { StorePath } from "../domain/store-path.js";
import { run } from "../process/run.js";
import { runNix, runNixStore } from "./nix-command.js";

/**
 * Source trees of the runner's store as a binary cache of files, compressed once for all machines of a run. Nix makes it and Nix reads
 * it: a tree of many small files needs a quarter of the bytes, and arrives in one stream.
 */
export class Pack {
  readonly #directory: string;
  readonly #packed = new Set<StorePath>();
  readonly #sizes = new Map<string, Promise<number[]>>();
  #packing: Promise<void> = Promise.resolve();

  /** `directory`: where the cache is made; it need not exist. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Sizes of source trees in bytes, as archives of Nix, in their order; Nix is asked once for all machines. Throws a `CommandError`. */
  async sizesOf(paths: readonly StorePath[], signal: AbortSignal): Promise<number[]> {
    const key = paths.join(" ");
    const asked = this.#sizes.get(key) ?? querySizes(paths, signal);
    this.#sizes.set(key, asked);
    try {
      return await asked;
    } catch (error) {
      this.#sizes.delete(key);
      throw error;
    }
  }

  /**
   * Writes these paths as a tar archive of a binary cache that holds them and no others. They must refer to no other path, as source
   * trees do. Throws a `CommandError`, or the error of a file that cannot be read.
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
    await runNix(["copy", "--to", `file://${this.#directory}?compression=zstd`, ...lacking], { signal });
    for (const path of lacking) this.#packed.add(path);
  }

  #filesOf(path: StorePath): string[] {
    const description = `${basename(path).slice(0, 32)}.narinfo`;
    const url = /^URL: (nar\/[\w.-]+)$/m.exec(readFileSync(join(this.#directory, description), "utf8"))?.[1];
    if (url === undefined) throw new Error(`${description} names no file of its binary cache`);
    return [description, url];
  }
}

async function querySizes(paths: readonly StorePath[], signal: AbortSignal): Promise<number[]> {
  const { stdout } = await runNixStore(["--query", "--size", ...paths], { signal });
  return stdout.trim().split("\n").map(Number);
}
