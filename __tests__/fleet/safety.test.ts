import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";

import { hostResults } from "./host-results.js";
import { failingUnit, writeFlake, type Behaviour } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

// What an activation must survive: the rows of the README's safety table. Each case has its control, the same with the
// protection off, where the damage stays.
jest.setTimeout(180_000);
let fleet: Fleet;
let number = 0;

beforeAll(async () => {
  fleet = await Fleet.start([
    "web1",
    { name: "web2", suite: "trixie", rebuild: "bash" },
    { name: "new1", systemProfile: false },
    { name: "small1", nixSize: 96 },
  ]);
});
afterAll(async () => {
  await fleet.stop();
});

const machine = (name = "web1") => fleet.machine(name);

async function flakeFor(behaviour: Behaviour, name = "web1"): Promise<string> {
  number += 1;
  return await writeFlake(`${fleet.directory}/flake-${number}`, { [name]: { text: `number ${number}`, ...behaviour } });
}

function step(workspace: string, inputs: Record<string, string> = {}) {
  const always = { "ssh-key": fleet.key.secret, "ssh-known-hosts": fleet.knownHosts(), targets: "root@web1" };
  return { workspace, inputs: { ...always, "confirm-timeout": "5", "connect-timeout": "5", retries: "0", ...inputs } };
}

function resultOf(run: Pick<StepResult, "outputs">): Readonly<Record<string, unknown>> {
  const [result] = hostResults(run).values();
  if (result === undefined) throw new Error("no result");
  return result;
}

async function systems(name = "web1") {
  return { current: await machine(name).currentSystem(), profile: await machine(name).systemProfile(), boot: await machine(name).bootEntry() };
}

/** Removes what a machine that nobody came back to remembers of it; a later run does so after a day. */
async function forget(): Promise<void> {
  await waitUntil(async () => {
    await machine().exec("systemctl reset-failed 'nix-flake-deploy-*'");
    return (await machine().output("systemctl list-units --all --no-legend 'nix-flake-deploy-*'")).trim() === "";
  });
  await machine().output("rm -rf /run/nix-flake-deploy /nix/var/nix/gcroots/nix-flake-deploy");
}

/** Puts a machine back that a control has left damaged. */
async function repair({ profile, current }: Awaited<ReturnType<typeof systems>>, name = "web1"): Promise<void> {
  await machine(name).exec(
    "systemctl stop 'nix-flake-deploy-*' 'nixos-rebuild-switch-to-configuration*'; systemctl reset-failed; rm -rf /run/nix-flake-deploy /nix/var/nix/gcroots/nix-flake-deploy",
  );
  await machine(name).output(`nix-env -p /nix/var/nix/profiles/system --set ${profile ?? current}; ${current}/bin/switch-to-configuration switch`);
}

describe("a machine that has a system", () => {
  let before: Awaited<ReturnType<typeof systems>>;
  beforeAll(async () => {
    const run = await fleet.runner.run(step(await flakeFor({})));
    if (run.exitCode !== 0) throw new Error(`the machine has no system to come back to:\n${run.log}`);
  });
  beforeEach(async () => {
    before = await systems();
  });
  afterEach(async () => {
    const left = await machine().leftovers();
    if (left.length > 0) throw new Error(`the run has left something on the machine: ${left.join(", ")}`);
  });

  test.each([
    ["the activation script fails", { activationScript: "false" }, "the activation script failed"],
    ["the boot loader cannot be written", { bootLoaderScript: "false" }, "nixos-rebuild failed"],
    ["a unit fails", { units: { "bad.service": failingUnit } }, "no luck today"],
    ["another init is wanted", { initInterfaceVersion: "9" }, "another init"],
  ] as const)("%s: it goes back, and without protection the damage stays", async (_, behaviour, reason) => {
    const flake = await flakeFor(behaviour);
    const run = await fleet.runner.run(step(flake));
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({
      exit: 1,
      status: "rolled-back",
      phase: "activate",
      error: expect.stringContaining(reason),
    });
    expect(await systems()).toEqual(before);

    const control = await fleet.runner.run(step(flake, { rollback: "false" }));
    expect(control.exitCode).toBe(1);
    expect(resultOf(control)).toMatchObject({ status: "failed", error: expect.stringContaining("rollback is false") });
    expect(await systems()).not.toEqual(before);
    await repair(before);
  });

  test("the health check fails: it goes back, and without protection the system stays", async () => {
    const flake = await flakeFor({});
    const check = { "health-check": "echo the web page is empty; false", "health-check-timeout": "2" };
    const run = await fleet.runner.run(step(flake, check));
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({
      exit: 1,
      status: "rolled-back",
      phase: "confirm",
      error: expect.stringContaining("the web page is empty"),
    });
    expect(await systems()).toEqual(before);

    const control = await fleet.runner.run(step(flake, { ...check, rollback: "false" }));
    expect(resultOf(control)["status"]).toBe("failed");
    expect(await systems()).not.toEqual(before);
    await repair(before);

    const late = await fleet.runner.run(step(flake, { "health-check": "test -e /tmp/healthy || { touch /tmp/healthy; false; }" }));
    expect({ exit: late.exitCode, status: resultOf(late)["status"] }).toEqual({ exit: 0, status: "deployed" });
  });

  test("ssh is cut in the middle of the switch: it recovers without gap or repetition", async () => {
    const flake = await flakeFor({ switchSeconds: 10, switchLines: 40 });
    const going = fleet.runner.start(step(flake, { "confirm-timeout": "30" }));
    await going.waitFor(/\] activating the configuration/);
    await machine().cutOff();
    await new Promise((resolve) => setTimeout(resolve, 8000));
    await machine().restore();
    const run = await going.finished;
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({ exit: 0, status: "deployed", "exit-code": 0 });
    expect((await systems()).current).not.toBe(before.current);
    const live = run.log.split("\n").filter((line) => line.startsWith("[web1] ") && /switch line|line \d+/.test(line));
    expect(new Set(live).size).toBe(live.length);
    expect(live.length).toBeGreaterThanOrEqual(40);
    // Started once: the unit has a name that is new in every run.
    const units = await machine().output("journalctl --no-pager | grep -o 'Started nix-flake-deploy-[0-9a-f]*-activate' | sort | uniq -c | awk '$1 > 1'");
    expect(units).toBe("");
  });

  test("a switch that hangs: it goes back after activation-timeout, and without protection it hangs on", async () => {
    const flake = await flakeFor({ switchScript: "sleep 300" });
    const run = await fleet.runner.run(step(flake, { "activation-timeout": "4" }));
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({ exit: 1, status: "rolled-back", error: expect.stringContaining("activation-timeout") });
    expect(await systems()).toEqual(before);

    const control = await fleet.runner.run(step(flake, { "activation-timeout": "4", rollback: "false" }));
    expect({ exit: control.exitCode, ...resultOf(control) }).toMatchObject({
      exit: 1,
      status: "unknown",
      error: expect.stringContaining("activation-timeout (4 s)"),
    });
    expect(await machine().output("systemctl list-units --no-legend 'nix-flake-deploy-*-activate.service'")).toContain("running");
    await repair(before);
  });

  test("the new system breaks the network: it goes back within confirm-timeout and ten seconds", async () => {
    const flake = await flakeFor({ networkBroken: true });
    const run = await fleet.runner.run(step(flake, { "confirm-timeout": "6" }));
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({
      exit: 1,
      status: "rolled-back",
      phase: "confirm",
      error: expect.stringContaining("confirm-timeout"),
    });
    expect(await systems()).toEqual(before);
    const journal = await machine().output("journalctl --no-pager -o short-unix | grep -E 'Started nix-flake-deploy-.*(activate|confirm).service'");
    const times = journal
      .trim()
      .split("\n")
      .map((line) => Number(line.split(" ")[0]));
    expect((times.at(-1) ?? 0) - (times.at(-2) ?? 0)).toBeLessThan(16);

    const control = await fleet.runner.run(step(flake, { rollback: "false", timeout: "20" }));
    expect({ exit: control.exitCode, status: resultOf(control)["status"] }).toEqual({ exit: 1, status: "unknown" });
    expect(await machine().answers()).toBe(false);
    await repair(before);
    expect(await machine().answers()).toBe(true);
  });

  test("the machine crashes during the activation and boots again: it goes back", async () => {
    const flake = await flakeFor({ switchSeconds: 20 });
    const going = fleet.runner.start(step(flake, { "confirm-timeout": "20" }));
    await going.waitFor(/\] activating the configuration/);
    await machine().crash();
    expect(
      await machine()
        .output("true")
        .catch(() => "down"),
    ).toBe("down");
    await machine().boot();
    const run = await going.finished;
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({ exit: 1, status: "rolled-back", error: expect.stringContaining("restarted") });
    expect(await systems()).toEqual(before);

    const control = fleet.runner.start(step(flake, { rollback: "false" }));
    await control.waitFor(/\] activating the configuration/);
    await machine().crash();
    await machine().boot();
    const left = await control.finished;
    expect({ exit: left.exitCode, ...resultOf(left) }).toMatchObject({ exit: 1, status: "failed", error: expect.stringContaining("rollback is false") });
    expect((await systems()).profile).not.toBe(before.profile);
    await repair(before);
  });

  test("kill -9 of the action during the activation: it goes back by itself, and no key is left", async () => {
    const going = fleet.runner.start(step(await flakeFor({ switchSeconds: 3 }), { "confirm-timeout": "3" }));
    await going.waitFor(/\] activating the configuration/);
    going.signal("SIGKILL");
    const run = await going.finished;
    expect(run.leftInTemp).toEqual([]);
    await fleet.runner.endJob();
    await waitUntil(async () => (await systems()).current !== before.current);
    await waitUntil(async () => JSON.stringify(await systems()) === JSON.stringify(before));
    await forget();

    const control = fleet.runner.start(step(await flakeFor({ switchSeconds: 1 }), { rollback: "false", "confirm-timeout": "1" }));
    await control.waitFor(/\] activating the configuration/);
    control.signal("SIGKILL");
    await control.finished;
    await fleet.runner.endJob();
    await waitUntil(async () => (await machine().exec("systemctl is-active 'nix-flake-deploy-*-activate.service'")).code !== 0);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect((await systems()).current).not.toBe(before.current);
    await repair(before);
  });

  test("a cancellation during the activation: the log says what the machine will do, and it does", async () => {
    const going = fleet.runner.start(step(await flakeFor({ switchSeconds: 3 }), { "confirm-timeout": "3" }));
    await going.waitFor(/\] activating the configuration/);
    going.signal("SIGINT");
    const run = await going.finished;
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({ exit: 1, status: "unknown", error: expect.stringContaining("goes back by itself") });
    expect(run.leftInTemp).toEqual([]);
    await waitUntil(async () => (await systems()).current !== before.current);
    await waitUntil(async () => JSON.stringify(await systems()) === JSON.stringify(before));
    await forget();
  });

  test("two runs at once: the second waits, or fails by lock-timeout, and then a dead run's lock is free", async () => {
    const slow = step(await flakeFor({ switchSeconds: 8 }));
    const going = fleet.runner.start(slow);
    await going.waitFor(/\] activating the configuration/);
    const impatient = await fleet.runner.run(step(await flakeFor({}), { "lock-timeout": "1" }));
    expect({ exit: impatient.exitCode, ...resultOf(impatient) }).toMatchObject({
      exit: 1,
      status: "failed",
      error: expect.stringContaining("another run of this action"),
    });
    const patient = await fleet.runner.run(step(await flakeFor({})));
    expect(patient.log).toContain("waiting for up to 300 s: another run of this action");
    expect({ exit: patient.exitCode, status: resultOf(patient)["status"] }).toEqual({ exit: 0, status: "deployed" });
    expect((await going.finished).exitCode).toBe(0);
    await machine().output("mkdir -p /run/nix-flake-deploy && echo 'dead00 since 00:00:00Z' >/run/nix-flake-deploy/lock");
    const next = await fleet.runner.run(step(await flakeFor({}), { "lock-timeout": "0" }));
    expect(next.exitCode).toBe(0);
  });

  test("a nixos-rebuild by hand is in the way: the message says who runs it", async () => {
    // Its system is built, and then somebody switches to it on the machine itself.
    const built = await fleet.runner.run(step(await flakeFor({ switchSeconds: 5 }), { operation: "build" }));
    const busy = machine().exec(`nixos-rebuild switch --flake path:${built.outputs["store-path"]}#web1`);
    await waitUntil(async () => (await machine().exec("systemctl is-active nixos-rebuild-switch-to-configuration")).code === 0);
    const run = await fleet.runner.run(step(await flakeFor({}), { "lock-timeout": "1" }));
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({
      exit: 1,
      status: "failed",
      error: expect.stringMatching(/root runs ".*nixos-rebuild switch --flake/),
    });
    const patient = await fleet.runner.run(step(await flakeFor({})));
    expect({ exit: patient.exitCode, status: resultOf(patient)["status"] }).toEqual({ exit: 0, status: "deployed" });
    await busy;
  });

  test("units that failed before do not count; unit-failures: warn makes the host degraded and the step green", async () => {
    await machine().exec("systemd-run --unit=old-failure false; sleep 0.2");
    const run = await fleet.runner.run(step(await flakeFor({})));
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({ exit: 0, status: "deployed", "failed-units": [] });
    const warned = await fleet.runner.run(step(await flakeFor({ units: { "bad.service": failingUnit } }), { "unit-failures": "warn" }));
    expect({ exit: warned.exitCode, ...resultOf(warned) }).toMatchObject({ exit: 0, status: "degraded", "failed-units": ["bad.service"] });
    expect(warned.annotations).toContainEqual(expect.objectContaining({ level: "warning", message: expect.stringContaining("bad.service") }));
  });

  test.each(["boot", "test"])("%s goes back too", async (operation) => {
    const run = await fleet.runner.run(step(await flakeFor({ bootLoaderScript: "false", activationScript: "false" }), { operation }));
    expect({ exit: run.exitCode, status: resultOf(run)["status"] }).toEqual({ exit: 1, status: "rolled-back" });
    expect(await systems()).toEqual(before);
  });

  test("a machine that is lost in the end is unknown, with what it will do", async () => {
    const going = fleet.runner.start(step(await flakeFor({ switchSeconds: 3 }), { timeout: "12", "confirm-timeout": "3" }));
    await going.waitFor(/\] activating the configuration/);
    await machine().cutOff();
    const run = await going.finished;
    await machine().restore();
    expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({ exit: 1, status: "unknown", error: expect.stringContaining("goes back by itself") });
    await waitUntil(async () => JSON.stringify(await systems()) === JSON.stringify(before));
    await forget();
  });
});

test("the very first deploy fails in its activation: there is no system profile again, and without protection there is one", async () => {
  const before = await systems("new1");
  expect(before.profile).toBeUndefined();
  const flake = await flakeFor({ activationScript: "false" }, "new1");
  const run = await fleet.runner.run(step(flake, { targets: "root@new1" }));
  expect({ exit: run.exitCode, status: resultOf(run)["status"] }).toEqual({ exit: 1, status: "rolled-back" });
  expect(await systems("new1")).toMatchObject({ current: before.current, profile: undefined });
  expect(await machine("new1").leftovers()).toEqual([]);
  const control = await fleet.runner.run(step(flake, { targets: "root@new1", rollback: "false" }));
  expect(resultOf(control)["status"]).toBe("failed");
  expect((await systems("new1")).profile).toBeDefined();
});

test("sudo with a password: by standard input only, and a wrong one is told", async () => {
  await machine("web2").output(
    "rm -f /tmp/seen; (while sleep 0.05; do ps -eo args= | grep -F 'open sesame' | grep -v grep >>/tmp/seen; done) >/dev/null 2>&1 & echo $! >/tmp/watcher",
  );
  const flake = await flakeFor({}, "web2");
  const inputs = { targets: "pwsudo@web2", "sudo-password": "open sesame" };
  const run = await fleet.runner.run(step(flake, inputs));
  await machine("web2").output("kill $(cat /tmp/watcher); rm /tmp/watcher");
  expect({ exit: run.exitCode, status: resultOf(run)["status"] }).toEqual({ exit: 0, status: "deployed" });
  expect(run.masks).toContain("open sesame");
  expect(run.log.replaceAll(/^::add-mask::.*$/gm, "")).not.toContain("open sesame");
  expect(await machine("web2").output("cat /tmp/seen 2>/dev/null || true")).toBe("");
  expect(await machine("web2").leftovers()).toEqual([]);
  const wrong = await fleet.runner.run(step(flake, { ...inputs, "sudo-password": "close sesame" }));
  expect({ exit: wrong.exitCode, ...resultOf(wrong) }).toMatchObject({
    exit: 1,
    phase: "connect",
    error: expect.stringContaining("does not accept sudo-password"),
  });
});

test("bash's nixos-rebuild, with one exit code for everything: it goes back as well", async () => {
  const before = await systems("web2");
  const run = await fleet.runner.run(step(await flakeFor({ units: { "bad.service": failingUnit } }, "web2"), { targets: "deploy@web2" }));
  expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({ exit: 1, status: "rolled-back", error: expect.stringContaining("bad.service") });
  expect(await systems("web2")).toEqual(before);
});

test("a full disk during the build and during the activation", async () => {
  const before = await systems("small1");
  const targets = "root@small1";
  const build = await fleet.runner.run(
    step(await flakeFor({ buildScript: 'echo >"$out/big"; while :; do echo $RANDOM$RANDOM$RANDOM >>"$out/big" || exit 1; done' }, "small1"), { targets }),
  );
  expect({ exit: build.exitCode, ...resultOf(build) }).toMatchObject({ exit: 1, status: "failed", phase: "build" });
  const run = await fleet.runner.run(step(await flakeFor({ activationScript: "dd if=/dev/zero of=/nix/fill bs=1M" }, "small1"), { targets }));
  expect({ exit: run.exitCode, ...resultOf(run) }).toMatchObject({ exit: 1, status: "rolled-back", error: expect.stringContaining("no space is left") });
  expect(await systems("small1")).toEqual(before);
  await machine("small1").output("rm -f /nix/fill");
});

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("it has not come to that within 60 s");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
