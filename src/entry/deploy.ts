import { deployFleet } from "../deploy/fleet.js";
import type { SystemSource } from "../deploy/system-source.js";
import { flakeOrNone } from "../deploy/flake-or-none.js";
import { briefReason } from "../domain/errors.js";
import type { StorePath } from "../domain/store-path.js";
import { needsFlake } from "../domain/operation.js";
import type { Target } from "../domain/target.js";
import { maskSecret, readInput } from "../github/action-input.js";
import { runCancellable } from "../github/cancellation.js";
import { readEvent, requireTrustedCode } from "../github/event.js";
import { reportEnd } from "../github/report.js";
import { WorkflowRunLog } from "../github/run-log.js";
import { WorkflowLog } from "../github/workflow-log.js";
import { parseInputs } from "../inputs/deploy.js";
import { secretsOf } from "../inputs/secrets.js";
import { sshSettings } from "../inputs/ssh-settings.js";
import { machinesOfDeployment } from "../machines/of-deployment.js";
import type { WantedSystem } from "../machines/ports.js";
import { isInStore } from "../nix/in-store.js";
import { NixosMachine } from "../nixos/machine.js";
import { preventCoreDumps } from "../process/core-dumps.js";
import { requirePrograms } from "../process/required-programs.js";
import { problemAnnotation } from "../report/problem.js";
import { connectionsTo } from "../ssh/connection.js";
import { deploymentPorts } from "./deployment-ports.js";
import { nothingKnown, type Known } from "./known.js";
import { machineSettings } from "./machine-settings.js";
import { RunIdentity } from "./run-identity.js";
import { runnerStore } from "./runner-store.js";
import { sourceOf, type Sources } from "./systems-here.js";

/** What the parts of a run share. */
type Run = {
  readonly log: WorkflowLog;
  readonly runLog: WorkflowRunLog;
  readonly identity: RunIdentity;
  readonly known: Known;
  /** Core dumps are switched off. */
  readonly protectedMemory: Promise<void>;
};

/** Deploys as the inputs say, and reports how it ended. Returns the exit code. */
export async function run(protectedMemory = preventCoreDumps()): Promise<number> {
  const log = new WorkflowLog();
  const all: Run = { log, runLog: new WorkflowRunLog(log), identity: new RunIdentity(log), known: nothingKnown(), protectedMemory };
  return await runCancellable(async (cancelled) => ((await deployAndReport(all, cancelled)) ? 0 : 1), {
    onFirst: (signal) => log.annotate("warning", `Cancelled by ${signal}`, all.runLog.runningHosts()),
    onSecond: async () => await all.identity.remove(),
  });
}

async function deployAndReport(all: Run, cancelled: AbortSignal): Promise<boolean> {
  const { log, identity, known } = all;
  let problem: unknown;
  try {
    await deploy(all, cancelled);
  } catch (error) {
    problem = error;
  }
  await identity.remove();
  if (problem !== undefined && !cancelled.aborted) log.annotateAll("error", [problemAnnotation(problem, log.linkTo)]);
  const reason = cancelled.aborted ? "the run was cancelled" : problem === undefined ? undefined : briefReason(problem);
  const { end, flake, sent, summary } = known;
  const isGreen = reportEnd({ ...end, flake, sent, summary, endedEarly: reason !== undefined, reason }, log);
  await log.written();
  return isGreen;
}

async function deploy({ log, runLog, identity, known, protectedMemory }: Run, cancelled: AbortSignal): Promise<void> {
  const inputs = parseInputs(readInput);
  known.summary = inputs.summary;
  for (const secret of secretsOf(inputs)) maskSecret(secret);
  if (!inputs.allowUnsafeEvent) requireTrustedCode(readEvent(process.env));
  const ssh = sshSettings(inputs, process.env["SSH_AUTH_SOCK"]);
  await Promise.all([requirePrograms(), protectedMemory]);
  const found = await machinesOfDeployment(inputs, deploymentPorts({ inputs, ssh, identity, known, log, signal: cancelled }));
  const wantedAs = ({ name }: Target): WantedSystem => {
    const wanted = found.wanted.get(name);
    if (wanted === undefined) throw new Error(`${name} has no source for its system`);
    return wanted;
  };
  const { flake, signal } = flakeOrNone(found.flake, cancelled);
  const settings = machineSettings(inputs, found.flake, identity.directory, signal);
  const machines = connectionsTo(found.targets, identity.directory, ssh).map((connection) => {
    const needsRebuild = needsFlake(inputs.operation) && wantedAs(connection.target).way === "rebuilt-there";
    return new NixosMachine(connection, { ...settings, needsRebuild }, runLog.host(connection.target));
  });
  const { operation, maxParallel, timeout, retries, safety, variant, staging, diff } = inputs;
  const runner = runnerStore({ signal, onLine: (line) => log.line(line) });
  const sources: Sources = { flake, sent: known.sent, made: found.made, runner, substitutes: inputs.substitute };
  const systemOf = needsFlake(operation) ? (target: Target): SystemSource => sourceOf(wantedAs(target), sources) : undefined;
  const knowsProfile = async ({ replaceUnknown }: Target, present: StorePath, own: AbortSignal): Promise<boolean> =>
    replaceUnknown !== false || (await isInStore(present, own));
  known.end = await deployFleet(
    machines,
    { operation, systemOf, knowsProfile, unusable: found.failed, maxParallel, timeout, retries, safety, variant, staging, diff, signal },
    runLog,
  );
  await found.flake;
}
