import * as core from "@actions/core";

import { InputError } from "../domain/errors.js";
import { targetsText, type MatrixMachine } from "../domain/matrix.js";
import { charactersOfOutputs } from "./limits.js";

/** Outputs about machines, by their names in the `action.yml` of a companion action. */
export type MachineOutputs = Readonly<Record<string, string>>;

/** The machines for the input `targets`: not an empty text where there are none, which would stand for every machine of the flake. */
export function targetsOutput(machines: readonly Pick<MatrixMachine, "name" | "request">[]): string {
  return machines.length === 0 ? "[]" : targetsText(machines);
}

/** Returns the outputs about so many machines. Throws an `InputError` for more than fit into the outputs of a job. */
export function fittingOutputs<T extends MachineOutputs>(outputs: T, machines: number): T {
  if (Object.values(outputs).join("").length > charactersOfOutputs) {
    throw new InputError([{ input: "select", problem: `selects ${machines} hosts, more than fit into the outputs of one job (1 MB); select fewer` }]);
  }
  return outputs;
}

/** Sets every output. */
export function setMachineOutputs(outputs: MachineOutputs): void {
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
}
