import { InputError } from "./errors.js";
import { wishedName, type TargetRequest } from "./target.js";

/** A machine of a matrix. */
export type MatrixMachine = {
  readonly name: string;
  readonly request: TargetRequest;
  readonly system: string | undefined;
  readonly tags: readonly string[];
};

/** The outputs of the companion action, by name. */
export type MatrixOutputs = { readonly matrix: string; readonly targets: string; readonly count: string; readonly hosts: string };

// https://docs.github.com/en/actions/reference/limits: jobs of a matrix in one workflow run.
const mostJobs = 256;
// GitHub allows 1 MB of outputs per job, counted as UTF-16.
const longestOutputs = 500_000;

/**
 * Renders the outputs: one job per machine, or at most `shards` jobs with the machines split across them in order.
 * Throws an `InputError` for more machines than GitHub allows jobs, and for more than fit into the outputs of a job.
 */
export function renderMatrix(machines: readonly MatrixMachine[], shards: number | undefined): MatrixOutputs {
  if (shards === undefined && machines.length > mostJobs) {
    throw new InputError([
      {
        input: "shards",
        problem: `is empty, but ${machines.length} hosts exceed the ${mostJobs} jobs that GitHub allows per matrix; set it to the number of jobs to split them across`,
        topic: "too-many-jobs",
      },
    ]);
  }
  const include = shards === undefined ? machines.map(machineJob) : deal(machines, shards).map(shardJob);
  const outputs = {
    matrix: JSON.stringify({ include }),
    // Not an empty string, which would make the main action deploy every machine of the flake.
    targets: machines.length === 0 ? "[]" : targetsText(machines),
    count: String(machines.length),
    hosts: JSON.stringify(machines.map(({ name }) => name)),
  };
  if (Object.values(outputs).join("").length > longestOutputs) {
    throw new InputError([{ input: "select", problem: `selects ${machines.length} hosts, more than fit into the outputs of one job (1 MB); select fewer` }]);
  }
  return outputs;
}

/** Renders the machines for the input `targets`: one per line, or JSON where a line cannot express a name. */
export function targetsText(machines: readonly Pick<MatrixMachine, "name" | "request">[]): string {
  const plain = machines.every(({ name, request }) => wishedName({ ...request, name: undefined }) === name);
  if (plain) return machines.map(({ request }) => targetLine(request)).join("\n");
  return JSON.stringify(machines.map(({ name, request }) => ({ ...request, name })));
}

/** The target as a line: `[user@]host[:port][#configuration]`. */
export function targetLine({ user, host, port, configuration }: TargetRequest): string {
  const place = host.includes(":") ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${place}${port === undefined ? "" : `:${port}`}${configuration === undefined ? "" : `#${configuration}`}`;
}

function machineJob(machine: MatrixMachine): object {
  const { name, request, system, tags } = machine;
  return { name, target: targetsText([machine]), configuration: request.configuration ?? "", system: system ?? "", tags };
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
