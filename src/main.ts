import { randomBytes } from "node:crypto";

import { deployFleet, type FleetEnd } from "./deploy/fleet.js";
import { InputError } from "./domain/errors.js";
import type { Flake } from "./domain/flake.js";
import { maskSecret, readInput } from "./github/action-input.js";
import { abortOnSignal } from "./github/cancellation.js";
import { reportEnd, reportProblem } from "./github/report.js";
import { workflowRunName } from "./github/run-name.js";
import { WorkflowRunLog } from "./github/run-log.js";
import { identityState } from "./github/state.js";
import { WorkflowLog } from "./github/workflow-log.js";
import { parseInputs, type Inputs } from "./inputs.js";
import { archiveOnRunner, configurationNames } from "./nix/flake.js";
import { NixosMachine, type MachineSettings } from "./nixos/machine.js";
import { requirePrograms } from "./process/required-programs.js";
import { Connection, endMasters } from "./ssh/connection.js";
import { makeIdentityDirectory, removeIdentityDirectory, writeIdentity } from "./ssh/identity.js";

// Seconds for a machine to come back after the latest moment at which its watchdog acts: the way back is an activation too.
const wayBackSeconds = 60;

const log = new WorkflowLog();
const runLog = new WorkflowRunLog(log);
const run = randomBytes(6).toString("hex");
let identity: string | undefined;
let flake: Flake | undefined;
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
const green = reportEnd({ ...end, flake, endedEarly: problem !== undefined || cancellation.signal.aborted }, log);
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
  const archived = archiveOnRunner(inputs.flake, { cwd: process.cwd(), signal, onLine: (line) => log.line(line) }).then(announce);
  archived.catch(() => noFlake.abort());
  const settings = machineSettings(inputs, archived, signal);
  const machines = inputs.targets.map(
    (target, index) => new NixosMachine(new Connection(target, index, directory, inputs.connectTimeout), settings, runLog.host(target)),
  );
  const { operation, maxParallel, timeout, retries, safety } = inputs;
  end = await deployFleet(machines, { operation, flake: archived, maxParallel, timeout, retries, safety, signal }, runLog);
  await archived;
}

async function installIdentity({ key, passphrase, knownHosts, strict, connectTimeout, sshConfig, targets }: Inputs): Promise<string> {
  identity = makeIdentityDirectory(process.env["RUNNER_TEMP"]);
  // Before the key is written, so that the post step finds it even when this process is killed.
  identityState.save(identity);
  const check = await writeIdentity(identity, { key, passphrase, knownHosts, targets, settings: { strict, connectTimeout, extra: sshConfig } });
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
    name: workflowRunName(process.env) ?? `run ${run}`,
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
