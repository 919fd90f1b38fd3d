import { which } from "@actions/io";

import { RunnerError } from "../domain/errors.js";

const steps: Readonly<Record<string, string>> = {
  nix: "- uses: cachix/install-nix-action@v31",
  ssh: "- run: sudo apt-get update && sudo apt-get install --yes openssh-client",
  "ssh-keygen": "- run: sudo apt-get update && sudo apt-get install --yes openssh-client",
};

/** Throws a `RunnerError` with the steps to add to the workflow when a program that every run needs is missing. */
export async function requirePrograms(): Promise<void> {
  const missing = await missingPrograms(Object.keys(steps));
  if (missing.length === 0) return;
  const wanted = new Set(missing.map((name) => `  ${steps[name]}`));
  throw new RunnerError(
    [`${missing.join(" and ")} not found on this runner; no host was changed. Add this to the workflow before this step:`, ...wanted].join("\n"),
    { topic: "programs-missing" },
  );
}

// Names those of the programs that are not in PATH.
async function missingPrograms(names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map(async (name) => await which(name, false)));
  return names.filter((_, index) => found[index] === "");
}
