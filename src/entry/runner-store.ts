import { existsSync } from "node:fs";
import { join } from "node:path";

import type { RunnerStore } from "../deploy/system-source.js";
import { InputError } from "../domain/errors.js";
import type { GivenSystems } from "../domain/given-systems.js";
import type { StorePath } from "../domain/store-path.js";
import { downloadHere } from "../nix/download.js";
import { isInStore } from "../nix/in-store.js";

/** The runner's store for systems that were built before; each is looked up and downloaded once, however many machines get it. */
export function runnerStore(options: { readonly signal: AbortSignal; readonly onLine: (line: string) => void }): RunnerStore {
  const known = new Map<StorePath, Promise<boolean>>();
  const downloads = new Map<StorePath, Promise<readonly string[] | undefined>>();
  return {
    has: async (path) => await once(known, path, async () => await isInStore(path, options.signal)),
    download: async (path) => await once(downloads, path, async () => await downloadHere(path, options)),
  };
}

/** Throws an `InputError` for systems that the runner has, and that are none of NixOS. The others are looked at by their machines. */
export function requireSystemsHere(systems: GivenSystems): void {
  const problems = [...systems].flatMap(([name, path]) =>
    !existsSync(path) || existsSync(join(path, "bin/switch-to-configuration"))
      ? []
      : [{ input: "systems", problem: `${path} of ${name} is not a NixOS system: it has no bin/switch-to-configuration`, topic: "systems-unusable" as const }],
  );
  if (problems.length > 0) throw new InputError(problems);
}

async function once<T>(done: Map<StorePath, Promise<T>>, path: StorePath, work: () => Promise<T>): Promise<T> {
  const begun = done.get(path) ?? work();
  done.set(path, begun);
  return await begun;
}
