import { flakeAttributes, type Flake, type FlakeIdentity } from "../domain/flake.js";
import { entries, field, objectOf } from "../domain/json.js";

// The name of the only input, as `outer-flake.nix` and `outer-hive.nix` have it.
const inner = "flake";

/** What the lock file of an outer flake records of the inner one. */
export type LockedFlake = Pick<Flake, "source"> & FlakeIdentity;

/**
 * Renders the lock file of a flake whose only input is the given one, from the given one's own (`locks` of what
 * `nix flake metadata --json` prints):
 *
 *     {"nodes":{"nixpkgs":{…},"root":{"inputs":{"nixpkgs":"nixpkgs"}}},"root":"root","version":7}
 *
 * An input's inputs are names of nodes, or a path of inputs from the root, which becomes longer by one. So does the path of the
 * parent of an input that lies in its parent's tree. With `narHash`, every Nix takes the rest of the input as it is written.
 */
export function lockAround(flake: LockedFlake, locks: unknown): string {
  const nodes = new Map(entries(field(locks, "nodes")));
  const root = String(field(locks, "root"));
  const free = (wish: string): string => {
    let name = wish;
    while (nodes.has(name)) name += "_";
    return name;
  };
  const outer = free("outer");
  // JSON has no place for what is undefined: it is left out.
  const locked = { type: "path", path: flake.source, ...flakeAttributes(flake) };
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
    ...(inputs === undefined ? {} : { inputs: Object.fromEntries(entries(inputs).map(([name, input]) => [name, below(input)])) }),
    ...(parent === undefined ? {} : { parent: below(parent) }),
  };
}
