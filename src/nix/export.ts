import type { Writable } from "node:stream";

import { storePath, type StorePath } from "../domain/store-path.js";
import { runNixStore } from "./nix-command.js";

/** Lists store paths of the runner with everything that they refer to, in the order in which they can be registered. Throws a `CommandError`. */
export async function closureOf(paths: readonly StorePath[], signal: AbortSignal): Promise<StorePath[]> {
  const { stdout } = await runNixStore(["--query", "--requisites", ...paths], { signal });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map(storePath);
}

/** Writes these store paths, and no others, as `nix-store --import` reads them. Throws a `CommandError`. */
export async function exportPaths(paths: readonly StorePath[], to: Writable, signal: AbortSignal): Promise<void> {
  await runNixStore(["--export", ...paths], { stdoutTo: to, signal });
}
