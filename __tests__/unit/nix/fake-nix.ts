import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs the work with a program `nix` of this shell script in front of PATH, or without any where there is no script. */
export async function withNix<T>(directory: string, script: string | undefined, work: () => Promise<T>): Promise<T> {
  return await withProgram(directory, "nix", script, work);
}

/** The same with a program of another name. */
export async function withProgram<T>(directory: string, name: string, script: string | undefined, work: () => Promise<T>): Promise<T> {
  const bin = join(directory, `bin-${name}`);
  mkdirSync(bin, { recursive: true });
  if (script !== undefined) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const path = process.env["PATH"];
  process.env["PATH"] = script === undefined ? join(directory, "nowhere") : `${bin}:${path}`;
  try {
    return await work();
  } finally {
    process.env["PATH"] = path;
  }
}
