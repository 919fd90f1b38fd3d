import { readFileSync } from "node:fs";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { access, expectGreen, resultsOf } from "./deployment.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";
import { toolFlakeText, writeToolFlake } from "./tool-flakes.js";

let fleet: Fleet;
let repository: string;
let tests = 0;

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "web1", suite: "forky", rebuild: "ng" },
    { name: "db1", suite: "trixie", rebuild: "bash", sshPort: 2222 },
  ]);
});

afterAll(async () => {
  await fleet?.stop();
});

beforeEach(() => {
  tests += 1;
  repository = `${fleet.directory}/test-${tests}/repository`;
});

async function deploy(inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  return await fleet.runner.run({ inputs: { ...access(fleet), ...inputs }, workspace: repository });
}

const motd = "cat /etc/motd-nixos";
const revision = `/run/current-system/sw/bin/nixos-version --json | jq -r .configurationRevision`;

describe("the flakes of other tools deploy as they are", () => {
  test("a flake of deploy-rs", async () => {
    await writeToolFlake("deploy-rs", repository, fleet.runner);
    const run = await deploy();
    await expectGreen(run, fleet.machines);
    expect(resultsOf(run)).toMatchObject({
      web1: { target: "root@web1", configuration: "web1", status: "deployed" },
      db1: { target: "deploy@db1:2222", configuration: "db1", status: "deployed" },
    });
    expect(Object.keys(resultsOf(run))).toEqual(["db1", "web1"]);
    expect(await fleet.machine("web1").output(motd)).toBe("Hello from web1, by deploy-rs null");
    expect(readFileSync(`${repository}/flake.nix`, "utf8")).toBe(toolFlakeText("deploy-rs"));
  });

  test("a flake of colmena", async () => {
    const commit = await writeToolFlake("colmena", repository, fleet.runner);
    const run = await deploy();
    await expectGreen(run, fleet.machines);
    expect(resultsOf(run)).toMatchObject({
      web1: { target: "root@web1", configuration: "colmenaHive.nodes.web1", status: "deployed" },
      db1: { target: "deploy@db1:2222", configuration: "colmenaHive.nodes.db1", status: "deployed" },
    });
    expect(await fleet.machine("web1").output(motd)).toBe('Hello from web1, by colmena "Europe/Vienna"');
    for (const machine of fleet.machines) expect(await machine.output(revision)).toBe(commit);
    expect(readFileSync(`${repository}/flake.nix`, "utf8")).toBe(toolFlakeText("colmena"));
  });
});
