/** Which implementation of Nix it is: upstream's, Determinate Systems', or Lix. */
export type NixKind = "nix" | "determinate" | "lix";

/** An implementation of Nix, and the major and minor number of the Nix that it behaves as. */
export type NixVersion = { readonly kind: NixKind; readonly major: number; readonly minor: number };

/**
 * Parses the first line that `nix --version` prints, for example `nix (Nix) 2.34.8`, `nix (Lix, like Nix) 2.95.3` or
 * `nix (Determinate Nix 3.22.2) 2.35.2`: the last number of the line is the version of Nix that it behaves as.
 * Returns `undefined` when the line has no version.
 */
export function parseNixVersion(text: string): NixVersion | undefined {
  const [line = ""] = text.trim().split("\n");
  const numbers = [...line.matchAll(/(\d+)\.(\d+)(?:\.\d+)?/g)].at(-1);
  if (numbers === undefined) return undefined;
  return { kind: parseKind(line), major: Number(numbers[1]), minor: Number(numbers[2]) };
}

/** Returns whether the version is at least `major.minor`, whatever the implementation. */
export function isAtLeast(version: NixVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

function parseKind(line: string): NixKind {
  if (/\(Lix\b/.test(line)) return "lix";
  return /\(Determinate Nix\b/.test(line) ? "determinate" : "nix";
}
