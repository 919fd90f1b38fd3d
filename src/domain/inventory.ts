import type { Place } from "./build-place.js";
import { attributeOf, nameOfConfiguration } from "./configuration.js";
import { InputError } from "./errors.js";
import { makeFailure, type Failure } from "./failure.js";
import type { HostResult } from "./result.js";
import { isNamed, looksAtTags, nothingLeftProblem, select, unmatchedProblem, type Selection } from "./selection.js";
import { checkTarget, named, type NamedTarget, type Target, type TargetRequest } from "./target.js";
import type { Topic } from "./topic.js";

/** A machine as the flake defines it. */
export type InventoryMachine = {
  readonly kind: "machine";
  readonly name: string;
  /** Where it is. User and port are missing where the flake leaves them open. */
  readonly request: TargetRequest;
  /** Nix's name of its platform, `x86_64-linux`; `undefined` where it was not queried or is unknown. */
  readonly system: string | undefined;
  /** `undefined` where they were not queried. */
  readonly tags: readonly string[] | undefined;
  /** Where the flake has the system built; `auto` where it does not say. */
  readonly buildOn: Place;
  /** What this action does not do of the flake's settings, with the consequence, a sentence each. */
  readonly ignored: readonly string[];
  /** Settings of the flake that an input decides for all machines. */
  readonly wishes?: readonly SettingWish[];
};

/** An input that decides for all machines what the flake can say for each. */
export type WishedInput = "rollback" | "confirm-timeout" | "activation-timeout" | "substitute-on-destination" | "elevate" | "elevate-password";

/** A setting of a machine in the flake for which the action has an input. */
export type SettingWish = {
  /** As the flake has it: `confirmTimeout = 60`. */
  readonly setting: string;
  readonly input: WishedInput;
  /** Values of the input with which the machine gets what the flake says. */
  readonly agrees: readonly string[];
  /** What to do to get it. */
  readonly advice: string;
};

/** A machine that cannot be deployed: it does not evaluate, or has unsupported settings. */
export type UnusableMachine = {
  readonly kind: "unusable";
  readonly name: string;
  readonly error: string;
  /** What Nix printed of it. */
  readonly lines?: readonly string[];
  readonly topic?: Topic | undefined;
  readonly tags: readonly string[] | undefined;
};

/** A machine that the flake itself excludes from remote deployment. */
export type OtherMachine = { readonly kind: "other"; readonly name: string; readonly reason: string };

export type InventoryEntry = InventoryMachine | UnusableMachine | OtherMachine;

/** The machines of a flake. */
export type Inventory = {
  /** The names of all machines, including those that were not evaluated. */
  readonly names: readonly string[];
  readonly entries: readonly InventoryEntry[];
  /** The flake forbids deploying all machines without naming them. */
  readonly needsSelection?: boolean;
};

/** What is chosen of an inventory. */
export type Choice = {
  readonly machines: readonly InventoryMachine[];
  readonly unusable: readonly UnusableMachine[];
  readonly others: readonly OtherMachine[];
};

// Made where names are sorted for the first time: it takes 15 ms, a third of the start of Node.
let collator: Intl.Collator | undefined;

/**
 * Chooses from an inventory, in the order of the names. Throws an `InputError` when there is no machine at all, or when a part
 * of the selection matches none.
 */
export function chooseMachines({ names, entries }: Inventory, selection: Selection): Choice {
  if (names.length === 0) {
    const sources = "deploy.nodes (deploy-rs), colmenaHive (colmena) or nixosConfigurations";
    throw new InputError([
      { input: "targets", problem: `is empty, and the flake defines no hosts; set targets, or use a flake with ${sources}`, topic: "no-machines" },
    ]);
  }
  const others = entries.filter((entry) => entry.kind === "other");
  const refused = others.filter(({ name }) => isNamed(name, selection)).map(({ name, reason }) => `${name} (${reason})`);
  if (refused.length > 0)
    throw new InputError([{ input: "select", problem: `names hosts that cannot be deployed: ${refused.join(", ")}`, topic: "no-machines" }]);
  const { chosen } = select(entries.toSorted(byName), selection, selectable);
  // A name also counts as matched when the machine is unusable or was not evaluated.
  const known = new Map(entries.map((entry) => [entry.name, entry]));
  const { chosen: expected, unmatched } = select(names, selection, (name) => selectable(known.get(name) ?? { name, kind: "other", reason: "" }));
  if (unmatched.length > 0)
    throw new InputError([{ input: "select", problem: unmatchedProblem(unmatched, availableNames(names, entries, selection)), topic: "selection-unmatched" }]);
  if (expected.length === 0) throw new InputError([{ input: "select", problem: nothingLeftProblem(selection) }]);
  // Nix has compared the names too: a machine on which both disagree would be skipped silently.
  const missed = expected.filter((name) => !known.has(name));
  if (missed.length > 0) throw new Error(`${missed.join(", ")} matched the selection but were not evaluated`);
  const machines = chosen.filter((entry) => entry.kind === "machine");
  const unusable = chosen.filter((entry) => entry.kind === "unusable");
  const leftOut = chosen.filter((entry) => entry.kind === "other");
  if (machines.length + unusable.length === 0) {
    const reasons = leftOut.map(({ name, reason }) => `${name}: ${reason}`);
    throw new InputError([
      { input: "targets", problem: `is empty, and no host of the flake can be deployed over ssh (${reasons.join("; ")})`, topic: "no-machines" },
    ]);
  }
  return { machines, unusable, others: leftOut };
}

/** Throws an `InputError` where the flake forbids deploying all machines and nothing is selected. */
export function requireSelection({ needsSelection = false }: Inventory, selection: Selection): void {
  if (!needsSelection || selection.length > 0) return;
  const problem =
    "is empty, and the flake forbids deploying all hosts at once (meta.allowApplyAll = false); select hosts by name or tag, or all of them with *";
  throw new InputError([{ input: "select", problem, topic: "apply-all-forbidden" }]);
}

/** Makes machines unusable for the settings that the flake has for them: what is wrong, by name. */
export function excludeMachines(choice: Choice, problems: ReadonlyMap<string, string>, topic: Topic): Choice {
  const excluded = choice.machines.flatMap(({ name, tags }): UnusableMachine[] => {
    const problem = problems.get(name);
    return problem === undefined ? [] : [{ kind: "unusable", name, error: unsupported(problem), tags, topic }];
  });
  const unusable = [...choice.unusable, ...excluded].toSorted(byName);
  return { ...choice, machines: choice.machines.filter(({ name }) => !problems.has(name)), unusable };
}

/** Says that the flake's settings for a machine cannot be used. */
export function unsupported(problem: string): string {
  return `unsupported deployment settings in the flake: ${problem}`;
}

/** Makes machines in the same place unusable. `placeOf` gives the place of a machine as a message names it. */
export function separateSamePlace(choice: Choice, placeOf: (machine: InventoryMachine) => string): Choice {
  const places = new Map<string, string[]>();
  for (const machine of choice.machines) places.set(placeOf(machine), [...(places.get(placeOf(machine)) ?? []), machine.name]);
  const machines: InventoryMachine[] = [];
  const unusable = [...choice.unusable];
  for (const machine of choice.machines) {
    const place = placeOf(machine);
    const names = places.get(place) ?? [];
    if (names.length < 2) {
      machines.push(machine);
      continue;
    }
    const error = `${names.join(" and ")} have the same address (${place}); one run can deploy only one configuration per machine`;
    unusable.push({ kind: "unusable", name: machine.name, error, tags: machine.tags, topic: "same-place" });
  }
  return { ...choice, machines, unusable: unusable.toSorted(byName) };
}

/** The machines as targets, under the names that the flake gives them. */
export function targetsOf(machines: readonly InventoryMachine[]): NamedTarget[] {
  return machines.map(({ name, request }) => named(request, name));
}

/** Chooses from explicit targets by their names and configurations. `unmatched` says what matches none of them. */
export function selectTargets<T extends Pick<Target, "name" | "configuration">>(
  targets: readonly T[],
  selection: Selection,
): { chosen: T[]; unmatched: string | undefined } {
  const { chosen, unmatched } = select(targets, selection, ({ name, configuration }) => ({
    names: [name, attributeOf(configuration), nameOfConfiguration(configuration)].filter((one) => one !== undefined),
    tags: [],
  }));
  // An empty list of targets would stand for all machines of the flake.
  if (unmatched.length === 0) return { chosen, unmatched: chosen.length === 0 ? nothingLeftProblem(selection) : undefined };
  const names = targets.map(({ name }) => name);
  const hint = looksAtTags(selection)
    ? ". Explicit targets have no tags; to select by tag, leave targets empty so that hosts and tags come from the flake"
    : "";
  return { chosen, unmatched: unmatchedProblem(unmatched, names) + hint };
}

/** Checks the address of a machine. Throws an `Error` as `checkTarget` does. */
export function checkedRequest(name: string, request: TargetRequest): TargetRequest {
  checkTarget({ ...request, name });
  return request;
}

/** The result of a machine that was never connected to. */
export function unusableResult({ name, error, lines, topic }: UnusableMachine): HostResult {
  return failedBefore(name, undefined, makeFailure({ phase: "connect", reason: error, lines, topic }));
}

/** The result of a machine whose work has failed before anybody has connected to it. */
export function failedBefore(name: string, configuration: string | undefined, error: Failure): HostResult {
  return {
    name,
    target: name,
    configuration,
    status: "failed",
    phase: error.phase,
    systemPath: undefined,
    previousSystemPath: undefined,
    generation: undefined,
    previousGeneration: undefined,
    changed: false,
    exitCode: undefined,
    failedUnits: [],
    timeline: [],
    difference: undefined,
    plan: undefined,
    seconds: 0,
    error,
  };
}

/** Compares names naturally: web2 comes before web10. */
function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  collator ??= new Intl.Collator("en", { numeric: true });
  return collator.compare(one.name, other.name);
}

function selectable(entry: InventoryEntry): { names: string[]; tags: readonly string[] | undefined } {
  return { names: [entry.name], tags: entry.kind === "other" ? [] : entry.tags };
}

function availableNames(names: readonly string[], entries: readonly InventoryEntry[], selection: Selection): string[] {
  const tags = entries.flatMap((entry) => (entry.kind === "other" ? [] : (entry.tags ?? [])));
  return [...names, ...(looksAtTags(selection) ? new Set(tags.map((tag) => `@${tag}`)) : [])];
}
