import { setImmediate } from "node:timers/promises";

import { outerReference } from "../domain/flake.js";
import { needsFlake } from "../domain/operation.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import type { Inputs } from "../inputs/deploy.js";
import type { DeploymentPorts } from "../machines/ports.js";
import { readInventory } from "../nix/inventory.js";
import { wrapFlake } from "../nix/outer-flake.js";
import type { GivenInputs } from "../report/choice.js";
import type { SshSettings } from "../ssh/configuration.js";
import { locateTargets } from "../ssh/location.js";
import { archiveAndAnnounce } from "./archive-flake.js";
import { announceActivations, announceChoice } from "./announce-choice.js";
import type { Known } from "./known.js";
import type { RunIdentity } from "./run-identity.js";
import { requireSystemsHere } from "./runner-store.js";
import { makeSystems } from "./systems-here.js";

/** What the outside world of a deployment is made of. */
export type DeploymentParts = {
  readonly inputs: Inputs;
  readonly ssh: SshSettings;
  readonly identity: RunIdentity;
  readonly known: Known;
  readonly log: WorkflowLog;
  readonly signal: AbortSignal;
};

/** Connects the ports of `src/machines/` with Nix, ssh and the log. */
export function deploymentPorts({ inputs, ssh, identity, known, log, signal }: DeploymentParts): DeploymentPorts {
  const local = { cwd: process.cwd(), signal, onLine: (line: string) => log.line(line) };
  return {
    fetchFlake: async () => {
      // The connections are begun first: they take longer, and to start a program takes milliseconds.
      await setImmediate();
      const archived = await archiveAndAnnounce(inputs.flake, log, local);
      // Where nothing is built from it, it only says where the machines are.
      if (needsFlake(inputs.operation)) known.flake = archived.flake;
      return { wrap: async (hive) => (known.sent = await wrapFlake(archived, hive, { scratch: identity.directory, signal })) };
    },
    readInventory: async (sent, query) => await readInventory(outerReference(sent), query, local),
    makeSystems: async (sent, wanted) => {
      const made = await makeSystems(sent, wanted, { ...local, buildArgs: inputs.buildArgs, elsewhere: "set build-on: target for the machine" });
      announceActivations(made, log);
      return made;
    },
    requireSystems: requireSystemsHere,
    prepareSsh: async () => await identity.install(inputs),
    locate: async (targets) => await locateTargets(targets, identity.directory, ssh, { defaults: inputs.defaults, limit: inputs.maxParallel, signal }),
    announce: (choice) => announceChoice(choice, log, givenInputs(inputs)),
  };
}

function givenInputs({ safety, substitute, elevate, elevatePassword }: Inputs): GivenInputs {
  return {
    rollback: String(safety.rollback),
    "confirm-timeout": String(safety.limits.confirm),
    "activation-timeout": String(safety.limits.activation),
    "substitute-on-destination": String(substitute),
    elevate,
    "elevate-password": elevatePassword === undefined ? "not set" : "set",
  };
}
