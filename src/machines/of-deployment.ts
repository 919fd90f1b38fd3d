import { wayOf, type Place, type PlaceSettings, type Way } from "../domain/build-place.js";
import { attributeOf, needsHive } from "../domain/configuration.js";
import { InputError, messageOf, type InputProblem } from "../domain/errors.js";
import type { SentFlake } from "../domain/flake.js";
import { failedBefore, requireSelection, unusableResult } from "../domain/inventory.js";
import type { GivenSystems } from "../domain/given-systems.js";
import { needsFlake, switchAction, type Operation } from "../domain/operation.js";
import type { HostResult } from "../domain/result.js";
import type { Selection } from "../domain/selection.js";
import { requireDistinctPlaces, type NamedTarget, type Target } from "../domain/target.js";
import { isEvaluatedHere, withConfiguration, withProfiles } from "./evaluated-here.js";
import { locateChosen } from "./of-flake.js";
import type { DeploymentPorts, MadeSystems, WantedSystem } from "./ports.js";

/** The machines of a deployment, and where their systems come from. */
export type MachinesOfDeployment = {
  readonly targets: readonly Target[];
  /** Results of the machines that have failed already. */
  readonly failed: readonly HostResult[];
  /** Still being fetched where the targets are known without it; `undefined` where the operation needs none. */
  readonly flake: Promise<SentFlake> | undefined;
  /** By the name of the target. */
  readonly wanted: ReadonlyMap<string, WantedSystem>;
  /** `undefined` where the runner evaluates none. */
  readonly made: MadeSystems | undefined;
};

/** Which machines are meant: explicit targets, or with none of them what the flake itself names. */
export type WantedMachines = {
  readonly targets: readonly NamedTarget[];
  readonly selection: Selection;
  readonly operation: Operation;
  readonly places: PlaceSettings;
  /** Systems of the targets that were built before; `undefined` where the run is to make them. */
  readonly systems: GivenSystems | undefined;
};

/** Finds the machines of a deployment. Throws an `InputError` for targets in the same place, and as `locateChosen`. */
export async function machinesOfDeployment(wanted: WantedMachines, ports: DeploymentPorts): Promise<MachinesOfDeployment> {
  const { targets, systems } = wanted;
  if (systems !== undefined) return await machinesWithSystems(targets, systems, ports);
  return targets.length > 0 ? await explicitMachines(wanted, ports) : await machinesOfFlake(wanted, ports);
}

/** Machines whose systems were built before: no flake is looked at. */
async function machinesWithSystems(named: readonly NamedTarget[], systems: GivenSystems, ports: DeploymentPorts): Promise<MachinesOfDeployment> {
  const wanted = named.map(({ name, configuration }): WantedSystem => {
    const toplevel = systems.get(name);
    if (toplevel === undefined) throw new Error(`${name} has no system`);
    return { name, configuration: attributeOf(configuration), way: "built-before", toplevel };
  });
  ports.requireSystems(systems);
  const targets = await locateExplicit(named, ports);
  return { targets, failed: [], flake: undefined, wanted: new Map(wanted.map((one) => [one.name, one])), made: undefined };
}

/** Makes ssh ready and locates explicit targets. Throws an `InputError` for two in the same place. */
async function locateExplicit(named: readonly NamedTarget[], ports: DeploymentPorts): Promise<readonly Target[]> {
  await ports.prepareSsh();
  const targets: Target[] = [];
  const refused: InputProblem[] = [];
  for (const one of await ports.locate(named)) {
    if ("problem" in one) refused.push({ input: "targets", problem: `${one.name}: ${one.problem}` });
    else targets.push(one);
  }
  if (refused.length > 0) throw new InputError(refused);
  try {
    requireDistinctPlaces(targets);
  } catch (error) {
    throw new InputError([{ input: "targets", problem: messageOf(error) }]);
  }
  return targets;
}

async function explicitMachines({ targets: named, operation, places }: WantedMachines, ports: DeploymentPorts): Promise<MachinesOfDeployment> {
  const wanted = byName(named, ({ buildOn, flakeBuildOn }) => wayOf(places, buildOn, flakeBuildOn));
  const fetch = async (): Promise<SentFlake> => await (await ports.fetchFlake()).wrap(needsHive(named));
  const fetched = needsFlake(operation) && isAnyEvaluatedHere(wanted) ? await fetch() : undefined;
  const made = fetched === undefined ? undefined : await ports.makeSystems(fetched, [...wanted.values()]);
  const failed = failuresOf(wanted, made);
  const targets = await locateExplicit(named, ports);
  const flake = fetched === undefined ? fetch : async (): Promise<SentFlake> => await Promise.resolve(fetched);
  return {
    targets: withSystem(targets, failed).map((target) => withConfiguration(target, wanted, made)),
    failed,
    flake: needsFlake(operation) ? flake() : undefined,
    wanted: withProfiles(wanted, made),
    made,
  };
}

async function machinesOfFlake({ selection, operation, places }: WantedMachines, ports: DeploymentPorts): Promise<MachinesOfDeployment> {
  const fetched = await ports.fetchFlake();
  const plain = await fetched.wrap(false);
  const inventory = await ports.readInventory(plain, { selection, details: false });
  // What only builds changes no machine, with colmena too.
  if (switchAction(operation) !== undefined) requireSelection(inventory, selection);
  const said = new Map<string, Place>(inventory.entries.flatMap((entry) => (entry.kind === "machine" ? [[entry.name, entry.buildOn] as const] : [])));
  let wanted: ReadonlyMap<string, WantedSystem> = new Map();
  let flake: SentFlake | undefined;
  let made: MadeSystems | undefined;
  const { choice, targets } = await locateChosen(inventory, selection, async (chosen) => {
    wanted = byName(chosen, ({ name }) => wayOf(places, undefined, said.get(name)));
    if (needsFlake(operation)) {
      flake = needsHive(chosen) ? await fetched.wrap(true) : plain;
      if (isAnyEvaluatedHere(wanted)) made = await ports.makeSystems(flake, [...wanted.values()]);
    }
    await ports.prepareSsh();
    return await ports.locate(chosen);
  });
  ports.announce(choice);
  const failed = failuresOf(wanted, made).filter(({ name }) => targets.some((target) => target.name === name));
  return {
    targets: withSystem(targets, failed).map((target) => withConfiguration(target, wanted, made)),
    failed: [...choice.unusable.map(unusableResult), ...failed],
    flake: flake === undefined ? undefined : Promise.resolve(flake),
    wanted: withProfiles(wanted, made),
    made,
  };
}

function byName(targets: readonly NamedTarget[], way: (target: NamedTarget) => Way): ReadonlyMap<string, WantedSystem> {
  return new Map(targets.map((target) => [target.name, { name: target.name, configuration: attributeOf(target.configuration), way: way(target) }]));
}

function isAnyEvaluatedHere(wanted: ReadonlyMap<string, WantedSystem>): boolean {
  return [...wanted.values()].some(isEvaluatedHere);
}

function failuresOf(wanted: ReadonlyMap<string, WantedSystem>, made: MadeSystems | undefined): HostResult[] {
  return [...wanted.values()].flatMap((one) => {
    const { name, configuration } = one;
    const failure = configuration === undefined || !isEvaluatedHere(one) ? undefined : made?.failed.get(configuration);
    return failure === undefined ? [] : [failedBefore(name, configuration, failure)];
  });
}

function withSystem(targets: readonly Target[], failed: readonly HostResult[]): Target[] {
  return targets.filter(({ name }) => !failed.some((result) => result.name === name));
}
