import { chooseMachines, separateSamePlace, targetsOf, type Choice, type Inventory } from "../domain/inventory.js";
import type { Selection } from "../domain/selection.js";
import { placeOf, type NamedTarget, type Target } from "../domain/target.js";

/** What was chosen of a flake's machines, with the target of each machine that can be worked on. */
export type LocatedChoice = { readonly choice: Choice; readonly targets: readonly Target[] };

/**
 * Chooses from a flake's machines and finds out where they are. Machines in the same place are unusable. Throws an `InputError` as
 * `chooseMachines`.
 */
export async function locateChosen(
  inventory: Inventory,
  selection: Selection,
  locate: (targets: readonly NamedTarget[]) => Promise<readonly Target[]>,
): Promise<LocatedChoice> {
  const chosen = chooseMachines(inventory, selection);
  const located = new Map((await locate(targetsOf(chosen.machines))).map((target) => [target.name, target]));
  const targetOf = (name: string): Target => {
    const target = located.get(name);
    if (target === undefined) throw new Error(`${name} was not located`);
    return target;
  };
  const choice = separateSamePlace(chosen, ({ name }) => placeOf(targetOf(name)));
  return { choice, targets: choice.machines.map(({ name }) => targetOf(name)) };
}
