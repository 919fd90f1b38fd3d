import { beforeEach, expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { failingUnit, runningUnit } from "../rig/flake.js";
import { useTrial, verdictOf, type Systems } from "./trial.js";

// System profile and boot loader change only when a system is confirmed.
const trial = useTrial(["web1"]);
let before: Systems;

beforeEach(async () => {
  before = await trial.settle();
});

const profileOf = async (number: number): Promise<string> => await trial.machine().output(`readlink -f /nix/var/nix/profiles/system-${number}-link`);
const current = async (): Promise<number> => (await trial.machine().generations()).find((generation) => generation.current)?.number ?? 0;

test("three rejected deployments, and then rollback twice: it goes two generations back, and never to a rejected system", async () => {
  await trial.settle();
  const number = await current();
  for (const _ of [1, 2, 3]) expect(verdictOf(await trial.deploy({ units: { "bad.service": failingUnit } }))).toMatchObject({ status: "rolled-back" });
  expect(await current()).toBe(number);
  for (const steps of [1, 2]) {
    const run = await trial.fleet.runner.run(trial.step(await trial.flake({}), { operation: "rollback" }));
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
    const system = await profileOf(number - steps);
    expect(await trial.systems()).toEqual({ current: system, profile: system, boot: system });
  }

  // Control: after plain switches, the generation before is one that was rejected.
  const failing = await trial.deploy({ activationScript: "false" }, { rollback: "false" });
  const again = await trial.deploy({ activationScript: "false" }, { rollback: "false" });
  expect(verdictOf(again)).toMatchObject({ status: "failed" });
  expect(await profileOf((await current()) - 1)).toBe(failing.outputs["system-path"]);
  await trial.repair(before);
});

test("somebody's own switch between activation and confirmation stays: failed, saying what runs", async () => {
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
});

test("somebody's own switch is not undone by the watchdog either", async () => {
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
  expect(run.annotations).toContainEqual(expect.objectContaining({ level: "warning", message: expect.stringContaining("MiB are free on /boot") }));
  expect(await trial.systems()).toEqual(before);

  // Half a kernel stays, as with GRUB: the old entry cannot be written again, and the old system runs all the same.
  const full = await trial.deploy({ bootLoaderScript: "head -c 1000000 /dev/zero >/boot/kernel" });
  const { error } = verdictOf(full);
  expect(verdictOf(full)).toMatchObject({ exit: 1, status: "rollback-failed", error: expect.stringContaining("the boot loader's default entry may be") });
  expect(await trial.systems()).toEqual(before);
  const [, commands] = /Repair the machine manually, as root: (.*)$/m.exec(String(error)) ?? [];
  await machine.output(`rm /boot/kernel; ${commands}`);
  expect(await trial.systems()).toEqual(before);

  // Control: without protection the profile is one that the machine cannot boot.
  const control = await trial.deploy({ bootLoaderScript: "head -c 1000000 /dev/zero >/boot/kernel" }, { rollback: "false" });
  expect(verdictOf(control)).toMatchObject({ exit: 1, status: "failed" });
  expect((await trial.systems()).profile).not.toBe(before.profile);
  await machine.output("umount /boot; rm -rf /nix/var/nix/nix-flake-deploy");
  await trial.repair(before);
});

test("a full disk while arming is failed, and a full profile directory after the confirmation is rolled-back", async () => {
  const machine = trial.machine();
  // No room for a single further link.
  const fill = (directory: string, spare: number): string =>
    `cp -a ${directory} /var/tmp/kept; mount -t tmpfs -o nr_inodes=$(($(find ${directory} | wc -l) + ${spare})),size=4m tmpfs ${directory}; cp -a /var/tmp/kept/. ${directory}/`;
  await machine.output(`mkdir -p /nix/var/nix/gcroots/nix-flake-deploy; ${fill("/nix/var/nix/gcroots/nix-flake-deploy", 3)}`);
  const arming = await trial.deploy({});
  await machine.output("umount /nix/var/nix/gcroots/nix-flake-deploy; rm -rf /var/tmp/kept; rmdir /nix/var/nix/gcroots/nix-flake-deploy || true");
  expect(verdictOf(arming)).toMatchObject({
    exit: 1,
    status: "failed",
    error: expect.stringMatching(/the watchdog could not be armed[^]*No space left on device/),
  });
  expect(await trial.systems()).toEqual(before);

  await machine.output(fill("/nix/var/nix/profiles", 1));
  const setting = await trial.deploy({});
  const systems = await trial.systems();
  await machine.output("umount /nix/var/nix/profiles; rm -rf /var/tmp/kept");
  expect(verdictOf(setting)).toMatchObject({ exit: 1, status: "rolled-back", error: expect.stringContaining("the system profile could not be set") });
  expect(systems).toEqual(before);
});
