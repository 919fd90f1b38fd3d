import { CommandError } from "../domain/errors.js";
import { BuildLogReader, type BuildFailures } from "./build-log.js";
import { BuildPlanFolder } from "./build-plan.js";
import { notInStore } from "./in-store.js";
import { runNixStore } from "./nix-command.js";
import type { InstantiatedSystem, Systems } from "./systems.js";

/** A system that did not build on the runner. */
export type FailedBuild = {
  readonly exitCode: number | undefined;
  /** What has failed of the derivations that it is made of. */
  readonly failures: BuildFailures;
  /** The last lines that the build of all systems has printed. */
  readonly lines: readonly string[];
};

export type BuildOptions = {
  readonly extraArgs: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly onLine: (line: string) => void;
};

// One per machine of a large fleet, each with a fault of its own.
const keptFailures = 500;
const keptLines = 20;

/** Builds the arguments that build derivations. nix-store's are the same in every version; its messages without the builds' own output are those of `nix build`. */
export function buildArguments(systems: readonly InstantiatedSystem[], extraArgs: readonly string[]): string[] {
  return ["--realise", "--keep-going", "--no-build-output", ...extraArgs, ...new Set(systems.map(({ derivation }) => derivation))];
}

/**
 * Builds all systems in one go on the runner, so that what they share is built once, and the failure of one stops none of the others.
 * Returns those that did not build, by the name of their configuration. Throws a `CommandError` for a build that was stopped.
 */
export async function buildSystems(systems: Systems, options: BuildOptions): Promise<ReadonlyMap<string, FailedBuild>> {
  if (systems.size === 0) return new Map();
  const log = new BuildLogReader(keptFailures);
  const folder = new BuildPlanFolder();
  const lines: string[] = [];
  const onStderrLine = (line: string): void => {
    // Later steps need only what `build/` has built, and that it protects afterwards.
    if (line.startsWith("warning: you did not specify '--add-root'")) return;
    log.read(line);
    if (line.trim() !== "" && lines.push(line) > keptLines) lines.shift();
    folder.fold(line).forEach(options.onLine);
  };
  let exitCode: number | undefined;
  try {
    await runNixStore(buildArguments([...systems.values()], options.extraArgs), { signal: options.signal, onStderrLine });
    return new Map();
  } catch (error) {
    if (!(error instanceof CommandError) || (error.failure.kind !== "exit" && error.failure.kind !== "signal")) throw error;
    exitCode = error.failure.kind === "exit" ? error.failure.exitCode : undefined;
  }
  const missing = await notInStore(
    [...systems.values()].map(({ toplevel }) => toplevel),
    options.signal,
  );
  const failed = new Map<string, FailedBuild>();
  for (const [name, { derivation, toplevel }] of systems) {
    if (!missing.has(toplevel)) continue;
    const needed = await runNixStore(["--query", "--requisites", derivation], { signal: options.signal });
    failed.set(name, { exitCode, failures: log.failuresOf(new Set(needed.stdout.split("\n"))), lines });
  }
  return failed;
}
