import type { BuiltMachine } from "../domain/matrix.js";
import { fittingOutputs, targetsOutput } from "./machine-outputs.js";

/** The outputs of the companion action, by name. */
export type BuildOutputs = { readonly systems: string; readonly targets: string; readonly count: string };

/** Renders the outputs for the systems that were built, and no others. Throws an `InputError` for more than fit into the outputs of a job. */
export function renderBuild(built: readonly BuiltMachine[]): BuildOutputs {
  const outputs = {
    systems: JSON.stringify(Object.fromEntries(built.map(({ name, toplevel }) => [name, toplevel]))),
    // Where the flake would have them built does not matter any more.
    targets: targetsOutput(built.map(({ name, request }) => ({ name, request: { ...request, buildOn: undefined, flakeBuildOn: undefined } }))),
    count: String(built.length),
  };
  return fittingOutputs(outputs, built.length);
}
