import { briefReason } from "../domain/errors.js";
import { readInput } from "../github/action-input.js";
import { renderBuild } from "../github/build-outputs.js";
import { annotationsOfStep } from "../github/limits.js";
import { runnerTemp } from "../github/runner-temp.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import { parseBuildInputs } from "../inputs/build.js";
import { machinesOfBuild } from "../machines/of-build.js";
import { keepSystems } from "../nix/keep-systems.js";
import { wrapFlake } from "../nix/outer-flake.js";
import { failureAnnotations } from "../report/annotations.js";
import { notKeptWarning } from "../report/kept.js";
import { announceActivations } from "./announce-choice.js";
import { archiveAndAnnounce } from "./archive-flake.js";
import { runCompanion, type Found } from "./companion.js";
import { matrixPorts } from "./matrix-ports.js";
import { makeSystems } from "./systems-here.js";

/** Evaluates and builds systems as the inputs say, without a key and without a machine. Returns the exit code. */
export async function run(): Promise<number> {
  return await runCompanion({ work: build, nothing: renderBuild([]), onCancelled: "No system is in the outputs." });
}

async function build(log: WorkflowLog, signal: AbortSignal): Promise<Found> {
  const inputs = parseBuildInputs(readInput);
  const { flake, buildArgs } = inputs;
  const local = { cwd: process.cwd(), signal, onLine: (line: string) => log.line(line) };
  const { built, failed, total } = await machinesOfBuild(inputs, {
    ...matrixPorts(flake, log, signal),
    fetchFlake: async () => {
      const archived = await archiveAndAnnounce(flake, log, local);
      return { wrap: async (hive) => await wrapFlake(archived, hive, { scratch: runnerTemp(), signal }) };
    },
    makeSystems: async (sent, wanted) => {
      const made = await makeSystems(sent, wanted, { ...local, buildArgs, elsewhere: "leave the machine out with select, and deploy it without systems" });
      announceActivations(made, log);
      return made;
    },
  });
  const outputs = renderBuild(built);
  log.line(`${built.length} of ${total} systems:`);
  for (const { name, toplevel } of built) log.line(`  ${name} ${toplevel}`);
  const systems = built.map(({ toplevel }) => toplevel);
  await keepSystems(systems, runnerTemp(), signal).catch((error: unknown) => {
    signal.throwIfAborted();
    log.annotateAll("warning", [notKeptWarning(briefReason(error))]);
  });
  log.annotateAll("error", failureAnnotations(failed, annotationsOfStep, log.linkTo));
  return { outputs, isComplete: failed.length === 0 };
}
