import { compareClosures, type ClosureDifference, type SizedPath } from "../domain/closure-difference.js";
import { messageOf } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
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

/** What a build has found out about the difference: the reason is that of a comparison that has failed. */
export type BuildDifference = { readonly kind: "known"; readonly closure: ClosureDifference } | { readonly kind: "failed"; readonly reason: string };

/**
 * Reads the difference from the facts of `build.sh`, behind the line "difference", with what Nix says on standard error in between;
 * `undefined` where there is none, or not all of it: it is then worth a question of its own.
 */
export function differenceOfBuild(facts: string): BuildDifference | undefined {
  const text = /^difference\n([^]*)$/m.exec(facts)?.[1];
  if (text === undefined) return undefined;
  const lines = text.split("\n");
  const isFull = (mark: string): boolean => lines.filter((line) => line.startsWith(`${mark} `)).length >= mostInBuild;
  if (isFull("-") || isFull("+")) return undefined;
  try {
    return { kind: "known", closure: readDifference(text, lastLines(lines.filter((line) => !answers.test(line)).join("\n")).at(-1)) };
  } catch (error) {
    return { kind: "failed", reason: messageOf(error) };
  }
}

// The lines of `difference.sh` itself.
const answers = /^(?:[-+] |failed \d+$|end$)/;

/** Parses what `difference.sh` prints. Throws an `Error` where Nix could not list the closures, with what it has `said`, and as `parseDifference`. */
export function readDifference(text: string, said: string | undefined): ClosureDifference {
  const failed = /^failed (\d+)$/m.exec(text);
  if (failed !== null) throw new Error(said ?? `exit code ${failed[1]}`);
  return parseDifference(text);
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
