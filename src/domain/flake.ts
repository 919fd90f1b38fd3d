import { renderReference } from "./flake-reference.js";
import type { StorePath } from "./store-path.js";

/** A flake that is in the store of the runner, with the identity that a bare store path would lose. */
export type Flake = {
  /** Root of the source tree. */
  readonly source: StorePath;
  /** Directory of `flake.nix` below the root, without slashes at its ends; empty for the root itself. */
  readonly subdirectory: string;
  /** Full commit id; a dirty tree and a plain directory have none. */
  readonly revision: string | undefined;
  /** Number of commits up to the revision; a shallow clone has none. */
  readonly revisionCount: number | undefined;
  /** Seconds since 1970. */
  readonly lastModified: number | undefined;
  /** Hash of the source tree in the store, in the form `sha256-…` (SRI). */
  readonly narHash: string;
  /** The tree had changes that are not committed. */
  readonly dirty: boolean;
  /** Source trees of all inputs, the flake's own tree not among them. */
  readonly inputs: readonly StorePath[];
};

/** What of a flake is not in its store path. */
export type FlakeIdentity = Pick<Flake, "subdirectory" | "revision" | "revisionCount" | "lastModified" | "narHash">;

/**
 * A flake on its way to the machines, inside an outer flake whose only input it is. What a machine builds is the outer flake:
 * its lock file names the revision, so that the evaluation cache never returns the result of another commit with the same tree
 * (the key of the cache has no revision), and it can name a subdirectory, which a `path:` reference cannot before Nix 2.26.
 */
export type SentFlake = {
  readonly flake: Flake;
  /** Source of the outer flake. */
  readonly outer: StorePath;
  /** Whether the outer flake has the nodes of a colmena hive among its `nixosConfigurations`. */
  readonly hive: boolean;
};

/** Every store path that a machine needs to evaluate the flake. */
export function sentPaths({ outer, flake }: SentFlake): StorePath[] {
  return [...new Set([outer, flake.source, ...flake.inputs])];
}

/** Renders the reference that a machine builds. No `#configuration`. */
export function outerReference({ outer }: Pick<SentFlake, "outer">): string {
  return renderReference(`path:${outer}`);
}

/**
 * Renders the reference to which a machine's own Nix resolves the same flake, for use by hand. With `narHash`, Nix takes revision
 * and date as given; without, Lix and Nix before 2.25 refuse the date. A subdirectory needs Nix 2.26.
 */
export function flakeReference(flake: Flake): string {
  return renderReference(`path:${flake.source}`, flakeAttributes(flake));
}

/** What of a flake is not in its store path, under the names of Nix; `undefined` for what it does not have. */
export function flakeAttributes(flake: FlakeIdentity): Readonly<Record<string, string | number | undefined>> {
  return {
    dir: flake.subdirectory === "" ? undefined : flake.subdirectory,
    rev: flake.revision,
    revCount: flake.revisionCount,
    lastModified: flake.lastModified,
    narHash: flake.narHash,
  };
}
