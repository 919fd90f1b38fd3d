import { beforeEach, describe, expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { prepareCall } from "../../../src/nixos/lease.js";
import { residentScript, type ScriptName } from "../../../src/nixos/script-files.js";
import { program } from "../../../src/nixos/script-program.js";
import { type Trial, useTrial, verdictOf, type Systems } from "./trial.js";

// Two that want to activate on one machine at the same time.

// A switch that goes on until a test lets it go.
const held = { switchScript: "until [ -e /run/go ]; do sleep 0.1; done; rm /run/go" };
const activating = /\] activating the configuration/;
const trial = useTrial(["web1", { name: "web2", suite: "trixie", rebuild: "bash" }], ["web1", "web2"]);
let before: Systems;

beforeEach(async () => {
  before = await trial.systems();
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
  test("the second waits, or fails after lock-timeout or timeout, and reports who holds the lock", async () => {
    const going = trial.fleet.runner.start(trial.step(await trial.flake(held)));
    await going.waitFor(activating);
    const holder =
      /another run of this action: https:\/\/github\.test\/octocat\/machines\/actions\/runs\/1, job deploy, target root@web1, since \d\d:\d\d:\d\dZ/;
    const impatient = await trial.deploy({}, { "lock-timeout": "1" });
    expect(verdictOf(impatient)).toMatchObject({ exit: 1, status: "failed", phase: "activate", error: expect.stringMatching(holder) });
    expect(verdictOf(impatient)["error"]).toContain("the machine is still locked after 1 s: ");
    const hurried = await trial.deploy({}, { timeout: "8" });
    expect(verdictOf(hurried)).toMatchObject({
      exit: 1,
      status: "failed",
      phase: "activate",
      error: expect.stringContaining("longer than the timeout of 8 s"),
    });
    expect(verdictOf(hurried)["error"]).toContain("Nothing has changed on the machine");
    expect(going.running()).toBe(true);

    const waiting = trial.fleet.runner.start(trial.step(await trial.flake({})));
    await waiting.waitFor(new RegExp(`waiting up to 300 s for the lock: ${holder.source}`));
    await trial.machine().output("touch /run/go");
    const patient = await waiting.finished;
    expect(verdictOf(patient)).toMatchObject({ exit: 0, status: "deployed" });
    const first = await going.finished;
    expect(verdictOf(first)).toMatchObject({ exit: 0, status: "deployed" });
    expect(verdictOf(patient)["previous-system-path"]).toBe(first.outputs["system-path"]);
    expect((await trial.systems()).current).toBe(patient.outputs["system-path"]);
  });

  test("the lock of a run that was killed is free once its machine has rolled back", async () => {
    const going = trial.fleet.runner.start(trial.step(await trial.flake({ switchSeconds: 2 }), { "confirm-timeout": "6" }));
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

  test.each(["switch", "plain"])("the lock is held from the first moment on, whether the machine rolls back by itself or not (%s)", async (kind) => {
    const machine = trial.machine();
    const call = async (script: ScriptName, args: readonly string[]) => await machine.exec("/bin/sh -s", { stdin: program(script, args, "nonce") });
    const arm = async (run: string) => {
      await call("prepare", prepareCall(run, [], true).args);
      const residents = ["job", "watchdog", "switch", "activate", "last"] as const;
      const texts = residents.flatMap((name) => [`${name}.sh`, residentScript(name)]);
      const system = await machine.currentSystem();
      return await call("arm", [run, kind, "60", "60", "60", `the ${run} one`, system, system, "", "0", ...texts]);
    };
    expect((await arm("first")).code).toBe(0);
    expect(await arm("second")).toMatchObject({ code: 5, stdout: expect.stringMatching(/^holder=another run of this action: the first one, since /m) });
    // Again is no harm: the connection may have been lost.
    expect((await arm("first")).code).toBe(0);
    await call("finish", ["first"]);
    expect((await arm("second")).code).toBe(0);
    await call("finish", ["second"]);
  });

  test("control: of two plain nixos-rebuild of bash the second runs unprotected, and leaves a profile that does not run", async () => {
    const machine = trial.machine("web2");
    const old = await trial.systems("web2");
    const first = await flakeOnMachine(held, "web2");
    const second = await flakeOnMachine({}, "web2");
    const busy = machine.exec(`nixos-rebuild switch --flake ${first.reference}`);
    await switching("web2");
    const beside = await machine.exec(`nixos-rebuild switch --flake ${second.reference}`);
    await machine.output("touch /run/go");
    expect(beside).toMatchObject({ code: 1, stderr: expect.stringContaining("Failed to start transient service unit") });
    expect((await busy).code).toBe(0);
    expect(await trial.systems("web2")).toMatchObject({ current: first.system, profile: second.system });
    await trial.repair(old, "web2");
  });
});

describe("a nixos-rebuild by hand", () => {
  test("is waited for, and the message says who runs it", async () => {
    const { reference } = await flakeOnMachine(held);
    const busy = trial.machine().exec(`nixos-rebuild switch --flake ${reference}`);
    await switching();
    const run = await trial.deploy({}, { "lock-timeout": "1" });
    const holder = /root runs ".*nixos-rebuild switch --flake path:[^"]*" \(process \d+\)/;
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "failed", phase: "activate", error: expect.stringMatching(holder) });
    const waiting = trial.fleet.runner.start(trial.step(await trial.flake({})));
    await waiting.waitFor(holder);
    await trial.machine().output("touch /run/go");
    const patient = await waiting.finished;
    expect(verdictOf(patient)).toMatchObject({ exit: 0, status: "deployed" });
    await busy;
  });

  test("that deploys another machine, runs in a container, or is not run by root does not hold the lock", async () => {
    const machine = trial.machine();
    // As nixos-rebuild itself and the ssh below it look to ps; nobody answers at that address.
    await machine.output(
      `mkdir -p /tmp/away && printf '#!/bin/sh\\nexec 9<>/tmp/away/fifo; read -r _ <&9\\n' >/tmp/away/nixos-rebuild && echo 'exec /tmp/away/nixos-rebuild switch --flake .#container' >/tmp/away/container && mkfifo /tmp/away/fifo && chmod 666 /tmp/away/fifo && chmod +x /tmp/away/nixos-rebuild
      ip route add 10.255.255.1 dev host0
      for command in "unshare --pid --fork --kill-child /bin/sh /tmp/away/container" "/tmp/away/nixos-rebuild switch --flake .#web9 --target-host root@web9" \
        "ssh -o ConnectTimeout=60 root@10.255.255.1 nixos-rebuild switch" \
        "ssh -o ConnectTimeout=60 root@10.255.255.1 /nix/var/nix/profiles/system/bin/switch-to-configuration switch" \
        "setpriv --reuid=nobody --clear-groups /tmp/away/nixos-rebuild switch --flake .#anybody"; do
        $command >/dev/null 2>&1 </dev/null &
        echo $! >>/tmp/away/pids
      done`,
    );
    const seen = await machine.output("sleep 0.2; ps -eo args= | grep -E '[n]ixos-rebuild switch|[s]witch-to-configuration switch'");
    const run = await trial.deploy({}, { "lock-timeout": "0" });
    await machine.output("kill $(cat /tmp/away/pids); rm -r /tmp/away; ip route del 10.255.255.1");
    expect(seen.split("\n").toSorted()).toEqual([
      "/bin/sh /tmp/away/nixos-rebuild switch --flake .#anybody",
      "/bin/sh /tmp/away/nixos-rebuild switch --flake .#container",
      "/bin/sh /tmp/away/nixos-rebuild switch --flake .#web9 --target-host root@web9",
      "ssh -o ConnectTimeout=60 root@10.255.255.1 /nix/var/nix/profiles/system/bin/switch-to-configuration switch",
      "ssh -o ConnectTimeout=60 root@10.255.255.1 nixos-rebuild switch",
    ]);
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  });

  test("control: a plain nixos-rebuild beside it fails, and has changed the profile by then", async () => {
    const first = await flakeOnMachine(held);
    const second = await flakeOnMachine({});
    const busy = trial.machine().exec(`nixos-rebuild switch --flake ${first.reference}`);
    await switching();
    const beside = await trial.machine().exec(`nixos-rebuild switch --flake ${second.reference}`);
    await trial.machine().output("touch /run/go");
    await busy;
    expect(beside.code).not.toBe(0);
    expect(await trial.systems()).toMatchObject({ current: first.system, profile: second.system });
    await trial.repair(before);
  });
});
