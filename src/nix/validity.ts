import { runNixStore } from "./nix-command.js";
import type { StorePath } from "../domain/store-path.js";

/** Tells which of these paths the runner's store does not have. Throws a `CommandError`. */
export async function invalidPaths(paths: readonly StorePath[], signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  const { stdout } = await runNixStore(["--check-validity", "--print-invalid", ...paths], { signal });
  return new Set(stdout.split("\n"));
}
