import { CommandError, RunnerError } from "../domain/errors.js";
import { installSteps } from "../domain/install-steps.js";
import type { ResolvedRevision } from "../machines/ports.js";
import { run } from "../process/run.js";

/** Resolves a revision (gitrevisions(7)). Throws a `RunnerError` without git, a `CommandError` outside of a work tree. */
export async function resolveCommit(directory: string, revision: string): Promise<ResolvedRevision> {
  try {
    const { stdout } = await git(revParseArguments(directory, revision));
    return { kind: "commit", id: stdout.trim() };
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind !== "exit") throw error;
  }
  return { kind: "missing", shallow: await isShallow(directory) };
}

/** Returns whether a checkout lacks older commits, as with actions/checkout unless `fetch-depth` is 0. Throws as `resolveCommit`. */
export async function isShallow(directory: string): Promise<boolean> {
  return (await git(["-C", directory, "rev-parse", "--is-shallow-repository"])).stdout.trim() === "true";
}

/** Builds the arguments that look a revision up; it is never taken for an option. */
export function revParseArguments(directory: string, revision: string): string[] {
  return ["-C", directory, "rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
}

async function git(args: readonly string[]): ReturnType<typeof run> {
  try {
    return await run({ file: "git", args });
  } catch (error) {
    if (error instanceof CommandError && error.failure.kind === "spawn") {
      throw new RunnerError(`git was not found on this runner; changed-since needs it. Add this to the workflow before this step: ${installSteps.git}`, {
        cause: error,
        topic: "programs-missing",
      });
    }
    throw error;
  }
}
