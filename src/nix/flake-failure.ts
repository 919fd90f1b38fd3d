import { CommandError, InputError } from "../domain/errors.js";

/** What is to be said of a flake that cannot be had; `undefined` where Nix says it better. */
export function explainFlake(error: unknown, reference: string): InputError | undefined {
  if (!(error instanceof CommandError)) return undefined;
  const { stderr } = error;
  const flake = (problem: string): InputError => new InputError([{ input: "flake", problem }]);
  if (/requires lock file changes/.test(stderr)) {
    return flake(
      `the flake ${reference} has inputs that its flake.lock does not have (or it has no flake.lock, or the file is not in Git). Run \`nix flake lock\`, commit flake.lock, and deploy again: a deployment never chooses versions by itself`,
    );
  }
  const accepted = "accepted is a directory with a flake.nix (`.`, `./nixos`), or any reference that Nix knows";
  if (/flake\.nix' .*is not tracked by Git/.test(stderr)) {
    return flake(`the flake.nix at ${reference} is not in Git, and what Git does not track does not belong to a flake: git add it, and commit it`);
  }
  if (/could not find a flake\.nix file|does not contain a '\/?(?:.*\/)?flake\.nix'|is not part of a flake|path '.*flake\.nix' does not exist/.test(stderr)) {
    return flake(`there is no flake.nix at ${reference}; ${accepted}. Is there an actions/checkout step before this one?`);
  }
  if (/getting status of .*: No such file or directory|path '.*' does not exist/.test(stderr) && !/^[a-z+]+:/.test(reference)) {
    return flake(`there is no directory ${reference}; ${accepted}. Is there an actions/checkout step before this one?`);
  }
  if (/cannot find flake '.*' in the flake registries/.test(stderr)) {
    return flake(`Nix takes ${reference} for a name in its registries, where it is not; a directory is written ./${reference}; ${accepted}`);
  }
  return undefined;
}
