import type { SystemsList } from "../domain/given-systems.js";
import { needsFlake } from "../domain/operation.js";
import type { Selection } from "../domain/selection.js";
import type { Topic } from "../domain/topic.js";
import type { ElevateMode } from "../nixos/elevation.js";
import { checkPlaces } from "./places.js";
import { checkSystems } from "./systems.js";

/** What must fit together. */
type Combination = Parameters<typeof checkPlaces>[0] &
  Parameters<typeof checkSystems>[1] & {
    readonly selection: Selection;
    readonly elevate: ElevateMode;
    readonly elevatePassword: string | undefined;
  };

type InputName = "elevate-password" | Parameters<Parameters<typeof checkPlaces>[1]>[0] | Parameters<Parameters<typeof checkSystems>[2]>[0];

/** Checks inputs that are good alone, and may not be together. Gives what is wrong to `refuse`. `listsTargets`: the input targets is not empty. */
export function checkCombinations(
  inputs: Combination,
  { given, listsTargets }: { readonly given: SystemsList | undefined; readonly listsTargets: boolean },
  refuse: (input: InputName, problem: string, topic?: Topic) => void,
): void {
  if (!needsFlake(inputs.operation) && !listsTargets && inputs.selection.length === 0) {
    refuse("targets", "is empty, and so is select: to roll back every host, set select to `*`", "rollback-of-all");
  }
  if (given === undefined) checkPlaces(inputs, refuse);
  else checkSystems(given, inputs, refuse);
  if (given !== undefined && !listsTargets) {
    refuse("targets", "is empty, but with systems no flake is read that could list the hosts; expected the output targets of the action build");
  }
  if (inputs.elevatePassword !== undefined && (inputs.elevate === "doas" || inputs.elevate === "run0")) {
    refuse("elevate-password", `cannot be used with elevate: ${inputs.elevate}, which asks for passwords only on a terminal; set elevate to auto or sudo`);
  }
}
