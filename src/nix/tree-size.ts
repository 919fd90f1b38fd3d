import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Returns whether the files of these trees have at least that many bytes together. Reads no more directories than that takes. Throws the
 * error of a tree that cannot be read.
 */
export async function holdAtLeast(trees: readonly string[], bytes: number): Promise<boolean> {
  const left = [...trees];
  let sum = 0;
  for (let path = left.pop(); path !== undefined && sum < bytes; path = left.pop()) {
    const found = await lstat(path);
    if (found.isFile()) sum += found.size;
    if (!found.isDirectory()) continue;
    for (const name of await readdir(path)) left.push(join(path, name));
  }
  return sum >= bytes;
}
