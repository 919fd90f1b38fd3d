import { randomBytes } from "node:crypto";

import { deployFleet, type FleetEnd } from "./deploy/fleet.js";
import { InputError } from "./domain/errors.js";
import type { Flake } from "./domain/flake.js";
import { chooseMachines, targetsOf, unusableResult, type UnusableMachine } from "./domain/inventory.js";
import { needsHive, type Target } from "./domain/target.js";
import { needsFlake, needsRoot } from "./domain/operation.js";
import { maskSecret, readInput } from "./github/action-input.js";
import { abortOnSignal } from "./github/cancellation.js";
import { announceFlake } from "./github/flake-log.js";
import { announceChoice } from "./github/inventory-log.js";
import { reportEnd, reportProblem } from "./github/report.js";
import { workflowRunName } from "./github/run-name.js";
import { WorkflowRunLog } from "./github/run-log.js";
import { identityState } from "./github/state.js";
import { WorkflowLog } from "./github/workflow-log.js";
import { parseInputs, type Inputs } from "./inputs.js";
import type { EvaluateOptions } from "./nix/evaluate.js";
import { archiveOnRunner, configurationNames, pinnedAt } from "./nix/flake.js";
import { flakeAroundHive } from "./nix/hive.js";
import { readInventory } from "./nix/inventory.js";
import { NixosMachine, type MachineSettings } from "./nixos/machine.js";
import { patience } from "./nixos/patience.js";
import { requirePrograms } from "./process/required-programs.js";
import { Connection, endMasters } from "./ssh/connection.js";
import { makeIdentityDirectory, removeIdentityDirectory, writeIdentity, writeTargetConfigurations } from "./ssh/identity.js";

const log = new WorkflowLog();
const runLog = new WorkflowRunLog(log);
const run = randomBytes(6).toString("hex");
let identity: string | undefined;
let flake: Flake | undefined;
/** The flake that the machines are sent: the same, or one around it. */
let sent: Flake | undefined;
let end: FleetEnd = { results: [], arrived: false };
let problem: unknown;
let summary = true;

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
const green = reportEnd({ ...end, flake, built: sent, endedEarly: problem !== undefined || cancellation.signal.aborted, summary }, log);
await log.written();
// Whatever still holds the process open has nothing more to say.
process.exit(green ? 0 : 1);

async function deploy(): Promise<void> {
  const inputs = parseInputs((name) => readInput(name));
  ({ summary } = inputs);
  for (const secret of [inputs.passphrase, inputs.sudoPassword]) if (secret !== undefined) maskSecret(secret);
  await requirePrograms();
  const directory = await installIdentity(inputs);
  const noFlake = new AbortController();
  const signal = AbortSignal.any([cancellation.signal, noFlake.signal]);
  const local = { cwd: process.cwd(), signal, onLine: (line: string) => log.line(line) };
  const { targets, unusable, flake: sending } = await choose(inputs, directory, local);
  sending?.catch(() => noFlake.abort());
  writeTargetConfigurations(directory, targets, { strict: inputs.strict, connectTimeout: inputs.connectTimeout, extra: inputs.sshConfig });
  const settings = machineSettings(inputs, sending, signal);
  const machines = targets.map(
    (target, index) => new NixosMachine(new Connection(target, index, directory, inputs.connectTimeout), settings, runLog.host(target)),
  );
  const { operation, maxParallel, timeout, retries, safety, variant, staging, diff } = inputs;
  const failed = unusable.map(unusableResult);
  end = await deployFleet(
    machines,
    { operation, flake: sending, unusable: failed, maxParallel, timeout, retries, safety, variant, staging, diff, signal },
    runLog,
  );
  await sending;
}

/** The machines of a run, and the flake that they are sent; it is not waited for where the targets are known without it. */
type Chosen = { readonly targets: readonly Target[]; readonly unusable: readonly UnusableMachine[]; readonly flake: Promise<Flake> | undefined };

async function choose({ flake: reference, targets, operation, selection, defaults }: Inputs, directory: string, local: EvaluateOptions): Promise<Chosen> {
  const fetch = async (): Promise<Flake> => {
    const fetched = await archiveOnRunner(reference, local);
    // Where nothing is built of it, it says where the machines are and no more.
    if (needsFlake(operation)) flake = fetched;
    announceFlake(fetched, log);
    return fetched;
  };
  const around = async (chosen: readonly Target[], plain: Promise<Flake>): Promise<Flake> =>
    (sent = needsHive(chosen) ? await flakeAroundHive(await plain, directory, local) : await plain);
  if (targets.length > 0) return { targets, unusable: [], flake: needsFlake(operation) ? around(targets, fetch()) : undefined };
  const plain = await fetch();
  const choice = chooseMachines(await readInventory(pinnedAt(plain, plain.revision), { selection, details: false }, local), selection, defaults.port);
  announceChoice(choice, log);
  const found = targetsOf(choice.machines, defaults);
  return { targets: found, unusable: choice.unusable, flake: needsFlake(operation) ? around(found, Promise.resolve(plain)) : undefined };
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

function machineSettings(inputs: Inputs, archived: Promise<Flake> | undefined, signal: AbortSignal): MachineSettings {
  return {
    run,
    name: workflowRunName(process.env) ?? `run ${run}`,
    access: { sudo: inputs.sudo, sudoPassword: inputs.sudoPassword, needsRoot: needsRoot(inputs.operation) },
    checkSignatures: inputs.checkSignatures,
    archiveArgs: inputs.archiveArgs,
    rebuildArgs: inputs.rebuildArgs,
    patience: patience(inputs.connectTimeout, inputs.safety),
    configurationNames: async () => (archived === undefined ? undefined : await configurationNames(await archived, { signal }).catch(() => undefined)),
  };
}
