import { InputError } from "../domain/errors.js";
import { chooseMachines, setApart, unusableResult, type UnusableMachine } from "../domain/inventory.js";
import { renderMatrix, type MatrixMachine } from "../domain/matrix.js";
import { placeOf } from "../domain/target.js";
import { resolveCommit } from "../git/commit.js";
import { readInput } from "../github/action-input.js";
import { failureAnnotations } from "../report/annotations.js";
import { abortOnSignal } from "../github/cancellation.js";
import { announceChoice } from "../github/inventory-log.js";
import { setMatrixOutputs } from "../github/matrix-outputs.js";
import { reportProblem } from "../github/report.js";
import { runnerTemp } from "../github/runner-temp.js";
import { WorkflowLog } from "../github/workflow-log.js";
import { parseMatrixInputs, type MatrixInputs } from "../inputs/matrix.js";
import { checkout, formerToplevels, toplevels, type Checkout } from "../nix/toplevels.js";
import { readInventory } from "../nix/inventory.js";

const log = new WorkflowLog();
const cancellation = abortOnSignal(
  (signal) => log.annotate("warning", `Cancelled by ${signal}`, "No job was planned."),
  () => process.exit(130),
);
const local = { cwd: process.cwd(), signal: cancellation.signal, onLine: (line: string) => log.line(line) };

let outputs = renderMatrix([], undefined);
let green = false;
try {
  green = await plan();
} catch (error) {
  if (!cancellation.signal.aborted) reportProblem(error, log);
}
log.resume();
setMatrixOutputs(outputs);
await log.written();
process.exit(green ? 0 : 1);

async function plan(): Promise<boolean> {
  const inputs = parseMatrixInputs((name) => readInput(name));
  const { machines, unusable } = inputs.targets.length > 0 ? { machines: inputs.targets, unusable: [] } : await machinesOfFlake(inputs);
  const wanted = inputs.changedSince === undefined ? machines : await changedMachines(machines, inputs.flake, inputs.changedSince);
  outputs = renderMatrix(wanted.map(withDefaults(inputs)), inputs.shards);
  log.line(`${wanted.length} of ${machines.length} machines: ${wanted.map(({ name }) => name).join(", ")}`);
  for (const { title, message } of failureAnnotations(unusable.map(unusableResult))) log.annotate("error", title, message);
  return unusable.length === 0;
}

async function machinesOfFlake({ flake, selection, port }: MatrixInputs): Promise<{ machines: MatrixMachine[]; unusable: readonly UnusableMachine[] }> {
  const chosen = chooseMachines(await readInventory(flake, { selection, details: true }, local), selection);
  const choice = setApart(chosen, ({ request }) => placeOf({ address: request.host, port: request.port ?? port ?? 22, via: undefined }));
  announceChoice(choice, log);
  return { machines: choice.machines.map(({ name, request, system, tags = [] }) => ({ name, request, system, tags })), unusable: choice.unusable };
}

function withDefaults({ user, port }: MatrixInputs): (machine: MatrixMachine) => MatrixMachine {
  return (machine) => ({ ...machine, request: { ...machine.request, user: machine.request.user ?? user, port: machine.request.port ?? port } });
}

/** Leaves out the machines whose system is the same as at that revision. What cannot be told has changed. */
async function changedMachines(machines: readonly MatrixMachine[], flake: string, revision: string): Promise<readonly MatrixMachine[]> {
  const scratch = runnerTemp();
  const present = await checkout(flake, scratch, local);
  const all = (reason: string): readonly MatrixMachine[] => {
    log.annotate("notice", "All machines count as changed", reason);
    return machines;
  };
  const reference = await formerReference(present, revision);
  if (reference === undefined) return all(`${revision} is no commit of this repository: a first push, or one that has replaced it.`);
  const configurations = machines.flatMap(({ request }) => request.configuration ?? []);
  const former = await formerToplevels(present, { reference, scratch }, configurations, local);
  if (former.kind === "none") return all(`The flake at ${revision} does not evaluate: ${former.reason}`);
  if (former.kind === "same") return [];
  const now = await toplevels(present.pinned, configurations, local);
  return machines.filter(({ name, request: { configuration } }) => {
    if (configuration === undefined) return true;
    const system = now.get(configuration);
    if (system === undefined) log.annotate("warning", name, "Its system does not evaluate, so that nobody can tell whether it has changed. It is deployed.");
    return system === undefined || system !== former.toplevels.get(configuration);
  });
}

/** The flake at that revision; `undefined` where there is no such commit. Throws an `InputError` where that could not be seen. */
async function formerReference({ repository }: Checkout, revision: string): Promise<string | undefined> {
  const refuse = (problem: string): InputError => new InputError([{ input: "changed-since", problem }]);
  if (repository === undefined)
    throw refuse("needs a flake in a Git work tree on the runner, as `.` or `./nixos`: only there can an older commit be looked at");
  if (/^0+$/.test(revision)) return undefined;
  const resolved = await resolveCommit(repository.directory, revision);
  if (resolved.kind === "commit") return repository.referenceAt(resolved.id);
  if (resolved.shallow)
    throw refuse(`${revision} is not in this checkout, which has only the newest commits. Set \`fetch-depth: 0\` in the step with actions/checkout`);
  return undefined;
}
