import { evaluatesHere, wayOf, type PlaceSettings, type Way } from "../domain/build-place.js";
import type { Compress } from "../domain/compress.js";
import { needsFlake, type Operation } from "../domain/operation.js";
import type { NamedTarget } from "../domain/target.js";
import { evaluationOptions } from "../nixos/realise-command.js";

type PlaceInputs = {
  readonly places: PlaceSettings;
  readonly operation: Operation;
  /** Empty where the flake names the machines. */
  readonly targets: readonly NamedTarget[];
  readonly rebuildArgs: readonly string[];
  readonly buildArgs: readonly string[];
  readonly archiveArgs: readonly string[];
  readonly compress: Compress;
};

type Refuse = (input: "evaluate-on" | "targets" | "rebuild-args" | "build-args" | "archive-args" | "compress", problem: string) => void;

/** Checks what the inputs say about evaluating and building on the runner. Gives what is wrong to `refuse`. */
export function checkPlaces(inputs: PlaceInputs, refuse: Refuse): void {
  const { places, operation, targets } = inputs;
  if (places.buildOn === "runner" && places.evaluateOn === "target") {
    refuse("evaluate-on", "is target, but build-on: runner builds what was evaluated on the runner; expected auto or runner");
  }
  if (!needsFlake(operation)) return;
  checkArguments(inputs, refuse);
  const unnamed = targets.filter(
    ({ buildOn, flakeBuildOn, configuration }) => configuration.kind === "hostname" && evaluatesHere(wayOf(places, buildOn, flakeBuildOn)),
  );
  if (unnamed.length === 0) return;
  const names = unnamed.map(({ name }) => name).join(", ");
  refuse("targets", `gives no configuration for ${names}, which the runner evaluates before it connects to any host; expected host#configuration`);
}

/** Arguments that no machine would get are refused, not ignored. */
function checkArguments({ places, targets, rebuildArgs, buildArgs, archiveArgs, compress }: PlaceInputs, refuse: Refuse): void {
  const ways = waysOf(places, targets);
  if (!ways.has("rebuilt-there")) {
    const noInputs = "but the inputs of the flake are sent to no host";
    if (archiveArgs.length > 0) refuse("archive-args", `is set, ${noInputs}; remove it, or set build-on: target without evaluate-on: runner`);
  }
  if (compress === "true" && !ways.has("rebuilt-there") && !ways.has("built-here")) {
    refuse("compress", "is true, but derivations are sent without compression; expected auto or false");
  }
  if (buildArgs.length > 0 && !ways.has("built-here")) {
    refuse("build-args", "is set, but no system is built on the runner; use rebuild-args, or set build-on: runner");
  }
  if (rebuildArgs.length > 0 && !ways.has("rebuilt-there") && !ways.has("realised-there")) {
    refuse("rebuild-args", "is set, but no system is built on a host; use build-args, or set build-on: target");
  }
  const evaluation = evaluationOptions(rebuildArgs);
  if (evaluation.length > 0 && ways.has("realised-there")) {
    refuse("rebuild-args", `contains ${evaluation.join(", ")}, which concerns the evaluation; with evaluate-on: runner, hosts do not evaluate`);
  }
}

/** The ways in which machines may get their systems. */
function waysOf(places: PlaceSettings, targets: readonly NamedTarget[]): ReadonlySet<Way> {
  if (targets.length > 0 && targets.every(({ flakeBuildOn }) => flakeBuildOn === undefined)) {
    return new Set(targets.map(({ buildOn }) => wayOf(places, buildOn, undefined)));
  }
  // The flake decides, for each machine: of a matrix, one job may have those that it builds there, and the next one the others.
  return new Set([wayOf(places, undefined, "target"), wayOf(places, undefined, "runner")]);
}
