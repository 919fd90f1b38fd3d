import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectGreen, expectNothingLeft, resultsOf, systemOf, toplevelOf } from "./deployment.js";
import { type Behaviour, headOf, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Machine } from "./rig/machine.js";
import type { StepResult } from "./rig/runner.js";

const names = ["web1", "web2", "db1", "db2"] as const;

let fleet: Fleet;
let machines: readonly Machine[];

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "web1", suite: "forky", rebuild: "ng" },
    { name: "web2", suite: "forky", rebuild: "bash", sshPort: 2222 },
    { name: "db1", suite: "trixie", rebuild: "ng" },
    { name: "db2", suite: "trixie", rebuild: "bash" },
  ]);
  ({ machines } = fleet);
});

afterAll(async () => {
  await fleet?.stop();
});

async function flakeOf(text: string, behaviour: Behaviour = {}): Promise<string> {
  return await writeFlake(`${fleet.directory}/flake`, Object.fromEntries(names.map((name) => [name, { text, ...behaviour }])), { git: true });
}

async function deploy(workspace: string, targets: readonly string[], inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  return await fleet.runner.run({ inputs: { ...access(fleet), targets: targets.join("\n"), ...inputs }, workspace });
}

describe("four machines: Nix 2.34 and 2.26, nixos-rebuild of Python and of bash", () => {
  test("a first deploy, where there is no system profile", async () => {
    const workspace = await flakeOf("first");
    const before = await Promise.all(machines.map(systemOf));
    expect(before.map(({ profile }) => profile)).toEqual([undefined, undefined, undefined, undefined]);
    const [, web2, db1] = machines;

    const run = await deploy(workspace, [
      // The machine's own hostname is the default configuration.
      "root@web1",
      `deploy@[${web2?.ipv6}]:2222#web2`,
      `root@${db1?.ipv4}#db1`,
      "deploy@db2#db2",
    ]);

    await expectGreen(run, machines);
    const after = await Promise.all(machines.map(systemOf));
    for (const [index, machine] of machines.entries()) {
      const built = toplevelOf(run, machine.name);
      expect(built).toMatch(new RegExp(`^/nix/store/[a-z0-9]{32}-nixos-system-${machine.name}-`));
      expect(built).not.toBe(before[index]?.running);
      expect(after[index]).toEqual({ running: built, profile: built, bootEntry: built, generations: 1 });
      expect(await machine.output("cat /etc/motd-nixos")).toBe("first");
      expect(resultsOf(run)[machine.name]).toEqual({
        name: machine.name,
        target: [`root@web1`, `deploy@[${web2?.ipv6}]:2222`, `root@${db1?.ipv4}`, "deploy@db2"][index],
        configuration: machine.name,
        status: "deployed",
        phase: expect.stringMatching(/^(activate|confirm)$/),
        "system-path": built,
        "previous-system-path": before[index]?.running,
        generation: 1,
        "previous-generation": null,
        changed: true,
        "exit-code": 0,
        "failed-units": [],
        inhibitors: [],
        seconds: expect.any(Number),
        error: null,
      });
    }
    const source = run.outputs["store-path"] ?? "";
    expect(run.outputs).toEqual({
      "store-path": expect.stringMatching(/^\/nix\/store\/[a-z0-9]{32}-source$/),
      "flake-ref": expect.stringContaining(`path:${source}?rev=${await headOf(workspace)}`),
      "summary-path": expect.stringMatching(/^\/home\/runner\/work\/.*\/nix-flake-deploy-summary-[0-9a-f]{12}\.md$/),
      status: "deployed",
      results: expect.any(String),
      changed: "true",
      deployed: "4",
      failed: "0",
      "system-path": "",
      "previous-system-path": "",
      "exit-code": "",
    });
    expect(run.annotations).toEqual([]);
    for (const machine of machines) await machine.output(`test -e ${source}/flake.nix`);
  });

  test("the same again is unchanged, over one ssh handshake a machine", async () => {
    const before = await Promise.all(machines.map(systemOf));
    for (const machine of machines) machine.forgetHandshakes();

    const run = await deploy(`${fleet.directory}/flake`, ["root@web1", "deploy@web2:2222", "root@db1", "deploy@db2"]);

    await expectGreen(run, machines);
    expect(Object.values(resultsOf(run))).toEqual(
      machines.map((machine) =>
        expect.objectContaining({ name: machine.name, status: "unchanged", changed: false, generation: 1, "exit-code": 0, error: null }),
      ),
    );
    expect(run.outputs).toMatchObject({ status: "unchanged", changed: "false", deployed: "0", failed: "0" });
    expect(await Promise.all(machines.map(systemOf))).toEqual(before);
    expect(machines.map((machine) => machine.handshakes())).toEqual(machines.map(() => expect.objectContaining({ connections: 1, accepted: 1 })));
  });

  test("a change, with the users the other way round, also over one handshake", async () => {
    const workspace = await flakeOf("second", { kernel: "6.12.51" });
    const before = await Promise.all(machines.map(systemOf));
    for (const machine of machines) machine.forgetHandshakes();

    const run = await deploy(workspace, ["deploy@web1", "root@web2:2222", "deploy@db1", "root@db2"]);

    await expectGreen(run, machines);
    for (const [index, machine] of machines.entries()) {
      const built = toplevelOf(run, machine.name);
      expect(await systemOf(machine)).toEqual({ running: built, profile: built, bootEntry: built, generations: 2 });
      expect(resultsOf(run)[machine.name]).toMatchObject({ status: "deployed", "previous-system-path": before[index]?.running, generation: 2, changed: true });
      expect(run.log).toContain(`[${machine.name}] kernel, initrd or kernel modules have changed`);
    }
    // One for the whole run, and a fresh one that proves that the machine still answers.
    expect(machines.map((machine) => machine.handshakes())).toEqual(machines.map(() => expect.objectContaining({ connections: 2, accepted: 2 })));
  });

  test("a configuration that does not exist names those that do, and changes nothing", async () => {
    const before = await Promise.all(machines.map(systemOf));
    const run = await deploy(`${fleet.directory}/flake`, ["root@web1#web9", "root@web2:2222#web2.example", "root@db1#db-9", "deploy@db2#nobody"]);
    expect(run.exitCode).toBe(1);
    await expectNothingLeft(run, machines);
    for (const wanted of ["web9", "web2.example", "db-9", "nobody"]) {
      expect(run.errors.join("\n")).toContain(`the flake has no nixosConfigurations.${wanted}; it defines db1, db2, web1, web2`);
    }
    expect(run.outputs).toMatchObject({ status: "failed", failed: "4", changed: "false", "store-path": expect.stringMatching(/-source$/) });
    expect(Object.values(resultsOf(run))).toEqual(machines.map(() => expect.objectContaining({ status: "failed", phase: "build", "exit-code": 1 })));
    expect(await Promise.all(machines.map(systemOf))).toEqual(before);
  });

  test("a configuration with dots in its name", async () => {
    const dotted = Object.fromEntries(names.map((name) => [`${name}.example.org`, { hostName: name, text: "dotted" }]));
    const workspace = await writeFlake(`${fleet.directory}/dotted`, dotted, { git: true });
    const run = await deploy(workspace, ["web1#web1.example.org", "web2:2222#web2.example.org", "db1#db1.example.org", "deploy@db2#db2.example.org"]);
    await expectGreen(run, machines);
    for (const machine of machines) {
      const name = `${machine.name}.example.org`;
      expect(resultsOf(run)[name]).toMatchObject({ configuration: name, status: "deployed" });
      expect(await machine.currentSystem()).toBe(toplevelOf(run, name));
    }
    // The hostname alone names none of them.
    const bare = await deploy(workspace, ["web1"]);
    expect(bare.errors).toEqual([
      expect.stringMatching(/no nixosConfigurations\.web1; it defines db1\.example\.org, .*Add the configuration to the target: host#configuration/),
    ]);
  });

  test("targets as JSON, one machine at a time", async () => {
    const workspace = await flakeOf("third");
    const [web1, , db1, db2] = machines;
    const targets = JSON.stringify([
      "root@web1",
      { host: db1?.ipv6, user: "deploy", configuration: "db1", name: "first database" },
      { host: "db2", port: 22, name: "second database" },
    ]);
    const run = await deploy(workspace, [targets], { "max-parallel": "1", "ssh-user": "deploy" });
    const touched = [web1, db1, db2].filter((machine) => machine !== undefined);
    await expectGreen(run, touched);
    expect(Object.keys(resultsOf(run))).toEqual(["web1", "first database", "second database"]);
    expect(resultsOf(run)["second database"]).toMatchObject({ target: "deploy@db2", configuration: "db2", status: "deployed" });
    for (const machine of touched) expect(await machine.output("cat /etc/motd-nixos")).toBe("third");
    const lines = run.log.split("\n");
    const order = ["[web1] == connect", "[web1] built", "[first database] == connect", "[first database] built", "[second database] == connect"];
    const positions = order.map((text) => lines.findIndex((line) => line.startsWith(text)));
    expect(positions).not.toContain(-1);
    expect(positions).toEqual(positions.toSorted((one, other) => one - other));
    // No machine is activated before all have built.
    expect(lines.findIndex((line) => line.startsWith("[web1] == activate"))).toBeGreaterThan(
      lines.findIndex((line) => line.startsWith("[second database] built")),
    );
  });
});

describe("a single target", () => {
  test("has outputs of its own", async () => {
    const web2 = fleet.machine("web2");
    const before = await systemOf(web2);
    const run = await deploy(await flakeOf("fourth"), ["web2"], { "ssh-port": "2222", "ssh-user": "deploy" });
    await expectGreen(run, [web2]);
    const { running } = await systemOf(web2);
    expect(running).not.toBe(before.running);
    expect(run.outputs).toMatchObject({ "system-path": running, "previous-system-path": before.running, "exit-code": "0", deployed: "1" });
  });
});

describe("a user who is not root", () => {
  const line = (user: string): string => `${user} ALL=(root) NOPASSWD: /bin/sh -s`;
  test.each([
    [
      "nosudo",
      "auto",
      `sudo on the machine refuses nosudo without a password. Add this sudoers rule on the machine (on NixOS: security.sudo.extraRules), set elevate-password, or connect as root: ${line("nosudo")}`,
    ],
    ["pwsudo", "sudo", line("pwsudo")],
    ["deploy", "none", "deploy is not root, and the input elevate is none"],
  ])("%s with elevate %s fails with what is missing, and nothing has changed", async (user, elevate, message) => {
    const web1 = fleet.machine("web1");
    const before = await systemOf(web1);
    const run = await deploy(await flakeOf(`by ${user}`), [`${user}@web1`], { elevate });
    expect(run.exitCode).toBe(1);
    await expectNothingLeft(run, [web1]);
    expect(run.errors).toEqual([expect.stringContaining(message)]);
    expect(run.outputs).toMatchObject({ status: "failed", failed: "1", "store-path": "", "exit-code": "1" });
    expect(resultsOf(run)["web1"]).toMatchObject({ status: "failed", phase: "connect" });
    expect(await systemOf(web1)).toEqual(before);
  });

  test.each(names)("may build on %s anyway", async (name) => {
    const machine = fleet.machine(name);
    const before = await systemOf(machine);
    const run = await deploy(await flakeOf("built by nosudo"), [`nosudo@${name}:${machine.sshPort}`], { operation: "build" });
    await expectGreen(run, [machine]);
    expect(run.outputs).toMatchObject({ status: "planned", changed: "false", failed: "0" });
    expect(await machine.output(`cat ${toplevelOf(run, name)}/etc/motd-nixos`)).toBe("built by nosudo");
    expect(await systemOf(machine)).toEqual(before);
  });
});
