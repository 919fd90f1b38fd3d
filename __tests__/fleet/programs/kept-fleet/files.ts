import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { field } from "../../../../src/domain/json.js";

/** What a step needs to deploy to the machines of a kept fleet, by the names of the action's inputs. */
export type StepInputs = { readonly "ssh-key": string; readonly "ssh-known-hosts": string; readonly targets: string };

/** The files by which the process that keeps a fleet and those that use it talk. */
export function filesIn(directory: string): Readonly<Record<"inputs" | "keep" | "log" | "stopped", string>> {
  return {
    /** Written when the machines have booted. */
    inputs: join(directory, "inputs.json"),
    /** The fleet is kept while this exists. */
    keep: join(directory, "keep"),
    log: join(directory, "log"),
    /** Written when everything is removed. */
    stopped: join(directory, "stopped"),
  };
}

export function readInputs(directory: string): StepInputs {
  const inputs: unknown = JSON.parse(readFileSync(filesIn(directory).inputs, "utf8"));
  const text = (name: keyof StepInputs): string => {
    const value = field(inputs, name);
    if (typeof value !== "string") throw new Error(`${filesIn(directory).inputs} has no ${name}`);
    return value;
  };
  return { "ssh-key": text("ssh-key"), "ssh-known-hosts": text("ssh-known-hosts"), targets: text("targets") };
}

/** Waits until a file exists, or no longer does. `givenUp` ends the waiting with its sentence. */
export async function waitForFile(path: string, wanted: boolean, givenUp: () => string | undefined): Promise<void> {
  while (existsSync(path) !== wanted) {
    const reason = givenUp();
    if (reason !== undefined && existsSync(path) !== wanted) throw new Error(reason);
    await setTimeout(200);
  }
}
