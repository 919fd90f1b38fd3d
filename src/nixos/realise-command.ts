import type { StorePath } from "../domain/store-path.js";
import { rebuildOptions } from "./rebuild-options.js";

// Of the options that rebuild-args may hold, those that nix-store has too, with its words for them. The others are about
// evaluation, which does not happen on the machine.
const words: Readonly<Record<string, readonly string[]>> = {
  "--builders": ["--builders"],
  "--cores": ["--cores"],
  "--fallback": ["--fallback"],
  "--keep-failed": ["--keep-failed"],
  "--keep-going": ["--keep-going"],
  "--max-jobs": ["--max-jobs"],
  "--offline": ["--option", "substitute", "false"],
  "--option": ["--option"],
  "--quiet": ["--quiet"],
  "--repair": ["--repair"],
  "--verbose": ["--verbose"],
};

/**
 * Builds the call that has the machine build a derivation, or download what it builds, and link it as `result`. It is nix-store's,
 * which is the same in every version and needs no experimental feature. `--no-build-output` has it end the message of a failure with
 * the last lines of the log, as `nix build` does.
 */
export function realiseCommand(derivation: StorePath, rebuildArgs: readonly string[]): string[] {
  const args: string[] = [];
  let logs = false;
  for (let index = 0; index < rebuildArgs.length; index += 1) {
    const arg = rebuildArgs[index] ?? "";
    const row = rebuildOptions.options.find(({ name, aliases }) => name === arg || aliases.includes(arg));
    const given = rebuildArgs.slice(index + 1, index + 1 + (row?.words.length ?? 0));
    index += given.length;
    logs ||= row?.name === "--print-build-logs";
    const own = words[row?.name ?? ""];
    if (own !== undefined) args.push(...own, ...given);
  }
  return ["nix-store", "--realise", derivation, "--add-root", "result", ...(logs ? [] : ["--no-build-output"]), ...args];
}
