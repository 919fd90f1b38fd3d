import { compareClosures, type ClosureDifference, type SizedPath } from "../domain/closure-difference.js";
import { isStorePath, type StorePath } from "../domain/store-path.js";

/** The most paths of either side that are compared. */
export const mostCompared = 20_000;

/**
 * Parses what `difference.sh` prints:
 *
 *     - /nix/store/jl1c4ra244fxwj0khijpzkaxijx6z51k-nginx-1.28.0
 *     -size 512
 *     + /nix/store/12rzaq8rndd3hdjqrmvjcfyk30zi05hp-nginx-1.28.1
 *     +size 512
 *     end
 *
 * Throws an `Error` where something is missing.
 */
export function parseDifference(text: string): ClosureDifference {
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.at(-1) !== "end") throw new Error("incomplete output");
  const behind = (word: string): string[] => lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  const side = (mark: "-" | "+"): SizedPath[] => zip(behind(mark), behind(`${mark}size`));
  const [before, after] = [side("-"), side("+")];
  const truncated = before.length >= mostCompared || after.length >= mostCompared;
  return compareClosures(before, after, truncated);
}

function zip(paths: readonly string[], sizes: readonly string[]): SizedPath[] {
  if (paths.length !== sizes.length) throw new Error(`${paths.length} paths have ${sizes.length} sizes`);
  return paths.map((path, index) => ({ path: checked(path), bytes: Number(sizes[index]) }));
}

function checked(path: string): StorePath {
  if (!isStorePath(path)) throw new Error(`${JSON.stringify(path.slice(0, 300))} is not a store path`);
  return path;
}
