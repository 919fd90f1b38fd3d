import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Flake } from "../domain/flake.js";
import { archivedInputs, neverLock, parseMetadata, pinned } from "./flake.js";
import { field } from "./json.js";
import { runNix } from "./local.js";

// What hive-flake.nix calls the flake that it is made around.
const inner = "flake";

/**
 * Makes a flake around one with a hive of colmena, since nixos-rebuild takes nothing but attributes of `nixosConfigurations`:
 * there, each node is found under its path, `colmenaHive.nodes.NAME`. The inner flake keeps its identity (`self.rev`,
 * `self.lastModified`) and its lock file's versions of all inputs. `directory` is a private one, in which the files are made.
 * Throws a `CommandError`.
 */
export async function flakeAroundHive(flake: Flake, directory: string, options: { readonly signal: AbortSignal | undefined }): Promise<Flake> {
  const { stdout } = await runNix(["flake", "metadata", "--json", ...neverLock, pinned(flake)], options);
  const outer = join(directory, "hive");
  mkdirSync(outer, { recursive: true });
  const text = readFileSync(new URL("./hive-flake.nix", import.meta.url), "utf8");
  writeFileSync(join(outer, "flake.nix"), text);
  writeFileSync(join(outer, "flake.lock"), lockAround(flake, stdout));
  const { source } = parseMetadata((await runNix(["flake", "metadata", "--json", ...neverLock, `path:${outer}`], options)).stdout);
  const made = { source, subdirectory: "" };
  const archive = await runNix(["flake", "archive", "--json", ...neverLock, pinned(made)], options);
  // It is no commit of anybody's, and of no date.
  return { ...made, revision: undefined, lastModified: undefined, narHash: undefined, dirty: flake.dirty, inputs: archivedInputs(archive.stdout, source) };
}

/**
 * Builds the lock file of a flake whose only input is the given one, from what `nix flake metadata --json` prints of that:
 *
 *     {"locked":{"narHash":"sha256-…",…},"locks":{"nodes":{"nixpkgs":{…},"root":{"inputs":{"nixpkgs":"nixpkgs"}}},"root":"root","version":7},…}
 *
 * An input's inputs are the names of nodes, or a path of inputs from the root, which becomes longer by one. So does the path of
 * the parent of an input that lies in its parent's tree. Nix itself would look for versions anew there.
 */
export function lockAround(flake: Flake, metadata: string): string {
  const data: unknown = JSON.parse(metadata);
  const locks = field(data, "locks");
  const nodes = new Map(Object.entries(objectOf(field(locks, "nodes"))));
  const root = String(field(locks, "root"));
  const free = (wish: string): string => {
    let name = wish;
    while (nodes.has(name)) name += "_";
    return name;
  };
  const outer = free("outer");
  const locked = {
    type: "path",
    path: flake.source,
    narHash: field(field(data, "locked"), "narHash"),
    ...(flake.subdirectory === "" ? {} : { dir: flake.subdirectory }),
    ...(flake.revision === undefined ? {} : { rev: flake.revision }),
    ...(flake.lastModified === undefined ? {} : { lastModified: flake.lastModified }),
  };
  const longer = [...nodes].map(([name, node]) => [name, prefixed(node)] as const);
  const own = { ...prefixed(nodes.get(root)), locked, original: { type: "indirect", id: inner } };
  const all = { ...Object.fromEntries(longer), [root]: own, [outer]: { inputs: { [inner]: root } } };
  return `${JSON.stringify({ nodes: all, root: outer, version: 7 }, undefined, 2)}\n`;
}

function prefixed(node: unknown): Record<string, unknown> {
  const below = (value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    const path: readonly unknown[] = value;
    return [inner, ...path];
  };
  const { inputs, parent, ...rest } = objectOf(node);
  return {
    ...rest,
    ...(inputs === undefined ? {} : { inputs: Object.fromEntries(Object.entries(objectOf(inputs)).map(([name, input]) => [name, below(input)])) }),
    ...(parent === undefined ? {} : { parent: below(parent) }),
  };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
