import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs the work with a program `nix` of this shell script in front of PATH, or without any where there is no script. */
export async function withNix<T>(directory: string, script: string | undefined, work: () => Promise<T>): Promise<T> {
  const bin = join(directory, "bin");
  mkdirSync(bin, { recursive: true });
  if (script !== undefined) {
    writeFileSync(join(bin, "nix"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, "nix"), 0o755);
  }
  const path = process.env["PATH"];
  process.env["PATH"] = script === undefined ? join(directory, "nowhere") : `${bin}:${path}`;
  try {
    return await work();
  } finally {
    process.env["PATH"] = path;
  }
}
