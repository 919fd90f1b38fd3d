import { isAtLeast, type NixVersion } from "./nix-version.js";
import type { StorePath } from "./store-path.js";

/** A flake that is in the store of the runner, with what a bare store path would lose. */
export type Flake = {
  /** Root of the source tree. */
  readonly source: StorePath;
  /** Directory of `flake.nix` below the root, without slashes at its ends; empty for the root itself. */
  readonly subdirectory: string;
  /** Full commit id; a dirty tree and a plain directory have none. */
  readonly revision: string | undefined;
  /** Seconds since 1970. */
  readonly lastModified: number | undefined;
  readonly narHash: string | undefined;
  /** The tree had changes that are not committed. */
  readonly dirty: boolean;
  /** Source trees of all inputs, the flake's own tree not among them. */
  readonly inputs: readonly StorePath[];
};

/**
 * Builds the reference under which a machine with this version of Nix finds the flake in its own store, with the identity
 * that `self.rev` and `self.lastModified` show. No `#configuration`.
 *
 * `lastModified` is an attribute of `path:` references from Nix 2.25 and `dir` from 2.26; before, the directory belongs
 * to the path and the date is lost.
 */
export function referenceOnMachine(flake: Flake, version: NixVersion): string {
  const query = new Map<string, string>();
  if (flake.subdirectory !== "") {
    if (isAtLeast(version, 2, 26)) query.set("dir", flake.subdirectory);
    else return `${flake.source}?dir=${encodeDirectory(flake.subdirectory)}`;
  }
  if (flake.revision !== undefined) query.set("rev", flake.revision);
  if (flake.lastModified !== undefined && isAtLeast(version, 2, 25)) query.set("lastModified", String(flake.lastModified));
  const path = `path:${flake.source}`;
  if (query.size === 0) return path;
  return `${path}?${[...query].map(([key, value]) => `${key}=${encodeDirectory(value)}`).join("&")}`;
}

/** The reference that a machine with a current Nix builds. */
export function newestReference(flake: Flake): string {
  return referenceOnMachine(flake, { kind: "nix", major: 99, minor: 0 });
}

// A slash needs no escape in a query, and reads better without (RFC 3986, 3.4).
function encodeDirectory(text: string): string {
  return encodeURIComponent(text).replaceAll("%2F", "/");
}
