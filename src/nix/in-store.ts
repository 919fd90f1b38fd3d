import type { StorePath } from "../domain/store-path.js";
import { runNixStore } from "./nix-command.js";

/** Returns whether the runner's store has a path. Throws a `CommandError`. */
export async function isInStore(path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  return (await notInStore([path], signal)).size === 0;
}

/** Returns which of these paths the runner's store does not have. Throws a `CommandError`. */
export async function notInStore(paths: readonly StorePath[], signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  const { stdout } = await runNixStore(["--check-validity", "--print-invalid", ...paths], { signal });
  return new Set(stdout.split("\n").filter((line) => line !== ""));
}
