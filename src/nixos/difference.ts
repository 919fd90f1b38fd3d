import { compareClosures, type SizedPath } from "../domain/closure-difference.js";
import { isStorePath, type StorePath } from "../domain/store-path.js";
import { planOf, type UnitFileChange } from "../domain/unit-plan.js";
import type { SystemDifference } from "../deploy/ports.js";

/** Paths, and unit files, of either side that are compared at most. */
export const mostCompared = 20_000;

/**
 * Reads what `difference.sh` prints:
 *
 *     - /nix/store/jl1c4ra244fxwj0khijpzkaxijx6z51k-nginx-1.28.0
 *     -size 512
 *     + /nix/store/12rzaq8rndd3hdjqrmvjcfyk30zi05hp-nginx-1.28.1
 *     +size 512
 *     units
 *     unit changed active restart nginx.service
 *     end
 *
 * Throws an `Error` where something is missing.
 */
export function parseDifference(text: string): SystemDifference {
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.at(-1) !== "end") throw new Error("it broke off");
  const behind = (word: string): string[] => lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  const side = (mark: "-" | "+"): SizedPath[] => zip(behind(mark), behind(`${mark}size`));
  const [before, after] = [side("-"), side("+")];
  const truncated = before.length >= mostCompared || after.length >= mostCompared;
  return {
    closure: compareClosures(before, after, truncated),
    units: lines.includes("units") ? planOf(behind("unit").flatMap(unitFileChange)) : undefined,
  };
}

function zip(paths: readonly string[], sizes: readonly string[]): SizedPath[] {
  if (paths.length !== sizes.length) throw new Error(`${paths.length} paths have ${sizes.length} sizes`);
  return paths.map((path, index) => ({ path: checked(path), bytes: Number(sizes[index]) }));
}

function checked(path: string): StorePath {
  if (!isStorePath(path)) throw new Error(`${JSON.stringify(path.slice(0, 300))} is no path of the store`);
  return path;
}

function unitFileChange(text: string): UnitFileChange[] {
  const match = /^(gone|new|changed) (active|inactive|wanted|unwanted) (reload|keep|restart) (\S+)$/.exec(text);
  if (match === null) return [];
  const [, change, state, policy, name = ""] = match;
  return [
    {
      name,
      change: change === "gone" || change === "new" ? change : "changed",
      live: state === "active" || state === "wanted",
      policy: policy === "reload" || policy === "keep" ? policy : "restart",
    },
  ];
}
