import { attributeOf } from "../domain/configuration.js";
import { InputError } from "../domain/errors.js";
import type { MatrixMachine } from "../domain/matrix.js";
import type { Topic } from "../domain/topic.js";
import type { Checkout, ComparisonPorts } from "./ports.js";

/**
 * Leaves out the machines whose system is the same as at a Git revision. If it cannot be determined, a machine counts as changed.
 * Throws an `InputError` where the revision cannot be looked up.
 */
export async function changedMachines(machines: readonly MatrixMachine[], revision: string, ports: ComparisonPorts): Promise<readonly MatrixMachine[]> {
  const present = await ports.checkout();
  const all = (reason: string): readonly MatrixMachine[] => {
    ports.allChanged(reason);
    return machines;
  };
  const reference = await formerReference(present, revision, ports);
  if (reference === undefined) return all(`${revision} is not a commit of this repository, as after a first push or a force push.`);
  const configurations = machines.flatMap(({ request }) => attributeOf(request.configuration) ?? []);
  const former = await ports.formerToplevels(present, reference, configurations);
  if (former.kind === "none") return all(`The flake at ${revision} does not evaluate: ${former.reason}`);
  if (former.kind === "same") return [];
  const now = await ports.toplevels(present, configurations);
  return machines.filter(({ name, request }) => {
    const configuration = attributeOf(request.configuration);
    if (configuration === undefined) return true;
    const system = now.get(configuration);
    if (system === undefined) ports.notComparable(name);
    return system === undefined || system !== former.toplevels.get(configuration);
  });
}

/** The flake at that revision; `undefined` where there is no such commit. Throws an `InputError` where that could not be looked up. */
async function formerReference({ repository }: Checkout, revision: string, ports: ComparisonPorts): Promise<string | undefined> {
  const refuse = (problem: string, topic?: Topic): InputError => new InputError([{ input: "changed-since", problem, topic }]);
  if (repository === undefined) throw refuse("needs a flake in a Git work tree on the runner, such as `.` or `./nixos`");
  // What GitHub gives as the commit before the first push of a branch.
  if (/^0+$/.test(revision)) return undefined;
  const resolved = await ports.resolveRevision(repository.directory, revision);
  if (resolved.kind === "commit") return repository.referenceAt(resolved.id);
  if (resolved.shallow)
    throw refuse(
      `${revision} is not in this checkout, which contains only the newest commits. Set \`fetch-depth: 0\` in the step with actions/checkout`,
      "commit-missing",
    );
  return undefined;
}
