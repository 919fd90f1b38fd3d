import { attributeOf } from "../domain/configuration.js";
import { InputError } from "../domain/errors.js";
import { targetsText, type MatrixMachine } from "../domain/matrix.js";
import { jobsOfMatrix } from "./limits.js";
import { fittingOutputs, targetsOutput } from "./machine-outputs.js";

/** The outputs of the companion action, by name. */
export type MatrixOutputs = { readonly matrix: string; readonly targets: string; readonly count: string; readonly hosts: string };

/**
 * Renders the outputs: one job per machine, or at most `shards` jobs with the machines split across them in order.
 * Throws an `InputError` for more machines than GitHub allows jobs, and for more than fit into the outputs of a job.
 */
export function renderMatrix(machines: readonly MatrixMachine[], shards: number | undefined): MatrixOutputs {
  if (shards === undefined && machines.length > jobsOfMatrix) {
    throw new InputError([
      {
        input: "shards",
        problem: `is empty, but ${machines.length} hosts exceed the ${jobsOfMatrix} jobs that GitHub allows per matrix; set it to the number of jobs to split them across`,
        topic: "too-many-jobs",
      },
    ]);
  }
  const include = shards === undefined ? machines.map(machineJob) : deal(machines, shards).map(shardJob);
  const outputs = {
    matrix: JSON.stringify({ include }),
    targets: targetsOutput(machines),
    count: String(machines.length),
    hosts: JSON.stringify(machines.map(({ name }) => name)),
  };
  return fittingOutputs(outputs, machines.length);
}

function machineJob(machine: MatrixMachine): object {
  const { name, request, system, tags } = machine;
  return { name, target: targetsText([machine]), configuration: attributeOf(request.configuration) ?? "", system: system ?? "", tags };
}

function shardJob(machines: readonly MatrixMachine[], index: number, all: readonly unknown[]): object {
  return { name: `${index + 1} of ${all.length}`, targets: targetsText(machines), hosts: machines.map(({ name }) => name) };
}

/** Splits the items into as many parts, in order; the first parts get one more where the division leaves a remainder. */
function deal<T>(items: readonly T[], hands: number): T[][] {
  const used = Math.min(hands, items.length);
  const size = (hand: number): number => Math.floor(items.length / used) + (hand < items.length % used ? 1 : 0);
  let begin = 0;
  return Array.from({ length: used }, (_, hand) => items.slice(begin, (begin += size(hand))));
}
