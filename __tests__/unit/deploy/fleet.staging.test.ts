import { describe, expect, test } from "@jest/globals";

import { deployFleet, type FleetEnd } from "../../../src/deploy/fleet.js";
import { parseBatches } from "../../../src/domain/batches.js";
import { CommandError, DeployError } from "../../../src/domain/errors.js";
import { makeError, makeResult, readable, type ReadableResult } from "../domain/make.js";
import { FakeMachine, makeRunSettings, makeSafety, makeStaging, makeState, MemoryLog, newSystem, type SettingOverrides } from "./fake-machine.js";

const names = ["a", "b", "c", "d", "e", "f", "g", "h"];

function makeMachines(calls?: string[]): FakeMachine[] {
  return names.map((name) => new FakeMachine({ name, host: name }, calls));
}

const fails =
  (phase: "connect" | "build" | "activate", unreachable = false) =>
  (): never => {
    throw new DeployError({ phase, reason: "no luck", exitCode: 1, unreachable });
  };

type End = Omit<FleetEnd, "results"> & { readonly results: readonly ReadableResult[]; readonly log: MemoryLog };

async function deploy(machines: readonly FakeMachine[], settings: SettingOverrides = {}): Promise<End> {
  const log = new MemoryLog();
  const { results, ...end } = await deployFleet(machines, makeRunSettings(settings), log);
  // A result may be corrected.
  expect(log.results).toEqual(expect.arrayContaining([...results]));
  return { ...end, results: results.map(readable), log };
}

function statuses({ results }: End): string {
  return results.map(({ name, status }) => `${name} ${status}`).join(", ");
}

const canary = makeStaging({ batches: parseBatches("1, 50%, 100%") });

describe("many machines", () => {
  /** Deploys to 60 machines, four at a time. Returns the most sessions at a time, and how many were there when the first machine was activated. */
  async function sessionsOf(rests: boolean): Promise<{ readonly most: number; readonly waiting: number | undefined }> {
    const open = new Set<string>();
    let most = 0;
    let waiting: number | undefined;
    const machines = Array.from({ length: 60 }, (_, index) => new FakeMachine({ name: `m${index}`, host: `m${index}` }));
    for (const machine of machines) {
      machine.onSession = (isOpen) => {
        if (isOpen) open.add(machine.target.name);
        else if (rests || machine.calls.includes(`${machine.target.name} release`)) open.delete(machine.target.name);
        most = Math.max(most, open.size);
      };
      machine.trouble.build = async () => await new Promise((resolve) => setImmediate(resolve));
      machine.trouble.arm = () => void (waiting ??= open.size);
    }
    expect(statuses(await deploy(machines, { maxParallel: 4 })).match(/deployed/g)).toHaveLength(60);
    return { most, waiting };
  }

  test("hold no more sessions while they wait than are worked on at a time", async () => {
    const { most, waiting } = await sessionsOf(true);
    expect(waiting).toBeLessThanOrEqual(4);
    expect(most).toBeLessThanOrEqual(8);
    // Machines that do not rest hold one each.
    expect(await sessionsOf(false)).toEqual({ most: 60, waiting: 60 });
  });
});

describe("batches", () => {
  test("activate one after the other, in the order of the targets", async () => {
    const calls: string[] = [];
    const machines = makeMachines(calls);
    const { log } = await deploy(machines, { staging: canary });
    expect(log.lines.filter((line) => line.startsWith("batch"))).toEqual(["batch 1 of 3: a", "batch 2 of 3: b, c, d, e", "batch 3 of 3: f, g, h"]);
    const moments = (name: string): [number, number] => [calls.indexOf(`${name} activate`), calls.indexOf(`${name} release`)];
    expect(moments("a")[1]).toBeLessThan(moments("b")[0]);
    for (const early of ["b", "c", "d", "e"]) for (const late of ["f", "g", "h"]) expect(moments(early)[1]).toBeLessThan(moments(late)[0]);
    expect(moments("c")[0]).toBeLessThan(moments("b")[1]);
  });

  test("consist of the machines that have something to activate", async () => {
    const machines = makeMachines();
    for (const machine of machines.slice(0, 3)) machine.state = makeState({ running: newSystem, profile: newSystem });
    const { log } = await deploy(machines, { staging: makeStaging({ batches: parseBatches("1, 100%") }) });
    expect(log.lines.filter((line) => line.startsWith("batch"))).toEqual(["batch 1 of 2: d", "batch 2 of 2: e, f, g, h"]);
  });

  test("are not logged if there is only one", async () => {
    const { log } = await deploy(makeMachines());
    expect(log.lines.filter((line) => line.startsWith("batch"))).toEqual([]);
  });

  test("are of no matter where nothing is changed", async () => {
    const { log } = await deploy(makeMachines(), { staging: canary, operation: "dry-activate" });
    expect(log.lines.filter((line) => line.startsWith("batch"))).toEqual([]);
  });
});

describe("max-failures", () => {
  test("0 stops after the batch with the first failure; the rest is not touched, released, and says why", async () => {
    const machines = makeMachines();
    const [, , third] = machines;
    if (third === undefined) throw new Error("there are eight");
    third.complaint = "exit code 1";
    const end = await deploy(machines, { staging: canary, safety: makeSafety({ healthCheck: "false" }) });
    expect(statuses(end)).toBe("a deployed, b deployed, c rolled-back, d deployed, e deployed, f skipped, g skipped, h skipped");
    for (const machine of machines.slice(5)) {
      expect(machine.calls.filter((call) => call.endsWith("activate"))).toEqual([]);
      expect(machine.calls.at(-1)).toBe(`${machine.target.name} release`);
    }
    expect(end.results[5]).toMatchObject({
      changed: false,
      phase: "build",
      error: "skipped: 1 of 8 hosts failed (max-failures: 0). Nothing has changed on the machine. Failed: c (confirm: rolled-back)",
    });
  });

  test.each([
    ["1", "a unknown, b deployed, c unknown, d deployed, e deployed, f skipped, g skipped, h skipped"],
    ["2", "a unknown, b deployed, c unknown, d deployed, e deployed, f deployed, g deployed, h deployed"],
    ["24%", "a unknown, b deployed, c unknown, d deployed, e deployed, f skipped, g skipped, h skipped"],
    ["25%", "a unknown, b deployed, c unknown, d deployed, e deployed, f deployed, g deployed, h deployed"],
    ["0", "a unknown, b skipped, c skipped, d skipped, e skipped, f skipped, g skipped, h skipped"],
  ])("of %s counts what has failed in all batches", async (text, expected) => {
    const machines = makeMachines();
    for (const index of [0, 2]) if (machines[index] !== undefined) machines[index].trouble = { activate: fails("activate") };
    const amount = text.endsWith("%")
      ? { kind: "percentage" as const, percentage: Number.parseInt(text, 10) }
      : { kind: "count" as const, count: Number(text) };
    expect(statuses(await deploy(machines, { staging: { ...canary, maxFailures: amount } }))).toBe(expected);
  });

  test("is no reason where the run was cancelled", async () => {
    const controller = new AbortController();
    const machines = makeMachines();
    const [first] = machines;
    if (first === undefined) throw new Error("there are eight");
    first.trouble = {
      activate: () => {
        controller.abort();
        throw new CommandError({ command: "ssh", failure: { kind: "aborted" }, stdout: "", stderr: "" });
      },
    };
    const { results, log } = await deploy(machines, { staging: canary, signal: controller.signal });
    expect(results.map(({ status }) => status)).toEqual(["unknown", ...names.slice(1).map(() => "failed")]);
    for (const result of results.slice(1)) expect(result.error).toBe("the run was cancelled. Nothing has changed on the machine");
    expect(machines.slice(1).flatMap(({ calls }) => calls.filter((call) => call.endsWith(" activate")))).toEqual([]);
    expect(log.lines.filter((line) => line.startsWith("batch"))).toEqual(["batch 1 of 3: a"]);
  });

  test("counts what has failed before, but never keeps the first batch from its work", async () => {
    const machines = makeMachines();
    if (machines[7] !== undefined) machines[7].trouble = { build: fails("build") };
    const { results, log } = await deploy(machines, { staging: canary });
    expect(statuses({ results, arrived: true, log })).toBe("a deployed, b skipped, c skipped, d skipped, e skipped, f skipped, g skipped, h failed");
    expect(log.lines.filter((line) => line.startsWith("batch"))).toEqual(["batch 1 of 3: a"]);
    const single = makeMachines();
    if (single[7] !== undefined) single[7].trouble = { build: fails("build") };
    expect(statuses(await deploy(single))).not.toContain("skipped");
  });

  test("counts a machine that cannot be worked on at all", async () => {
    const unusable = [makeResult({ name: "x", status: "failed", phase: "connect", error: makeError("it does not evaluate") })];
    const { results, log } = await deploy(makeMachines(), { staging: canary, unusable });
    expect(results.map(({ status }) => status)).toEqual(["deployed", ...names.slice(1).map(() => "skipped"), "failed"]);
    expect(results[1]?.error).toContain("1 of 9 hosts failed (max-failures: 0");
    expect(log.lines[0]).toBe("9 hosts");
    expect(log.results[0]).toBe(unusable[0]);
  });

  test("names the first five that failed", async () => {
    const machines = makeMachines();
    for (const machine of machines.slice(1, 8)) machine.trouble = { build: fails("build") };
    machines.push(new FakeMachine({ name: "i", host: "i" }));
    const { results } = await deploy(machines, { staging: canary });
    expect(results.at(-1)?.error).toMatch(/Failed: b \(build: failed\), c .*, f \(build: failed\) and 2 more$/);
  });
});

describe("on-unreachable", () => {
  const skip = makeStaging({ onUnreachable: "skip" });

  test("skip leaves out who does not answer", async () => {
    const machines = makeMachines();
    if (machines[1] !== undefined) machines[1].trouble = { connect: fails("connect", true) };
    const { results } = await deploy(machines, { staging: skip });
    expect(results[1]).toMatchObject({ status: "skipped", phase: "connect", error: "no luck", exitCode: 1 });
    expect(results.filter(({ status }) => status === "deployed")).toHaveLength(7);
    expect(machines[1]?.calls.at(-1)).toBe("b release");
  });

  test("skip is no failure that counts", async () => {
    const machines = makeMachines();
    if (machines[1] !== undefined) machines[1].trouble = { connect: fails("connect", true) };
    const { results } = await deploy(machines, { staging: { ...canary, onUnreachable: "skip" } });
    expect(results.filter(({ status }) => status === "deployed")).toHaveLength(7);
  });

  test("fail fails it", async () => {
    const machines = makeMachines();
    if (machines[1] !== undefined) machines[1].trouble = { connect: fails("connect", true) };
    expect((await deploy(machines)).results[1]?.status).toBe("failed");
  });

  test("skip does not hide a machine that refuses", async () => {
    const machines = makeMachines();
    if (machines[1] !== undefined) machines[1].trouble = { connect: fails("connect") };
    expect((await deploy(machines, { staging: skip })).results[1]?.status).toBe("failed");
  });

  test("skip does not hide that nobody answers", async () => {
    const machines = makeMachines();
    for (const machine of machines) machine.trouble = { connect: fails("connect", true) };
    const { results } = await deploy(machines, { staging: skip });
    expect(results.map(({ status }) => status)).toEqual(names.map(() => "failed"));
  });

  test("skip does not hide a cancellation", async () => {
    const controller = new AbortController();
    const machines = makeMachines();
    for (const machine of machines)
      machine.trouble = {
        connect: () => {
          controller.abort();
          throw new CommandError({ command: "ssh", failure: { kind: "aborted" }, stdout: "", stderr: "" });
        },
      };
    const { results } = await deploy(machines, { staging: skip, signal: controller.signal });
    for (const result of results) expect(result).toMatchObject({ status: "failed", error: expect.stringContaining("the run was cancelled") });
  });
});

describe("the operation rollback", () => {
  test("activates the older system, with nothing copied or built", async () => {
    const machine = new FakeMachine();
    machine.olderGeneration = { number: 5, toplevel: newSystem };
    const { results, arrived } = await deploy([machine], { operation: "rollback", flake: undefined });
    expect(machine.calls.filter((call) => /copyFlake|build/.test(call))).toEqual([]);
    expect(machine.activation?.system).toEqual({ toplevel: newSystem, running: newSystem, generation: 5 });
    expect(results[0]).toMatchObject({ status: "deployed", systemPath: newSystem, generation: 5, changed: true, error: undefined });
    expect(arrived).toBe(false);
  });

  test("is reported if there is none", async () => {
    const machine = new FakeMachine();
    const { results } = await deploy([machine], { operation: "rollback", flake: undefined });
    expect(results[0]).toMatchObject({
      status: "failed",
      phase: "connect",
      error: expect.stringContaining("no generation older than generation 6 was found to roll back to. Run `nix-env --profile"),
    });
    machine.state = makeState({ generation: undefined });
    const fresh = await deploy([machine], { operation: "rollback", flake: undefined });
    expect(fresh.results[0]?.error).toContain("no generation older than the running system was found to roll back to");
  });
});
