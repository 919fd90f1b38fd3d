import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

// Bytes: about 2,000 files.
const smallIndex = 200_000;

/**
 * Returns whether a flake reference names a directory in a Git work tree of few files, which the size of Git's index tells without a
 * program. Never throws: `false` without a work tree.
 */
export function isSmallWorkTree(reference: string, cwd: string): boolean {
  const path = /^(?:path:|git\+file:(?:\/\/)?)?([./][^?#]*)/.exec(reference)?.[1];
  if (path === undefined) return false;
  try {
    for (let directory = resolve(cwd, path); ; directory = dirname(directory)) {
      const index = statSync(join(directory, ".git/index"), { throwIfNoEntry: false });
      if (index !== undefined) return index.size <= smallIndex;
      if (directory === dirname(directory)) return false;
    }
  } catch {
    return false;
  }
}
