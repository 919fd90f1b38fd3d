import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";

import { hostResults, statuses } from "./host-results.js";
import { until } from "./rig/command.js";
import { type Behaviour, failingUnit, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { RunningStep, StepResult } from "./rig/runner.js";

jest.setTimeout(240_000);

let fleet: Fleet;
let flakes = 0;

beforeAll(async () => {
  fleet = await Fleet.start(["web1", { name: "web2", rebuild: "bash" }, "web3", "off", { name: "small", nixSize: 48 }, { name: "bare", rebuild: "none" }]);
});

afterAll(async () => {
  await fleet?.stop();
});

async function newFlake(machines: Readonly<Record<string, Behaviour>>, bulkBytes = 0): Promise<string> {
  flakes += 1;
  const directory = path.join(fleet.directory, `flake-${flakes}`);
  mkdirSync(directory, { recursive: true });
  if (bulkBytes > 0) writeFileSync(path.join(directory, "bulk"), randomBytes(bulkBytes));
  // The number makes each flake's systems its own.
  const numbered = Object.fromEntries(Object.entries(machines).map(([name, behaviour]) => [name, { text: `flake ${flakes}`, ...behaviour }]));
  return await writeFlake(directory, numbered);
}

/** Starts a deployment of every machine that the flake was written for. */
async function start(machines: Readonly<Record<string, Behaviour>>, inputs: Readonly<Record<string, string>> = {}, bulkBytes = 0): Promise<RunningStep> {
  const targets = Object.keys(machines).map((name) => `root@${name}`);
  return fleet.runner.start({
    inputs: { "ssh-key": fleet.key.secret, "ssh-known-hosts": fleet.knownHosts(), targets: targets.join("\n"), ...inputs },
    workspace: await newFlake(machines, bulkBytes),
  });
}

async function deploy(machines: Readonly<Record<string, Behaviour>>, inputs: Readonly<Record<string, string>> = {}, bulkBytes = 0): Promise<StepResult> {
  return await (
    await start(machines, inputs, bulkBytes)
  ).finished;
}

/** The error annotation of a machine. */
function annotationOf(run: StepResult, name: string): { title: string; message: string } {
  const found = run.annotations.filter(({ level, title }) => level === "error" && title.startsWith(`${name}:`));
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} annotations for ${name}:\n${run.log}`);
  return only;
}

/** The log as it came, without the groups of whole logs at the end. */
function live(log: string): string {
  return log.replaceAll(/^::group::.*?^::endgroup::$/gms, "");
}

async function profiles(...names: string[]): Promise<(string | undefined)[]> {
  return await Promise.all(names.map(async (name) => await fleet.machine(name).systemProfile()));
}

describe("one machine that fails does not stop the others", () => {
  test("one of four is powered off: three are deployed, and the step fails with the host, the phase and how often it was tried", async () => {
    await fleet.machine("off").crash();
    const run = await deploy({ web1: {}, web2: {}, web3: {}, off: {} }, { retries: "1", "connect-timeout": "4" });

    expect(run.exitCode).toBe(1);
    expect(statuses(run)).toEqual({ web1: "deployed", web2: "deployed", web3: "deployed", off: "failed" });
    expect(run.outputs).toMatchObject({ status: "failed", deployed: "3", failed: "1", changed: "true" });
    expect(run.outputs["store-path"]).toMatch(/^\/nix\/store\/\w{32}-source$/);
    expect(run.errors).toHaveLength(1);
    const { title, message } = annotationOf(run, "off");
    expect(title).toBe("off: connect failed");
    expect(message).toContain("off port 22");
    expect(hostResults(run).get("off")).toMatchObject({ phase: "connect", "exit-code": 255, changed: false, "system-path": null });
    expect(live(run.log).match(/retrying in/g)).toHaveLength(1);
    expect(run.log).toContain("(1 of 1)");
    expect(run.log).toContain("1 of 4 hosts failed: off (connect: ");

    for (const name of ["web1", "web2", "web3"]) {
      const machine = fleet.machine(name);
      const system = String(hostResults(run).get(name)?.["system-path"]);
      expect([await machine.currentSystem(), await machine.systemProfile()]).toEqual([system, system]);
      expect(await machine.output(`ls ${run.outputs["store-path"]}/flake.nix`)).toContain("flake.nix");
      expect(await machine.leftovers()).toEqual([]);
    }
    // Before the post step, too.
    expect(run.inTemp).toEqual([]);
    expect(await fleet.runner.processes()).toEqual([]);
    expect((await fleet.runner.exec(`grep -rlF -- '${fleet.key.secret.split("\n")[2]}' /tmp /root /var/tmp`)).stdout).toBe("");
  });

  test("one that does not evaluate and one that does not build are distinguished, with their last lines", async () => {
    const before = await profiles("web2", "web3");
    const run = await deploy({
      web1: {},
      web2: { evaluationError: "the option services.nonsense does not exist" },
      web3: { buildScript: "for i in $(seq 1 30); do echo compiling file $i; done; echo 'main.c:7: parse error' >&2; exit 1" },
    });

    expect(run.exitCode).toBe(1);
    expect(statuses(run)).toEqual({ web1: "deployed", web2: "failed", web3: "failed" });
    const evaluation = annotationOf(run, "web2");
    expect(evaluation.title).toBe("web2: build failed");
    expect(evaluation.message).toMatch(/^the configuration web2 does not evaluate \(exit code 1\)/);
    expect(evaluation.message).toContain("the option services.nonsense does not exist");
    const build = annotationOf(run, "web3");
    expect(build.title).toBe("web3: build failed");
    expect(build.message).toMatch(/^the build of web3 failed \(exit code 1\)/);
    expect(build.message).toContain("main.c:7: parse error");
    expect(await profiles("web2", "web3")).toEqual(before);
    expect(await fleet.machine("web1").currentSystem()).toBe(hostResults(run).get("web1")?.["system-path"]);
    for (const name of ["web2", "web3"]) expect(await fleet.machine(name).leftovers()).toEqual([]);
  });

  test("a machine without nixos-rebuild, and one whose disk is full during the build", async () => {
    const before = await fleet.machine("small").currentSystem();
    const run = await deploy({
      web1: {},
      bare: {},
      small: { buildScript: 'mkdir -p "$out"; head -c 100000000 /dev/zero > "$out/big"' },
    });
    expect(statuses(run)).toEqual({ web1: "deployed", bare: "failed", small: "failed" });
    expect(annotationOf(run, "bare").message).toContain("nixos-rebuild");
    expect(annotationOf(run, "bare").message).toMatch(/NixOS/);
    expect(annotationOf(run, "small").title).toBe("small: build failed");
    expect(annotationOf(run, "small").message).toMatch(/^no space is left on the machine to build small/);
    expect(await fleet.machine("small").currentSystem()).toBe(before);
    for (const name of ["bare", "small"]) expect(await fleet.machine(name).leftovers()).toEqual([]);
  });

  test("a disk that is full during the copy", async () => {
    const run = await deploy({ web1: {}, small: {} }, {}, 64_000_000);
    expect(statuses(run)).toEqual({ web1: "deployed", small: "failed" });
    expect(annotationOf(run, "small").title).toBe("small: copy failed");
    expect(annotationOf(run, "small").message).toMatch(/^no space is left on the machine for the flake/);
    expect(run.log).not.toContain("retrying in");
    expect(await fleet.machine("small").leftovers()).toEqual([]);
  });
});

test("nobody activates before all have built", async () => {
  const [web1, web3] = [fleet.machine("web1"), fleet.machine("web3")];
  const before = await Promise.all([web1.currentSystem(), web1.systemProfile(), web3.currentSystem()]);
  await web3.output("rm -f /tmp/go");
  const step = await start({ web1: {}, web3: { buildScript: "until [ -e /tmp/go ]; do sleep 0.1; done" } });
  await step.waitFor(/\[web1\] built/);
  // Long enough for an activation that does not wait.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(step.output()).not.toContain("[web3] built");
  expect(await Promise.all([web1.currentSystem(), web1.systemProfile(), web3.currentSystem()])).toEqual(before);
  await web3.output("touch /tmp/go");

  const run = await step.finished;
  expect(run.exitCode).toBe(0);
  expect(run.log.indexOf("[web1] == activate")).toBeGreaterThan(run.log.indexOf("[web3] built"));
  expect(await web1.currentSystem()).toBe(hostResults(run).get("web1")?.["system-path"]);
  expect(await web3.currentSystem()).toBe(hostResults(run).get("web3")?.["system-path"]);
});

// The machines have either implementation of nixos-rebuild, which builds; what activates is the system itself.
describe("exit codes of switch-to-configuration are explained, and the same with both implementations of nixos-rebuild", () => {
  test.each<[number, Behaviour, RegExp]>([
    [1, { preSwitchCheck: "echo 'init changes' >&2; exit 1" }, /the pre-switch check 'custom' of the new system failed/],
    [2, { activationScript: "exit 9" }, /the activation script snippet 'example' \(9\) failed/],
    [100, { initInterfaceVersion: "3" }, /uses a different init system/],
    // So many that their status is longer than what is shown.
    [4, { units: Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [`bad-${name}.service`, failingUnit])) }, /newly failed units/],
  ])("%i", async (code, behaviour, message) => {
    const run = await deploy({ web1: behaviour, web2: behaviour });
    expect(run.exitCode).toBe(1);
    const results = hostResults(run);
    expect([results.get("web1")?.["exit-code"], results.get("web2")?.["exit-code"]]).toEqual([code, code]);
    for (const name of ["web1", "web2"]) {
      const annotation = annotationOf(run, name);
      expect(annotation.title).toMatch(new RegExp(`^${name}: activate `));
      expect(annotation.message).toMatch(message);
    }
    expect(run.outputs["failed"]).toBe("2");
  });

  afterAll(async () => {
    await Promise.all(["web1", "web2"].map(async (name) => await fleet.machine(name).exec("systemctl reset-failed")));
  });
});

test("a connection that is lost during the copy is tried again, and one lost during the build is taken up without gap or repetition", async () => {
  const [copying, building] = [fleet.machine("web1"), fleet.machine("web3")];
  // A rate that leaves time to cut.
  await copying.limit(4000);
  const lines = 40;
  const noisy = {
    buildScript: `for i in $(seq 1 ${lines}); do echo "line $i of ${lines} of the build"; sleep 0.1; done; until [ -e /tmp/back ]; do sleep 0.2; done; echo the end of the build`,
  };
  await building.output("rm -f /tmp/back");
  const [copy, build] = await Promise.all([
    start({ web1: {} }, { "connect-timeout": "5" }, 3_000_000),
    start({ web3: noisy }, { "connect-timeout": "5", "rebuild-args": "--print-build-logs" }),
  ]);
  await Promise.all([copy.waitFor(/\[web1\] == copy/), build.waitFor(/line 10 of/)]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await Promise.all([copying.cutOff(), building.cutOff()]);
  await Promise.all([copy.waitFor(/\[web1\] .*retrying in/, 60), build.waitFor(/\[web3\] the connection was lost/, 60)]);
  await Promise.all([copying.restore(), building.restore(), copying.limit()]);
  await building.output("touch /tmp/back");

  const [copied, built] = await Promise.all([copy.finished, build.finished]);
  expect(copied.log).toContain("the connection was lost while the flake was being copied");
  expect([copied.exitCode, copied.outputs["status"]]).toEqual([0, "deployed"]);
  expect([built.exitCode, built.outputs["status"]]).toEqual([0, "deployed"]);
  const group = built.log.slice(built.log.indexOf("::group::"));
  const numbers = (text: string): number[] => [...text.matchAll(/> line (\d+) of \d+ of the build$/gm)].map((match) => Number(match[1]));
  const all = Array.from({ length: lines }, (_, index) => index + 1);
  expect(numbers(live(built.log))).toEqual(all);
  expect(numbers(group)).toEqual(all);
  expect(await building.currentSystem()).toBe(built.outputs["system-path"]);
  await until("nothing of the runs is left", 5, async () => (await Promise.all([copying.leftovers(), building.leftovers()])).flat().length === 0);
});
