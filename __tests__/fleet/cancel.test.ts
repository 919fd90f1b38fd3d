import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";

import { hostResults, statuses } from "./host-results.js";
import { until } from "./rig/command.js";
import { type Behaviour, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { RunningStep, StepResult } from "./rig/runner.js";

jest.setTimeout(120_000);

// Never ends by itself, and tells who it is.
const endlessBuild = "echo $$ > /tmp/builder; while :; do sleep 1; done";
const slowCopy = { kilobits: 3000, bytes: 6_000_000 };

let fleet: Fleet;
let flakes = 0;

beforeAll(async () => {
  fleet = await Fleet.start(["one", "two"]);
});

afterAll(async () => {
  await fleet?.stop();
});

afterEach(async () => {
  await fleet.runner.endJob();
  for (const machine of fleet.machines) await machine.exec("rm -f /tmp/builder");
});

async function start(machines: Readonly<Record<string, Behaviour>>, inputs: Readonly<Record<string, string>> = {}, bulkBytes = 0): Promise<RunningStep> {
  flakes += 1;
  const directory = path.join(fleet.directory, `flake-${flakes}`);
  mkdirSync(directory);
  writeFileSync(path.join(directory, "bulk"), randomBytes(bulkBytes));
  const numbered = Object.fromEntries(Object.entries(machines).map(([name, behaviour]) => [name, { text: `flake ${flakes}`, ...behaviour }]));
  return fleet.runner.start({
    inputs: {
      "ssh-key": fleet.key.secret,
      "ssh-known-hosts": fleet.knownHosts(),
      targets: Object.keys(machines)
        .map((name) => `root@${name}`)
        .join("\n"),
      ...inputs,
    },
    workspace: await writeFlake(directory, numbered),
  });
}

/** Sends a signal and waits for the end. Returns how it ended, and after how many seconds. */
async function cancel(step: RunningStep, signal: NodeJS.Signals): Promise<{ run: StepResult; seconds: number }> {
  const began = Date.now();
  step.signal(signal);
  // The post step is not counted.
  await until("the action to end", 20, () => !step.running());
  const seconds = (Date.now() - began) / 1000;
  return { run: await step.finished, seconds };
}

function expectNothingLeft(run: StepResult): void {
  expect(run.inTemp).toEqual([]);
  expect(run.leftInTemp).toEqual([]);
  expect(run.post).toMatchObject({ exitCode: 0, log: "" });
}

async function builderRuns(name: string): Promise<boolean> {
  return (await fleet.machine(name).exec("kill -0 $(cat /tmp/builder)")).code === 0;
}

// faults/ has SIGTERM, and the other phases.
describe("SIGINT", () => {
  const signal = "SIGINT";

  test("in the middle of a copy and of a build ends everything within 5 s and says who was where", async () => {
    const [one, two] = [fleet.machine("one"), fleet.machine("two")];
    const before = await Promise.all([one.currentSystem(), one.systemProfile(), two.currentSystem(), two.systemProfile()]);
    await one.limit(slowCopy.kilobits);
    const step = await start({ one: {}, two: { buildScript: endlessBuild } }, {}, slowCopy.bytes);
    await step.waitFor(/\[two\] == build/);
    await until("the builder", 20, async () => await builderRuns("two"));
    expect(step.output()).toContain("[one] == copy");
    expect(step.output()).not.toContain("[one] == build");

    const { run, seconds } = await cancel(step, signal);
    expect(seconds).toBeLessThan(5);
    expect(run.exitCode).toBe(1);
    const [notice] = run.annotations.filter(({ title }) => title === `Cancelled by ${signal}`);
    expect(notice?.message.split("\n")).toEqual(expect.arrayContaining(["one: copy", "two: build"]));
    expect(run.outputs).toMatchObject({ changed: "false", deployed: "0", failed: "2", status: "failed" });
    expect(run.outputs["store-path"]).toMatch(/^\/nix\/store\//);
    expect(statuses(run)).toEqual({ one: "failed", two: "failed" });
    expect(hostResults(run).get("two")).toMatchObject({ phase: "build", error: expect.stringContaining("cancelled") });
    expectNothingLeft(run);
    expect(await fleet.runner.processes()).toEqual([]);

    await one.limit();
    expect(await builderRuns("two")).toBe(false);
    expect(await two.leftovers()).toEqual([]);
    // The farewell to a machine behind a slow link may be too late; what it leaves is for the next run to sweep.
    await until("the copy to end on the machine", 5, async () => (await one.exec("pgrep -f -- '[-]-stdio'")).code !== 0);
    await one.exec("rm -rf /run/nix-flake-deploy /nix/var/nix/gcroots/nix-flake-deploy");
    expect(await Promise.all([one.currentSystem(), one.systemProfile(), two.currentSystem(), two.systemProfile()])).toEqual(before);
  });

  test("in the middle of an activation leaves the activation to the machine", async () => {
    const one = fleet.machine("one");
    await one.output("rm -f /run/activated");
    const before = await one.systemProfile();
    const step = await start({ one: { switchScript: "echo in the middle; sleep 5; echo yes > /run/activated" } });
    await step.waitFor(/\[one\] in the middle/);

    const { run, seconds } = await cancel(step, signal);
    expect(seconds).toBeLessThan(5);
    // Control: the action ended before the activation did.
    expect((await one.exec("cat /run/activated")).code).not.toBe(0);
    expect(run.exitCode).toBe(1);
    const [notice] = run.annotations.filter(({ title }) => title === `Cancelled by ${signal}`);
    expect(notice?.message).toMatch(/^one: activate/m);
    expect(hostResults(run).get("one")).toMatchObject({ phase: "activate" });
    expect(run.outputs["store-path"]).toMatch(/^\/nix\/store\//);
    expectNothingLeft(run);
    expect(await fleet.runner.processes()).toEqual([]);

    await until("the activation to end on the machine", 15, async () => (await one.exec("cat /run/activated")).code === 0);
    await until("switch-to-configuration to end", 15, async () => (await one.exec("systemctl is-active 'nix-flake-deploy-*-activate.service'")).code !== 0);
    expect(await one.currentSystem()).toBe(run.outputs["system-path"]);
    // Nobody has confirmed it: a reboot would boot the old one.
    expect(await one.systemProfile()).toBe(before);
    // Its watchdog would go back by itself, and holds the machine's lock until then: safety/interruption.test.ts sees to that.
    expect(await one.output("systemctl list-units --no-legend 'nix-flake-deploy-*-timer.service'")).toContain("nix-flake-deploy-");
    await one.exec("systemctl stop 'nix-flake-deploy-*'; rm -rf /run/nix-flake-deploy /nix/var/nix/gcroots/nix-flake-deploy");
  });
});

test("SIGINT twice ends at once, without a key or an ssh master left", async () => {
  const masters = async (): Promise<string[]> => (await fleet.runner.processes()).filter((args) => args.includes("ssh"));
  const step = await start({ two: { buildScript: endlessBuild } });
  await until("the builder", 20, async () => await builderRuns("two"));
  expect(await masters()).not.toEqual([]);
  step.signal("SIGINT");
  await step.waitFor(/Cancelled by SIGINT/);
  const { run, seconds } = await cancel(step, "SIGINT");
  expect(seconds).toBeLessThan(3);
  expect(run.exitCode).toBe(130);
  expectNothingLeft(run);
  await until("the masters to end", 5, async () => (await masters()).length === 0);
  await fleet.machine("two").exec("systemctl stop 'nix-flake-deploy-*'; rm -rf /run/nix-flake-deploy /nix/var/nix/gcroots/nix-flake-deploy");
});

test("a machine that takes longer than the timeout is failed, and everything that was started for it is ended", async () => {
  const [one, two] = [fleet.machine("one"), fleet.machine("two")];
  const before = await two.systemProfile();
  const step = await start({ one: {}, two: { buildScript: endlessBuild } }, { timeout: "25" });
  await until("the builder", 20, async () => await builderRuns("two"));
  const run = await step.finished;
  expect(run.exitCode).toBe(1);
  expect(statuses(run)).toEqual({ one: "deployed", two: "failed" });
  const [error] = run.annotations.filter(({ level }) => level === "error");
  expect(error).toMatchObject({ title: "two: build failed", message: expect.stringContaining("longer than the timeout of 25 s") });
  expect(run.seconds).toBeLessThan(60);
  expect(Number(hostResults(run).get("two")?.["seconds"])).toBeLessThan(35);
  expectNothingLeft(run);
  expect(await fleet.runner.processes()).toEqual([]);
  expect(await builderRuns("two")).toBe(false);
  expect(await two.leftovers()).toEqual([]);
  expect(await two.systemProfile()).toBe(before);
  expect(await one.currentSystem()).toBe(hostResults(run).get("one")?.["system-path"]);
});

test("a machine that does not answer is given up after connect-timeout", async () => {
  const one = fleet.machine("one");
  await one.cutOff();
  const step = await start({ one: {}, two: {} }, { "connect-timeout": "1", retries: "0" });
  const run = await step.finished;
  await one.restore();
  expect(run.exitCode).toBe(1);
  expect(statuses(run)).toEqual({ one: "failed", two: "deployed" });
  const [error] = run.errors;
  expect(error).toContain("one port 22");
  expect(Number(hostResults(run).get("one")?.["seconds"])).toBeLessThan(3);
  expectNothingLeft(run);
  await until("the machine to answer again", 10, async () => await one.answers());
});
