/**
 * Returns the `uses:` of a workflow, or of a part of one, that are not pinned: those that neither name a full commit with its version
 * as a comment, nor a path of this repository, nor this action itself, whose commit is for the user to choose.
 */
export function unpinnedUses(text: string): string[] {
  const uses = [...text.matchAll(/^ *(?:- )?uses: (.*)$/gm)].map((match) => match[1] ?? "");
  return uses.filter((use) => !/^(?:\.\/\S*|org\/nix-flake-deploy(?:\/(?:matrix|build))?@v1|\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/.test(use));
}
