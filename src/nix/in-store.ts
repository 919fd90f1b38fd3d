import type { StorePath } from "../domain/store-path.js";
import { runNixStore } from "./nix-command.js";

/** Returns whether the runner's store has a path. Throws a `CommandError`. */
export async function isInStore(path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  const { stdout } = await runNixStore(["--check-validity", "--print-invalid", path], { signal });
  return stdout.trim() === "";
}
