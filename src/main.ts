import { randomBytes } from "node:crypto";

import { deployFleet, type FleetEnd } from "./deploy/fleet.js";
import { InputError } from "./domain/errors.js";
import type { Flake } from "./domain/flake.js";
import { chooseMachines, targetsOf, unusableResult, type UnusableMachine } from "./domain/inventory.js";
import { needsHive, type Target } from "./domain/target.js";
import { maskSecret, readInput } from "./github/action-input.js";
import { abortOnSignal } from "./github/cancellation.js";
import { announceChoice } from "./github/inventory-log.js";
import { reportEnd, reportProblem } from "./github/report.js";
import { WorkflowRunLog } from "./github/run-log.js";
import { identityState } from "./github/state.js";
import { WorkflowLog } from "./github/workflow-log.js";
import { parseInputs, type Inputs } from "./inputs.js";
import type { EvaluateOptions } from "./nix/evaluate.js";
import { archiveOnRunner, configurationNames, pinnedAt } from "./nix/flake.js";
import { flakeAroundHive } from "./nix/hive.js";
import { readInventory } from "./nix/inventory.js";
import { NixosMachine, type MachineSettings } from "./nixos/machine.js";
import { requirePrograms } from "./process/required-programs.js";
import { Connection, endMasters } from "./ssh/connection.js";
import { makeIdentityDirectory, removeIdentityDirectory, writeIdentity, writeTargetConfigurations } from "./ssh/identity.js";

// Seconds for a machine to come back after the latest moment at which its watchdog acts: the way back is an activation too.
const wayBackSeconds = 60;

const log = new WorkflowLog();
const runLog = new WorkflowRunLog(log);
const run = randomBytes(6).toString("hex");
let identity: string | undefined;
let flake: Flake | undefined;
let built: Flake | undefined;
let end: FleetEnd = { results: [], arrived: false };
let problem: unknown;

const cancellation = abortOnSignal(
  (signal) => log.annotate("warning", `Cancelled by ${signal}`, runLog.whereabouts()),
  () => {
    removeIdentity();
    process.exit(130);
  },
);

try {
  await deploy();
} catch (error) {
  problem = error;
}
if (identity !== undefined) await endMasters(identity);
removeIdentity();
if (problem !== undefined && !cancellation.signal.aborted) reportProblem(problem, log);
const green = reportEnd({ ...end, flake, built, endedEarly: problem !== undefined || cancellation.signal.aborted }, log);
await log.written();
// Whatever still holds the process open has nothing more to say.
process.exit(green ? 0 : 1);

async function deploy(): Promise<void> {
  const inputs = parseInputs((name) => readInput(name));
  for (const secret of [inputs.passphrase, inputs.sudoPassword]) if (secret !== undefined) maskSecret(secret);
  await requirePrograms();
  const directory = await installIdentity(inputs);
  const noFlake = new AbortController();
  const signal = AbortSignal.any([cancellation.signal, noFlake.signal]);
  const local = { cwd: process.cwd(), signal, onLine: (line: string) => log.line(line) };
  const archived = archiveOnRunner(inputs.flake, local).then(announce);
  archived.catch(() => noFlake.abort());
  const { targets, unusable } = inputs.targets.length > 0 ? { targets: inputs.targets, unusable: [] } : await targetsOfFlake(inputs, await archived, local);
  const sent = needsHive(targets) ? archived.then(async (plain) => (built = await flakeAroundHive(plain, directory, { signal }))) : archived;
  sent.catch(() => noFlake.abort());
  writeTargetConfigurations(directory, targets, { strict: inputs.strict, connectTimeout: inputs.connectTimeout, extra: inputs.sshConfig });
  const settings = machineSettings(inputs, sent, signal);
  const machines = targets.map(
    (target, index) => new NixosMachine(new Connection(target, index, directory, inputs.connectTimeout), settings, runLog.host(target)),
  );
  const { operation, maxParallel, timeout, retries, safety } = inputs;
  const { results, arrived } = await deployFleet(machines, { operation, flake: sent, maxParallel, timeout, retries, safety, signal }, runLog);
  end = { results: [...results, ...unusable.map(unusableResult)], arrived };
  await sent;
}

type Chosen = { readonly targets: readonly Target[]; readonly unusable: readonly UnusableMachine[] };

async function targetsOfFlake({ selection, defaults }: Inputs, archived: Flake, local: EvaluateOptions): Promise<Chosen> {
  const inventory = await readInventory(pinnedAt(archived, archived.revision), { selection, details: false }, local);
  const choice = chooseMachines(inventory, selection, defaults.port);
  announceChoice(choice, log);
  return { targets: targetsOf(choice.machines, defaults), unusable: choice.unusable };
}

async function installIdentity({ key, passphrase, knownHosts }: Inputs): Promise<string> {
  identity = makeIdentityDirectory(process.env["RUNNER_TEMP"]);
  // Before the key is written, so that the post step finds it even when this process is killed.
  identityState.save(identity);
  const check = await writeIdentity(identity, { key, passphrase, knownHosts });
  if (check.kind === "unusable") throw new InputError([{ input: "ssh-key", problem: check.problem }]);
  return identity;
}

function removeIdentity(): void {
  if (identity !== undefined) removeIdentityDirectory(identity);
}

function announce(archived: Flake): Flake {
  flake = archived;
  log.line(`flake ${archived.source}, revision ${archived.revision ?? "none"}, with ${archived.inputs.length} inputs`);
  if (archived.dirty) {
    log.annotate(
      "warning",
      "The flake has changes that are not committed",
      "What is deployed is no commit, and the machines cannot tell which one they run. Has an earlier step changed a file?",
    );
  }
  return archived;
}

function machineSettings(inputs: Inputs, archived: Promise<Flake>, signal: AbortSignal): MachineSettings {
  return {
    run,
    access: { sudo: inputs.sudo, sudoPassword: inputs.sudoPassword, needsRoot: inputs.operation !== "build" },
    checkSignatures: inputs.checkSignatures,
    archiveArgs: inputs.archiveArgs,
    rebuildArgs: inputs.rebuildArgs,
    patience: patience(inputs),
    configurationNames: async () => await configurationNames(await archived, { signal }).catch(() => undefined),
  };
}

function patience({ connectTimeout, safety: { rollback, limits } }: Inputs): MachineSettings["patience"] {
  const plain = connectTimeout + wayBackSeconds;
  if (!rollback) return () => plain;
  return (phase) => {
    if (phase === "activate") return plain + limits.activation + limits.confirm;
    return phase === "confirm" || phase === "rollback" ? plain + limits.confirm + limits.healthCheck : plain;
  };
}
