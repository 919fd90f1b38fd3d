import { beforeEach, expect, test } from "@jest/globals";

import { type Trial, useTrial, verdictOf, type Systems } from "./trial.js";

// A store whose disk is small, and full in the middle.
const trial = useTrial([{ name: "small1", nixSize: 96 }, { name: "full1", rootSize: 128, systemProfile: true }, "web1"], ["small1", "full1"]);
let before: Systems;

beforeEach(async () => {
  before = await trial.systems("small1");
});

const buildFills = { buildScript: 'mkdir "$out"; head -c 200000000 /dev/zero >"$out/big"' };
const activationFills = { activationScript: "dd if=/dev/zero of=/nix/fill bs=1M" };

test("the disk is full during the build: nothing is activated, and with room it is deployed", async () => {
  const run = await trial.deploy(buildFills, {}, "small1");
  expect(verdictOf(run)).toMatchObject({
    exit: 1,
    status: "failed",
    phase: "build",
    error: expect.stringContaining("no space is left on the machine to build small1"),
  });
  expect(await trial.systems("small1")).toEqual(before);
  expect(await trial.machine("small1").leftovers()).toEqual([]);
  // As the message advises: what the build has left.
  await trial.machine("small1").output("nix-collect-garbage");

  // The same build where there is room for it.
  expect(verdictOf(await trial.deploy(buildFills))).toMatchObject({ exit: 0, status: "deployed" });
});

test("the disk is full during the activation: it rolls back, and without protection it stays half switched", async () => {
  const run = await trial.deploy(activationFills, {}, "small1");
  expect(verdictOf(run)).toMatchObject({
    exit: 1,
    status: "rolled-back",
    error: expect.stringContaining("failed (exit code 2): no space is left on the device"),
  });
  // It went back on the full disk.
  expect(await trial.machine("small1").output("df --output=avail /nix | tail -n 1")).toBe("0");
  expect(await trial.systems("small1")).toEqual(before);
  expect(await trial.machine("small1").leftovers()).toEqual([]);
  await trial.machine("small1").output("rm /nix/fill");

  const control = await trial.deploy(activationFills, { rollback: "false" }, "small1");
  expect(verdictOf(control)).toMatchObject({ exit: 1, status: "failed", error: expect.stringContaining("rollback is false") });
  expect((await trial.systems("small1")).current).toBe(control.outputs["system-path"]);
  await trial.machine("small1").output("rm /nix/fill");
  await trial.repair(before, "small1");
});

test("a rollback that fails where the disk is full: the commands of the message repair the machine without room", async () => {
  const machine = trial.machine("small1");
  const old = await trial.settle({ activationScript: "[ ! -e /run/spoiled ]" }, "small1");
  const run = await trial.deploy({ activationScript: "touch /run/spoiled; dd if=/dev/zero of=/nix/fill bs=1M" }, {}, "small1");
  expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rollback-failed" });
  const [, commands] = /epair the machine manually, as root: (.*)$/m.exec(String(verdictOf(run)["error"])) ?? [];
  expect(await machine.output("rm /run/spoiled; df --output=avail /nix | tail -n 1")).toBe("0");
  await machine.output(String(commands));
  expect(await trial.systems("small1")).toEqual(old);
  expect((await machine.exec(`test -e /nix/fill`)).code).toBe(0);
  await machine.output("rm /nix/fill");
});

test("the root file system is full during the activation: the old system runs, the message says that files are missing, and its commands work once there is room", async () => {
  const machine = trial.machine("full1");
  const old = await trial.settle({ text: "the old text" }, "full1");
  // It keeps on writing: others, as the journal, make room again.
  const writes = "systemd-run --quiet --unit=writes /bin/sh -c 'while :; do cat /dev/zero >>/var/fill; sleep 0.02; done'";
  const fills = { text: "the new text", activationScript: `dd if=/dev/zero of=/var/fill bs=1M || { ${writes}; false; }` };
  const makeRoom = "systemctl stop writes; rm /var/fill";
  const run = await trial.deploy(fills, {}, "full1");
  const { error } = verdictOf(run);
  expect(verdictOf(run)).toMatchObject({
    exit: 1,
    status: "rollback-failed",
    phase: "rollback",
    error: expect.stringMatching(/; the rollback failed: the activation script snippet 'etc' \(1\) failed \(exit code 2\): no space is left on the device/),
  });
  expect(error).toContain(
    "The machine runs its old system, but some of its files could not be written. Free space on the full file system (`df -h` on the machine shows which one). Then repair the machine manually, as root: ",
  );
  expect(await machine.output("df --output=avail / | tail -n 1")).toBe("0");
  expect(await trial.systems("full1")).toEqual(old);
  expect(await machine.output("cat /etc/motd-nixos")).toBe("the new text");
  const [, commands] = /epair the machine manually, as root: (.*)$/m.exec(String(error)) ?? [];
  await machine.output(`${makeRoom}; ${String(commands)}`);
  expect(await trial.systems("full1")).toEqual(old);
  expect(await machine.output("cat /etc/motd-nixos")).toBe("the old text");

  // Control: without protection it runs and boots the new system, half activated.
  const control = await trial.deploy(fills, { rollback: "false" }, "full1");
  expect(verdictOf(control)).toMatchObject({ exit: 1, status: "failed" });
  const half = control.outputs["system-path"];
  expect(await trial.systems("full1")).toEqual({ current: half, profile: half, boot: half });
  await machine.output(makeRoom);
  await trial.repair(old, "full1");
});

test("a machine with little free space is warned about, and deployed anyway", async () => {
  const warnings = (annotations: Awaited<ReturnType<Trial["deploy"]>>["annotations"]) => annotations.filter(({ level }) => level === "warning");
  const run = await trial.deploy({}, {}, "small1");
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  expect(warnings(run.annotations)).toEqual([
    expect.objectContaining({ title: "small1", message: expect.stringMatching(/^only \d\d\.\d MiB are free for the Nix store/) }),
  ]);
  // Before the copy.
  expect(run.log.indexOf("MiB are free")).toBeLessThan(run.log.indexOf("[small1] == copy"));
  expect(warnings((await trial.deploy({})).annotations)).toEqual([]);
});
