import { mkdirSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectNothingLeft, resultsOf } from "./deployment.js";
import { headOf, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Machine } from "./rig/machine.js";
import type { Runner, StepResult } from "./rig/runner.js";
import { cellName, machineNixes, runnerNixes, subdirectoryCellName } from "./nix-matrix.js";

/** What one run has made of one machine. */
type State = { readonly running: string; readonly revision: string; readonly text: string; readonly connections: number };

type Deployment = { readonly run: StepResult; readonly states: ReadonlyMap<string, State>; readonly head: string };

// What the flake at the root would build in place of the one in the subdirectory.
const decoy = "decoy";

// One set of machines serves all runners, and each runner deploys to all of them at once.
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start(machineNixes.map(({ spec }) => spec));
});
afterAll(async () => await fleet?.stop());

describe.each(runnerNixes.map((runner) => ({ ...runner, runner })))("with $nix on the runner", ({ runner }) => {
  let first: Deployment;
  let second: Deployment;
  let subdirectory: Deployment;

  beforeAll(async () => {
    const place = await fleet.addRunner(runner.spec);
    const directory = `${fleet.directory}/${runner.nix.replaceAll(" ", "-")}`;
    const beside = `${directory}-beside`;
    mkdirSync(beside, { recursive: true });
    writeFileSync(`${beside}/text`, "beside ");
    const inputs = { beside: `{ url = "path:${beside}"; flake = false; }` };
    const textPrefix = `builtins.readFile (inputs.beside + "/text")`;
    const lock = async (script: string): ReturnType<Runner["exec"]> => await place.exec(script);
    await writeFlake(`${directory}/root`, configurations(runner.nix), { git: true, inputs, textPrefix, lock });
    first = await deploy(place, `${directory}/root`, ".");
    second = await deploy(place, `${directory}/root`, ".");

    await writeFlake(`${directory}/repository`, configurations(decoy));
    await writeFlake(`${directory}/repository`, configurations(`hosts of ${runner.nix}`), { git: true, subdirectory: "hosts", inputs, textPrefix, lock });
    subdirectory = await deploy(place, `${directory}/repository`, "./hosts");
  });

  test.each(machineNixes.map((machine) => ({ name: cellName(runner, machine), host: machine.spec.name })))("$name", async ({ host }) => {
    expectDeployed(first, host, `beside ${runner.nix}`);
    const { connections, ...state } = stateOf(second, host);
    expect(explained(second, host)).toMatchObject({ status: "unchanged", changed: false });
    expect(state).toEqual({ running: stateOf(first, host).running, revision: first.head, text: `beside ${runner.nix}` });
    expect([stateOf(first, host).connections, connections]).toEqual([runner.handshakes.deployed, runner.handshakes.unchanged]);
  });

  test.each(machineNixes.map((machine) => ({ name: subdirectoryCellName(runner, machine), host: machine.spec.name })))("$name", async ({ host }) => {
    // Before all else, since a step that is green would hide it.
    expect(stateOf(subdirectory, host).text).not.toContain(decoy);
    expectDeployed(subdirectory, host, `beside hosts of ${runner.nix}`);
  });

  test.each(["first", "second", "subdirectory"] as const)("nothing is left of the %s deployment", async (name) => {
    const { run } = { first, second, subdirectory }[name];
    await expectNothingLeft(run, fleet.machines);
    expect(run.post?.exitCode).toBe(0);
  });
});

function configurations(text: string): Record<string, { text: string }> {
  return Object.fromEntries(machineNixes.map(({ spec }) => [spec.name, { text }]));
}

async function deploy(runner: Runner, repository: string, flake: string): Promise<Deployment> {
  for (const machine of fleet.machines) machine.forgetHandshakes();
  const targets = machineNixes.map(({ spec }) => `root@${spec.name}`).join("\n");
  const run = await runner.run({ inputs: { ...access(fleet), targets, flake }, workspace: repository });
  const states = await Promise.all(fleet.machines.map(async (machine) => [machine.name, await look(machine)] as const));
  return { run, states: new Map(states), head: await headOf(repository) };
}

async function look(machine: Machine): Promise<State> {
  const { connections } = machine.handshakes();
  return {
    running: await machine.currentSystem(),
    revision: (await machine.exec("/run/current-system/sw/bin/nixos-version --configuration-revision")).stdout.trim(),
    text: await machine.output("cat /etc/motd-nixos"),
    connections,
  };
}

function stateOf(deployment: Deployment, host: string): State {
  const state = deployment.states.get(host);
  if (state === undefined) throw new Error(`no machine ${host}`);
  return state;
}

// The whole log, where there is no result at all or another one than was asked for.
function explained(deployment: Deployment, host: string): Readonly<Record<string, unknown>> {
  const { run } = deployment;
  const result = run.outputs["results"] === "" ? undefined : resultsOf(run)[host];
  if (result === undefined || result["error"] !== null) throw new Error(`${host} was not deployed:\n${run.log}`);
  return result;
}

function expectDeployed(deployment: Deployment, host: string, text: string): void {
  const result = explained(deployment, host);
  expect(result).toMatchObject({ status: "deployed", changed: true });
  const { connections: _, ...state } = stateOf(deployment, host);
  expect(state).toEqual({ running: result["system-path"], revision: deployment.head, text });
}
