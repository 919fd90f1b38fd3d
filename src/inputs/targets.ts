import { selectTargets } from "../domain/inventory.js";
import type { Selection } from "../domain/selection.js";
import { completeTargets, nameTargets, type NamedTarget, type TargetDefaults } from "../domain/target.js";
import type { Topic } from "../domain/topic.js";
import { collect, parseSelectionInput, parseTargetsInput, type Refuse } from "./single-inputs.js";

/** Which machines are meant. */
export type TargetInputs = {
  /** Those that are selected. Empty where the flake itself is to say where its machines are. */
  readonly targets: readonly NamedTarget[];
  readonly selection: Selection;
  /** The names of all explicit targets, selected or not. */
  readonly names: readonly string[];
};

/**
 * Parses targets and selection. `aliases`: `ssh-config` may set where a target is, so only ssh knows it. Passes what is wrong to
 * `refuse`.
 */
export function parseMachineInputs(
  read: (name: "targets" | "select") => string,
  defaults: TargetDefaults,
  aliases: boolean,
  refuse: (input: "targets" | "select", problem: string, topic?: Topic) => void,
): TargetInputs {
  const selection = parseSelectionInput(read("select"), (problem) => refuse("select", problem));
  const targets = parseNamedTargets(read("targets"), defaults, aliases, (problem, topic) => refuse("targets", problem, topic));
  const names = targets.map(({ name }) => name);
  if (targets.length === 0) return { targets, selection, names };
  const { chosen, unmatched } = selectTargets(targets, selection);
  if (unmatched !== undefined) refuse("select", unmatched, "selection-unmatched");
  return { targets: chosen, selection, names };
}

function parseNamedTargets(text: string, defaults: TargetDefaults, aliases: boolean, refuse: Refuse): NamedTarget[] {
  const requests = parseTargetsInput(text, refuse);
  let targets: NamedTarget[] = [];
  collect(() => {
    // With aliases, only ssh knows where two targets are.
    if (!aliases) completeTargets(requests, defaults);
    targets = nameTargets(requests, defaults.port);
  }, refuse);
  return targets;
}
