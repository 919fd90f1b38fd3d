import { InputError } from "../domain/errors.js";
import { installable } from "../domain/flake-reference.js";
import type { Flake } from "../domain/flake.js";
import { optionalStorePath, storePath, type StorePath } from "../domain/store-path.js";
import { explainFlake } from "./flake-failure.js";
import { entries, field, number, text, texts } from "../domain/json.js";
import { runNix, runNixStore } from "./nix-command.js";
import { isSriHash, sriHash } from "./nar-hash.js";

export type FlakeOptions = {
  readonly cwd: string;
  readonly signal: AbortSignal | undefined;
  readonly onLine: (line: string) => void;
  /** The files are here and few: they are read by two programs at the same time. */
  readonly isSmall?: boolean | undefined;
};

// The lock file belongs to the author of the flake: a deployment neither writes nor changes one.
export const neverLock = ["--no-update-lock-file"];

/** A flake in the runner's store, with the lock file that Nix has for it and the reference that it was found by, both as JSON. */
export type ArchivedFlake = { readonly flake: Flake; readonly locks: unknown; readonly resolved: unknown };

/**
 * Fetches the flake and all its inputs into the runner's store and reads its identity. Throws an `InputError` for a flake that
 * is missing, has no lock file or changes in the meantime, a `CommandError` for whatever else Nix reports.
 *
 * `nix flake archive` gets the user's own reference: it copies the source into the store in every version, where
 * `nix flake metadata` of Nix 2.35 prints a path that is not there, and that of Determinate Nix with lazy trees none at all.
 */
export async function archiveOnRunner(reference: string, options: FlakeOptions): Promise<ArchivedFlake> {
  try {
    const { archive, metadata } = await readOnRunner(reference, options);
    const { path, narHash, locks, resolved, ...identity } = parseMetadata(metadata);
    if (path !== undefined && path !== archive.source) throw changedMeanwhile(reference);
    // The path is made from the hash, so one that is printed with the right path is right.
    const known = path === undefined ? undefined : narHash;
    return { flake: { ...archive, ...identity, narHash: known ?? (await queryHash(archive.source, options)) }, locks, resolved };
  } catch (error) {
    throw explainFlake(error, reference) ?? error;
  }
}

/**
 * Returns what `nix flake archive` and `nix flake metadata` say. For a small flake on a disk of the runner they run side by side, and what
 * changes in between is noticed; another one is downloaded, or copied into the store, once.
 */
async function readOnRunner(
  reference: string,
  { cwd, signal, onLine, isSmall }: FlakeOptions,
): Promise<{ archive: ReturnType<typeof parseArchive>; metadata: string }> {
  const stop = new AbortController();
  const call = { cwd, signal: AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]) };
  const archiving = runNix(["flake", "archive", "--json", ...neverLock, reference], { ...call, onStderrLine: onLine });
  // It warns of the same, which is not shown again.
  const query = async (): Promise<string> => (await runNix(["flake", "metadata", "--json", ...neverLock, reference], call)).stdout;
  if (isSmall !== true) return { archive: parseArchive((await archiving).stdout), metadata: await query() };
  const [archived, queried] = await Promise.allSettled([
    archiving.catch((error: unknown) => {
      stop.abort();
      throw error;
    }),
    query(),
  ]);
  if (archived.status === "rejected") throw archived.reason;
  if (queried.status === "rejected") throw queried.reason;
  return { archive: parseArchive(archived.value.stdout), metadata: queried.value };
}

async function queryHash(path: StorePath, options: FlakeOptions): Promise<string> {
  return sriHash((await runNixStore(["--query", "--hash", path], options)).stdout);
}

function changedMeanwhile(reference: string): InputError {
  return new InputError([
    { input: "flake", problem: `the files of ${reference} changed while the flake was being read. Check that nothing else writes to them` },
  ]);
}

/** Lists the attributes of `nixosConfigurations`; they are not evaluated. `reference` is one of Nix. Throws a `CommandError`. */
export async function configurationNames(reference: string, options: { signal: AbortSignal | undefined }): Promise<string[]> {
  const args = ["eval", "--json", ...neverLock, installable(reference, "nixosConfigurations"), "--apply", "builtins.attrNames"];
  const { stdout } = await runNix(args, { signal: options.signal });
  return texts(JSON.parse(stdout));
}

/** What `nix flake metadata` reports of a flake. `path` is where the source would be in the store; it may be missing there. */
export type Metadata = Pick<Flake, "subdirectory" | "revision" | "revisionCount" | "lastModified" | "dirty"> & {
  readonly path: StorePath | undefined;
  /** `undefined` where it is missing, or in another form than that of lock files. */
  readonly narHash: string | undefined;
  readonly locks: unknown;
  readonly resolved: unknown;
};

/**
 * Parses what `nix flake metadata --json` prints; Determinate Nix with lazy trees leaves out `path` and `locked.narHash`:
 *
 *     {"path":"/nix/store/…-source","resolved":{"dir":"nixos",…},"locked":{"narHash":"sha256-…",…},
 *      "revision":"4f1c…","dirtyRevision":"4f1c…-dirty","revCount":7,"lastModified":1700000000,"locks":{"nodes":{…},…},…}
 */
export function parseMetadata(json: string): Metadata {
  const data: unknown = JSON.parse(json);
  const locked = field(data, "locked");
  const directory = text(field(data, "resolved", "dir")) ?? text(field(locked, "dir")) ?? "";
  const dirtyRevision = text(field(data, "dirtyRevision")) ?? text(field(locked, "dirtyRev"));
  const scheme = text(field(data, "resolved", "type"));
  const narHash = text(field(locked, "narHash")) ?? "";
  const revision = text(field(data, "revision")) ?? text(field(locked, "rev"));
  return {
    path: optionalStorePath(text(field(data, "path"))),
    narHash: isSriHash(narHash) ? narHash : undefined,
    subdirectory: directory.replace(/^\/+|\/+$/g, ""),
    revision,
    revisionCount: revision === undefined ? undefined : (number(field(data, "revCount")) ?? number(field(locked, "revCount"))),
    lastModified: number(field(data, "lastModified")) ?? number(field(locked, "lastModified")),
    // Nix before 2.17 has no dirtyRev: a Git tree without a revision is a dirty one.
    dirty: dirtyRevision !== undefined || (scheme === "git" && revision === undefined),
    locks: field(data, "locks"),
    resolved: field(data, "resolved"),
  };
}

/**
 * Parses the store paths of a flake and of all its inputs from what `nix flake archive --json` prints:
 * `{"path":P,"inputs":{NAME:{"path":P,"inputs":{…}}}}`. An input inside its parent's tree has no path (except with Lix),
 * and one that follows another is missing. Throws an `Error` for anything but a store path.
 */
export function parseArchive(json: string): { readonly source: StorePath; readonly inputs: readonly StorePath[] } {
  const data: unknown = JSON.parse(json);
  const source = storePath(text(field(data, "path")) ?? "");
  const found = new Set<StorePath>();
  const walk = (node: unknown): void => {
    const path = text(field(node, "path"));
    if (path !== undefined) found.add(storePath(path));
    for (const [, input] of entries(field(node, "inputs"))) walk(input);
  };
  walk(data);
  found.delete(source);
  return { source, inputs: [...found] };
}
