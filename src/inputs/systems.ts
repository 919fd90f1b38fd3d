import type { PlaceSettings } from "../domain/build-place.js";
import { parseSystems, type SystemsList } from "../domain/given-systems.js";
import { listed } from "../domain/listed.js";
import { needsFlake, type Operation } from "../domain/operation.js";
import type { NamedTarget } from "../domain/target.js";
import type { Topic } from "../domain/topic.js";
import type { Refuse } from "./single-inputs.js";

/** What other inputs say that must fit to systems that were built before. */
type OtherInputs = {
  readonly places: PlaceSettings;
  readonly operation: Operation;
  readonly flake: string;
  /** Those that are selected, and the names of all. */
  readonly targets: readonly NamedTarget[];
  readonly names: readonly string[];
  readonly archiveArgs: readonly string[];
  readonly rebuildArgs: readonly string[];
  readonly buildArgs: readonly string[];
};

type InputName = "systems" | "targets" | "flake" | "operation" | "build-on" | "evaluate-on" | "archive-args" | "rebuild-args" | "build-args";

// Names that a message lists.
const mostNamed = 10;

/** Parses the systems that were built before the run; `undefined` where there are none, so that the run makes its own. */
export function parseSystemsInput(text: string, refuse: Refuse): SystemsList | undefined {
  if (text.trim() === "") return undefined;
  const list = parseSystems(text);
  for (const problem of list.problems) refuse(problem, "systems-unusable");
  return list;
}

/** Checks that every target has its system and every system its target, and that no other input is about building. */
export function checkSystems(
  { names: given, problems }: SystemsList,
  inputs: OtherInputs,
  refuse: (input: InputName, problem: string, topic?: Topic) => void,
): void {
  const { places, operation, flake, targets, names, archiveArgs, rebuildArgs, buildArgs } = inputs;
  if (!needsFlake(operation)) refuse("operation", `is ${operation}, which activates a system that the host has; with systems, expected another operation`);
  const nothing = "but with systems nothing is evaluated or built; remove one of the two";
  // The default of the input cannot be told from the same text in a workflow.
  if (flake !== ".") refuse("flake", `is set, ${nothing}`);
  if (places.buildOn === "target") refuse("build-on", `is target, ${nothing}`);
  if (places.evaluateOn !== "auto") refuse("evaluate-on", `is ${places.evaluateOn}, ${nothing}`);
  for (const [input, args] of [
    ["archive-args", archiveArgs],
    ["rebuild-args", rebuildArgs],
    ["build-args", buildArgs],
  ] as const) {
    if (args.length > 0) refuse(input, `is set, ${nothing}`);
  }
  if (names.length === 0) return;
  const there = targets.filter(({ buildOn }) => buildOn === "target").map(({ name }) => name);
  if (there.length > 0) refuse("targets", `says build-on: target for ${listed(there, mostNamed)}, ${nothing}`);
  const [systems, known] = [new Set(given), new Set(names)];
  // A text that is no JSON object names nothing.
  if (given.length === 0 && problems.length > 0) return;
  const without = targets.filter(({ name }) => !systems.has(name)).map(({ name }) => name);
  if (without.length > 0) refuse("systems", `has no system for ${listed(without, mostNamed)}; expected one for each target, by its name`, "systems-unmatched");
  const unknown = given.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const listedNames = listed(names, mostNamed);
    refuse("systems", `has a system for ${listed(unknown, mostNamed)}, which is not a target; the targets are ${listedNames}`, "systems-unmatched");
  }
}
