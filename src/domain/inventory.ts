import { InputError } from "./errors.js";
import { makeFailure } from "./failure.js";
import type { HostResult } from "./result.js";
import { looksAtTags, select, unmatchedProblem, type Selection } from "./selection.js";
import { checkTarget, completeTargets, nameOfConfiguration, type Target, type TargetRequest } from "./target.js";

/** A machine as the flake has it. */
export type InventoryMachine = {
  readonly kind: "machine";
  readonly name: string;
  /** Where it is. User and port are missing where the flake leaves them open. */
  readonly request: TargetRequest;
  /** Nix's name of its platform, `x86_64-linux`; `undefined` where nobody asked, or the flake cannot tell. */
  readonly system: string | undefined;
  /** `undefined` where nobody asked. */
  readonly tags: readonly string[] | undefined;
  /** Whether the flake asks for a build on the machine itself. */
  readonly buildOnTarget: boolean;
  /** What the flake wants to be done beside, and is not: `deployment.keys smtp, wireguard`. */
  readonly ignored: readonly string[];
};

/** One that cannot be deployed: it does not evaluate, or asks for what there is not. */
export type UnusableMachine = {
  readonly kind: "unusable";
  readonly name: string;
  readonly error: string;
  /** What Nix printed of it. */
  readonly lines?: readonly string[];
  readonly tags: readonly string[] | undefined;
};

/** One that the flake itself takes from remote deployment. */
export type OtherMachine = { readonly kind: "other"; readonly name: string; readonly reason: string };

export type InventoryEntry = InventoryMachine | UnusableMachine | OtherMachine;

/** What a flake says of its machines. */
export type Inventory = {
  /** All that it names, also those that were not looked at. */
  readonly names: readonly string[];
  readonly entries: readonly InventoryEntry[];
};

/** What is chosen of an inventory. */
export type Choice = {
  readonly machines: readonly InventoryMachine[];
  readonly unusable: readonly UnusableMachine[];
  readonly others: readonly OtherMachine[];
};

// web2 before web10.
const naturally = new Intl.Collator("en", { numeric: true });

/**
 * Chooses from an inventory, in the order of the names. Two machines in the same place are both unusable. Throws an `InputError` when there is no machine
 * at all, or when a part of the selection matches none.
 */
export function chooseMachines({ names, entries }: Inventory, selection: Selection, defaultPort: number): Choice {
  if (names.length === 0) {
    const accepted = "deploy.nodes (deploy-rs), colmenaHive (colmena) or nixosConfigurations";
    throw new InputError([{ input: "targets", problem: `is empty, and the flake names no machine either; accepted are targets, or a flake with ${accepted}` }]);
  }
  const { chosen } = select(
    entries.toSorted((one, other) => naturally.compare(one.name, other.name)),
    selection,
    selectable,
  );
  // A name counts as matched also when the machine itself cannot be used, and when nobody had to look at it.
  const known = new Map(entries.map((entry) => [entry.name, entry]));
  const { chosen: expected, unmatched } = select(names, selection, (name) => selectable(known.get(name) ?? { name, kind: "other", reason: "" }));
  if (unmatched.length > 0) throw new InputError([{ input: "select", problem: unmatchedProblem(unmatched, there(names, entries, selection)) }]);
  // Names were compared by Nix, and now here: what one of the two had passed over would be left out in silence.
  const missed = expected.filter((name) => !known.has(name));
  if (missed.length > 0) throw new Error(`nobody has looked at ${missed.join(", ")}`);
  const clashing = clashes(
    chosen.filter((entry) => entry.kind === "machine"),
    defaultPort,
  );
  const machines: InventoryMachine[] = [];
  const unusable: UnusableMachine[] = [];
  for (const entry of chosen) {
    if (entry.kind === "unusable") unusable.push(entry);
    if (entry.kind !== "machine") continue;
    const error = clashing.get(entry.name);
    if (error === undefined) machines.push(entry);
    else unusable.push({ kind: "unusable", name: entry.name, error, tags: entry.tags });
  }
  const others = chosen.filter((entry) => entry.kind === "other");
  if (machines.length + unusable.length === 0) {
    const reasons = others.map(({ name, reason }) => `${name}: ${reason}`);
    throw new InputError([{ input: "targets", problem: `is empty, and no machine of the flake is one to deploy over ssh (${reasons.join("; ")})` }]);
  }
  return { machines, unusable, others };
}

/** What was chosen of a flake, a line each. */
export function describeChoice({ machines, unusable, others }: Choice): string[] {
  const count = machines.length + unusable.length;
  const heading = `targets is empty: the flake names ${count} ${count === 1 ? "machine" : "machines"} to deploy`;
  return [
    `${heading}${machines.length === 0 ? "" : `: ${machines.map(({ name }) => name).join(", ")}`}`,
    ...unusable.map(({ name }) => `${name} cannot be deployed, and fails`),
    ...others.map(({ name, reason }) => `${name} is left out: ${reason}`),
  ];
}

/** What the flake wants of these machines and nobody does, a line each; `undefined` where there is nothing. */
export function describeIgnored({ machines }: Choice): string | undefined {
  const lines = machines.flatMap(({ name, ignored }) => ignored.map((what) => `${name}: ${what}`));
  if (lines.length === 0) return undefined;
  const rest = lines.length - mostIgnored;
  return [...lines.slice(0, mostIgnored), ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n");
}

const mostIgnored = 30;

/** The machines as targets, with the defaults where the flake says nothing. */
export function targetsOf(machines: readonly InventoryMachine[], defaults: { user: string; port: number }): Target[] {
  return completeTargets(
    machines.map(({ name, request }) => ({ ...request, name })),
    defaults,
  );
}

/** Chooses from explicit targets by their names and configurations. `unmatched` says what matches none of them. */
export function selectTargets<T extends Pick<Target, "name" | "configuration">>(
  targets: readonly T[],
  selection: Selection,
): { chosen: T[]; unmatched: string | undefined } {
  const { chosen, unmatched } = select(targets, selection, ({ name, configuration }) => ({
    names: configuration === undefined ? [name] : [name, configuration, nameOfConfiguration(configuration)],
    tags: [],
  }));
  if (unmatched.length === 0) return { chosen, unmatched: undefined };
  const names = targets.map(({ name }) => name);
  const hint = looksAtTags(selection) ? ". Explicit targets have no tags: leave targets empty to take the machines and their tags from the flake" : "";
  return { chosen, unmatched: unmatchedProblem(unmatched, names) + hint };
}

/** Checks where a machine is to be. Throws an `Error` as `checkTarget` does. */
export function checkedRequest(name: string, request: TargetRequest): TargetRequest {
  checkTarget({ ...request, name });
  return request;
}

/** The result of a machine that was never connected to. */
export function unusableResult({ name, error, lines }: UnusableMachine): HostResult {
  return {
    name,
    target: name,
    configuration: undefined,
    status: "failed",
    phase: "connect",
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
    error: makeFailure({ phase: "connect", reason: error, lines }),
  };
}

function selectable(entry: InventoryEntry): { names: string[]; tags: readonly string[] | undefined } {
  return { names: [entry.name], tags: entry.kind === "other" ? [] : entry.tags };
}

function there(names: readonly string[], entries: readonly InventoryEntry[], selection: Selection): string[] {
  const tags = entries.flatMap((entry) => (entry.kind === "other" ? [] : (entry.tags ?? [])));
  return [...names, ...(looksAtTags(selection) ? new Set(tags.map((tag) => `@${tag}`)) : [])];
}

/** What to say of each machine that shares its place with another one, by name. */
function clashes(machines: readonly InventoryMachine[], defaultPort: number): Map<string, string> {
  const places = new Map<string, string[]>();
  for (const { name, request } of machines) {
    const place = `${request.host.toLowerCase()} port ${request.port ?? defaultPort}`;
    places.set(place, [...(places.get(place) ?? []), name]);
  }
  const shared = [...places].filter(([, names]) => names.length > 1);
  return new Map(
    shared.flatMap(([place, names]) =>
      names.map((name) => [name, `the flake has ${names.join(" and ")} in the same place (${place}); one run deploys one configuration to a machine`]),
    ),
  );
}
