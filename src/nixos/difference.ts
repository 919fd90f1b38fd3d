import { compareClosures, type ClosureDifference, type SizedPath } from "../domain/closure-difference.js";
import { isStorePath, type StorePath } from "../domain/store-path.js";

/** The most paths of either side that are compared. */
export const mostCompared = 20_000;

/** The most paths of either side in the answer of a build, which is kept whole. */
export const mostInBuild = 2000;

/**
 * Parses what `difference.sh` prints:
 *
 *     - /nix/store/jl1c4ra244fxwj0khijpzkaxijx6z51k-nginx-1.28.0 512
 *     + /nix/store/12rzaq8rndd3hdjqrmvjcfyk30zi05hp-nginx-1.28.1 512
 *     end
 *
 * Throws an `Error` where something is missing.
 */
export function parseDifference(text: string): ClosureDifference {
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.at(-1) !== "end") throw new Error("incomplete output");
  const side = (mark: "-" | "+"): SizedPath[] => lines.flatMap((line) => (line.startsWith(`${mark} `) ? [sizedPath(line)] : []));
  const [before, after] = [side("-"), side("+")];
  const truncated = before.length >= mostCompared || after.length >= mostCompared;
  return compareClosures(before, after, truncated);
}

/**
 * Reads the difference from the facts of `build.sh`, behind the line "difference"; `undefined` where there is none, or not all of it: it is
 * then worth a question of its own.
 */
export function differenceOfBuild(facts: string): ClosureDifference | undefined {
  const text = /^difference\n([^]*)$/m.exec(facts)?.[1];
  if (text === undefined) return undefined;
  const isFull = (mark: string): boolean => text.split("\n").filter((line) => line.startsWith(`${mark} `)).length >= mostInBuild;
  if (isFull("-") || isFull("+")) return undefined;
  try {
    return parseDifference(text);
  } catch {
    return undefined;
  }
}

function sizedPath(line: string): SizedPath {
  const [, path = "", size = ""] = line.split(" ");
  return { path: checked(path), bytes: bytesOf(size) };
}

function bytesOf(size: string): number {
  if (!/^\d{1,15}$/.test(size)) throw new Error(`${JSON.stringify(size.slice(0, 300))} is not a valid size of a path`);
  return Number(size);
}

function checked(path: string): StorePath {
  if (!isStorePath(path)) throw new Error(`${JSON.stringify(path.slice(0, 300))} is not a store path`);
  return path;
}
