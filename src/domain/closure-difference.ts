import type { StorePath } from "./store-path.js";

/** A path of a closure with its size as NAR, in bytes. */
export type SizedPath = { readonly path: StorePath; readonly bytes: number };

/** A package of which one closure has other versions than the other. */
export type PackageChange = {
  readonly name: string;
  /** Its versions in the old closure, none where it is new; an empty string is an unknown version. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** By how many bytes the package grows. */
  readonly bytes: number;
};

/** What one system has and the other has not. */
export type ClosureDifference = {
  /** By name. */
  readonly packages: readonly PackageChange[];
  /** Packages that were rebuilt without a change of version. */
  readonly rebuilt: number;
  /** Paths without a version that were added, removed or rebuilt: mostly generated files, such as units and files in /etc. */
  readonly files: number;
  /** By how many bytes the closure grows. */
  readonly bytes: number;
  /** Not all paths could be compared, since there were too many. */
  readonly truncated: boolean;
};

export type ChangeKind = "added" | "removed" | "changed";

/** Returns what happens to the package. */
export function changeKind({ before, after }: PackageChange): ChangeKind {
  if (before.length === 0) return "added";
  return after.length === 0 ? "removed" : "changed";
}

/** Counts the packages by what happens to them. */
export function countChanges({ packages }: ClosureDifference): Readonly<Record<ChangeKind, number>> {
  const counts = { added: 0, removed: 0, changed: 0 };
  for (const change of packages) counts[changeKind(change)] += 1;
  return counts;
}

// Paths without a version are named from this size in bytes on; generated files are smaller. Same threshold as `nix store diff-closures`.
const leastBytesWithoutVersion = 8192;

// nixpkgs puts the name of an output after the version: `openssl-3.5.2-bin`.
const outputs = /-(?:bin|data|debug|dev|devdoc|dist|doc|getent|info|lib|lib32|lib64|man|modules|nc|out|py|python|static|terminfo|tools|xgcc)$/;

/**
 * Splits the name of a store path into package and version as Nix does (`builtins.parseDrvName`): the version begins behind the
 * first dash that no letter follows. The name of an output is left out. Without a version it is the empty text.
 */
export function packageOf(path: StorePath): { readonly name: string; readonly version: string } {
  const base = path.slice(path.indexOf("-") + 1);
  const match = /^(.*?)-(?![a-zA-Z])(.+)$/.exec(base);
  if (match === null) return { name: base.replace(outputs, ""), version: "" };
  return { name: match[1] ?? base, version: (match[2] ?? "").replace(outputs, "") };
}

// The toplevel itself always differs.
const system = "nixos-system-";

type Side = { readonly versions: Set<string>; bytes: number };
type Both = { readonly before: Side; readonly after: Side };

/** Compares what only the old closure has with what only the new one has. */
export function compareClosures(onlyBefore: readonly SizedPath[], onlyAfter: readonly SizedPath[], truncated = false): ClosureDifference {
  const byName = new Map<string, Both>();
  const collect = (paths: readonly SizedPath[], side: keyof Both): void => {
    for (const { path, bytes } of paths) {
      const { name, version } = packageOf(path);
      const both = byName.get(name) ?? { before: { versions: new Set(), bytes: 0 }, after: { versions: new Set(), bytes: 0 } };
      byName.set(name, both);
      both[side].versions.add(version);
      both[side].bytes += bytes;
    }
  };
  collect(onlyBefore, "before");
  collect(onlyAfter, "after");

  const packages: PackageChange[] = [];
  let rebuilt = 0;
  let files = 0;
  let total = 0;
  for (const [name, { before, after }] of byName) {
    const bytes = after.bytes - before.bytes;
    total += bytes;
    const [old, now] = [sorted(before.versions), sorted(after.versions)];
    const versioned = [...old, ...now].some((version) => version !== "");
    if (!versioned && Math.abs(bytes) < leastBytesWithoutVersion) files += 1;
    else if (versioned && old.join("\n") === now.join("\n")) rebuilt += name.startsWith(system) ? 0 : 1;
    else packages.push({ name, before: old, after: now, bytes });
  }
  return { packages: packages.toSorted((one, other) => compare(one.name, other.name)), rebuilt, files, bytes: total, truncated };
}

function sorted(versions: ReadonlySet<string>): string[] {
  return [...versions].toSorted(compare);
}

// The same everywhere, whatever the runner's language.
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
