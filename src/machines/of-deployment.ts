import { needsHive } from "../domain/configuration.js";
import { InputError, messageOf } from "../domain/errors.js";
import type { SentFlake } from "../domain/flake.js";
import type { UnusableMachine } from "../domain/inventory.js";
import { needsFlake, type Operation } from "../domain/operation.js";
import type { Selection } from "../domain/selection.js";
import { requireApart, type NamedTarget, type Target } from "../domain/target.js";
import { locateChosen } from "./of-flake.js";
import type { DeploymentPorts } from "./ports.js";

/** The machines of a deployment, and the flake that they are sent. */
export type MachinesOfDeployment = {
  readonly targets: readonly Target[];
  readonly unusable: readonly UnusableMachine[];
  /** Still being fetched where the targets are known without it; `undefined` where the operation needs none. */
  readonly flake: Promise<SentFlake> | undefined;
};

/** Which machines are meant: explicit targets, or with none of them what the flake itself names. */
export type WantedMachines = { readonly targets: readonly NamedTarget[]; readonly selection: Selection; readonly operation: Operation };

/** Finds the machines of a deployment. Throws an `InputError` for targets in the same place, and as `locateChosen`. */
export async function machinesOfDeployment(wanted: WantedMachines, ports: DeploymentPorts): Promise<MachinesOfDeployment> {
  return wanted.targets.length > 0 ? await explicitMachines(wanted, ports) : await machinesOfFlake(wanted, ports);
}

async function explicitMachines({ targets: named, operation }: WantedMachines, ports: DeploymentPorts): Promise<MachinesOfDeployment> {
  await ports.prepareSsh();
  const targets = await ports.locate(named);
  try {
    requireApart(targets);
  } catch (error) {
    throw new InputError([{ input: "targets", problem: messageOf(error) }]);
  }
  const send = async (): Promise<SentFlake> => await (await ports.fetchFlake()).wrap(needsHive(targets));
  return { targets, unusable: [], flake: needsFlake(operation) ? send() : undefined };
}

async function machinesOfFlake({ selection, operation }: WantedMachines, ports: DeploymentPorts): Promise<MachinesOfDeployment> {
  const fetched = await ports.fetchFlake();
  const plain = await fetched.wrap(false);
  const inventory = await ports.readInventory(plain, { selection, details: false });
  const { choice, targets } = await locateChosen(inventory, selection, async (chosen) => {
    await ports.prepareSsh();
    return await ports.locate(chosen);
  });
  ports.announce(choice);
  const { unusable } = choice;
  if (!needsFlake(operation)) return { targets, unusable, flake: undefined };
  return { targets, unusable, flake: Promise.resolve(needsHive(targets) ? await fetched.wrap(true) : plain) };
}
