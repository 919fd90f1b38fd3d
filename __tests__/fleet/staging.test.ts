import { availableParallelism } from "node:os";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { field } from "../../src/domain/json.js";
import { access, expectNothingLeft, resultsOf, systemOf, type SystemOf } from "./deployment.js";
import { statuses } from "./host-results.js";
import { writeFlake, type Behaviour } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

const names = ["web1", "web2", "web3", "web4", "web5", "web6", "web7", "web8"];

let fleet: Fleet;
let texts = 0;

beforeAll(async () => {
  fleet = await Fleet.start(names);
});

afterAll(async () => {
  await fleet?.stop();
});

/** Writes a flake that no machine has seen yet. */
async function newFlake(behaviours: Readonly<Record<string, Behaviour>> = {}): Promise<string> {
  texts += 1;
  const machines = Object.fromEntries(names.map((name) => [name, { text: `text ${texts}`, ...behaviours[name] }]));
  return await writeFlake(`${fleet.directory}/flake`, machines, { git: true });
}

async function run(inputs: Readonly<Record<string, string>>): Promise<StepResult> {
  const targets = names.map((name) => `root@${name}`).join("\n");
  return await fleet.runner.run({ inputs: { ...access(fleet), targets, ...inputs }, workspace: `${fleet.directory}/flake` });
}

async function systems(): Promise<Record<string, SystemOf>> {
  return Object.fromEntries(await Promise.all(fleet.machines.map(async (machine) => [machine.name, await systemOf(machine)] as const)));
}

describe("eight machines in batches of 1, 50%, 100%, of which the third fails its health check", () => {
  let before: Record<string, SystemOf>;

  beforeEach(async () => {
    await newFlake({ web3: { text: "unwell" } });
    before = await systems();
  });

  const staged = {
    batches: "1, 50%, 100%",
    "health-check": "! grep -q unwell /run/current-system/etc/motd-nixos",
    "health-check-timeout": "2",
  };

  test("stop behind the batch of the third, and the others are not touched", async () => {
    const step = await run({ ...staged, "max-failures": "0" });
    expect(step.exitCode).toBe(1);
    const skipped = { web6: "skipped", web7: "skipped", web8: "skipped" };
    expect(statuses(step)).toEqual({ web1: "deployed", web2: "deployed", web3: "rolled-back", web4: "deployed", web5: "deployed", ...skipped });
    const after = await systems();
    const results = resultsOf(step);
    for (const name of ["web1", "web2", "web4", "web5"])
      expect(after[name]).toMatchObject({ running: results[name]?.["system-path"], generations: (before[name]?.generations ?? 0) + 1 });
    expect(after["web3"]).toMatchObject({ running: before["web3"]?.running, profile: before["web3"]?.profile, bootEntry: before["web3"]?.bootEntry });
    for (const name of Object.keys(skipped)) {
      expect(after[name]).toEqual(before[name]);
      expect(results[name]?.["error"]).toContain("skipped: 1 of 8 hosts failed (max-failures: 0)");
    }
    expect(step.log.match(/^batch .*/gm)).toEqual(["batch 1 of 3: web1", "batch 2 of 3: web2, web3, web4, web5"]);
    expect(step.annotations.filter(({ level }) => level === "error").map(({ title }) => title)).toEqual(["web3: confirm failed, rolled back"]);
    await expectNothingLeft(step, fleet.machines);
  });

  test("split across two jobs by matrix/, the failure stops its own job alone", async () => {
    const plan = await fleet.runner.run({
      inputs: { shards: "2" },
      workspace: `${fleet.directory}/flake`,
      entry: "dist/matrix.js",
      actionFile: "matrix/action.yml",
      post: false,
    });
    const jobs = field(JSON.parse(plan.outputs["matrix"] ?? ""), "include");
    if (!Array.isArray(jobs)) throw new Error("the matrix has no include");
    const steps: StepResult[] = [];
    for (const job of jobs) steps.push(await run({ ...staged, "max-failures": "0", targets: String(field(job, "targets")) }));
    expect(steps.map(({ exitCode }) => exitCode)).toEqual([1, 0]);
    expect(steps.map(statuses)).toEqual([
      { web1: "deployed", web2: "deployed", web3: "rolled-back", web4: "skipped" },
      { web5: "deployed", web6: "deployed", web7: "deployed", web8: "deployed" },
    ]);
    expect(steps.map(({ log }) => log.match(/^batch .*/gm))).toEqual([
      ["batch 1 of 3: web1", "batch 2 of 3: web2, web3"],
      ["batch 1 of 3: web5", "batch 2 of 3: web6, web7", "batch 3 of 3: web8"],
    ]);
    const after = await systems();
    expect([after["web3"]?.running, after["web4"]]).toEqual([before["web3"]?.running, before["web4"]]);
  });

  test("go on where one failure is allowed: the same case without the stop", async () => {
    const step = await run({ ...staged, "max-failures": "1" });
    expect(step.exitCode).toBe(1);
    const good = Object.fromEntries(names.map((name) => [name, "deployed"]));
    expect(statuses(step)).toEqual({ ...good, web3: "rolled-back" });
    expect(step.log.match(/^batch .*/gm)).toHaveLength(3);
  });
});

test("a quiet build of eight machines has a few lines a machine", async () => {
  await newFlake();
  const step = await run({ operation: "build" });
  expect(statuses(step)).toEqual(Object.fromEntries(names.map((name) => [name, "planned"])));
  for (const done of ["connected", "copied", "built"]) expect(step.log.match(new RegExp(`^\\[\\d/8\\] web\\d: ${done} in [\\d.]+ s`, "gm"))).toHaveLength(8);
});

test("eight machines whose systems the runner builds share an evaluation and what they have in common, and a broken one fails alone", async () => {
  const packages = { shared: `1.${texts}` };
  const behaviours = Object.fromEntries(names.map((name) => [name, { packages }]));
  await newFlake({ ...behaviours, web4: { packages, evaluationError: "no luck today" } });
  const step = await run({ operation: "build", "build-on": "runner", targets: names.map((name) => `root@${name}#${name}`).join("\n") });
  expect(statuses(step)).toEqual({ ...Object.fromEntries(names.map((name) => [name, "planned"])), web4: "failed" });
  expect(resultsOf(step)["web4"]?.["error"]).toContain("no luck today");
  // One process for each core.
  expect(step.log.match(/^evaluated \d of 8$/gm)?.length).toBeLessThanOrEqual(availableParallelism());
  expect(step.log).toContain("evaluated 8 of 8");
  expect(step.log.match(/^building '[^']*-shared-1\.\d+\.drv'/gm)).toHaveLength(1);
  await expectNothingLeft(step, fleet.machines);
});

describe("a machine that is off", () => {
  beforeAll(async () => {
    await newFlake();
    await fleet.machine("web2").powerOff();
  });

  test("is skipped if requested, and the step is green and says so", async () => {
    const step = await run({ "on-unreachable": "skip", "connect-timeout": "3", retries: "0" });
    expect(statuses(step)).toMatchObject({ web1: "deployed", web2: "skipped", web8: "deployed" });
    expect(step.outputs).toMatchObject({ status: "skipped", failed: "0", deployed: "7" });
    expect(step.exitCode).toBe(0);
    expect(step.summary).toMatch(/^### ⚠️ 7 of 8 hosts deployed, 1 skipped\n/);
    expect(step.annotations.find(({ title }) => title === "1 of 8 hosts was skipped")?.message).toContain("web2");
  });

  test("fails where it is not", async () => {
    const step = await run({ "connect-timeout": "3", retries: "0" });
    expect(statuses(step)).toMatchObject({ web1: "unchanged", web2: "failed", web8: "unchanged" });
    expect(step.exitCode).toBe(1);
  });

  test("is never skipped where it is the only one: nobody was reached, and that is not green", async () => {
    const step = await run({ targets: "root@web2", "on-unreachable": "skip", "connect-timeout": "3", retries: "0" });
    expect(statuses(step)).toEqual({ web2: "failed" });
    expect(step.exitCode).toBe(1);
  });
});
