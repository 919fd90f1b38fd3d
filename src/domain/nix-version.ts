/** Major and minor number of a Nix release. */
export type NixVersion = { readonly major: number; readonly minor: number };

/**
 * Reads what `nix --version` prints, for example `nix (Nix) 2.34.8`, `nix (Lix, like Nix) 2.93.0` or
 * `nix (Determinate Nix 3.11.2) 2.31.1`: the last number of the line is the one of the Nix it behaves as.
 * Returns `undefined` when there is none.
 */
export function parseNixVersion(text: string): NixVersion | undefined {
  const numbers = [...text.matchAll(/(\d+)\.(\d+)(?:\.\d+)?/g)].at(-1);
  return numbers === undefined ? undefined : { major: Number(numbers[1]), minor: Number(numbers[2]) };
}

/** Tells whether the version is at least `major.minor`. */
export function isAtLeast(version: NixVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}
