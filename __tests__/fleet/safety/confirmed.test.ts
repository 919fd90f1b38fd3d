import { beforeAll, beforeEach, expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { failingUnit, runningUnit } from "../rig/flake.js";
import { everyControl, useTrial, verdictOf, type Systems } from "./trial.js";

// System profile and boot loader change only when a system is confirmed. All controls that deploy are in `npm run test:matrix`.
const trial = useTrial(["web1"]);
let first: Systems;
let before: Systems;

beforeAll(async () => {
  first = await trial.systems();
});
beforeEach(async () => {
  if (!(await trial.isAt(first))) await trial.repair(first);
  before = await trial.systems();
});

const profileOf = async (number: number): Promise<string> => await trial.machine().output(`readlink -f /nix/var/nix/profiles/system-${number}-link`);
const current = async (): Promise<number> => (await trial.machine().generations()).find((generation) => generation.current)?.number ?? 0;

test("rejected deployments, and then rollback twice: it rolls back two generations, and never to a rejected system", async () => {
  for (const _ of [1, 2]) await trial.settle();
  const number = await current();
  for (const _ of [1, 2]) expect(verdictOf(await trial.deploy({ units: { "bad.service": failingUnit } }))).toMatchObject({ status: "rolled-back" });
  expect(await current()).toBe(number);
  for (const steps of [1, 2]) {
    const run = await trial.fleet.runner.run(trial.step(await trial.flake({}), { operation: "rollback" }));
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
    const system = await profileOf(number - steps);
    expect(await trial.systems()).toEqual({ current: system, profile: system, boot: system });
  }

  if (!everyControl) return;

  // Control: after plain switches, the generation before is one that was rejected.
  const failing = await trial.deploy({ activationScript: "false" }, { rollback: "false" });
  const again = await trial.deploy({ activationScript: "false" }, { rollback: "false" });
  expect(verdictOf(again)).toMatchObject({ status: "failed" });
  expect(await profileOf((await current()) - 1)).toBe(failing.outputs["system-path"]);
  await trial.repair(before);
});

test("someone's own switch between activation and confirmation stays: failed, saying what runs", async () => {
  const machine = trial.machine();
  const other = await trial.fleet.runner.run(trial.step(await trial.flake({}), { operation: "build" }));
  const third = String(other.outputs["system-path"]);
  const switched = `touch /var/tmp/checking; until test -e /var/tmp/switched; do sleep 0.1; done; rm /var/tmp/switched`;
  const going = trial.fleet.runner.start(trial.step(await trial.flake({}), { "health-check": switched }));
  await until("the health check", 40, async () => (await machine.exec("rm /var/tmp/checking")).code === 0);
  await machine.output(`nix-env -p /nix/var/nix/profiles/system --set ${third}; ${third}/bin/switch-to-configuration switch; touch /var/tmp/switched`);
  const run = await going.finished;
  expect(verdictOf(run)).toMatchObject({
    exit: 1,
    status: "failed",
    error: expect.stringContaining(`it runs ${third}, which is neither the old nor the new system`),
  });
  expect(await trial.systems()).toEqual({ current: third, profile: third, boot: third });
  expect(await machine.leftovers()).toEqual([]);

  // Control: the same steps by hand, which do not look: their system is gone with the next restart.
  const own = String(run.outputs["system-path"]);
  await machine.output(`${own}/bin/switch-to-configuration test; ${third}/bin/switch-to-configuration test`);
  await machine.output(`nix-env -p /nix/var/nix/profiles/system --set ${own}; ${own}/bin/switch-to-configuration boot`);
  expect(await trial.systems()).toEqual({ current: third, profile: own, boot: own });
  await trial.repair(before);
});

test("someone's own switch between the decision and the last step stays: failed, and profile and boot loader are theirs", async () => {
  const machine = trial.machine();
  const other = await trial.fleet.runner.run(trial.step(await trial.flake({}), { operation: "build" }));
  const third = String(other.outputs["system-path"]);
  // The unit of the last step is started when the decision is made.
  const waits = `#!/bin/sh
case "$*" in *-last*) touch /var/tmp/decided; until test -e /var/tmp/switched; do sleep 0.1; done ;; esac
exec /usr/bin/systemd-run "$@"
`;
  await machine.exec("cat >/usr/local/bin/systemd-run && chmod 755 /usr/local/bin/systemd-run", { stdin: waits });
  const going = trial.fleet.runner.start(trial.step(await trial.flake({})));
  try {
    await until("the decision", 40, async () => (await machine.exec("rm /var/tmp/decided")).code === 0);
    await machine.output(`nix-env -p /nix/var/nix/profiles/system --set ${third}; ${third}/bin/switch-to-configuration switch`);
  } finally {
    await machine.exec("rm /usr/local/bin/systemd-run; touch /var/tmp/switched");
  }
  const run = await going.finished;
  await machine.output("rm /var/tmp/switched");
  expect(verdictOf(run)).toMatchObject({
    exit: 1,
    status: "failed",
    phase: "confirm",
    error: expect.stringMatching(
      new RegExp(`it runs ${third}, which is neither the old nor the new system[^]*System profile and boot loader were not changed`),
    ),
  });
  expect(await trial.systems()).toEqual({ current: third, profile: third, boot: third });
  expect(await machine.leftovers()).toEqual([]);
  await trial.repair(before);
});

test("someone's own switch is not undone by the watchdog either", async () => {
  const machine = trial.machine();
  const other = await trial.fleet.runner.run(trial.step(await trial.flake({}), { operation: "build" }));
  const third = String(other.outputs["system-path"]);
  const going = trial.fleet.runner.start(
    trial.step(await trial.flake({}), { "health-check": "touch /var/tmp/checking; sleep 60", "health-check-timeout": "3" }),
  );
  await until("the health check", 40, async () => (await machine.exec("rm /var/tmp/checking")).code === 0);
  going.signal("SIGKILL");
  await going.finished;
  await trial.fleet.runner.endJob();
  await machine.output(`nix-env -p /nix/var/nix/profiles/system --set ${third}; ${third}/bin/switch-to-configuration switch`);
  await until("the watchdog", 60, async () => (await machine.exec("cat /run/nix-flake-deploy/*/rollback.status")).stdout.trim() === "9");
  expect(await trial.systems()).toEqual({ current: third, profile: third, boot: third });
  await trial.forget();
});

test("an activation that was killed with its watchdog is restored by the next run, before it activates", async () => {
  const machine = trial.machine();
  before = await trial.settle({ units: { "web.service": runningUnit() } });
  const going = trial.fleet.runner.start(
    trial.step(await trial.flake({ units: { "web.service": runningUnit().replace("infinity", "1000000") }, switchSeconds: 60 })),
  );
  await going.waitFor(/\] activating the configuration/);
  going.signal("SIGKILL");
  await going.finished;
  await trial.fleet.runner.endJob();
  await machine.exec("systemctl kill --signal=KILL 'nix-flake-deploy-*'; sleep 1");
  // The damage: what the new system has changed is stopped.
  expect((await machine.exec("systemctl is-active web.service")).code).not.toBe(0);
  const next = await trial.deploy({ units: { "other.service": runningUnit() } });
  expect(next.log).toContain(`an earlier activation was interrupted: activating ${before.current}`);
  expect(verdictOf(next)).toMatchObject({ exit: 0, status: "deployed", "previous-system-path": before.current });
  await trial.forget();
});

test("a full /boot: it is warned about, and the step is undone", async () => {
  const machine = trial.machine();
  await machine.output("cp /boot/default /var/tmp/default; mount -t tmpfs -o size=64k tmpfs /boot; cp /var/tmp/default /boot/default");
  const run = await trial.deploy({ bootLoaderScript: "head -c 1000000 /dev/zero >/boot/kernel || { rm /boot/kernel; false; }" });
  expect(verdictOf(run)).toMatchObject({
    exit: 1,
    status: "rolled-back",
    phase: "confirm",
    error: expect.stringContaining("the boot loader could not be installed"),
  });
  expect(run.annotations).toContainEqual(expect.objectContaining({ level: "warning", message: expect.stringContaining("are free on /boot") }));
  expect(await trial.systems()).toEqual(before);

  // Half a kernel stays, as with GRUB: the old entry cannot be written again, and the old system runs all the same.
  const full = await trial.deploy({ bootLoaderScript: "head -c 1000000 /dev/zero >/boot/kernel" });
  const { error } = verdictOf(full);
  expect(verdictOf(full)).toMatchObject({ exit: 1, status: "rollback-failed", error: expect.stringContaining("the boot loader's default entry may be") });
  expect(await trial.systems()).toEqual(before);
  expect(String(error)).not.toContain("some of its files");
  const [, commands] = /Free space on the full file system [^]* repair the machine manually, as root: (.*)$/m.exec(String(error)) ?? [];
  await machine.output(`rm /boot/kernel; ${commands}`);
  expect(await trial.systems()).toEqual(before);

  if (!everyControl) {
    await machine.output("umount /boot; rm -rf /nix/var/nix/nix-flake-deploy");
    return;
  }

  // Control: without protection the profile is one that the machine cannot boot.
  const control = await trial.deploy({ bootLoaderScript: "head -c 1000000 /dev/zero >/boot/kernel" }, { rollback: "false" });
  expect(verdictOf(control)).toMatchObject({ exit: 1, status: "failed" });
  expect((await trial.systems()).profile).not.toBe(before.profile);
  await machine.output("umount /boot; rm -rf /nix/var/nix/nix-flake-deploy");
  await trial.repair(before);
});

// Leaves that many more files and links that a directory has room for.
const fill = (directory: string, spare: number): string =>
  `cp -a ${directory} /var/tmp/kept; mount -t tmpfs -o nr_inodes=$(($(find ${directory} | wc -l) + ${spare})),size=4m tmpfs ${directory}; cp -a /var/tmp/kept/. ${directory}/`;
const empty = (directory: string): string => `umount ${directory}; rm -rf /var/tmp/kept`;
const profiles = "/nix/var/nix/profiles";

test("a full disk or a full profile directory while arming: failed, and nothing is activated", async () => {
  const machine = trial.machine();
  const roots = "/nix/var/nix/gcroots/nix-flake-deploy";
  const bad = await trial.flake({ activationScript: "touch /var/tmp/activated; false" });
  const built = await trial.fleet.runner.run(trial.step(bad, { operation: "build" }));
  for (const [directory, spare] of [
    [roots, 3],
    [profiles, 1],
  ] as const) {
    await machine.output(`mkdir -p ${directory}; ${fill(directory, spare)}`);
    const run = await trial.fleet.runner.run(trial.step(bad));
    const systems = await trial.systems();
    await machine.output(`${empty(directory)}; rmdir ${roots} 2>/dev/null || true`);
    const error = /the watchdog could not be armed \(exit code 1\); nothing was activated[^]*No space left on device/;
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "failed", phase: "activate", error: expect.stringMatching(error) });
    expect(systems).toEqual(before);
    expect(await machine.leftovers()).toEqual([]);
    expect((await machine.exec("ls /var/tmp/activated /nix/var/nix/profiles/*try* /nix/var/nix/nix-flake-deploy")).stdout).toBe("");
  }

  if (!everyControl) return;

  // Control: a plain nixos-rebuild does not look, and leaves a failed system in profile and boot loader.
  await machine.output(`mkdir -p ${roots}; ${fill(roots, 3)}`);
  const plain = await machine.exec(`nixos-rebuild switch --flake 'path:${built.outputs["store-path"]}#web1'`);
  await machine.output(`${empty(roots)}; rmdir ${roots}; rm /var/tmp/activated`);
  expect(plain.code).not.toBe(0);
  const failed = built.outputs["system-path"];
  expect(await trial.systems()).toEqual({ current: failed, profile: failed, boot: failed });
  await trial.repair(before);
});

test("the checks of a system, which have passed for test, stop neither its last step nor a rollback", async () => {
  const machine = trial.machine();
  // As a switch inhibitor or a check of a user's own: it refuses once the new system has been activated.
  const refuses = { preSwitchCheck: "[ ! -e /run/refuse ]" };
  before = await trial.settle(refuses);
  const rejected = await trial.deploy({ activationScript: "touch /run/refuse; false" });
  expect(verdictOf(rejected)).toMatchObject({ exit: 1, status: "rolled-back" });
  expect(await trial.systems()).toEqual(before);
  // Control: the old system refuses without NIXOS_NO_CHECK=1.
  expect((await machine.exec(`${before.current}/bin/switch-to-configuration test`)).code).toBe(1);
  await machine.output("rm /run/refuse");

  const run = await trial.deploy({ ...refuses, switchScript: "touch /run/refuse" });
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  const system = String(run.outputs["system-path"]);
  expect(await trial.systems()).toEqual({ current: system, profile: system, boot: system });
  expect((await machine.exec(`${system}/bin/switch-to-configuration boot`)).code).toBe(1);
  await machine.output("rm /run/refuse");
});

test("systemd-boot, which boots only generations, gets the new system while systemd re-executes itself", async () => {
  const machine = trial.machine();
  const behaviour = { bootLoader: "systemd-boot", managerConf: "DefaultTimeoutStopSec=80s\n" } as const;
  // Control: `boot` before the profile is set ends well and changes nothing.
  const flake = await trial.flake(behaviour);
  const system = String((await trial.fleet.runner.run(trial.step(flake, { operation: "build" }))).outputs["system-path"]);
  expect((await machine.exec(`${system}/bin/switch-to-configuration boot`)).code).toBe(0);
  expect(await trial.systems()).toEqual(before);

  const run = await trial.fleet.runner.run(trial.step(flake));
  expect(run.log).toContain("restarting systemd...");
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  expect(await trial.systems()).toEqual({ current: system, profile: system, boot: system });
});

test("garbage that is collected before the confirmation takes neither the new system nor an old one that is no generation", async () => {
  const machine = trial.machine();
  const old = String((await trial.deploy({}, { operation: "test" })).outputs["system-path"]);
  const run = await trial.deploy({}, { "health-check": "nix-collect-garbage >/dev/null 2>&1; false", "health-check-timeout": "1" });
  expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back" });
  expect(await trial.systems()).toEqual({ ...before, current: old });

  // Control: by hand, only the running system is kept, and there is nothing left to roll back to.
  await machine.output(`${before.current}/bin/switch-to-configuration test; nix-collect-garbage`);
  expect((await machine.exec(`ls ${old}`)).code).not.toBe(0);
});

test("a switch by hand that was killed is reported, restored before the next activation, and without that makes it fail", async () => {
  const machine = trial.machine();
  before = await trial.settle();
  const build = async (behaviour: Parameters<typeof trial.flake>[0]): Promise<string> =>
    String((await trial.fleet.runner.run(trial.step(await trial.flake(behaviour), { operation: "build" }))).outputs["system-path"]);
  const slow = await build({ units: { "web.service": runningUnit() }, switchScript: "[ ! -e /var/tmp/slow ] || { touch /var/tmp/switching; sleep 60; }" });
  const kill = async (): Promise<void> => {
    await machine.output("touch /var/tmp/slow");
    const switching = machine.exec(`systemd-run --wait --unit=by-hand ${slow}/bin/switch-to-configuration test`);
    await until("the switch", 30, async () => (await machine.exec("rm /var/tmp/switching")).code === 0);
    // It is to start again what it has stopped.
    await machine.output("rm /var/tmp/slow; echo web.service >>/run/nixos/start-list; systemctl kill --signal=KILL by-hand");
    await switching;
    await machine.exec("systemctl reset-failed by-hand; rm -f /run/nixos/switch-to-configuration.lock");
  };
  const flake = await trial.flake({});
  await kill();
  const plan = await trial.fleet.runner.run(trial.step(flake, { operation: "build" }));
  expect(plan.annotations).toContainEqual(
    expect.objectContaining({ level: "warning", message: expect.stringContaining("The next activation finishes or undoes it first") }),
  );
  expect(await machine.output("cat /run/nixos/start-list")).toContain("web.service");
  const run = await trial.fleet.runner.run(trial.step(flake));
  expect(run.log).toContain("an earlier activation was interrupted: activating");
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });

  if (!everyControl) return;

  // Control: a plain switch finds what the killed one has left to do.
  await trial.repair(before);
  await kill();
  const third = await build({});
  const control = await machine.exec(`${third}/bin/switch-to-configuration test`);
  expect(control.code).toBe(4);
  expect(`${control.stdout}${control.stderr}`).toContain("web.service");
  await machine.exec("systemctl reset-failed; rm -f /run/nixos/*-list");
  await trial.repair(before);
}, 240_000);

test.each([
  ["holds its lock", "exec 9>/run/nixos/switch-to-configuration.lock; flock 9; touch /run/held; sleep 60", "another switch-to-configuration is running"],
  ["finds no /etc/NIXOS", "rm /etc/NIXOS; touch /run/held; sleep 60", "does not recognize the machine as NixOS"],
])("where switch-to-configuration %s, nothing is run, and nothing rolled back: failed", async (_, spoil, reason) => {
  const machine = trial.machine();
  await machine.output(`systemd-run --quiet --unit=spoil /bin/sh -c '${spoil}'; until [ -e /run/held ]; do sleep 0.1; done`);
  const run = await trial.deploy({});
  await machine.output("systemctl stop spoil; touch /etc/NIXOS; rm /run/held");
  expect(verdictOf(run)).toMatchObject({
    exit: 1,
    status: "failed",
    phase: "activate",
    error: expect.stringMatching(new RegExp(`${reason}[^]*Nothing was activated`)),
  });
  expect(run.log).not.toContain("rolling back");
  expect(await trial.systems()).toEqual(before);
});

// ../faults/ has it without the control.
if (everyControl) {
  test("a profile directory that is full after the activation: rolled-back", async () => {
    const machine = trial.machine();
    const waits = "touch /var/tmp/checking; until test -e /var/tmp/full; do sleep 0.1; done; rm /var/tmp/full";
    const going = trial.fleet.runner.start(trial.step(await trial.flake({}), { "health-check": waits }));
    await until("the health check", 40, async () => (await machine.exec("rm /var/tmp/checking")).code === 0);
    await machine.output(`${fill(profiles, 1)}; touch /var/tmp/full`);
    const run = await going.finished;
    const systems = await trial.systems();
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", error: expect.stringContaining("the system profile could not be set") });
    expect(systems).toEqual(before);

    // Control: the same steps by hand leave a machine that runs one system and boots another.
    const system = String(run.outputs["system-path"]);
    const byHand = await machine.exec(
      `${system}/bin/switch-to-configuration test && nix-env -p ${profiles}/system --set ${system} && ${system}/bin/switch-to-configuration boot`,
    );
    const damaged = await trial.systems();
    await machine.output(empty(profiles));
    expect(byHand.code).not.toBe(0);
    expect(damaged).toEqual({ ...before, current: system });
    await trial.repair(before);
  });
}
