import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectGreen, resultsOf, systemOf, type SystemOf, toplevelOf } from "./deployment.js";
import { runningUnit, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

let fleet: Fleet;
let texts = 0;

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "ng", suite: "forky", rebuild: "ng", systemProfile: true },
    { name: "bash", suite: "trixie", rebuild: "bash", systemProfile: true },
  ]);
});

afterAll(async () => {
  await fleet?.stop();
});

/** Writes a flake that no machine has seen yet. Its unit restarts with every switch. */
async function newFlake(): Promise<string> {
  texts += 1;
  const behaviour = { text: `text ${texts}`, kernel: `6.12.${texts}`, units: { "web.service": runningUnit(`text ${texts}`) } };
  return await writeFlake(`${fleet.directory}/flake`, { ng: behaviour, bash: behaviour }, { git: true });
}

async function run(operation: string): Promise<StepResult> {
  return await fleet.runner.run({ inputs: { ...access(fleet), targets: "root@ng\ndeploy@bash", operation }, workspace: `${fleet.directory}/flake` });
}

type Deployment = { readonly name: string; readonly before: SystemOf; readonly after: SystemOf; readonly built: string };

/** Runs one operation of a new flake on both machines; what is common to all operations is checked here. */
async function deploy(operation: string, status: string): Promise<{ step: StepResult; deployments: Deployment[] }> {
  await newFlake();
  const before = await Promise.all(fleet.machines.map(systemOf));
  const step = await run(operation);
  await expectGreen(step, fleet.machines);
  const after = await Promise.all(fleet.machines.map(systemOf));
  const deployments = fleet.machines.map(({ name }, index) => {
    const [old, now] = [before[index], after[index]];
    if (old === undefined || now === undefined) throw new Error("as many systems as machines");
    return { name, before: old, after: now, built: toplevelOf(step, name) };
  });
  for (const machine of fleet.machines) {
    const built = toplevelOf(step, machine.name);
    expect(await machine.output(`cat ${built}/etc/motd-nixos`)).toBe(`text ${texts}`);
    expect(resultsOf(step)[machine.name]).toMatchObject({
      status,
      "exit-code": 0,
      error: null,
      "previous-system-path": before[fleet.machines.indexOf(machine)]?.running,
    });
  }
  expect(step.outputs).toMatchObject({ status, changed: String(status === "deployed"), deployed: status === "deployed" ? "2" : "0", failed: "0" });
  return { step, deployments };
}

/** What the unit of the running system says of itself. */
async function units(): Promise<string[]> {
  return await Promise.all(fleet.machines.map(async (machine) => await machine.output("systemctl show web.service -p Description --value")));
}

describe("on both implementations of nixos-rebuild", () => {
  test("switch changes what runs and what boots", async () => {
    const { deployments } = await deploy("switch", "deployed");
    for (const { before, after, built } of deployments) {
      expect(after).toEqual({ running: built, profile: built, bootEntry: built, generations: before.generations + 1 });
    }
    expect(await units()).toEqual([`Runs text ${texts}`, `Runs text ${texts}`]);
  });

  test("dry-activate changes nothing and reports what would happen", async () => {
    const { step, deployments } = await deploy("dry-activate", "planned");
    for (const { name, before, after } of deployments) {
      expect(after).toEqual(before);
      expect(step.log).toContain(`[${name}] would activate the configuration...`);
      expect(step.log).toContain(`[${name}] would stop the following units: web.service`);
      expect(step.log).toContain(`[${name}] would start the following units: web.service`);
    }
    expect(await units()).toEqual([`Runs text ${texts - 1}`, `Runs text ${texts - 1}`]);
  });

  test("build changes nothing and leaves the system in the store", async () => {
    const { step, deployments } = await deploy("build", "planned");
    for (const { name, before, after, built } of deployments) {
      expect(after).toEqual(before);
      expect(built).not.toBe(before.running);
      expect(step.log).not.toContain(`[${name}] == activate`);
    }
  });

  test("the operation test changes what runs and not what boots, and is unchanged the second time", async () => {
    const { deployments } = await deploy("test", "deployed");
    for (const { before, after, built } of deployments) expect(after).toEqual({ ...before, running: built });
    expect(await units()).toEqual([`Runs text ${texts}`, `Runs text ${texts}`]);

    const again = await run("test");
    await expectGreen(again, fleet.machines);
    expect(again.outputs).toMatchObject({ status: "unchanged", changed: "false" });

    // It runs, but does not boot: for switch there is something to do.
    const switched = await run("switch");
    await expectGreen(switched, fleet.machines);
    expect(switched.outputs).toMatchObject({ status: "deployed", changed: "true" });
    for (const machine of fleet.machines) {
      const built = toplevelOf(switched, machine.name);
      expect(await systemOf(machine)).toMatchObject({ running: built, profile: built, bootEntry: built });
    }
  });

  test("boot changes what boots and not what runs, until the machine is rebooted", async () => {
    const { step, deployments } = await deploy("boot", "deployed");
    for (const { before, after, built } of deployments) {
      expect(after).toEqual({ running: before.running, profile: built, bootEntry: built, generations: before.generations + 1 });
    }
    expect(await units()).toEqual([`Runs text ${texts - 1}`, `Runs text ${texts - 1}`]);

    await Promise.all(
      fleet.machines.map(async (machine) => {
        await machine.powerOff();
        await machine.boot();
      }),
    );
    for (const machine of fleet.machines) {
      expect([await machine.currentSystem(), await machine.bootedSystem()]).toEqual([toplevelOf(step, machine.name), toplevelOf(step, machine.name)]);
    }
    expect(await units()).toEqual([`Runs text ${texts}`, `Runs text ${texts}`]);
  });
});

test("an operation that nixos-rebuild does not have is refused with those that are accepted, before any machine is touched", async () => {
  for (const machine of fleet.machines) machine.forgetHandshakes();
  const step = await run("rollout");
  expect(step.exitCode).toBe(1);
  expect(step.errors).toEqual([expect.stringMatching(/operation: "rollout" is not valid; expected one of switch, boot, test, dry-activate, build/)]);
  expect(fleet.machines.map((machine) => machine.handshakes().connections)).toEqual([0, 0]);
});
