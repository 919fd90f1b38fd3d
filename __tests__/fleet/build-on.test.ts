import { readdirSync, readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectGreen, expectNothingLeft, resultsOf, systemOf, toplevelOf } from "./deployment.js";
import { writeFlake, type Behaviour } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

let fleet: Fleet;
let flakes = 0;

beforeAll(async () => {
  fleet = await Fleet.start(["there", { name: "derived", memory: 512 }, { name: "sent", rebuild: "none" }]);
});
afterAll(async () => {
  await fleet?.stop();
});

/** Writes a flake of these configurations, of one commit. */
async function flakeOf(machines: Readonly<Record<string, Behaviour>>): Promise<string> {
  flakes += 1;
  return await writeFlake(`${fleet.directory}/flake-${flakes}`, machines, { git: true });
}

async function deploy(workspace: string, inputs: Readonly<Record<string, string>>): Promise<StepResult> {
  return await fleet.runner.run({ inputs: { ...access(fleet), ...inputs }, workspace });
}

describe("one commit in the three ways", () => {
  test("gives the same systems, and a machine that only receives one needs no nixos-rebuild", async () => {
    const same = { hostName: "same", text: "the same everywhere", packages: { shared: "1.0" } };
    const flake = await flakeOf({ same });
    const target = (host: string): object => ({ host, configuration: "same", name: host });
    const run = await deploy(flake, { targets: JSON.stringify([target("there")]) });
    await expectGreen(run, [fleet.machine("there")]);
    const others = [target("derived"), { ...target("sent"), "build-on": "runner" }];
    const other = await deploy(flake, { targets: JSON.stringify(others), "evaluate-on": "runner" });
    await expectGreen(other, fleet.machines);
    expect(toplevelOf(other, "derived")).toBe(toplevelOf(run, "there"));
    expect(toplevelOf(other, "sent")).toBe(toplevelOf(run, "there"));
    for (const name of ["derived", "sent"]) {
      expect(resultsOf(other)[name]).toMatchObject({ status: "deployed", changed: true });
      expect(await systemOf(fleet.machine(name))).toMatchObject({ running: toplevelOf(run, "there"), profile: toplevelOf(run, "there") });
      // The source has arrived there, and is what the output says.
      expect(await fleet.machine(name).output(`nix-store --check-validity '${other.outputs["store-path"]}' && echo valid`)).toContain("valid");
    }
    expect(other.log).toContain("evaluated 1 of 1");
    expect(other.log).not.toMatch(/\[sent\] == build/);
  });
});

describe("a machine with 512 MiB of memory", () => {
  // Lists of about 1 GiB, as the options of a few real configurations take.
  const heavy = 'builtins.deepSeq (builtins.genList (n: [ n (n + 1) (n + 2) (n + 3) ]) 5000000) ""';
  const write = async (text: string): Promise<string> => {
    flakes += 1;
    return await writeFlake(`${fleet.directory}/flake-${flakes}`, { derived: { text } }, { git: true, textPrefix: heavy });
  };

  test("cannot evaluate its configuration, which the message explains, and is deployed by an evaluation on the runner", async () => {
    const flake = await write("heavy");
    const before = await systemOf(fleet.machine("derived"));
    const there = await deploy(flake, { targets: "derived#derived", retries: "0" });
    expect(there.exitCode).toBe(1);
    expect(resultsOf(there)["derived"]).toMatchObject({ status: "failed", phase: "build" });
    expect(resultsOf(there)["derived"]?.["error"]).toMatch(/the evaluation or build of derived was killed .*have the runner do the work \(evaluate-on: runner/);
    await expectNothingLeft(there, fleet.machines);
    expect(await systemOf(fleet.machine("derived"))).toEqual(before);

    const derived = await deploy(flake, { targets: "derived#derived", "evaluate-on": "runner" });
    await expectGreen(derived, fleet.machines);
    expect(resultsOf(derived)["derived"]).toMatchObject({ status: "deployed" });
    const sent = await deploy(flake, { targets: "derived#derived", "build-on": "runner" });
    await expectGreen(sent, fleet.machines);
    expect(resultsOf(sent)["derived"]).toMatchObject({ status: "unchanged" });
    expect(toplevelOf(sent, "derived")).toBe(toplevelOf(derived, "derived"));
  });
});

describe("systems that the runner builds", () => {
  test("fail alone, with the end of their own builder's log, and before anything is sent", async () => {
    const flake = await flakeOf({
      there: { text: "fine", packages: { common: "2.0" } },
      derived: { packages: { common: "2.0" }, buildScript: "echo the disk is made of cheese; exit 7" },
      sent: { evaluationError: "no such thing as a free lunch" },
    });
    for (const machine of fleet.machines) machine.forgetHandshakes();
    const run = await deploy(flake, { targets: "there#there\nderived#derived\nsent#sent\nroot@nowhere.invalid#missing", "build-on": "runner" });
    expect(run.exitCode).toBe(1);
    await expectNothingLeft(run, fleet.machines);
    const results = resultsOf(run);
    expect(results["there"]).toMatchObject({ status: "deployed" });
    // A machine whose system was not made is not even connected to.
    expect(fleet.machines.map((machine) => machine.handshakes().connections > 0)).toEqual([true, false, false]);
    expect(results["derived"]).toMatchObject({ status: "failed", phase: "build", changed: false });
    expect(results["derived"]?.["error"]).toMatch(/the system of derived does not build on the runner \(exit code 1?\d*\)/);
    expect(results["derived"]?.["error"]).toContain("the disk is made of cheese");
    expect(results["sent"]).toMatchObject({ status: "failed", phase: "build" });
    expect(results["sent"]?.["error"]).toContain("no such thing as a free lunch");
    expect(results["missing"]?.["error"]).toContain("the flake has no nixosConfigurations.missing; it has derived, sent, there");
  });
});

test("evaluation and build on the runner end before the ssh key is written", async () => {
  const keysIn = (directory: string): string[] =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && readFileSync(`${entry.parentPath}/${entry.name}`, "utf8").includes("PRIVATE KEY"))
      .map(({ name }) => name);
  const workspace = await flakeOf({ there: { text: "slow", buildSeconds: 3 } });
  const step = fleet.runner.start({ inputs: { ...access(fleet), targets: "there#there", "build-on": "runner", operation: "build" }, workspace });
  await step.waitFor(/^building 1 system on the runner$/m);
  expect(keysIn(step.temp)).toEqual([]);
  expect(step.output()).not.toContain("connected");
  // Control: it is there when the machine is reached.
  await step.waitFor(/there: connected/);
  expect(keysIn(step.temp)).toHaveLength(1);
  await expectGreen(await step.finished, fleet.machines);
});

describe("a system built on the runner and a user that Nix on the machine does not trust", () => {
  test("is imported as root, by the one sudoers rule, and only what is missing travels", async () => {
    const packages = { large: "1.0" };
    const sizes = { large: 3000 };
    // A compressed copy is imported as root at once.
    const inputs = { targets: "deploy@sent#sent", "build-on": "runner", compress: "false" };
    const first = await deploy(await flakeOf({ sent: { text: "one", packages, sizes } }), inputs);
    await expectGreen(first, fleet.machines);
    expect(first.log).toMatch(/importing \d+ paths as root, since Nix on the machine accepts none without a signature/);
    expect(resultsOf(first)["sent"]).toMatchObject({ status: "deployed" });
    expect(await fleet.machine("sent").currentSystem()).toBe(toplevelOf(first, "sent"));
    const second = await deploy(await flakeOf({ sent: { text: "two", packages, sizes } }), inputs);
    await expectGreen(second, fleet.machines);
    expect(await fleet.machine("sent").currentSystem()).toBe(toplevelOf(second, "sent"));
    // The package of 3 MB is there already. The system is new, and so is the source of the flake, which Nix accepts without a signature:
    // whether its copy had ended when the system was refused depends on which of the two Nix sent first.
    expect(second.log).toMatch(/importing (1 path|2 paths) as root/);
    await fleet.machine("sent").output(`nix-store --verify-path ${toplevelOf(second, "sent")}`);
  });

  test("is refused with the alternatives where nobody can become root", async () => {
    const flake = await flakeOf({ sent: { text: "nobody" } });
    const run = await deploy(flake, { targets: "nosudo@sent#sent", "build-on": "runner", operation: "build", compress: "true" });
    expect(run.exitCode).toBe(1);
    await expectNothingLeft(run, fleet.machines);
    expect(resultsOf(run)["sent"]).toMatchObject({ status: "failed", phase: "copy" });
    expect(run.log).toContain("[sent] compress: true has no effect, since nosudo cannot become root; copying without compression");
    expect(resultsOf(run)["sent"]?.["error"]).toMatch(/Sign the paths .*trust nosudo .*build there \(build-on: target\)/);
  });
});
