import { mkdirSync } from "node:fs";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { access, expectGreen, expectNothingLeft, resultsOf, systemOf, toplevelOf } from "./deployment.js";
import { statuses } from "./host-results.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

// `operation: rollback`: the generation before the current one is put back, with the same safety as a deployment.

let fleet: Fleet;
/** Toplevels of two deployments, by machine. */
let first: Record<string, string>;
let second: Record<string, string>;

const names = ["ng", "bash"];

async function deploy(text: string): Promise<Record<string, string>> {
  const behaviour = { text, activationScript: `echo ${text} >/tmp/activated` };
  const workspace = await writeFlake(`${fleet.directory}/flake`, { ng: behaviour, bash: behaviour }, { git: true });
  const step = await fleet.runner.run({ inputs: { ...access(fleet), targets: "root@ng\ndeploy@bash" }, workspace });
  await expectGreen(step, fleet.machines);
  return Object.fromEntries(names.map((name) => [name, toplevelOf(step, name)]));
}

/** Goes back, from a directory that holds no flake. */
async function rollBack(inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  const workspace = `${fleet.directory}/empty`;
  mkdirSync(workspace, { recursive: true });
  return await fleet.runner.run({ inputs: { ...access(fleet), targets: "root@ng\ndeploy@bash", operation: "rollback", ...inputs }, workspace });
}

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "ng", suite: "forky", rebuild: "ng", systemProfile: false },
    { name: "bash", suite: "trixie", rebuild: "bash", systemProfile: false },
  ]);
});

afterAll(async () => {
  await fleet?.stop();
});

test("without an older generation it fails, and says where to look", async () => {
  first = await deploy("first");
  const step = await rollBack();
  expect(statuses(step)).toEqual({ ng: "failed", bash: "failed" });
  expect(step.errors.join("\n")).toContain("no generation older than generation 1 was found to roll back to");
  expect(step.outputs).toMatchObject({ "store-path": "", "flake-ref": "", changed: "false" });
  await expectNothingLeft(step, fleet.machines);
});

test("a health check that fails restores the newer system", async () => {
  second = await deploy("second");
  const step = await rollBack({ "health-check": "grep -q second /tmp/activated", "health-check-timeout": "1" });
  expect(statuses(step)).toEqual({ ng: "rolled-back", bash: "rolled-back" });
  for (const machine of fleet.machines) {
    const system = await systemOf(machine);
    expect(system).toMatchObject({ running: second[machine.name], profile: second[machine.name], bootEntry: second[machine.name] });
    expect(await machine.output("cat /tmp/activated")).toBe("second");
  }
  await expectNothingLeft(step, fleet.machines);
});

test("the previous generation runs again and is booted next, without a new one, a copy or a build", async () => {
  const before = await Promise.all(fleet.machines.map(systemOf));
  const step = await rollBack();
  await expectGreen(step, fleet.machines);
  expect(statuses(step)).toEqual({ ng: "deployed", bash: "deployed" });
  for (const [index, machine] of fleet.machines.entries()) {
    const old = first[machine.name];
    expect(await systemOf(machine)).toEqual({ running: old, profile: old, bootEntry: old, generations: before[index]?.generations });
    expect(await machine.output("cat /tmp/activated")).toBe("first");
    expect(resultsOf(step)[machine.name]).toMatchObject({ "system-path": old, "previous-system-path": second[machine.name], generation: 1, changed: true });
  }
  expect(step.log).not.toMatch(/== (copy|build)/);
});
