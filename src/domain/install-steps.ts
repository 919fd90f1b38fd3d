const openssh = "- run: sudo apt-get update && sudo apt-get install --yes openssh-client";

/** Steps of a workflow, each of which installs a program that the action runs on the runner. */
export const installSteps = {
  nix: "- uses: cachix/install-nix-action@v31",
  ssh: openssh,
  "ssh-keygen": openssh,
  git: "- run: sudo apt-get update && sudo apt-get install --yes git",
} as const;
