import type { Flake } from "../domain/flake.js";
import { storePath, type StorePath } from "../domain/store-path.js";
import { explainFlake } from "./flake-failure.js";
import { field, text } from "./json.js";
import { runNix } from "./local.js";

export type FlakeOptions = { readonly cwd: string; readonly signal: AbortSignal | undefined; readonly onLine: (line: string) => void };

// The lock file belongs to the author of the flake: a deployment neither writes nor changes one.
export const neverLock = ["--no-update-lock-file"];

/**
 * Fetches the flake and all its inputs into the runner's store and reads its identity. Throws an `InputError` for a flake
 * that is not there or has no lock file, a `CommandError` for what else Nix has against it.
 */
export async function archiveOnRunner(reference: string, options: FlakeOptions): Promise<Flake> {
  const call = { cwd: options.cwd, signal: options.signal, onStderrLine: options.onLine };
  try {
    const metadata = await runNix(["flake", "metadata", "--json", ...neverLock, reference], call);
    const flake = parseMetadata(metadata.stdout);
    const archive = await runNix(["flake", "archive", "--json", ...neverLock, pinned(flake)], call);
    return { ...flake, inputs: archivedInputs(archive.stdout, flake.source) };
  } catch (error) {
    throw explainFlake(error, reference) ?? error;
  }
}

/** The attributes of `nixosConfigurations`; they are named, not evaluated. Throws a `CommandError`. */
export async function configurationNames(flake: Flake, options: { signal: AbortSignal | undefined }): Promise<string[]> {
  const args = ["eval", "--json", ...neverLock, `${pinned(flake)}#nixosConfigurations`, "--apply", "builtins.attrNames"];
  const { stdout } = await runNix(args, { signal: options.signal });
  const names: unknown = JSON.parse(stdout);
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

/** The flake in the runner's own store: what is sent cannot change any more when the work tree does. */
export function pinned(flake: Pick<Flake, "source" | "subdirectory">): string {
  const directory = flake.subdirectory === "" ? "" : `?dir=${encodeURIComponent(flake.subdirectory).replaceAll("%2F", "/")}`;
  return `path:${flake.source}${directory}`;
}

/** The same with a revision, which the flake finds as `self.rev`. It need not be the true one. */
export function pinnedAt(flake: Pick<Flake, "source" | "subdirectory">, revision: string | undefined): string {
  const plain = pinned(flake);
  return revision === undefined ? plain : `${plain}${plain.includes("?") ? "&" : "?"}rev=${revision}`;
}

/**
 * Reads what `nix flake metadata --json` prints:
 *
 *     {"path":"/nix/store/…-source","resolved":{"dir":"nixos",…},"locked":{"narHash":"sha256-…",…},
 *      "revision":"4f1c…","dirtyRevision":"4f1c…-dirty","lastModified":1700000000,…}
 */
export function parseMetadata(json: string): Flake {
  const data: unknown = JSON.parse(json);
  const locked = field(data, "locked");
  const directory = text(field(field(data, "resolved"), "dir")) ?? text(field(locked, "dir")) ?? "";
  const dirtyRevision = text(field(data, "dirtyRevision")) ?? text(field(locked, "dirtyRev"));
  const lastModified = field(data, "lastModified") ?? field(locked, "lastModified");
  const scheme = text(field(field(data, "resolved"), "type"));
  const revision = text(field(data, "revision")) ?? text(field(locked, "rev"));
  return {
    source: storePath(text(field(data, "path")) ?? ""),
    subdirectory: directory.replace(/^\/+|\/+$/g, ""),
    revision,
    lastModified: typeof lastModified === "number" ? lastModified : undefined,
    narHash: text(field(locked, "narHash")),
    // Nix before 2.17 has no dirtyRev: a Git tree without a revision is a dirty one.
    dirty: dirtyRevision !== undefined || (scheme === "git" && revision === undefined),
    inputs: [],
  };
}

/**
 * The store paths of all inputs in what `nix flake archive --json` prints: `{"path":P,"inputs":{NAME:{"path":P,"inputs":{…}}}}`.
 * An input that lies inside its parent's tree has no path, and one that follows another is missing.
 */
export function archivedInputs(json: string, source: StorePath): StorePath[] {
  const found = new Set<StorePath>();
  const walk = (node: unknown): void => {
    const path = text(field(node, "path"));
    if (path !== undefined) found.add(storePath(path));
    const inputs = field(node, "inputs");
    if (typeof inputs === "object" && inputs !== null) for (const input of Object.values(inputs)) walk(input);
  };
  walk(JSON.parse(json));
  found.delete(source);
  return [...found];
}
