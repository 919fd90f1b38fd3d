import { randomBytes } from "node:crypto";

import { deployFleet, type FleetEnd } from "../deploy/fleet.js";
import { evaluatesHere, wayOf } from "../domain/build-place.js";
import { briefReason, InputError, NoFlakeError, messageOf } from "../domain/errors.js";
import { mapLimited } from "../domain/limit.js";
import { outerReference, type Flake, type SentFlake } from "../domain/flake.js";
import { chooseMachines, setApart, targetsOf, unusableResult } from "../domain/inventory.js";
import { needsHive, placeOf, requireApart, type NamedTarget, type Target } from "../domain/target.js";
import { needsFlake, needsRoot } from "../domain/operation.js";
import type { HostResult } from "../domain/result.js";
import { isUntracked } from "../git/untracked.js";
import { maskSecret, readInput } from "../github/action-input.js";
import { abortOnSignal } from "../github/cancellation.js";
import { readEvent, untrustedCode } from "../github/event.js";
import { announceFlake } from "../github/flake-log.js";
import { announceChoice } from "../github/inventory-log.js";
import { reportEnd, reportProblem } from "../github/report.js";
import { workflowRunName } from "../github/run-name.js";
import { WorkflowRunLog } from "../github/run-log.js";
import { identityState } from "../github/state.js";
import { runnerTemp } from "../github/runner-temp.js";
import { WorkflowLog } from "../github/workflow-log.js";
import { parseInputs, type Inputs } from "../inputs/deploy.js";
import type { EvaluateOptions } from "../nix/evaluate.js";
import { archiveOnRunner, configurationNames, type ArchivedFlake } from "../nix/flake.js";
import { readInventory } from "../nix/inventory.js";
import { wrapFlake } from "../nix/outer-flake.js";
import { NixosMachine, type MachineSettings } from "../nixos/machine.js";
import { reconnectTimeout } from "../nixos/reconnect-timeout.js";
import { preventCoreDumps } from "../process/core-dumps.js";
import { requirePrograms } from "../process/required-programs.js";
import { Connection, endMasters } from "../ssh/connection.js";
import type { SshSettings } from "../ssh/configuration.js";
import { makeIdentityDirectory, removeIdentityDirectory, writeIdentity, writeTargetConfigurations, writtenKey } from "../ssh/identity.js";
import { agentSocket } from "../ssh/agent.js";
import { secretLines } from "../ssh/key.js";
import { locateTarget } from "../ssh/location.js";
import { failuresOf, makeSystems, sourceOf, type SystemsHere, type Wanted } from "./systems-here.js";

const log = new WorkflowLog();
const runLog = new WorkflowRunLog(log);
const run = randomBytes(6).toString("hex");
let identity: string | undefined;
let flake: Flake | undefined;
let sent: SentFlake | undefined;
let end: FleetEnd = { results: [], arrived: false };
let problem: unknown;
let summary = true;
let isEndingAtOnce = false;
// 128 and the number of SIGINT, as a shell has it.
const interrupted = 130;

const cancellation = abortOnSignal(
  (signal) => log.annotate("warning", `Cancelled by ${signal}`, runLog.runningHosts()),
  () => void endAtOnce(),
);

try {
  await deploy();
} catch (error) {
  problem = error;
}
await leaveNothing();
if (problem !== undefined && !cancellation.signal.aborted) reportProblem(problem, log);
const reason = cancellation.signal.aborted ? "the run was cancelled" : problem === undefined ? undefined : briefReason(problem);
const green = reportEnd({ ...end, flake, sent, endedEarly: problem !== undefined || cancellation.signal.aborted, reason, summary }, log);
await log.written();
// Whatever still holds the process open has nothing more to say.
process.exit(isEndingAtOnce ? interrupted : green ? 0 : 1);

async function deploy(): Promise<void> {
  const inputs = parseInputs((name) => readInput(name));
  ({ summary } = inputs);
  for (const secret of [inputs.passphrase, inputs.elevatePassword, ...secretLines(inputs.key ?? "")]) if (secret !== undefined) maskSecret(secret);
  if (!inputs.allowUnsafeEvent) requireTrustedCode();
  // Throws for an agent that is not there.
  sshSettings(inputs);
  await requirePrograms();
  await preventCoreDumps();
  const noFlake = new AbortController();
  const signal = AbortSignal.any([cancellation.signal, noFlake.signal]);
  const local = { cwd: process.cwd(), signal, onLine: (line: string) => log.line(line) };
  const { targets, directory, failed, flake: sending, wanted, here } = await choose(inputs, local);
  const flakeOrReason = sending?.catch((error: unknown) => {
    const noFlakeError = new NoFlakeError(`the flake could not be fetched (${briefReason(error)})`, { cause: error });
    // Hosts that are being connected need not go on.
    noFlake.abort(noFlakeError);
    throw noFlakeError;
  });
  // It may come before, or without, anyone who waits for it.
  flakeOrReason?.catch(() => undefined);
  writeTargetConfigurations(directory, targets, sshSettings(inputs));
  const settings = machineSettings(inputs, sending, signal);
  const machines = targets.map((target, index) => {
    const needsRebuild = needsFlake(inputs.operation) && wanted.get(target.name)?.way === "rebuilt-there";
    return new NixosMachine(new Connection(target, index, directory, inputs.connectTimeout), { ...settings, needsRebuild }, runLog.host(target));
  });
  const { operation, maxParallel, timeout, retries, safety, variant, staging, diff } = inputs;
  end = await deployFleet(
    machines,
    {
      operation,
      systemOf: flakeOrReason === undefined ? undefined : ({ name }) => sourceOf(wantedAs(name, wanted), flakeOrReason, sent, here),
      unusable: failed,
      maxParallel,
      timeout,
      retries,
      safety,
      variant,
      staging,
      diff,
      signal,
    },
    runLog,
  );
  await sending;
}

/** The machines of a run, and where their systems come from. */
type Chosen = {
  readonly targets: readonly Target[];
  readonly directory: string;
  /** Results of machines that have failed before any was connected to. */
  readonly failed: readonly HostResult[];
  /** What the machines are sent; it is not waited for where the targets are known without it. */
  readonly flake: Promise<SentFlake> | undefined;
  /** By the name of the target. */
  readonly wanted: ReadonlyMap<string, Wanted>;
  readonly here: SystemsHere | undefined;
};

/** Finds the machines, and writes the identity: after everything that the runner evaluates and builds of the flake. */
async function choose(inputs: Inputs, local: EvaluateOptions): Promise<Chosen> {
  return inputs.targets.length > 0 ? await chooseExplicit(inputs, local) : await chooseFromFlake(inputs, local);
}

async function chooseExplicit(inputs: Inputs, local: EvaluateOptions): Promise<Chosen> {
  const { targets: named, operation, places } = inputs;
  const wanted = byName(named.map(({ name, configuration, buildOn }) => ({ name, configuration, way: wayOf(places, buildOn, undefined) })));
  const send = async (): Promise<SentFlake> => (sent = await wrap(await fetchFlake(inputs, local), needsHive(named), local));
  const here = needsFlake(operation) ? await systemsHere(wanted, send, inputs, local) : undefined;
  const failed = failuresOf(wanted, here);
  const left = named.filter(({ name }) => !failed.some((result) => result.name === name));
  const directory = await installIdentity(inputs);
  const targets = await locate(left, inputs, directory);
  try {
    requireApart(targets);
  } catch (error) {
    throw new InputError([{ input: "targets", problem: messageOf(error) }]);
  }
  const flakeOf = (): Promise<SentFlake> => (sent === undefined ? send() : Promise.resolve(sent));
  return { targets, directory, failed, flake: needsFlake(operation) ? flakeOf() : undefined, wanted, here };
}

async function chooseFromFlake(inputs: Inputs, local: EvaluateOptions): Promise<Chosen> {
  const { selection, operation, places } = inputs;
  const archived = await fetchFlake(inputs, local);
  const plain = await wrap(archived, false, local);
  const chosen = chooseMachines(await readInventory(outerReference(plain), { selection, details: false }, local), selection);
  const wanted = byName(
    chosen.machines.map(({ name, request, buildOn }) => ({ name, configuration: request.configuration, way: wayOf(places, undefined, buildOn) })),
  );
  const send = async (): Promise<SentFlake> => (sent = needsHive(targetsOf(chosen.machines)) ? await wrap(archived, true, local) : plain);
  const here = needsFlake(operation) ? await systemsHere(wanted, send, inputs, local) : undefined;
  const directory = await installIdentity(inputs);
  const located = new Map((await locate(targetsOf(chosen.machines), inputs, directory)).map((target) => [target.name, target]));
  const choice = setApart(chosen, ({ name }) => placeOf(locatedAs(name, located)));
  announceChoice(choice, log);
  const broken = failuresOf(wanted, here).filter(({ name }) => choice.machines.some((machine) => machine.name === name));
  const found = choice.machines.map(({ name }) => locatedAs(name, located)).filter(({ name }) => !broken.some((result) => result.name === name));
  const flakeToSend = needsFlake(operation) ? Promise.resolve(sent ?? (await send())) : undefined;
  return { targets: found, directory, failed: [...choice.unusable.map(unusableResult), ...broken], flake: flakeToSend, wanted, here };
}

async function fetchFlake({ flake: reference, operation }: Inputs, local: EvaluateOptions): Promise<ArchivedFlake> {
  const fetched = await archiveOnRunner(reference, local);
  // Where nothing is built of it, it only says where the machines are.
  if (needsFlake(operation)) ({ flake } = fetched);
  announceFlake(fetched.flake, log);
  return fetched;
}

async function wrap(archived: ArchivedFlake, hive: boolean, { signal }: EvaluateOptions): Promise<SentFlake> {
  return await wrapFlake(archived, hive, { scratch: runnerTemp(), signal });
}

/** Evaluates and builds what is evaluated and built on the runner; `undefined` where that is nothing. */
async function systemsHere(
  wanted: ReadonlyMap<string, Wanted>,
  send: () => Promise<SentFlake>,
  { buildArgs }: Inputs,
  local: EvaluateOptions,
): Promise<SystemsHere | undefined> {
  const all = [...wanted.values()];
  return all.some(({ way }) => evaluatesHere(way)) ? await makeSystems(await send(), all, { ...local, buildArgs }) : undefined;
}

function byName(wanted: readonly Wanted[]): ReadonlyMap<string, Wanted> {
  return new Map(wanted.map((one) => [one.name, one]));
}

function wantedAs(name: string, wanted: ReadonlyMap<string, Wanted>): Wanted {
  const found = wanted.get(name);
  if (found === undefined) throw new Error(`nobody knows how ${name} gets its system`);
  return found;
}

/** Finds out where the targets are, without connecting to any. */
async function locate(targets: readonly NamedTarget[], inputs: Inputs, directory: string): Promise<Target[]> {
  const { signal } = cancellation;
  const work = async ([index, target]: [number, NamedTarget]): Promise<Target> =>
    await locateTarget(target, index, directory, sshSettings(inputs), inputs.defaults, signal);
  return await mapLimited([...targets.entries()], inputs.maxParallel, work);
}

function locatedAs(name: string, located: ReadonlyMap<string, Target>): Target {
  const target = located.get(name);
  if (target === undefined) throw new Error(`nobody knows where ${name} is`);
  return target;
}

function sshSettings({ strict, connectTimeout, sshConfig, authentication, certificate }: Inputs): SshSettings {
  const settings = { strict, connectTimeout, extra: sshConfig };
  if (authentication === "none") return { ...settings, authentication: { kind: "none" } };
  if (authentication === "key") return { ...settings, authentication: { kind: "key", certificate: certificate !== undefined } };
  try {
    return { ...settings, authentication: { kind: "agent", socket: agentSocket(process.env["SSH_AUTH_SOCK"]) } };
  } catch (error) {
    throw new InputError([{ input: "ssh-auth", problem: messageOf(error) }]);
  }
}

async function installIdentity({ key, passphrase, certificate, knownHosts }: Inputs): Promise<string> {
  identity = makeIdentityDirectory(process.env["RUNNER_TEMP"]);
  // Before the key is written, so that the post step finds it even when this process is killed.
  identityState.save(identity);
  const check = await writeIdentity(identity, { key, passphrase, certificate, knownHosts });
  if (check.kind === "unusable") throw new InputError([{ input: "ssh-key", problem: check.problem }]);
  if (passphrase !== undefined) for (const line of secretLines(writtenKey(identity))) maskSecret(line);
  return identity;
}

/** Ends the ssh masters, then removes the key with their sockets. */
async function leaveNothing(): Promise<void> {
  if (identity === undefined) return;
  try {
    await endMasters(identity);
    removeIdentityDirectory(identity);
  } catch (error) {
    log.annotate("error", "The ssh key may still be on the runner", messageOf(error));
  }
}

async function endAtOnce(): Promise<void> {
  // Without its connections, the run may end by itself before this does.
  isEndingAtOnce = true;
  await leaveNothing();
  process.exit(interrupted);
}

function requireTrustedCode(): void {
  const why = untrustedCode(readEvent(process.env));
  if (why === undefined) return;
  const advice = "Deploy from events such as push or workflow_dispatch; true is only for a job that never checks out or evaluates such code";
  throw new InputError([{ input: "allow-unsafe-event", problem: `is false, and ${why}`, advice }]);
}

function machineSettings(inputs: Inputs, sending: Promise<SentFlake> | undefined, signal: AbortSignal): MachineSettings {
  return {
    run,
    name: workflowRunName(process.env) ?? `run ${run}`,
    access: { elevate: inputs.elevate, elevatePassword: inputs.elevatePassword, needsRoot: needsRoot(inputs.operation) },
    needsRebuild: true,
    checkSignatures: inputs.checkSignatures,
    substitute: inputs.substitute,
    archiveArgs: inputs.archiveArgs,
    rebuildArgs: inputs.rebuildArgs,
    reconnectTimeout: reconnectTimeout(inputs.connectTimeout, inputs.safety),
    isUntracked: async (file) => await isUntracked(inputs.flake, file),
    configurationNames: async () =>
      sending === undefined ? undefined : await configurationNames(outerReference(await sending), { signal }).catch(() => undefined),
  };
}
