import { messageOf } from "./errors.js";
import { entries, isObject } from "./json.js";
import { isStorePath, type StorePath } from "./store-path.js";

/** Systems that were built before the run, by the names of their machines. */
export type GivenSystems = ReadonlyMap<string, StorePath>;

export const acceptedSystems = 'a JSON object such as {"web1":"/nix/store/…-nixos-system-web1-…"}, as the output systems of the action build';

/** The systems of a text, the names of all of its machines, and what is wrong with each bad entry. */
export type SystemsList = { readonly systems: GivenSystems; readonly names: readonly string[]; readonly problems: readonly string[] };

/** Parses a JSON object of store paths by the names of machines. Never throws; every bad entry is listed in `problems`. */
export function parseSystems(text: string): SystemsList {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    return { systems: new Map(), names: [], problems: [`is not valid JSON (${messageOf(error)}); expected ${acceptedSystems}`] };
  }
  if (!isObject(data)) {
    return { systems: new Map(), names: [], problems: [`is not a JSON object; expected ${acceptedSystems}`] };
  }
  const systems = new Map<string, StorePath>();
  const problems: string[] = [];
  for (const [name, path] of entries(data)) {
    // A derivation is a store path too.
    if (typeof path === "string" && isStorePath(path) && !path.endsWith(".drv")) systems.set(name, path);
    else problems.push(`${shown(name)} has ${shown(path)}, which is not the store path of a built system; expected /nix/store/HASH-NAME`);
  }
  return { systems, names: Object.keys(data), problems };
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 300);
}
