import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import type { StorePath } from "../domain/store-path.js";
import { runNixStore } from "./nix-command.js";

/**
 * Protects systems of the runner's store from garbage collection for as long as the directory of their links is there, which is made in
 * `directory`. Throws a `CommandError`.
 */
export async function keepSystems(systems: readonly StorePath[], directory: string, signal: AbortSignal): Promise<void> {
  if (systems.length === 0) return;
  const links = mkdtempSync(join(directory, "nix-flake-deploy-systems-"));
  await runNixStore(["--realise", "--add-root", join(links, "system"), ...new Set(systems)], { signal });
}
