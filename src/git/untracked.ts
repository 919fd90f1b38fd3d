import { existsSync } from "node:fs";
import { join } from "node:path";

import { run } from "../process/run.js";

/**
 * Returns whether a file, relative to the root of the Git work tree that a flake reference names (`.`, `./nixos`), exists but is
 * not tracked by Git. Never throws: `false` without a work tree, or if Git fails.
 */
export async function isUntracked(reference: string, file: string): Promise<boolean> {
  const directory = /^[./][^?]*/.exec(reference)?.[0];
  if (directory === undefined) return false;
  const git = async (...args: string[]): Promise<string> => (await run({ file: "git", args: ["-C", directory, ...args] })).stdout;
  try {
    const root = (await git("rev-parse", "--show-toplevel")).replace(/\n$/, "");
    if (!existsSync(join(root, file))) return false;
    return (await git("ls-files", "--", `:(top,literal)${file}`)).trim() === "";
  } catch {
    return false;
  }
}
