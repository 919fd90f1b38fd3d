import { attributeOf, needsHive } from "../domain/configuration.js";
import { failedBefore, unusableResult } from "../domain/inventory.js";
import type { BuiltMachine } from "../domain/matrix.js";
import type { HostResult } from "../domain/result.js";
import { machinesOfMatrix, type WantedJobs } from "./of-matrix.js";
import type { BuildPorts } from "./ports.js";

/** The machines of a build. */
export type MachinesOfBuild = {
  readonly built: readonly BuiltMachine[];
  /** Results of the machines that cannot be deployed, or whose systems do not evaluate or build. */
  readonly failed: readonly HostResult[];
  /** How many there are, unchanged ones included. */
  readonly total: number;
};

/** Evaluates and builds the systems of the machines that are wanted, as a matrix has them. Throws as `machinesOfMatrix`. */
export async function machinesOfBuild(wanted: WantedJobs, ports: BuildPorts): Promise<MachinesOfBuild> {
  const { machines, total, unusable } = await machinesOfMatrix(wanted, ports);
  const failed = unusable.map(unusableResult);
  if (machines.length === 0) return { built: [], failed, total };
  const sent = await (await ports.fetchFlake()).wrap(needsHive(machines.map(({ request }) => request)));
  const configured = machines.map(({ name, request }) => ({ name, request, configuration: attributeOf(request.configuration) }));
  const made = await ports.makeSystems(
    sent,
    configured.map(({ name, configuration }) => ({ name, configuration, way: "built-here" })),
  );
  const built: BuiltMachine[] = [];
  for (const { name, request, configuration = "" } of configured) {
    const failure = made.failed.get(configuration);
    const toplevel = made.systems.get(configuration)?.toplevel;
    if (failure !== undefined) failed.push(failedBefore(name, configuration, failure));
    else if (toplevel === undefined) throw new Error(`no system was made for ${name}`);
    else built.push({ name, request, toplevel });
  }
  return { built, failed, total };
}
