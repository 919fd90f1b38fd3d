import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { SentFlake } from "../domain/flake.js";
import { storePath, type StorePath } from "../domain/store-path.js";
import type { ArchivedFlake } from "./flake.js";
import { runNixStore } from "./nix-command.js";
import { readNixConfig } from "./nix-config.js";
import { lockAround, type LockedFlake } from "./outer-lock.js";

const templates = {
  plain: new URL("./outer-flake.nix", import.meta.url),
  hive: new URL("./outer-hive.nix", import.meta.url),
} as const;

export type OuterOptions = {
  /** A directory for temporary files. */
  readonly scratch: string;
  readonly signal: AbortSignal | undefined;
};

/**
 * Creates the outer flake that is sent to the machines. With `hive`, the nodes of a colmena hive are added to
 * `nixosConfigurations` as `colmenaHive.nodes.NAME`, the only place where nixos-rebuild looks. The flake keeps its identity
 * (`self.rev`, `self.lastModified`, …) and the versions of all inputs. Throws a `CommandError`.
 */
export async function wrapFlake({ flake, locks }: ArchivedFlake, hive: boolean, options: OuterOptions): Promise<SentFlake> {
  return { flake, hive, outer: await addOuterFlake(flake, locks, hive, options) };
}

/** Adds an outer flake to the runner's store, without an evaluation. The flake's identity need not be its real one. */
export async function addOuterFlake(flake: LockedFlake, locks: unknown, hive: boolean, { scratch, signal }: OuterOptions): Promise<StorePath> {
  const nixConfig = await readNixConfig(flake, { signal });
  const template = templates[hive ? "hive" : "plain"];
  const text = readFileSync(template, "utf8");
  const directory = mkdtempSync(join(scratch, "outer-flake-"));
  try {
    // The name that Nix itself gives the source of a flake: it then takes the path as it is and copies nothing.
    const tree = join(directory, "source");
    mkdirSync(tree);
    writeFileSync(join(tree, "flake.nix"), nixConfig === undefined ? text : text.replace("{", () => `{\n  nixConfig = ${nixConfig};`));
    writeFileSync(join(tree, "flake.lock"), lockAround(flake, locks));
    return storePath((await runNixStore(["--add", tree], { signal })).stdout.trim());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
