import { beforeAll, beforeEach, afterEach, describe, expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { useTrial, verdictOf } from "./trial.js";

// What users who may do nothing on a machine do to keep it from being deployed.

const trial = useTrial(["web1"], ["web1"]);
const lock = "/run/nixos/switch-to-configuration.lock";
const asUser = "setpriv --reuid=nosudo --regid=nosudo --clear-groups";

/** Starts a program in the background, as the user `nosudo`. */
async function begin(script: string): Promise<void> {
  await trial.machine().output(`setsid ${asUser} bash -c ${quoted(script)} >/tmp/attack.log 2>&1 </dev/null &`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

async function processes(): Promise<string> {
  return await trial.machine().output("ps -eo ruid=,uid=,args= | grep -v 'ps -eo'");
}

beforeAll(async () => {
  await trial.settle();
});

beforeEach(async () => {
  await trial.machine().output(`chmod 644 ${lock}`);
});

afterEach(async () => {
  await trial.machine().exec("pkill -9 -u nosudo; pkill -9 -x su; pkill -9 -x sudo");
});

/** Deploys, with little patience for whoever holds the machine. */
async function deploy(): Promise<Readonly<Record<string, unknown>>> {
  return verdictOf(await trial.deploy({}, { "lock-timeout": "5", "settle-time": "0" }));
}

const green = { exit: 0, status: "deployed" };

describe("a user of the machine", () => {
  test("who runs what looks like nixos-rebuild and switch-to-configuration holds up nothing", async () => {
    await begin("exec -a 'nixos-rebuild switch' sleep 1000 & exec -a '/nix/store/x/bin/switch-to-configuration test' sleep 1000");
    await until("the processes", 10, async () => /switch-to-configuration test 1000/.test(await processes()));
    expect(await deploy()).toMatchObject(green);
  });

  test("who starts programs that become root and wait for a password holds up nothing", async () => {
    await begin("sleep 1000 | sudo -S -- nixos-rebuild switch & sleep 1000 | su -c '/x/bin/switch-to-configuration test' & wait");
    // Control: they run as root, by the user that systems look at first.
    await until("sudo and su", 10, async () => {
      const all = await processes();
      return /^ *\d+ +0 +sudo .*nixos-rebuild switch/m.test(all) && /^ *\d+ +0 +su .*switch-to-configuration test/m.test(all);
    });
    expect(await deploy()).toMatchObject(green);
  });

  test.each([
    ["holds the lock of switch-to-configuration", `exec flock ${lock} sleep 1000`],
    ["holds it with a process whose parent is gone", `exec 9<${lock}; flock 9; sleep 1000 & exit`],
    ["shares it", `exec flock --shared ${lock} sleep 1000`],
  ])("who %s holds up nothing, and cannot do so again", async (_, script) => {
    const machine = trial.machine();
    await begin(script);
    await until("the lock", 10, async () => (await machine.exec(`flock --nonblock ${lock} true`)).code !== 0);
    // Control: a switch by hand is refused.
    const byHand = await machine.exec("/run/current-system/bin/switch-to-configuration test");
    expect([byHand.code === 0, byHand.stdout + byHand.stderr]).toEqual([false, expect.stringContaining("Could not acquire lock")]);
    expect(await deploy()).toMatchObject(green);
    expect((await machine.exec(`${asUser} flock --nonblock ${lock} true`)).code).not.toBe(0);
    expect((await machine.exec(`flock --nonblock ${lock} true`)).code).toBe(0);
  });

  test("whose manager fails in the middle of the switch neither vetoes nor delays it: degraded, naming the user", async () => {
    const machine = trial.machine();
    const uid = await machine.output("id -u nosudo");
    // The manager restarts this unit of the user's own for each switch, and waits for it.
    const attack =
      "mkdir -p ~/.config/systemd/user; printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c \"kill -9 $MANAGERPID\"\\n' >~/.config/systemd/user/nixos-activation.service";
    await machine.output(`cd /home/nosudo; HOME=/home/nosudo ${asUser} sh -c ${quoted(attack)}; systemd-run --quiet --wait loginctl enable-linger nosudo`);
    await until("the manager", 10, async () => (await machine.exec(`systemctl is-active user@${uid}.service`)).code === 0);
    const began = performance.now();
    const unit = "nixos-activation.service";
    const oneshot = "[Unit]\nDescription=the part of a user\n[Service]\nType=oneshot\nExecStart=/bin/true\n";
    const run = await trial.deploy({ userUnits: { [unit]: oneshot }, userOnDemand: [unit] }, { "lock-timeout": "5", "settle-time": "0" });
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "degraded", error: expect.stringContaining(`user@${uid}.service`) });
    expect((performance.now() - began) / 1000).toBeLessThan(60);
    // Control: it had failed, and system units that fail so are a reason to roll back.
    expect((await machine.exec(`systemctl is-failed user@${uid}.service`)).stdout.trim()).toBe("failed");
    // The same is true for a user whose manager has failed before.
    expect(await deploy()).toMatchObject({ exit: 0 });
    await machine.output("systemd-run --quiet --wait loginctl disable-linger nosudo; systemctl reset-failed; rm -r /home/nosudo/.config/systemd");
  });

  test("but not root, whose switch goes first", async () => {
    const machine = trial.machine();
    await machine.output(`setsid flock ${lock} sleep 20 >/dev/null 2>&1 </dev/null &`);
    const before = await trial.systems();
    const run = await trial.deploy({}, { "lock-timeout": "1", "settle-time": "0" });
    expect(verdictOf(run)).toMatchObject({ exit: 1 });
    expect(await trial.systems()).toEqual(before);
    await machine.exec("pkill -9 -x flock; pkill -9 -x sleep");
  });
});
