import { CommandError, InputError } from "../domain/errors.js";
import { explainInput } from "./input-failure.js";

/** What is to be said of a flake that cannot be had; `undefined` where Nix says it better. */
export function explainFlake(error: unknown, reference: string): InputError | undefined {
  if (!(error instanceof CommandError)) return undefined;
  const { stderr } = error;
  const flake = (problem: string, advice?: string): InputError => new InputError([{ input: "flake", problem, advice }]);
  if (/requires lock file changes/.test(stderr)) {
    return flake(
      `the flake ${reference} has inputs that its flake.lock does not have (or it has no flake.lock, or the file is not in Git)`,
      "Run `nix flake lock`, commit flake.lock, and deploy again: a deployment never chooses versions by itself",
    );
  }
  const owned = /repository path '([^']*)' is not owned by current user|dubious ownership in repository at '([^']*)'/.exec(stderr);
  if (owned !== null) {
    const directory = owned[1] ?? owned[2];
    return flake(
      `Git refuses ${directory}, because another user owns it, as in a job that runs in a container`,
      `Add this step before: - run: git config --global --add safe.directory '${directory}'`,
    );
  }
  if (/lock ?file contains (?:mutable lock|unlocked input)/i.test(stderr)) {
    return flake(
      `the flake.lock of ${reference} has an input without a fixed version`,
      `Nix and Lix write a relative input (\`path:./x\`) in different ways, and each refuses the other's: run \`nix flake lock\` with the implementation that the runner and the machines have`,
    );
  }
  if (/unexpected flake input attribute 'submodules'/.test(stderr)) {
    return flake(
      `the flake ${reference} sets inputs.self.submodules, which Nix on the runner does not know`,
      "It needs Nix 2.27 or newer there; the Nix of the machines does not matter",
    );
  }
  const unfetched = explainInput(stderr, reference);
  if (unfetched !== undefined) return flake(unfetched.problem, unfetched.advice);
  const accepted = "Accepted is a directory with a flake.nix (`.`, `./nixos`), or any reference that Nix knows";
  if (/flake\.nix' .*is not tracked by Git/.test(stderr)) {
    return flake(`the flake.nix at ${reference} is not in Git, and what Git does not track does not belong to a flake`, "Run `git add` for it, and commit it");
  }
  if (/could not find a flake\.nix file|does not contain a '\/?(?:.*\/)?flake\.nix'|is not part of a flake|path '.*flake\.nix' does not exist/.test(stderr)) {
    return flake(`there is no flake.nix at ${reference}`, `${accepted}. Is there an actions/checkout step before this one?`);
  }
  // A path in the store is a file that the flake itself lacks.
  if (
    /(?:getting status of|path) ['"](?!\/nix\/store\/)[^'"]*['"](?:: No such file or directory| does not exist)/.test(stderr) &&
    !/^[a-z+]+:/.test(reference)
  ) {
    return flake(`there is no directory ${reference}`, `${accepted}. Is there an actions/checkout step before this one?`);
  }
  const [, unknown] = /cannot find flake '(?:flake:)?([^']*)' in the flake registries/.exec(stderr) ?? [];
  if (unknown !== undefined && unknown !== reference.replace(/[?#].*/, "")) {
    return flake(
      `the input ${unknown} of the flake ${reference} has no address, and Nix finds no flake of this name in its registries`,
      `Add \`inputs.${unknown}.url\` to the flake`,
    );
  }
  if (unknown !== undefined) {
    return flake(`Nix takes ${reference} for a name in its registries, where it is not`, `A directory is written ./${reference}. ${accepted}`);
  }
  return undefined;
}
