import { chooseMachines, excludeMachines, separateSamePlace, targetsOf, type Choice, type Inventory } from "../domain/inventory.js";
import type { Selection } from "../domain/selection.js";
import { placeOf, type NamedTarget, type RefusedTarget, type Target } from "../domain/target.js";

/** What was chosen of a flake's machines, with the target of each machine that can be worked on. */
export type LocatedChoice = { readonly choice: Choice; readonly targets: readonly Target[] };

/**
 * Chooses from a flake's machines and finds out where they are. Machines in the same place are unusable. Throws an `InputError` as
 * `chooseMachines`.
 */
export async function locateChosen(
  inventory: Inventory,
  selection: Selection,
  locate: (targets: readonly NamedTarget[]) => Promise<readonly (Target | RefusedTarget)[]>,
): Promise<LocatedChoice> {
  const all = chooseMachines(inventory, selection);
  const answers = await locate(targetsOf(all.machines));
  const problems = new Map(answers.flatMap((one) => ("problem" in one ? [[one.name, one.problem] as const] : [])));
  const chosen = excludeMachines(all, problems, "ssh-options-unsupported");
  const located = new Map(answers.flatMap((one) => ("problem" in one ? [] : [[one.name, one] as const])));
  const targetOf = (name: string): Target => {
    const target = located.get(name);
    if (target === undefined) throw new Error(`${name} was not located`);
    return target;
  };
  const choice = separateSamePlace(chosen, ({ name }) => placeOf(targetOf(name)));
  return { choice, targets: choice.machines.map(({ name }) => targetOf(name)) };
}
