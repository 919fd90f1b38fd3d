import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

import { check } from "./command.js";

/**
 * Mounts a disk of its own over a root file system, in memory, of so many MiB where that is said; returns the directory where both
 * are seen as one.
 */
export async function mountDisk(lower: string, directory: string, mebibytes?: number): Promise<string> {
  if (mebibytes !== undefined) await check("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m,mode=755`, "tmpfs", directory]);
  return await mountLayers(lower, directory);
}

async function mountLayers(lower: string, directory: string): Promise<string> {
  const [upper, work, root] = ["upper", "work", "root"].map((name) => path.join(directory, name));
  if (upper === undefined || work === undefined || root === undefined) throw new Error("unreachable");
  for (const made of [upper, work, root]) mkdirSync(made, { recursive: true });
  await check("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${lower},upperdir=${upper},workdir=${work}`, root]);
  return root;
}

// What a machine with its root file system in memory keeps.
const kept = ["nix", "boot"];

/** Keeps the disk of a machine as it is, for `resetRoot`. */
export async function keepRoot(directory: string): Promise<void> {
  await check("cp", ["-a", path.join(directory, "upper"), path.join(directory, "pristine")]);
}

/** Loses what was written to a machine's disk since `keepRoot`, but for /nix and /boot: what a restart does to a root file system in memory. */
export async function resetRoot(lower: string, directory: string): Promise<void> {
  const within = (...names: string[]): string => path.join(directory, ...names);
  await check("umount", [within("root")]);
  mkdirSync(within("kept"));
  for (const name of kept) if (existsSync(within("upper", name))) renameSync(within("upper", name), within("kept", name));
  for (const name of ["upper", "work"]) rmSync(within(name), { recursive: true });
  await check("cp", ["-a", within("pristine"), within("upper")]);
  for (const name of kept) {
    rmSync(within("upper", name), { recursive: true, force: true });
    if (existsSync(within("kept", name))) renameSync(within("kept", name), within("upper", name));
  }
  rmSync(within("kept"), { recursive: true });
  await mountLayers(lower, directory);
}

/** Puts a small file system of so many MiB on `/nix`, so that it can be full. */
export async function mountSmallNix(root: string, mebibytes: number): Promise<void> {
  const nix = path.join(root, "nix");
  await check("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m,mode=755`, "tmpfs", nix]);
  mkdirSync(path.join(nix, "var", "nix"), { recursive: true });
}
