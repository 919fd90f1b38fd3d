import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";

import { until } from "./rig/command.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Step, StepResult } from "./rig/runner.js";

jest.setTimeout(120_000);

let fleet: Fleet;
let flake: string;

beforeAll(async () => {
  fleet = await Fleet.start(["one"]);
  flake = await writeFlake(path.join(fleet.directory, "flake"), { one: { buildScript: "echo $$ > /tmp/builder; until [ -e /tmp/go ]; do sleep 0.1; done" } });
  writeFileSync(path.join(flake, "bulk"), randomBytes(5_000_000));
});

afterAll(async () => {
  await fleet?.stop();
});

afterEach(async () => {
  await fleet.runner.endJob();
  fleet.machine("one").forgetHandshakes();
});

function step(inputs: Readonly<Record<string, string>> = {}): Step {
  return {
    inputs: { "ssh-key": fleet.key.secret, "ssh-known-hosts": fleet.knownHosts(), targets: "root@one", ...inputs },
    workspace: flake,
  };
}

function expectUntouched(run: StepResult): void {
  expect(run.exitCode).toBe(1);
  expect(fleet.machine("one").handshakes().connections).toBe(0);
  expect(run.outputs).toMatchObject({ status: "failed", results: "[]", "store-path": "", changed: "false", deployed: "0" });
  expect(run.leftInTemp).toEqual([]);
}

describe("what the runner lacks is reported with the step to add, before any machine is touched", () => {
  test("nix", async () => {
    const run = await fleet.runner.run({ ...step(), without: ["nix"] });
    expectUntouched(run);
    expect(run.errors).toHaveLength(1);
    expect(run.errors[0]).toMatch(/^nix not found on this runner; no host was changed/);
    expect(run.errors[0]).toContain("- uses: cachix/install-nix-action@v31");
  });

  test("ssh", async () => {
    const run = await fleet.runner.run({ ...step(), without: ["ssh"] });
    expectUntouched(run);
    expect(run.errors).toHaveLength(1);
    expect(run.errors[0]).toMatch(/^ssh and ssh-keygen not found on this runner/);
    expect(run.errors[0]).toContain("apt-get install --yes openssh-client");
    expect(run.errors[0]).not.toContain("nix-action");
  });

  test("nix with flakes", async () => {
    const run = await fleet.runner.run({ ...step(), flakes: false });
    expect(run.exitCode).toBe(1);
    expect(run.errors).toHaveLength(1);
    expect(run.errors[0]).toContain("(experimental");
    expect(run.errors[0]).toContain("- uses: cachix/install-nix-action@v31");
    expect(run.outputs).toMatchObject({ status: "failed", "store-path": "", changed: "false", deployed: "0" });
    expect(run.leftInTemp).toEqual([]);
    expect(await fleet.machine("one").leftovers()).toEqual([]);
    // It may have been connected to by then, but nothing was sent.
    expect(run.log).not.toContain("== copy");
  });
});

test("all bad inputs are reported together, by name and with what is accepted", async () => {
  const secret = "-----BEGIN NONSENSE of a key-----";
  const run = await fleet.runner.run(
    step({
      "ssh-key": secret,
      "ssh-known-hosts": "",
      "ssh-strict": "yes",
      "ssh-user": "-oProxyCommand=x",
      "ssh-port": "70000",
      flake: ".#one",
      targets: "root@one\nroot@one\n-oProxyCommand=touch${IFS}/tmp/x",
      operation: "swich",
      elevate: "maybe",
      "max-parallel": "0",
      "archive-args": "--to",
      "rebuild-args": "--flake\n--accept-flake-config",
      "connect-timeout": "soon",
      timeout: "-1",
      retries: "many",
      "check-sigs": "",
    }),
  );
  expectUntouched(run);
  expect(run.errors).toHaveLength(1);
  const [message = ""] = run.errors;
  const names = [
    "ssh-key",
    "ssh-strict",
    "ssh-user",
    "ssh-port",
    "flake",
    "targets",
    "operation",
    "elevate",
    "max-parallel",
    "archive-args",
    "rebuild-args",
    "connect-timeout",
    "timeout",
    "retries",
    "check-sigs",
  ];
  const lineOf = (name: string): string => message.split("\n").find((line) => line.startsWith(`  ${name}: `)) ?? `no line for ${name}`;
  for (const name of names) expect(lineOf(name)).toMatch(new RegExp(`^  ${name}: `));
  expect(lineOf("operation")).toContain("switch, boot, test, dry-activate, build");
  expect(lineOf("ssh-port")).toContain("from 1 to 65535");
  expect(lineOf("ssh-strict")).toContain("true, false");
  expect(run.log).not.toContain("NONSENSE");
});

describe("the post step", () => {
  test("runs twice without harm", async () => {
    await fleet.machine("one").output("touch /tmp/go");
    const running = fleet.runner.start({ ...step(), post: false });
    const run = await running.finished;
    expect(run.exitCode).toBe(0);
    for (const post of [await running.runPost(), await running.runPost()]) {
      expect(post).toMatchObject({ exitCode: 0, log: "" });
    }
    // The summary is for the steps that follow.
    expect(readdirSync(running.temp)).toEqual([path.basename(run.outputs["summary-path"] ?? "")]);
    await fleet.machine("one").output("rm /tmp/go");
  });

  test.each(["copy", "build"])("removes what is left after SIGKILL in the middle of the %s", async (phase) => {
    const one = fleet.machine("one");
    // Other sources, which the machine does not have: the copy takes long, and the build is not done already.
    writeFileSync(path.join(flake, "bulk"), randomBytes(5_000_000));
    writeFileSync(
      path.join(flake, "machines.json"),
      JSON.stringify({ one: { hostName: "one", text: phase, buildScript: "until [ -e /tmp/go ]; do sleep 0.1; done" } }),
    );
    if (phase === "copy") await one.limit(4000);
    const running = fleet.runner.start({ ...step(), post: false });
    await running.waitFor(new RegExp(`\\[one\\] == ${phase}`));
    await new Promise((resolve) => setTimeout(resolve, 700));
    running.signal("SIGKILL");
    const run = await running.finished;
    expect(run.exitCode).toBe(137);
    // Controls: there is something to remove.
    expect(run.inTemp.filter((name) => name.endsWith("/key"))).toHaveLength(1);
    expect((await fleet.runner.processes()).filter((args) => args.startsWith("ssh "))).not.toEqual([]);

    expect(await running.runPost()).toMatchObject({ exitCode: 0 });
    expect(readdirSync(running.temp)).toEqual([]);
    await until("the processes of the killed run to end", 5, async () => (await fleet.runner.processes()).length === 0);
    expect(await running.runPost()).toMatchObject({ exitCode: 0 });
    if (phase === "copy") await one.limit();
  });

  // What must be there afterwards, and what makes the path of the state lead to it.
  test.each<[string, string, (directory: string, kept: string) => void]>([
    ["a directory of another name", "precious", (directory, kept) => cpSync(kept, directory, { recursive: true })],
    ["a link of the right name", "nix-flake-deploy-abc123", (directory, kept) => symlinkSync(kept, directory)],
    ["a file of the right name", "nix-flake-deploy-def456", (directory) => writeFileSync(directory, "kept")],
    ["a path around the right name", "kept/../nix-flake-deploy-ghi789", (directory, kept) => cpSync(kept, path.resolve(directory), { recursive: true })],
  ])("refuses %s", async (_, name, make) => {
    const kept = path.join(fleet.directory, "kept");
    mkdirSync(kept, { recursive: true });
    writeFileSync(path.join(kept, "file"), "kept");
    const directory = `${fleet.directory}/${name}`;
    make(directory, kept);
    // A main step that ends before it has a directory of its own.
    const run = await fleet.runner.run({ ...step({ operation: "nonsense" }), env: { "STATE_identity-directory": directory } });
    expect(run.post?.exitCode).toBe(1);
    const [error] = run.post?.commands.filter((command) => command.name === "error") ?? [];
    expect(error?.message).toContain("refusing to remove");
    expect(error?.message).toContain(directory);
    expect(existsSync(directory)).toBe(true);
    expect(existsSync(path.join(kept, "file"))).toBe(true);
  });
});
