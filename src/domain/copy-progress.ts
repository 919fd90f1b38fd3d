import { renderBytes } from "./bytes.js";

/** How far the copy of the flake to a machine is. Paths that the machine already has do not count. */
export type CopyProgress = {
  /** Paths whose copy has started. */
  readonly paths: number;
  readonly expectedPaths: number;
  /** Bytes sent, where that is known. */
  readonly bytes: number | undefined;
};

/** The sum of two copies; bytes where either is known. */
export function addProgress(one: CopyProgress, other: CopyProgress): CopyProgress {
  const bytes = one.bytes === undefined && other.bytes === undefined ? undefined : (one.bytes ?? 0) + (other.bytes ?? 0);
  return { paths: one.paths + other.paths, expectedPaths: one.expectedPaths + other.expectedPaths, bytes };
}

/** `path 1 of 3, 4.2 MiB sent` while they travel. */
export function renderCopying({ paths, expectedPaths, bytes }: CopyProgress): string {
  const sent = bytes === undefined ? [] : [`${renderBytes(bytes)} sent`];
  return [`path ${paths} of ${expectedPaths}`, ...sent].join(", ");
}

/** `3 paths` when they have arrived. */
export function renderCopied({ paths }: CopyProgress): string {
  if (paths === 0) return "already up to date";
  return paths === 1 ? "1 path" : `${paths} paths`;
}
