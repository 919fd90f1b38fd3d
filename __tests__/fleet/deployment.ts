import { expect } from "@jest/globals";

import { hostResults } from "./host-results.js";
import type { Fleet } from "./rig/fleet.js";
import type { Machine } from "./rig/machine.js";
import type { StepResult } from "./rig/runner.js";

/** The inputs with which the action may enter every machine of a fleet. */
export function access(fleet: Fleet): { "ssh-key": string; "ssh-known-hosts": string } {
  return { "ssh-key": fleet.key.secret, "ssh-known-hosts": fleet.knownHosts() };
}

/** The output `results`, by the name of the machine. */
export function resultsOf(run: StepResult): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return Object.fromEntries(hostResults(run));
}

/** Toplevel that the run has built for a machine. */
export function toplevelOf(run: StepResult, name: string): string {
  const toplevel = resultsOf(run)[name]?.["system-path"];
  if (typeof toplevel !== "string") throw new Error(`no system was built for ${name}:\n${run.log}`);
  return toplevel;
}

/** What a machine runs and what it would boot. */
export type SystemOf = { readonly running: string; readonly profile: string | undefined; readonly bootEntry: string; readonly generations: number };

/** Asks a machine, not through ssh. */
export async function systemOf(machine: Machine): Promise<SystemOf> {
  const [running, profile, bootEntry, generations] = await Promise.all([
    machine.currentSystem(),
    machine.systemProfile(),
    machine.bootEntry(),
    machine.generations(),
  ]);
  return { running, profile, bootEntry, generations: generations.length };
}

/** Fails with the whole log unless the step was green and has left nothing behind, on the runner or on the machines. */
export async function expectGreen(run: StepResult, machines: readonly Machine[]): Promise<void> {
  if (run.exitCode !== 0) throw new Error(`the step failed with ${run.exitCode}:\n${run.log}`);
  await expectNothingLeft(run, machines);
}

/** Fails when anything of the run is left on the runner, before and after the post step, or on the machines. */
export async function expectNothingLeft(run: StepResult, machines: readonly Machine[]): Promise<void> {
  expect(run.inTemp).toEqual([]);
  expect(run.leftInTemp).toEqual([]);
  expect(run.post?.exitCode).toBe(0);
  expect(await Promise.all(machines.map(async (machine) => await machine.leftovers()))).toEqual(machines.map(() => []));
}
