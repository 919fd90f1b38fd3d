import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";

import { outerReference, type SentFlake } from "../domain/flake.js";
import { needsRoot, plansUnits } from "../domain/operation.js";
import { isUntracked } from "../git/untracked.js";
import { workflowRunName } from "../github/run-name.js";
import type { Inputs } from "../inputs/deploy.js";
import { configurationNames } from "../nix/flake.js";
import { Pack } from "../nix/pack.js";
import type { MachineSettings } from "../nixos/connected-machine.js";
import { reconnectTimeout } from "../nixos/reconnect-timeout.js";
import { StartGate } from "../process/start-gate.js";

// A copy waits for the network most of the time: more of them than processors are of use, but only some, at 5 MB each. One that still goes
// on after this time has something to send.
const copiesPerProcessor = 4;
const copyMilliseconds = 5000;

/** The settings for the machines of a deployment. Each call names a new run. `directory`: of this run alone, on the runner. */
export function machineSettings(inputs: Inputs, sending: Promise<SentFlake> | undefined, directory: string, signal: AbortSignal): MachineSettings {
  const run = randomBytes(6).toString("hex");
  return {
    run,
    name: workflowRunName(process.env) ?? `run ${run}`,
    access: { elevate: inputs.elevate, elevatePassword: inputs.elevatePassword, needsRoot: needsRoot(inputs.operation) },
    needsRebuild: true,
    comparesBuilt: inputs.diff && !plansUnits(inputs.operation) && inputs.variant.specialisation === undefined,
    checkSignatures: inputs.checkSignatures,
    substitute: inputs.substitute,
    archiveArgs: inputs.archiveArgs,
    compress: inputs.compress,
    pack: new Pack(join(directory, "pack")),
    starts: new StartGate(copiesPerProcessor * availableParallelism(), copyMilliseconds),
    rebuildArgs: inputs.rebuildArgs,
    reconnectTimeout: reconnectTimeout(inputs.connectTimeout, inputs.safety),
    isUntracked: async (file) => await isUntracked(inputs.flake, file),
    configurationNames: async () =>
      sending === undefined ? undefined : await configurationNames(outerReference(await sending), { signal }).catch(() => undefined),
  };
}
