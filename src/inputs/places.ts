import { evaluatesHere, wayOf, type PlaceSettings } from "../domain/build-place.js";
import { needsFlake, type Operation } from "../domain/operation.js";
import type { NamedTarget } from "../domain/target.js";

type PlaceInputs = { readonly places: PlaceSettings; readonly operation: Operation; readonly targets: readonly NamedTarget[] };

/** Checks what the inputs say about evaluating and building on the runner. Gives what is wrong to `refuse`. */
export function checkPlaces({ places, operation, targets }: PlaceInputs, refuse: (input: "evaluate-on" | "targets", problem: string) => void): void {
  if (places.buildOn === "runner" && places.evaluateOn === "target") {
    refuse("evaluate-on", "is target, and build-on is runner, which builds what was evaluated on the runner; accepted with build-on: runner is auto or runner");
  }
  if (!needsFlake(operation)) return;
  const unnamed = targets.filter(({ buildOn, configuration }) => configuration.kind === "hostname" && evaluatesHere(wayOf(places, buildOn, undefined)));
  if (unnamed.length === 0) return;
  const names = unnamed.map(({ name }) => name).join(", ");
  refuse("targets", `names no configuration for ${names}, which the runner evaluates before it connects to a machine; accepted is host#configuration`);
}
