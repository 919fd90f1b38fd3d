import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import path from "node:path";

import { check, until } from "./rig/command.js";
import { parseEnvironmentFile } from "./rig/environment-file.js";
import { type Behaviour, failingUnit, runningUnit, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Machine } from "./rig/machine.js";
import { annotationsOf, workflowCommands } from "./rig/workflow-commands.js";

// The first test on a host builds the root file systems.
jest.setTimeout(600_000);

let fleet: Fleet;
let ng: Machine;
let bash: Machine;

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "ng", rebuild: "ng" },
    { name: "bash", rebuild: "bash", suite: "trixie", sshPort: 2222, systemProfile: true },
  ]);
  ng = fleet.machine("ng");
  bash = fleet.machine("bash");
});
afterAll(async () => await fleet?.stop());

/** Runs the machine's nixos-rebuild on a flake with one behaviour, which is on its disk. */
async function rebuild(machine: Machine, action: string, behaviour: Behaviour) {
  const directory = await writeFlake(path.join(fleet.directory, `flake-${machine.name}`), { [machine.name]: behaviour });
  await machine.exec("rm -rf /root/flake && mkdir /root/flake && tar x -C /root/flake", { stdin: await check("tar", ["c", "-C", directory, "."]) });
  return await machine.exec(`cd /tmp && nixos-rebuild ${action} --flake path:/root/flake`);
}

describe("a machine", () => {
  test("runs systemd, and the Nix of its suite", async () => {
    expect(await ng.output("cat /proc/1/comm; systemctl is-system-running; hostname")).toBe("systemd\nrunning\nng");
    expect(await ng.output("nix --version")).toContain("2.34");
    expect(await bash.output("nix --version")).toContain("2.26");
  });

  test("has a first system, in the profile only if requested", async () => {
    expect(await ng.currentSystem()).toMatch(/-nixos-system-ng-/);
    expect(await ng.systemProfile()).toBeUndefined();
    expect(await bash.systemProfile()).toBe(await bash.currentSystem());
    expect(await bash.generations()).toEqual([{ number: 1, path: await bash.currentSystem(), current: true }]);
  });

  test("can be cut off and restored", async () => {
    expect(await ng.answers()).toBe(true);
    expect(await ng.answers(ng.ipv6)).toBe(true);
    await ng.cutOff();
    expect(await ng.answers()).toBe(false);
    expect((await ng.exec("true")).code).toBe(0);
    await ng.restore();
    await until("the network", 10, async () => await ng.answers());
  });

  test("counts handshakes", async () => {
    bash.forgetHandshakes();
    writeFileSync(path.join(fleet.directory, "key"), fleet.key.secret, { mode: 0o600 });
    writeFileSync(path.join(fleet.directory, "known_hosts"), fleet.knownHosts());
    const ssh = `ssh -i ${fleet.directory}/key -o UserKnownHostsFile=${fleet.directory}/known_hosts -o BatchMode=yes -p 2222`;
    for (const login of ["root@bash", `deploy@${bash.ipv4}`, `nosudo@${bash.ipv6}`]) {
      expect(await fleet.runner.exec(`${ssh} ${login} id -un`)).toMatchObject({ code: 0, stdout: `${login.split("@")[0]}\n` });
    }
    expect(bash.handshakes()).toMatchObject({ connections: 3, accepted: 3 });
    await bash.replaceHostKey();
    expect((await fleet.runner.exec(`${ssh} root@bash true`)).stderr).toContain("REMOTE HOST IDENTIFICATION HAS CHANGED");
  });

  test("names what a run has left", async () => {
    expect(await ng.leftovers()).toEqual([]);
    await ng.output("mkdir /run/nix-flake-deploy; systemd-run --quiet --unit=nix-flake-deploy-x sleep 100");
    expect(await ng.leftovers()).toEqual(expect.arrayContaining(["/run/nix-flake-deploy", "nix-flake-deploy-x.service"]));
    await ng.output("rmdir /run/nix-flake-deploy; systemctl stop nix-flake-deploy-x");
    expect(await ng.leftovers()).toEqual([]);
  });
});

describe("nixos-rebuild", () => {
  // Exit codes of the Python and of the bash implementation.
  test.each<[string, number, number, Behaviour]>([
    ["a good system", 0, 0, { text: "good" }],
    ["a failing activation", 2, 1, { activationScript: "false" }],
    ["a failing unit", 4, 1, { units: { "bad.service": failingUnit } }],
    ["another init", 100, 1, { initInterfaceVersion: "3" }],
    ["a failing boot loader", 1, 1, { bootLoaderScript: "exit 1" }],
    ["a failing check", 1, 1, { preSwitchCheck: "false" }],
    ["a failing build", 1, 1, { buildScript: "exit 7" }],
    ["an evaluation error", 1, 1, { evaluationError: "no such option" }],
    ["no nixos-version", 1, 0, { withNixosVersion: false }],
    ["no nixos-rebuild to run anew", 1, 1, { withNixosRebuild: false }],
    ["a killed switch", 255, 1, { switchScript: "kill -9 $PPID" }],
  ])("switch to %s exits with %i and %i", async (_, code, bashCode, behaviour) => {
    expect(await rebuild(ng, "switch", behaviour)).toMatchObject({ code });
    expect(await rebuild(bash, "switch", behaviour)).toMatchObject({ code: bashCode });
  });

  test.each([
    [true, "ng"],
    [false, "bash"],
  ])("prints the toplevel: %s for %s", async (prints, name) => {
    const { stdout } = await rebuild(fleet.machine(name), "build", { text: "printed" });
    expect(stdout.startsWith("/nix/store/")).toBe(prints);
  });

  test("refuses unknown options with 2 and 1", async () => {
    expect((await ng.exec("nixos-rebuild switch --frobnicate")).code).toBe(2);
    expect((await bash.exec("nixos-rebuild switch --frobnicate")).code).toBe(1);
  });

  test("does what its action says, and no more", async () => {
    const before = { running: await ng.currentSystem(), entry: await ng.bootEntry(), profile: await ng.systemProfile() };
    const units = { "app.service": runningUnit() };
    const dry = await rebuild(ng, "dry-activate", { text: "actions", units });
    expect(dry.stderr).toContain("would activate the configuration...");
    // As the real one: what is new comes up with its target.
    expect(dry.stderr).not.toContain("app.service");
    await rebuild(ng, "build", { text: "actions", units });
    expect({ running: await ng.currentSystem(), entry: await ng.bootEntry(), profile: await ng.systemProfile() }).toEqual(before);
    const { stderr } = await rebuild(ng, "test", { text: "actions", units });
    expect(stderr).toContain("the following new units were started: app.service");
    expect(await ng.currentSystem()).not.toBe(before.running);
    expect({ entry: await ng.bootEntry(), profile: await ng.systemProfile() }).toEqual({ entry: before.entry, profile: before.profile });
    expect(await ng.output("systemctl is-active app")).toBe("active");
    await rebuild(ng, "boot", { text: "booted" });
    expect(await ng.bootEntry()).toBe(await ng.systemProfile());
    expect(await ng.currentSystem()).not.toBe(await ng.bootEntry());
  });

  test("a crash is followed by the boot of the new system", async () => {
    await rebuild(ng, "switch", { text: "crashed", units: { "app.service": runningUnit("two") } });
    await ng.crash();
    expect(ng.running).toBe(false);
    expect(await ng.answers()).toBe(false);
    await ng.boot();
    expect(await ng.bootedSystem()).toBe(await ng.systemProfile());
    expect(await ng.currentSystem()).toBe(await ng.systemProfile());
    await until("app.service", 10, async () => (await ng.exec("systemctl is-active app")).code === 0);
  });

  test("can break the network for good, and mend it", async () => {
    await rebuild(ng, "switch", { networkBroken: true });
    expect(await ng.answers()).toBe(false);
    await ng.powerOff();
    await ng.boot({ wait: false });
    await until("the boot", 30, async () => (await ng.exec("systemctl is-system-running")).stdout === "running\n");
    expect(await ng.answers()).toBe(false);
    await rebuild(ng, "switch", { text: "mended" });
    await until("the network", 10, async () => await ng.answers());
  });
});

describe("the runner", () => {
  test("runs a program as GitHub's runner does", async () => {
    const entry = path.join(fleet.directory, "entry.cjs");
    const post = path.join(fleet.directory, "post.cjs");
    writeFileSync(
      entry,
      `const fs = require("node:fs");
      console.log(process.version, process.env["INPUT_SSH-PORT"], process.env.INPUT_TARGETS);
      console.log("::error title=A%2C B::one%0Atwo");
      fs.appendFileSync(process.env.GITHUB_OUTPUT, "status<<X\\ndeployed\\nX\\n");
      fs.appendFileSync(process.env.GITHUB_STATE, "path=/p\\n");
      fs.writeFileSync(process.env.RUNNER_TEMP + "/key", "");
      require("node:child_process").spawn("sleep", ["600"], { detached: true, stdio: "inherit" }).unref();
      process.exitCode = 1;`,
    );
    writeFileSync(post, `console.log(process.env.STATE_path); require("node:fs").rmSync(process.env.RUNNER_TEMP + "/key");`);
    const run = await fleet.runner.run({ inputs: { targets: "web1" }, entry, postEntry: post });
    expect(run.log).toMatch(/^v24\.\S+ 22 web1\n/);
    expect(run).toMatchObject({
      exitCode: 1,
      annotations: [{ level: "error", title: "A, B", message: "one\ntwo" }],
      outputs: { status: "deployed" },
      state: { path: "/p" },
      inTemp: ["key"],
      leftInTemp: [],
      post: { exitCode: 0, log: "/p\n" },
    });
    expect(await fleet.runner.processes()).toEqual(["sleep 600"]);
    await fleet.runner.endJob();
    expect(await fleet.runner.processes()).toEqual([]);
  });

  test("signals the program only", async () => {
    const entry = path.join(fleet.directory, "waits.cjs");
    writeFileSync(entry, `process.on("SIGINT", () => { console.log("interrupted"); process.exit(3); }); console.log("ready"); setTimeout(() => {}, 60000);`);
    const step = fleet.runner.start({ inputs: {}, entry, post: false });
    await step.waitFor(/ready/);
    step.signal("SIGINT");
    expect(await step.finished).toMatchObject({ exitCode: 3, log: "ready\ninterrupted\n" });
  });

  test("can be without Nix, and without flakes", async () => {
    const entry = path.join(fleet.directory, "asks.cjs");
    writeFileSync(entry, `require("node:child_process").spawnSync("nix", ["flake", "metadata", "."], { stdio: "inherit" }).error && console.log("no nix");`);
    expect((await fleet.runner.run({ inputs: {}, entry, post: false, without: ["nix"] })).log).toBe("no nix\n");
    expect((await fleet.runner.run({ inputs: {}, entry, post: false, flakes: false })).log).toContain("experimental Nix feature 'nix-command' is disabled");
  });
});

describe("what the runner reads", () => {
  test("obeys no command between stop-commands and its token", () => {
    const commands = workflowCommands("a ::error::no\n ::error::yes\r::stop-commands::t\n::error::no\n##[error]no\n::t::\nx ##[warning]old");
    expect(annotationsOf(commands).map(({ level, message }) => `${level} ${message}`)).toEqual(["error yes", "warning old"]);
  });

  test("reads values of one line and of many", () => {
    expect(parseEnvironmentFile("a=b=c\nd<<E\n1\n\n2\nE\n")).toEqual({ a: "b=c", d: "1\n\n2" });
    expect(() => parseEnvironmentFile("a<<E\n1\n")).toThrow("Matching delimiter not found");
  });
});
