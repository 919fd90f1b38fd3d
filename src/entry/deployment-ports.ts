import { outerReference } from "../domain/flake.js";
import { needsFlake } from "../domain/operation.js";
import { runnerTemp } from "../github/runner-temp.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import type { Inputs } from "../inputs/deploy.js";
import type { DeploymentPorts } from "../machines/ports.js";
import { archiveOnRunner } from "../nix/flake.js";
import { readInventory } from "../nix/inventory.js";
import { wrapFlake } from "../nix/outer-flake.js";
import { activationWarnings, type GivenInputs } from "../report/choice.js";
import { flakeLine, flakeWarnings } from "../report/flake.js";
import type { SshSettings } from "../ssh/configuration.js";
import { locateTargets } from "../ssh/location.js";
import { announceChoice } from "./announce-choice.js";
import type { Known } from "./known.js";
import type { RunIdentity } from "./run-identity.js";
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
      const archived = await archiveOnRunner(inputs.flake, local);
      // Where nothing is built from it, it only says where the machines are.
      if (needsFlake(inputs.operation)) known.flake = archived.flake;
      log.line(flakeLine(archived.flake));
      log.annotateAll("warning", flakeWarnings(archived.flake));
      return { wrap: async (hive) => (known.sent = await wrapFlake(archived, hive, { scratch: runnerTemp(), signal })) };
    },
    readInventory: async (sent, query) => await readInventory(outerReference(sent), query, local),
    makeSystems: async (sent, wanted) => {
      const made = await makeSystems(sent, wanted, { ...local, buildArgs: inputs.buildArgs });
      log.annotateAll("warning", activationWarnings([...made.systems].flatMap(([name, { ownActivation }]) => (ownActivation === true ? [name] : []))));
      return made;
    },
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
