import { DeployError } from "../domain/errors.js";
import type { StorePath } from "../domain/store-path.js";
import type { HostLog, MachineFacts } from "../deploy/ports.js";
import { BuildLogReader } from "../nix/build-log.js";
import { buildError, fileNotFound, isMissingConfiguration, type BuildContext, type RebuildFailure } from "./build-failure.js";
import { nixSeconds } from "./compare.js";
import { differenceOfBuild, mostInBuild, type BuildDifference } from "./difference.js";
import { jobExit, watchScript, type CallScript } from "./job.js";
import { residentScript } from "./script-files.js";

/** What is asked for the cause of a failed build. */
export type BuildQuestions = {
  /** The attributes of `nixosConfigurations`; `undefined` where they are unknown. */
  readonly configurationNames: () => Promise<readonly string[] | undefined>;
  /** Returns whether a file, relative to the flake's root, is in the work tree on the runner and not tracked by Git. */
  readonly isUntracked: (file: string) => Promise<boolean>;
};

/** A built system, and how it differs from the one that was named, where that is known. */
export type Built = { readonly toplevel: StorePath; readonly difference: BuildDifference | undefined };

type Site = {
  readonly run: string;
  readonly privileged: boolean;
  readonly log: HostLog;
  readonly facts: MachineFacts;
  readonly questions: BuildQuestions;
  readonly call: CallScript;
  /** What the built system is to be compared with. */
  readonly compareWith: StorePath | undefined;
};

/**
 * Runs a command on the machine that builds a system and links it as `result`, and compares the system where that is wanted. Throws a
 * `DeployError` of the phase build.
 */
export async function runBuild(
  command: readonly string[],
  { configuration, evaluates }: Pick<RebuildFailure, "configuration" | "evaluates">,
  { run, privileged, log, facts, questions, call, compareWith }: Site,
): Promise<Built> {
  const reader = new BuildLogReader();
  const onLine = (line: string): void => {
    reader.read(line);
    log.output(line);
  };
  const job = { run, name: "build", phase: "build", privileged, onLine } as const;
  const args = [compareWith ?? "", String(nixSeconds), String(mostInBuild), residentScript("job"), ...command];
  const watched = await watchScript(job, call, "build", args);
  const { exitCode, result, lines } = jobExit(job, watched.end, watched.lines, "build");
  if (exitCode !== 0) {
    const failure = { exitCode, configuration, lines, failures: reader.failures, evaluates };
    throw buildError(failure, await contextOf(failure, facts, questions));
  }
  if (result === undefined)
    throw new DeployError({ phase: "build", reason: `${command.slice(0, 2).join(" ")} succeeded but produced no system`, lines, exitCode });
  return { toplevel: result, difference: differenceOfBuild(watched.end.stderr) };
}

async function contextOf(failure: RebuildFailure, facts: MachineFacts, { configurationNames, isUntracked }: BuildQuestions): Promise<BuildContext> {
  const file = fileNotFound(failure);
  return {
    configurations: isMissingConfiguration(failure) ? await configurationNames() : undefined,
    untrackedFile: file !== undefined && (await isUntracked(file)) ? file : undefined,
    memoryKibibytes: facts.memoryKibibytes,
    nix: facts.nix,
  };
}
