import { createHash } from "node:crypto";
import { createWriteStream, existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { spawn } from "node:child_process";
import path from "node:path";

import { asset, assetText } from "./checkout.js";
import { environment, until } from "./command.js";
import { cache, debianMirror } from "./host.js";
import { claim, release } from "./owner.js";

/** Debian's suites by the Nix that they have: 2.34, 2.26, 2.8. */
export type Suite = "forky" | "trixie" | "bookworm";

const recipe = "root-file-system.sh";

/**
 * Returns the directory of a suite's root file system, which it builds when it is not in the cache: once for each state of
 * the recipe, one process at a time, whole or not at all.
 */
export async function rootFileSystem(suite: Suite): Promise<string> {
  const hash = createHash("sha256").update(assetText(recipe)).digest("hex").slice(0, 12);
  const directory = path.join(cache, `${suite}-${hash}`);
  if (existsSync(directory)) return directory;
  const lock = path.join(cache, `${suite}.lock`);
  await until(`the root file system of ${suite}`, 900, () => existsSync(directory) || claim(lock));
  try {
    if (!existsSync(directory)) await build(suite, directory);
  } finally {
    release(lock);
  }
  return directory;
}

async function build(suite: Suite, directory: string): Promise<void> {
  const partial = path.join(cache, `${suite}.partial`);
  const log = path.join(cache, `${suite}.log`);
  removeOutdated(suite);
  const began = Date.now();
  console.error(`fleet: building the root file system of ${suite}, once, about a minute`);
  const code = await logged("/bin/sh", [asset(recipe), suite, partial, debianMirror() ?? ""], log);
  if (code !== 0) {
    const end = readFileSync(log, "utf8").trimEnd().split("\n").slice(-20).join("\n");
    throw new Error(`the root file system of ${suite} could not be built; the whole log is ${log}, its end:\n${end}`);
  }
  renameSync(partial, directory);
  console.error(`fleet: built ${directory} in ${Math.round((Date.now() - began) / 1000)} s`);
}

// Those of earlier recipes, unless a fleet of another process runs on them.
function removeOutdated(suite: Suite): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  for (const name of readdirSync(cache)) {
    const old = path.join(cache, name);
    if (name.startsWith(`${suite}-`) && !mounts.includes(old)) rmSync(old, { recursive: true, force: true });
  }
}

async function logged(program: string, args: readonly string[], file: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const log = createWriteStream(file);
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: environment() });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.on("error", reject);
    child.on("close", (code) => log.end(() => resolve(code ?? 1)));
  });
}
