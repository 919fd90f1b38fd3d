import type { StorePath } from "../domain/store-path.js";
import { rebuildOptions } from "./rebuild-options.js";

// nix-store prints the output of builds unless it is told not to.
const printsLogs = "--print-build-logs";

// The options of rebuild-args that nix-store has too, with its words for them. The others concern the evaluation, which does not
// happen on the machine.
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
  const options = optionsOf(rebuildArgs);
  const logs = options.some(({ name }) => name === printsLogs) ? [] : ["--no-build-output"];
  const args = options.flatMap(({ name, given }) => (words[name] === undefined ? [] : [...words[name], ...given]));
  return ["nix-store", "--realise", derivation, "--add-root", "result", ...logs, ...args];
}

/** The options of rebuild-args that concern an evaluation, and so mean nothing to a machine that only builds. */
export function evaluationOptions(rebuildArgs: readonly string[]): string[] {
  return optionsOf(rebuildArgs).flatMap(({ name }) => (words[name] === undefined && name !== printsLogs ? [name] : []));
}

function optionsOf(rebuildArgs: readonly string[]): { readonly name: string; readonly given: readonly string[] }[] {
  const found: { name: string; given: readonly string[] }[] = [];
  for (let index = 0; index < rebuildArgs.length; index += 1) {
    const arg = rebuildArgs[index] ?? "";
    const row = rebuildOptions.options.find(({ name, aliases }) => name === arg || aliases.includes(arg));
    const given = rebuildArgs.slice(index + 1, index + 1 + (row?.words.length ?? 0));
    index += given.length;
    found.push({ name: row?.name ?? arg, given });
  }
  return found;
}
