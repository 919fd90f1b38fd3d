import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { Trial, verdictOf, type Systems } from "./trial.js";

// Two that want to activate on one machine at the same time.
jest.setTimeout(120_000);
const activating = /\] activating the configuration/;
let trial: Trial;
let before: Systems;

beforeAll(async () => {
  trial = await Trial.start(["web1", { name: "web2", suite: "trixie", rebuild: "bash" }]);
  await Promise.all([trial.settle(), trial.settle({}, "web2")]);
});
afterAll(async () => {
  await trial.stop();
});
beforeEach(async () => {
  before = await trial.systems();
});
afterEach(async () => {
  await trial.requireNothingLeft();
});

/** Puts a system onto a machine, built, as a flake that somebody there can switch to. Returns the reference. */
async function flakeOnMachine(behaviour: Parameters<Trial["flake"]>[0], name = "web1"): Promise<{ reference: string; system: string }> {
  const built = await trial.deploy(behaviour, { operation: "build" }, name);
  return { reference: `path:${built.outputs["store-path"]}#${name}`, system: String(built.outputs["system-path"]) };
}

async function switching(name = "web1"): Promise<void> {
  await until("the switch by hand", 30, async () => (await trial.machine(name).exec("systemctl is-active nixos-rebuild-switch-to-configuration")).code === 0);
}

describe("two runs at once", () => {
  test("the second waits, or fails by lock-timeout or timeout, and both are told who holds the lock", async () => {
    const going = trial.fleet.runner.start(trial.step(await trial.flake({ switchSeconds: 8 })));
    await going.waitFor(activating);
    const holder = /another run of this action: https:\/\/github\.test\/octocat\/machines\/actions\/runs\/1, job deploy, since \d\d:\d\d:\d\dZ/;
    const impatient = await trial.deploy({}, { "lock-timeout": "1" });
    expect(verdictOf(impatient)).toMatchObject({ exit: 1, status: "failed", phase: "activate", error: expect.stringMatching(holder) });
    expect(verdictOf(impatient)["error"]).toContain("the machine is locked after 1 s of waiting");
    const hurried = await trial.deploy({}, { timeout: "3" });
    expect(verdictOf(hurried)).toMatchObject({
      exit: 1,
      status: "failed",
      phase: "activate",
      error: expect.stringContaining("longer than the timeout of 3 s"),
    });
    expect(verdictOf(hurried)["error"]).toContain("Nothing has changed on the machine");
    expect(going.running()).toBe(true);

    const patient = await trial.deploy({});
    expect(patient.log).toMatch(new RegExp(`waiting for up to 300 s: ${holder.source}`));
    expect(verdictOf(patient)).toMatchObject({ exit: 0, status: "deployed" });
    const first = await going.finished;
    expect(verdictOf(first)).toMatchObject({ exit: 0, status: "deployed" });
    expect(verdictOf(patient)["previous-system-path"]).toBe(first.outputs["system-path"]);
    expect((await trial.systems()).current).toBe(patient.outputs["system-path"]);
  });

  test("the lock of a run that was killed is free once its machine has gone back", async () => {
    const going = trial.fleet.runner.start(trial.step(await trial.flake({ switchSeconds: 2 }), { "confirm-timeout": "2" }));
    await going.waitFor(activating);
    going.signal("SIGKILL");
    await going.finished;
    const run = await trial.deploy({});
    expect(run.log).toContain("another run of this action");
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed", "previous-system-path": before.current });
    await trial.forget();
  });

  test("the lock of a run of which nothing is left is free at once", async () => {
    await trial.machine().output("mkdir -p /run/nix-flake-deploy && echo 'dead00 another run, since 00:00:00Z' >/run/nix-flake-deploy/lock");
    expect(verdictOf(await trial.deploy({}, { "lock-timeout": "0" }))).toMatchObject({ exit: 0, status: "deployed" });
  });

  test("control: of two plain nixos-rebuild of bash the second runs unprotected, and leaves a profile that does not run", async () => {
    const machine = trial.machine("web2");
    const old = await trial.systems("web2");
    const first = await flakeOnMachine({ switchSeconds: 3 }, "web2");
    const second = await flakeOnMachine({}, "web2");
    const busy = machine.exec(`nixos-rebuild switch --flake ${first.reference}`);
    await switching("web2");
    const beside = await machine.exec(`nixos-rebuild switch --flake ${second.reference}`);
    expect(beside).toMatchObject({ code: 1, stderr: expect.stringContaining("Failed to start transient service unit") });
    expect((await busy).code).toBe(0);
    expect(await trial.systems("web2")).toMatchObject({ current: first.system, profile: second.system });
    await trial.repair(old, "web2");
  });
});

describe("a nixos-rebuild by hand", () => {
  test("is waited for, and the message says who runs it", async () => {
    const { reference } = await flakeOnMachine({ switchSeconds: 4 });
    const busy = trial.machine().exec(`nixos-rebuild switch --flake ${reference}`);
    await switching();
    const run = await trial.deploy({}, { "lock-timeout": "1" });
    const holder = /root runs ".*nixos-rebuild switch --flake path:[^"]*" \(process \d+\)/;
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "failed", phase: "activate", error: expect.stringMatching(holder) });
    const patient = await trial.deploy({});
    expect(patient.log).toMatch(holder);
    expect(verdictOf(patient)).toMatchObject({ exit: 0, status: "deployed" });
    await busy;
  });

  test("that deploys another machine from this one is not in the way", async () => {
    const machine = trial.machine();
    // As nixos-rebuild itself and the ssh below it look to ps; nobody answers at that address.
    await machine.output(
      `mkdir -p /tmp/away && printf '#!/bin/sh\\nexec 9<>/tmp/away/fifo; read -r _ <&9\\n' >/tmp/away/nixos-rebuild && mkfifo /tmp/away/fifo && chmod +x /tmp/away/nixos-rebuild
      ip route add 10.255.255.1 dev host0
      for command in "/tmp/away/nixos-rebuild switch --flake .#web9 --target-host root@web9" \
        "ssh -o ConnectTimeout=60 root@10.255.255.1 nixos-rebuild switch" \
        "ssh -o ConnectTimeout=60 root@10.255.255.1 /nix/var/nix/profiles/system/bin/switch-to-configuration switch"; do
        $command >/dev/null 2>&1 </dev/null &
        echo $! >>/tmp/away/pids
      done`,
    );
    const seen = await machine.output("sleep 0.2; ps -o args= -p $(paste -sd, /tmp/away/pids)");
    const run = await trial.deploy({}, { "lock-timeout": "0" });
    await machine.output("kill $(cat /tmp/away/pids); rm -r /tmp/away; ip route del 10.255.255.1");
    expect(seen.split("\n")).toHaveLength(3);
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  });

  test("control: a plain nixos-rebuild beside it fails, and has changed the profile by then", async () => {
    const first = await flakeOnMachine({ switchSeconds: 3 });
    const second = await flakeOnMachine({});
    const busy = trial.machine().exec(`nixos-rebuild switch --flake ${first.reference}`);
    await switching();
    const beside = await trial.machine().exec(`nixos-rebuild switch --flake ${second.reference}`);
    await busy;
    expect(beside.code).not.toBe(0);
    expect(await trial.systems()).toMatchObject({ current: first.system, profile: second.system });
    await trial.repair(before);
  });
});
