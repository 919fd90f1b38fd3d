import { beforeEach, describe, expect, test } from "@jest/globals";

import { failingUnit, switchInhibitor, type Behaviour } from "../rig/flake.js";
import { everyControl, useTrial, verdictOf, type Systems } from "./trial.js";

// Activations that fail, and systems that do not pass. The first case has its control in each run, and the others in `npm run test:matrix`:
// the same with the protection off, where the damage stays.
const unprotected = { rollback: "false" };
const trial = useTrial(["web1", { name: "web2", suite: "trixie", rebuild: "bash", systemProfile: true }, { name: "new1", systemProfile: false }]);
let before: Systems;

beforeEach(async () => {
  before = await trial.systems();
});

describe("the machine rolls back, and without protection the damage stays:", () => {
  const cases: readonly (readonly [string, Behaviour, string, string, string])[] = [
    ["the activation script fails", { activationScript: "false" }, "the activation script snippet 'example' (1) failed", "rolled-back", "activate"],
    // It comes after the confirmation.
    ["the boot loader cannot be written", { bootLoaderScript: "false" }, "the boot loader could not be installed", "rolled-back", "confirm"],
    ["a unit fails", { units: { "bad.service": failingUnit } }, "no luck today", "rolled-back", "activate"],
    // There is nothing to roll back.
    ["another init is wanted", { initInterfaceVersion: "9" }, "a different init system", "failed", "activate"],
    ["a switch inhibitor refuses", switchInhibitor, "a switch inhibitor refuses to activate the new system", "failed", "activate"],
  ];
  test.each(cases)("%s", async (name, behaviour, reason, status, phase) => {
    const { length } = await trial.machine().generations();
    const run = await trial.deploy(behaviour);
    expect(verdictOf(run)).toMatchObject({ exit: 1, status, phase, error: expect.stringContaining(reason) });
    // A rejected system is no generation that a later rollback could choose.
    expect((await trial.machine().generations()).length).toBe(length);
    expect(await trial.systems()).toEqual(before);
    expect(run.errors).toEqual([expect.stringContaining(reason)]);
    if (!everyControl && name !== cases[0]?.[0]) return;

    const control = await trial.deploy(behaviour, unprotected);
    expect(verdictOf(control)).toMatchObject({ exit: 1, status: "failed", error: expect.stringContaining("rollback is false") });
    expect(await trial.systems()).not.toEqual(before);
    expect(await trial.machine().leftovers()).toEqual([]);
    await trial.repair(before);
  });

  test("the health check fails", async () => {
    // As the deploy user, who is not root.
    const check = { targets: "deploy@web1", "health-check": "echo the web page is empty; id -un; false", "health-check-timeout": "2" };
    const run = await trial.deploy({}, check);
    expect(verdictOf(run)).toMatchObject({
      exit: 1,
      status: "rolled-back",
      phase: "confirm",
      error: expect.stringContaining("the web page is empty\n  deploy"),
    });
    expect(await trial.systems()).toEqual(before);
    if (!everyControl) return;

    const control = await trial.deploy({}, { ...check, ...unprotected });
    expect(verdictOf(control)).toMatchObject({ exit: 1, status: "failed" });
    expect(await trial.systems()).not.toEqual(before);
    await trial.repair(before);
  });

  test("the switch hangs, and ignores SIGTERM", async () => {
    // For longer than the log of a job that is dead is waited for.
    await trial
      .machine()
      .output(
        "mkdir -p /run/systemd/system.conf.d; printf '[Manager]\\nDefaultTimeoutStopSec=8s\\n' >/run/systemd/system.conf.d/stop.conf; systemctl daemon-reload",
      );
    const flake = await trial.flake({ switchScript: "trap '' TERM; sleep 300" });
    const run = await trial.fleet.runner.run(trial.step(flake, { "activation-timeout": "3" }));
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", error: expect.stringContaining("activation-timeout (3 s)") });
    expect(await trial.systems()).toEqual(before);
    expect((await trial.machine().exec("pgrep -x sleep")).stdout).toBe("");
    if (!everyControl) return;

    const control = await trial.fleet.runner.run(trial.step(flake, { "activation-timeout": "3", ...unprotected }));
    expect(verdictOf(control)).toMatchObject({ exit: 1, status: "unknown", error: expect.stringContaining("activation-timeout (3 s)") });
    expect(await trial.machine().output("systemctl list-units --no-legend 'nix-flake-deploy-*-activate.service'")).toContain("running");
    await trial.repair(before);
  });

  test("the activation script fails on the very first deploy", async () => {
    const first = await trial.systems("new1");
    expect(first.profile).toBeUndefined();
    const run = await trial.deploy({ activationScript: "false" }, {}, "new1");
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back" });
    expect(await trial.systems("new1")).toEqual(first);
    expect(await trial.machine("new1").leftovers()).toEqual([]);
    if (!everyControl) return;

    const control = await trial.deploy({ activationScript: "false" }, unprotected, "new1");
    expect(verdictOf(control)).toMatchObject({ exit: 1, status: "failed" });
    expect((await trial.systems("new1")).profile).toBeDefined();
  });

  test("a unit fails on a machine with bash's nixos-rebuild, which would have one exit code for everything", async () => {
    const first = await trial.systems("web2");
    const inputs = { targets: "deploy@web2" };
    const run = await trial.deploy({ units: { "bad.service": failingUnit } }, inputs, "web2");
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", "exit-code": 4, error: expect.stringContaining("bad.service") });
    expect(await trial.systems("web2")).toEqual(first);
    if (!everyControl) return;

    const control = await trial.deploy({ units: { "bad.service": failingUnit } }, { ...inputs, ...unprotected }, "web2");
    expect(verdictOf(control)).toMatchObject({ exit: 1, status: "failed" });
    expect(await trial.systems("web2")).not.toEqual(first);
  });

  test.each(["boot", "test"])("operation: %s fails", async (operation) => {
    const behaviour = { bootLoaderScript: "false", activationScript: "false" };
    const run = await trial.deploy(behaviour, { operation });
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back" });
    expect(await trial.systems()).toEqual(before);
    if (!everyControl) return;

    const control = await trial.deploy(behaviour, { operation, ...unprotected });
    expect(verdictOf(control)).toMatchObject({ exit: 1, status: "failed" });
    const { profile, current } = await trial.systems();
    expect(operation === "boot" ? profile : current).toBe(control.outputs["system-path"]);
    await trial.repair(before);
  });
});

test("a health check that succeeds in the end keeps the new system", async () => {
  const run = await trial.deploy({}, { "health-check": "test -e /tmp/healthy || { touch /tmp/healthy; false; }" });
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  expect((await trial.systems()).current).toBe(run.outputs["system-path"]);
  expect(run.log).toContain("[web1] the health check failed (exit code 1); trying again");
});

test("units that failed before do not count; with unit-failures: warn, newly failed units make the host degraded", async () => {
  await trial.machine().exec("systemd-run --unit=old-failure false; sleep 0.2");
  const run = await trial.deploy({});
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed", "failed-units": [] });

  const warned = await trial.deploy({ units: { "bad.service": failingUnit } }, { "unit-failures": "warn" });
  expect(verdictOf(warned)).toMatchObject({ exit: 0, status: "degraded", "failed-units": ["bad.service"], "exit-code": 4 });
  expect((await trial.systems()).current).toBe(warned.outputs["system-path"]);
  expect(warned.annotations).toContainEqual(expect.objectContaining({ level: "warning", message: expect.stringMatching(/bad\.service[^]*no luck today/) }));
});

test("a rolled-back host has the last 20 lines of its log in its message", async () => {
  const run = await trial.deploy({ activationScript: "seq --format='line %g' 1 40; false" });
  const { error } = verdictOf(run);
  if (typeof error !== "string") throw new Error("no error");
  const [, ...lines] = error.split("\n");
  expect(lines).toHaveLength(20);
  expect(lines).toContain("  line 40");
  expect(lines).not.toContain("  line 20");
});

test("a rollback that fails is rollback-failed, and the commands in the message repair the machine", async () => {
  const machine = trial.machine();
  // The old system can be activated no more, as one that needs what the new one has removed.
  const old = await trial.settle({ activationScript: "[ ! -e /run/spoiled ]" });
  const run = await trial.deploy({ activationScript: "touch /run/spoiled; false" });
  expect(verdictOf(run)).toMatchObject({
    exit: 1,
    status: "rollback-failed",
    phase: "rollback",
    error: expect.stringMatching(
      /the activation script snippet [^]*; the rollback failed: the activation script snippet [^]*exit code 2[^]*Repair the machine manually,/,
    ),
  });
  expect(run.outputs["status"]).toBe("rollback-failed");
  const [, commands] = /Repair the machine manually, as root: (.*)$/m.exec(String(verdictOf(run)["error"])) ?? [];
  if (commands === undefined) throw new Error("no commands");

  await machine.output("rm /run/spoiled; $(readlink -f /nix/var/nix/profiles/system-1-link)/bin/switch-to-configuration test");
  expect(await trial.systems()).not.toEqual(old);
  await machine.output(commands);
  expect(await trial.systems()).toEqual(old);
});
