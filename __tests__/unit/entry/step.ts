import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { annotationsOf, workflowCommands, type Annotation } from "../../fleet/rig/workflow-commands.js";
import { parseEnvironmentFile } from "../../fleet/rig/environment-file.js";
import { inputDefaults, inputVariable } from "../../fleet/rig/action-inputs.js";
import { capturedAsync } from "../github/captured.js";

/** How a step ended. */
export type StepEnd = {
  readonly exitCode: number;
  readonly output: string;
  readonly annotations: readonly Annotation[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly temp: string;
};

/** An entry point in a step of a workflow. */
export type Step = {
  readonly run: () => Promise<number>;
  /** File whose input defaults the runner fills in. */
  readonly actionFile?: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
};

/** Runs an entry point in this process, with the environment of a step of its own below `directory`. */
export async function runStep(directory: string, { run, actionFile, inputs, environment }: Step): Promise<StepEnd> {
  const home = mkdtempSync(join(directory, "step-"));
  const temp = join(home, "temp");
  mkdirSync(temp);
  const file = (name: string): string => join(home, name);
  for (const name of ["output", "state", "summary"]) writeFileSync(file(name), "");
  const before = { ...process.env };
  Object.assign(
    process.env,
    Object.fromEntries(Object.entries({ ...inputDefaults(actionFile), ...inputs }).map(([name, value]) => [inputVariable(name), value])),
    { GITHUB_OUTPUT: file("output"), GITHUB_STATE: file("state"), GITHUB_STEP_SUMMARY: file("summary"), RUNNER_TEMP: temp, GITHUB_EVENT_NAME: "push" },
    environment,
  );
  try {
    let exitCode = -1;
    const output = await capturedAsync(async () => {
      exitCode = await run();
    });
    const read = (name: string): Record<string, string> => parseEnvironmentFile(readFileSync(file(name), "utf8"));
    return { exitCode, output, annotations: annotationsOf(workflowCommands(output)), outputs: read("output"), state: read("state"), temp };
  } finally {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
