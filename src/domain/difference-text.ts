import { renderBytes } from "./bytes.js";
import { changeKind, type ClosureDifference, countChanges, type PackageChange } from "./closure-difference.js";
import { listedLines } from "./listed.js";

// An update of nixpkgs changes hundreds of packages.
const mostLines = 40;

/** Renders a difference for the log: the counts, then one line per package. */
export function renderDifferenceLines(difference: ClosureDifference): string[] {
  const { packages } = difference;
  return [renderCounts(difference), ...listedLines(packages.map(renderChange), mostLines).map((line) => `  ${line}`)];
}

/** The counts in one line: `packages: 1 added, 2 changed, 14 rebuilt; size +12.3 KiB`. */
export function renderCounts(difference: ClosureDifference): string {
  const { added, removed, changed } = countChanges(difference);
  const counts = Object.entries({ added, removed, changed, rebuilt: difference.rebuilt }).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
  const size = `size ${signedSize(difference.bytes)}`;
  return `packages: ${counts.length === 0 ? "none changed" : counts.join(", ")}; ${size}${difference.truncated ? "; incomplete: too many paths to compare" : ""}`;
}

/** One package in one line: `nginx 1.28.0 → 1.28.1`, `hello 2.12`; an unknown version is omitted. */
export function renderChange(change: PackageChange): string {
  const versions = (list: readonly string[]): string => list.filter((version) => version !== "").join(", ");
  const { name, before, after } = change;
  const text = changeKind(change) === "changed" ? [versions(before), "→", versions(after)] : [versions(before), versions(after)];
  return text.every((part) => part === "" || part === "→") ? name : [name, ...text].filter((part) => part !== "").join(" ");
}

/** A number of bytes that comes or goes, with its sign: `+1.5 MiB`, `−312 B`, `±0 B`. */
export function signedSize(bytes: number): string {
  const sign = bytes === 0 ? "±" : bytes > 0 ? "+" : "−";
  return `${sign}${renderBytes(Math.abs(bytes))}`;
}
