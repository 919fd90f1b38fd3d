import { CommandError, InputError } from "../domain/errors.js";
import { hasScheme, withoutAttributes } from "../domain/flake-reference.js";
import type { Topic } from "../domain/topic.js";
import { explainInput } from "./input-failure.js";

/** Explains why a flake cannot be used; `undefined` where Nix's own message is better. */
export function explainFlake(error: unknown, reference: string): InputError | undefined {
  if (!(error instanceof CommandError)) return undefined;
  const { stderr } = error;
  const flake = (problem: string, advice?: string, topic?: Topic): InputError => new InputError([{ input: "flake", problem, advice, topic }]);
  if (/requires lock file changes/.test(stderr)) {
    return flake(
      `flake.lock of ${reference} is missing, incomplete or not tracked by Git`,
      "Run `nix flake lock`, commit flake.lock and deploy again; the action never updates a lock file",
      "lock-file-incomplete",
    );
  }
  const owned = /repository path '([^']*)' is not owned by current user|dubious ownership in repository at '([^']*)'/.exec(stderr);
  if (owned !== null) {
    const directory = owned[1] ?? owned[2];
    return flake(
      `Git refuses ${directory} because it is owned by another user, which is usual for jobs in a container`,
      `Add this step before this one: - run: git config --global --add safe.directory '${directory}'`,
      "repository-not-owned",
    );
  }
  if (/lock ?file contains (?:mutable lock|unlocked input)/i.test(stderr)) {
    return flake(
      `flake.lock of ${reference} contains an input that is not locked`,
      `Nix and Lix lock relative inputs (\`path:./x\`) differently and reject each other's lock files: run \`nix flake lock\` with the implementation that the runner and the machines use`,
    );
  }
  if (/unexpected flake input attribute 'submodules'/.test(stderr)) {
    return flake(
      `the flake ${reference} sets inputs.self.submodules, which Nix on the runner does not support`,
      "Use Nix 2.27 or newer on the runner; the version on the machines does not matter",
    );
  }
  const unfetched = explainInput(stderr, reference);
  if (unfetched !== undefined) return flake(unfetched.problem, unfetched.advice, "input-not-fetched");
  const accepted = "Use a directory with a flake.nix (`.`, `./nixos`) or any other flake reference";
  if (/flake\.nix' .*is not tracked by Git/.test(stderr)) {
    return flake(`flake.nix at ${reference} is not tracked by Git, so Nix ignores it`, "Run `git add` on it and commit it", "flake-missing");
  }
  if (/could not find a flake\.nix file|does not contain a '\/?(?:.*\/)?flake\.nix'|is not part of a flake|path '.*flake\.nix' does not exist/.test(stderr)) {
    return flake(`flake.nix was not found at ${reference}`, `${accepted}. Check that an actions/checkout step runs before this one`, "flake-missing");
  }
  // A path in the store is a file that is missing in the flake itself.
  if (/(?:getting status of|path) ['"](?!\/nix\/store\/)[^'"]*['"](?:: No such file or directory| does not exist)/.test(stderr) && !hasScheme(reference)) {
    return flake(`the directory ${reference} was not found`, `${accepted}. Check that an actions/checkout step runs before this one`, "flake-missing");
  }
  const [, unknown] = /cannot find flake '(?:flake:)?([^']*)' in the flake registries/.exec(stderr) ?? [];
  if (unknown !== undefined && unknown !== withoutAttributes(reference)) {
    return flake(
      `the input ${unknown} of the flake ${reference} has no URL and was not found in the flake registry`,
      `Add \`inputs.${unknown}.url\` to the flake`,
    );
  }
  if (unknown !== undefined) {
    return flake(`${reference} was not found in the flake registry`, `If it is a directory, write ./${reference}. ${accepted}`, "flake-missing");
  }
  return undefined;
}
