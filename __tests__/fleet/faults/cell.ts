import { hostResults } from "../host-results.js";
import { until } from "../rig/command.js";
import type { Machine } from "../rig/machine.js";
import type { StepResult } from "../rig/runner.js";
import type { Systems, Trial } from "../safety/trial.js";
import type { Cell } from "./cells.js";
import { faults, type Fault } from "./faults.js";
import { free, hold, putHolds, waitUntilHeld } from "./holds.js";
import type { Observation, Report } from "./judge.js";
import { phases } from "./phases.js";

// So that a machine that is left alone is settled soon.
const limits = { "activation-timeout": "20", "confirm-timeout": "10", "health-check-timeout": "10" };

const record = "/nix/var/nix/nix-flake-deploy/last-step";

/** Puts one cell on stage, and returns what was seen of it. The machine runs the old system before. */
export async function play(trial: Trial, cell: Cell, old: string): Promise<Observation> {
  const { fleet } = trial;
  const machine = trial.machine();
  const fault = faults[cell.fault];
  const phase = phases[cell.phase];
  await fault.prepare?.(fleet, machine);
  await hold(machine, cell.phase);
  const workspace = await trial.flake(phase.behaviour);
  const step = { ...trial.step(workspace, { ...limits, ...phase.inputs, ...fault.inputs }), env: fault.env ?? {} };
  const going = fleet.runner.start(step);
  try {
    await waitUntilHeld(machine, going.running);
  } catch (error) {
    throw new Error(`${String(error)}:\n${going.output()}`, { cause: error });
  }
  await fault.inject({ fleet, machine, going });
  const run = await going.finished;
  const leftOnRunner = await lookAtRunner(trial, run, fault);
  await fault.undo?.(fleet, machine);
  await waitUntilQuiet(machine);
  const systems = await trial.systems();
  const left = await leftOn(machine);
  const { timers, leftAfterTimers } = left.length === 0 ? { timers: [], leftAfterTimers: [] } : await fire(machine);
  const recorded = (await machine.exec(`test -e ${record}`)).code === 0;
  const afterNextRun = recorded ? await runAgain(trial, workspace) : undefined;
  const endedRoots = await hasEndedRoots(machine);
  if (endedRoots) {
    await fleet.runner.run(trial.step(workspace, { operation: "build" }));
    leftAfterTimers.push(...(await machine.leftovers()));
  }
  const report = fault.silent === true ? undefined : reportOf(run);
  const built = builtBy(run) ?? (await newest(machine, old));
  const generations = await machine.generations();
  return {
    report,
    old,
    new: built,
    systems,
    recorded,
    afterNextRun,
    newGenerations: generations.filter(({ path }) => path === built).length,
    failedUnits: (await machine.output("systemctl list-units --state=failed --plain --no-legend | cut -d ' ' -f 1")).split("\n").filter((unit) => unit !== ""),
    left,
    timers,
    leftAfterTimers,
    endedRoots,
    leftOnRunner,
  };
}

/** Ends what a cell that failed may have left, so that the next one begins with the old system. */
export async function recover(trial: Trial, cell: Cell, old: Systems): Promise<void> {
  const machine = trial.machine();
  await trial.fleet.runner.endJob();
  free(machine);
  if (!machine.running) await machine.boot();
  await machine.restore();
  await faults[cell.fault].undo?.(trial.fleet, machine).catch(() => {});
  await machine.exec("systemctl start ssh; rm -rf /nix/var/nix/nix-flake-deploy");
  if (JSON.stringify(await trial.systems()) !== JSON.stringify(old) || (await machine.leftovers()).length > 0) await trial.repair(old);
  await putHolds(machine);
}

// An action that ends at once, at a second SIGINT, writes no results: it must then be red.
function reportOf(run: StepResult): Report | undefined {
  if ((run.outputs["results"] ?? "") === "" && run.exitCode === 130) return undefined;
  const [result] = hostResults(run).values();
  const { status, error } = result ?? {};
  return { status: String(status), exit: run.exitCode, error: typeof error === "string" ? error : "", cancelled: /Cancelled by SIG/.test(run.log) };
}

function builtBy(run: StepResult): string | undefined {
  if ((run.outputs["results"] ?? "") === "") return undefined;
  const [result] = hostResults(run).values();
  const path = result?.["system-path"];
  return typeof path === "string" && path !== "" ? path : undefined;
}

/** Where the run could not say what it had built: what the machine has if it is not the old system. */
async function newest(machine: Machine, old: string): Promise<string | undefined> {
  const [current, profile] = [await machine.currentSystem(), await machine.systemProfile()];
  return [current, profile].find((path) => path !== old);
}

async function lookAtRunner(trial: Trial, run: StepResult, { env }: Fault): Promise<string[]> {
  const { runner } = trial.fleet;
  const temp = env?.["RUNNER_TEMP"];
  const files =
    temp === undefined
      ? run.leftInTemp
      : (await runner.exec(`find ${temp} -mindepth 1 ! -name fill ! -path '*/${summaryOf(run)}'`)).stdout.split("\n").filter((name) => name !== "");
  let processes: string[] = [];
  await until("the processes of the run to end", 5, async () => {
    processes = await runner.processes();
    return processes.length === 0;
  }).catch(() => {});
  await runner.endJob();
  return [...files, ...processes, ...(run.post?.exitCode === 0 ? [] : [`the post step ended with ${String(run.post?.exitCode)}: ${String(run.post?.log)}`])];
}

function summaryOf(run: StepResult): string {
  return run.outputs["summary-path"]?.split("/").at(-1) ?? "none";
}

// The unit of a run that waits until it may remove what is left.
const waiting = /-lease\.service$/;

async function unitsOf(machine: Machine): Promise<string[]> {
  const text = await machine.output("systemctl list-units --state=active,activating,deactivating --plain --no-legend 'nix-flake-deploy-*' | cut -d ' ' -f 1");
  return text.split("\n").filter((unit) => unit !== "");
}

/** Waits until nothing on the machine changes it any more. */
async function waitUntilQuiet(machine: Machine): Promise<void> {
  await until("the machine to settle", 100, async () => (await unitsOf(machine)).every((unit) => waiting.test(unit)));
}

const roots = "/nix/var/nix/gcroots/nix-flake-deploy";

/** Whether there are roots of a run that a reboot has ended: they protect nothing any more. */
async function hasEndedRoots(machine: Machine): Promise<boolean> {
  return (await machine.exec(`[ -d ${roots} ] && [ -z "$(find ${roots} -type l -exec sh -c '[ -L "$(readlink "$1")" ]' sh {} ';' -print)" ]`)).code === 0;
}

/** What is left, without the units that are to remove it. */
async function leftOn(machine: Machine): Promise<string[]> {
  const ended = await hasEndedRoots(machine);
  return (await machine.leftovers()).filter((name) => !waiting.test(name) && !(ended && name === roots));
}

/** Lets the timers that are to remove what is left fire now, as after the time for which an end is kept for a runner that was cut off. */
async function fire(machine: Machine): Promise<{ timers: string[]; leftAfterTimers: string[] }> {
  const timers = (await unitsOf(machine)).filter((unit) => waiting.test(unit));
  await machine.exec("touch --date='1 day ago' /run/nix-flake-deploy/*/*.status");
  for (const unit of timers) {
    // What the timer runs in the end, in place of its wait.
    const [, script = ""] = /^\/bin\/sh (\S+) wait \d+\s*$/.exec(await commandLine(machine, unit)) ?? [];
    if (script !== "") await machine.exec(`systemd-run --quiet --wait /bin/sh ${script} fire`);
  }
  if (timers.length === 0) return { timers, leftAfterTimers: [] };
  await until("the timers", 30, async () => (await machine.leftovers()).length === 0).catch(() => {});
  return { timers, leftAfterTimers: await machine.leftovers() };
}

async function commandLine(machine: Machine, unit: string): Promise<string> {
  const { stdout } = await machine.exec(`tr '\\0' ' ' <"/proc/$(systemctl show --property=MainPID --value ${unit})/cmdline"`);
  return stdout;
}

async function runAgain(trial: Trial, workspace: string): Promise<Systems> {
  await trial.fleet.runner.run(trial.step(workspace));
  return await trial.systems();
}
