import { mkdirSync } from "node:fs";
import path from "node:path";

import { check } from "./command.js";

/** Mounts a disk of its own over a root file system, in memory; returns the directory where both are seen as one. */
export async function mountDisk(lower: string, directory: string): Promise<string> {
  const [upper, work, root] = ["upper", "work", "root"].map((name) => path.join(directory, name));
  if (upper === undefined || work === undefined || root === undefined) throw new Error("unreachable");
  for (const made of [upper, work, root]) mkdirSync(made, { recursive: true });
  await check("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${lower},upperdir=${upper},workdir=${work}`, root]);
  return root;
}

/** Puts a small file system of so many MiB on `/nix`, so that it can be full. */
export async function mountSmallNix(root: string, mebibytes: number): Promise<void> {
  const nix = path.join(root, "nix");
  await check("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m,mode=755`, "tmpfs", nix]);
  mkdirSync(path.join(nix, "var", "nix"), { recursive: true });
}
