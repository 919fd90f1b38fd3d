import { which } from "@actions/io";

import { RunnerError } from "../domain/errors.js";
import { installSteps } from "../domain/install-steps.js";

const required = ["nix", "ssh", "ssh-keygen"] as const;

/** Throws a `RunnerError` with the steps to add to the workflow when a program that every run needs is missing. */
export async function requirePrograms(): Promise<void> {
  const missing = await missingPrograms(required);
  if (missing.length === 0) return;
  const wanted = new Set(missing.map((name) => `  ${installSteps[name]}`));
  throw new RunnerError(
    [`${missing.join(" and ")} not found on this runner; no host was changed. Add this to the workflow before this step:`, ...wanted].join("\n"),
    { topic: "programs-missing" },
  );
}

// Returns the programs that are not in PATH.
async function missingPrograms<T extends string>(names: readonly T[]): Promise<T[]> {
  const found = await Promise.all(names.map(async (name) => await which(name, false)));
  return names.filter((_, index) => found[index] === "");
}
