import { requireSelection, type UnusableMachine } from "../domain/inventory.js";
import type { MatrixMachine } from "../domain/matrix.js";
import type { Selection } from "../domain/selection.js";
import { withDefaults } from "../domain/target.js";
import { changedMachines } from "./changed.js";
import { locateChosen } from "./of-flake.js";
import type { MatrixPorts } from "./ports.js";

/** Which machines get a job. */
export type WantedJobs = {
  /** Explicit targets; without any, the flake itself names the machines. */
  readonly targets: readonly MatrixMachine[];
  readonly selection: Selection;
  /** Git revision: only machines whose system has changed since get a job. */
  readonly changedSince: string | undefined;
  /** For machines without one. */
  readonly user: string | undefined;
  readonly port: number | undefined;
};

/** The machines of a matrix. */
export type MachinesOfMatrix = {
  /** Those that get a job, with the defaults for user and port. */
  readonly machines: readonly MatrixMachine[];
  /** How many there are, unchanged ones included. */
  readonly total: number;
  readonly unusable: readonly UnusableMachine[];
};

// ssh's own, where neither the machine nor the input gives one: only to find machines in the same place.
const sshPort = 22;

/** Finds the machines of a matrix. Throws an `InputError` as `locateChosen` and `changedMachines`. */
export async function machinesOfMatrix(wanted: WantedJobs, ports: MatrixPorts): Promise<MachinesOfMatrix> {
  const { targets, changedSince, user, port } = wanted;
  const { machines, unusable } = targets.length > 0 ? { machines: targets, unusable: [] } : await machinesOfFlake(wanted, ports);
  const changed = changedSince === undefined ? machines : await changedMachines(machines, changedSince, ports);
  return {
    machines: changed.map((machine) => ({
      ...machine,
      request: { ...machine.request, user: machine.request.user ?? user, port: machine.request.port ?? port },
    })),
    total: machines.length,
    unusable,
  };
}

async function machinesOfFlake({ selection, port = sshPort }: WantedJobs, ports: MatrixPorts): Promise<Pick<MachinesOfMatrix, "machines" | "unusable">> {
  const inventory = await ports.readInventory({ selection, details: true });
  requireSelection(inventory, selection);
  // The user does not tell machines apart.
  const { choice } = await locateChosen(
    inventory,
    selection,
    async (chosen) => await Promise.resolve(chosen.map((target) => withDefaults(target, { user: "", port }))),
  );
  ports.announce(choice);
  // Where none is built on the runner, the targets are as if they were written by hand.
  const saysWhere = choice.machines.some(({ buildOn }) => buildOn === "runner");
  const machines = choice.machines.map(({ name, request, system, tags = [], buildOn }) => ({
    name,
    request: saysWhere ? { ...request, flakeBuildOn: buildOn } : request,
    system,
    tags,
  }));
  return { machines, unusable: choice.unusable };
}
