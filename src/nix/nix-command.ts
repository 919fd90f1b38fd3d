import { CommandError, RunnerError } from "../domain/errors.js";
import { installSteps } from "../domain/install-steps.js";
import { run, type Command, type Finished, type RunOptions } from "../process/run.js";

/** Builds a call of the runner's nix. */
export function nixCommand(args: readonly string[]): Command {
  return { file: "nix", args: [...args] };
}

/** Runs the runner's nix. Throws a `CommandError`, or a `RunnerError` that says which step to add to the workflow. */
export async function runNix(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return await runExplained(nixCommand(args), options);
}

/** Runs the runner's nix-store, whose output is the same in every version. Throws as `runNix`. */
export async function runNixStore(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return await runExplained({ file: "nix-store", args }, options);
}

async function runExplained(command: Command, options: RunOptions): Promise<Finished> {
  try {
    return await run(command, options);
  } catch (error) {
    throw explainMissing(error) ?? error;
  }
}

function explainMissing(error: unknown): RunnerError | undefined {
  if (!(error instanceof CommandError)) return undefined;
  const step = installSteps.nix;
  if (error.failure.kind === "spawn" && error.failure.code === "ENOENT") {
    return new RunnerError(`nix was not found on this runner. Add this step before the deployment: ${step}`, { cause: error, topic: "programs-missing" });
  }
  const feature = /experimental Nix feature '([\w-]+)' is disabled|unrecognised flag '--(?:json|to)'|'flake' is not a recognised command/.exec(error.stderr);
  if (feature !== null) {
    return new RunnerError(
      `flakes are disabled in nix on this runner (experimental features nix-command and flakes). Add this step before the deployment, which enables them: ${step}; or set NIX_CONFIG: "experimental-features = nix-command flakes" in env`,
      { cause: error, topic: "programs-missing" },
    );
  }
  return undefined;
}
