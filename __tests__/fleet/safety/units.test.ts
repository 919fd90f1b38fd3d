import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";

import { failingUnit, runningUnit, switchInhibitor, type Behaviour } from "../rig/flake.js";
import { everyControl, useTrial, verdictOf, type Systems } from "./trial.js";

// What the end of switch-to-configuration means, and what it does not see itself. Each case has its control, which shows that the
// damage is there without the protection, or that it is the cause which makes the difference: all of them in `npm run test:matrix`.
const unprotected = { rollback: "false" };
const trial = useTrial(["web1"]);

const service = (lines: string): string => `[Unit]\nDescription=a service\n[Service]\n${lines}`;
const error = (text: string): unknown => expect.stringContaining(text);

let first: Systems;
beforeAll(async () => {
  first = await trial.systems();
});
afterEach(async () => {
  // The next test begins with a system that has none of this.
  await trial.repair(first);
});

const states = async (unit: string): Promise<string> => (await trial.machine().exec(`systemctl show --property=ActiveState --value ${unit}`)).stdout.trim();

describe("a service that does not stay up is noticed", () => {
  const settleTime = "5";

  test.each<[string, string, string]>([
    ["is in auto-restart", "loop.service", service("ExecStart=/bin/false\nRestart=always\nRestartSec=20\n")],
    ["dies 3 s after its start", "dier.service", service("ExecStart=/bin/sh -c 'sleep 3; exit 9'\n")],
    ["dies every 2 s, and is restarted each time", "again.service", service("ExecStart=/bin/sh -c 'sleep 2; exit 9'\nRestart=always\n")],
  ])("%s", async (_, unit, text) => {
    const before = await trial.systems();
    const run = await trial.deploy({ units: { [unit]: text } }, { "settle-time": settleTime });
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", phase: "activate", "failed-units": [unit], error: error(unit) });
    expect(await trial.systems()).toEqual(before);
    expect(await states(unit)).toBe("inactive");
    if (!everyControl && unit !== "dier.service") return;

    const control = await trial.deploy({ units: { [unit]: text } }, { ...unprotected, "settle-time": "0" });
    expect(verdictOf(control)).toMatchObject(unit === "loop.service" ? { status: "failed" } : { status: "deployed", "failed-units": [] });
    expect(await trial.systems()).not.toEqual(before);
  });

  test("but not one that was restarted again and again before", async () => {
    const units = { "again.service": service("ExecStart=/bin/sh -c 'sleep 2; exit 9'\nRestart=always\n") };
    await trial.deploy({ units, text: "looping" }, { "settle-time": "0" });
    expect(await trial.machine().output("sleep 3; systemctl show --property=NRestarts --value again.service")).not.toBe("0");
    const run = await trial.deploy({ units: { ...units, "new.service": runningUnit() } }, { "settle-time": settleTime });
    expect(verdictOf(run)).toMatchObject({ status: "deployed", "failed-units": [] });
  });

  test("nor one that is between two processes when the machine is looked at", async () => {
    const units = { "again.service": service("ExecStart=/bin/sh -c 'sleep 2; exit 9'\nRestart=always\nRestartSec=2\n") };
    await trial.deploy({ units, text: "looping" }, { "settle-time": "0" });
    const machine = trial.machine();
    const until = (state: string): string => `until [ "$(/usr/bin/systemctl show --property=SubState --value again.service)" = ${state} ]; do sleep 0.05; done`;
    const waits = {
      systemctl: `#!/bin/sh\ncase "$*" in *--state=auto-restart*) ${until("auto-restart")} ;; esac\nexec /usr/bin/systemctl "$@"\n`,
      ps: `#!/bin/sh\n${until("auto-restart")}\n/usr/bin/ps "$@"\n${until("running")}\n`,
    };
    for (const [name, text] of Object.entries(waits)) await machine.exec(`cat >/usr/local/bin/${name} && chmod 755 /usr/local/bin/${name}`, { stdin: text });
    try {
      const run = await trial.deploy({ units: { ...units, "new.service": runningUnit() } }, { "settle-time": settleTime });
      expect(verdictOf(run)).toMatchObject({ status: "deployed", "failed-units": [] });
    } finally {
      await machine.exec("rm /usr/local/bin/systemctl /usr/local/bin/ps");
    }
  });
});

test("a settle time that is longer than confirm-timeout holds the watchdog", async () => {
  const inputs = { "settle-time": "14", "confirm-timeout": "6", "health-check-timeout": "1" };
  const run = await trial.deploy({ units: { "new.service": runningUnit() } }, inputs);
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  expect(Number(verdictOf(run)["seconds"])).toBeGreaterThan(14);
  if (!everyControl) return;

  // Without a unit that was started there is nothing to wait for.
  const control = await trial.deploy({ text: "no unit is new" }, { ...inputs, operation: "boot" });
  expect(Number(verdictOf(control)["seconds"])).toBeLessThan(14);
});

test("a machine without a running NixOS system is refused before anything is run", async () => {
  const before = await trial.systems();
  await trial.machine().output("mv -T /run/current-system /run/no-system");
  const run = await trial.deploy({});
  await trial.machine().output("mv -T /run/no-system /run/current-system");
  expect(verdictOf(run)).toMatchObject({ exit: 1, status: "failed", phase: "connect", error: error("/run/current-system is missing") });
  expect(await trial.systems()).toEqual(before);
  expect(run.log).not.toContain("== copy");
});

test("a reload that fails is a failure, although the unit stays active with its old configuration", async () => {
  const web = (reload: string, trigger: number): Behaviour => ({
    units: { "web.service": `[Unit]\nDescription=web\nX-Reload-Triggers=${trigger}\n[Service]\nExecStart=/bin/sleep infinity\nExecReload=${reload}\n` },
  });
  const before = await trial.settle(web("/bin/true", 1));
  const run = await trial.deploy(web("/bin/false", 2));
  expect(verdictOf(run)).toMatchObject({
    status: "rolled-back",
    "exit-code": 4,
    "failed-units": ["web.service"],
    error: error("web.service (failed to reload)"),
  });
  expect(await trial.systems()).toEqual(before);
  expect(await states("web.service")).toBe("active");
  if (!everyControl) return;

  const control = await trial.deploy(web("/bin/true", 3));
  expect(verdictOf(control)).toMatchObject({ status: "deployed", "exit-code": 0, "failed-units": [] });
});

test("a unit of a user that fails never rolls back, and is not green either", async () => {
  const agent = (start: string): string => service(`Type=oneshot\nExecStart=${start}\nRemainAfterExit=yes\n`);
  await trial.machine().output("useradd --create-home alice && systemd-run --quiet --wait --pipe loginctl enable-linger alice");
  await trial.settle({ userUnits: { "agent.service": agent("/bin/true") } });
  await trial.machine().output("systemctl restart user@$(id -u alice)");
  const broken = { userUnits: { "agent.service": agent("/bin/false") } };
  const run = await trial.deploy(broken);
  expect(verdictOf(run)).toMatchObject({
    exit: 0,
    status: "degraded",
    phase: "confirm",
    "exit-code": 4,
    "failed-units": [],
    error: error("alice (agent.service)"),
  });
  expect(run.annotations.map(({ message }) => message).join("\n")).toMatch(/the user activation failed for .*alice \(agent\.service\)/);
  if (!everyControl) return;

  const control = await trial.deploy({ ...broken, units: { "agent.service": agent("/bin/false") } });
  expect(verdictOf(control)).toMatchObject({ exit: 1, status: "rolled-back", "failed-units": ["agent.service"] });
});

test("an activation of a user that fails is not green, although switch-to-configuration does not say so", async () => {
  const activation = (start: string): Behaviour => ({
    userUnits: { "nixos-activation.service": service(`Type=oneshot\nExecStart=${start}\n`) },
    userOnDemand: ["nixos-activation.service"],
  });
  const run = await trial.deploy(activation("/bin/false"));
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "degraded", "exit-code": 0, "failed-units": [], error: error("nixos-activation.service") });

  const control = await trial.deploy(activation("/bin/true"));
  expect(verdictOf(control)).toMatchObject({ exit: 0, status: "deployed" });
});

test("a failed snippet is a failure, also beside a unit that had failed before", async () => {
  const units = { "bad.service": failingUnit };
  await trial.deploy({ units }, unprotected);
  expect(await states("bad.service")).toBe("failed");
  const before = await trial.systems();
  const run = await trial.deploy({ units, snippetName: "setupSecrets", activationScript: "exit 3" });
  expect(verdictOf(run)).toMatchObject({
    status: "rolled-back",
    "exit-code": 4,
    error: error("activation script snippet 'setupSecrets' (3) failed (exit code 4)"),
  });
  expect(await trial.systems()).toEqual(before);

  const control = await trial.deploy({ units });
  expect(verdictOf(control)).toMatchObject({ exit: 0, status: "deployed", "exit-code": 4, "failed-units": [] });
});

test("an inhibitor that passes is not the cause of a unit that fails", async () => {
  const run = await trial.deploy({ units: { "bad.service": failingUnit } });
  expect(run.log).toContain("Checking switch inhibitors... done");
  expect(verdictOf(run)).toMatchObject({
    status: "rolled-back",
    "failed-units": ["bad.service"],
    error: error("newly failed units (exit code 4): bad.service"),
  });
  expect(verdictOf(run)["error"]).not.toContain("inhibitor");
  if (!everyControl) return;

  const control = await trial.deploy({ ...switchInhibitor, units: { "bad.service": failingUnit } });
  expect(verdictOf(control)).toMatchObject({ status: "failed", "failed-units": [], error: error("a switch inhibitor refuses") });
});

test("a unit of nixos-rebuild that is stuck holds nothing up", async () => {
  const name = "nixos-rebuild-switch-to-configuration";
  await trial.machine().exec(`systemd-run --unit=${name} --service-type=oneshot --wait false`);
  expect(await states(name)).toBe("failed");
  const begin = performance.now();
  const run = await trial.deploy({ text: "over a stuck unit" });
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  expect(run.log).not.toContain("waiting up to");
  expect(performance.now() - begin).toBeLessThan(60_000);
  if (!everyControl) return;

  const flake = await trial.flake({ text: "by nixos-rebuild" });
  const machine = trial.machine();
  await machine.exec("mkdir -p /root/flake && tar x -C /root/flake", { stdin: await trial.packed(flake) });
  await machine.exec(`systemd-run --unit=${name} --service-type=oneshot --wait false`);
  const control = await machine.exec("cd /tmp && nixos-rebuild switch --no-reexec --flake path:/root/flake#web1 2>&1");
  expect(control.code).not.toBe(0);
  expect(control.stdout).toContain("was already loaded or has a fragment file");
  await machine.exec(`systemctl stop ${name}; systemctl reset-failed`);
});

describe("a specialisation", () => {
  const behaviour: Behaviour = { specialisations: { tor: { units: { "tor.service": runningUnit() } } } };
  const toplevel = (verdict: Readonly<Record<string, unknown>>): string => String(verdict["system-path"]);
  const specialisation = async (path: string, name: string): Promise<string> =>
    (await trial.machine().output(`readlink -f ${path}/specialisation/${name}`)).trim();

  test("runs in the end, and profile and boot loader are the system's own", async () => {
    const verdict = verdictOf(await trial.deploy(behaviour, { specialisation: "tor" }));
    expect(verdict).toMatchObject({ exit: 0, status: "deployed" });
    const special: Systems = { current: await specialisation(toplevel(verdict), "tor"), profile: toplevel(verdict), boot: toplevel(verdict) };
    expect(await trial.systems()).toEqual(special);
    expect(await states("tor.service")).toBe("active");
    if (!everyControl) return;

    const control = await trial.deploy({ ...behaviour, text: "without" });
    const plain = toplevel(verdictOf(control));
    expect(await trial.systems()).toEqual({ current: plain, profile: plain, boot: plain });
    expect(control.log).toContain("the machine runs the specialisation tor, which this deployment leaves");
  });

  test("that is deployed already is unchanged, and another one is not", async () => {
    const flake = await trial.flake(behaviour);
    const deploy = async (inputs: Readonly<Record<string, string>>): Promise<unknown> =>
      verdictOf(await trial.fleet.runner.run(trial.step(flake, inputs)))["status"];
    expect(await deploy({ specialisation: "tor" })).toBe("deployed");
    expect(await deploy({ specialisation: "tor" })).toBe("unchanged");
    expect(await deploy({})).toBe("deployed");
  });

  test("that fails rolls back to the one that ran", async () => {
    await trial.deploy(behaviour, { specialisation: "tor" });
    const before = await trial.systems();
    const broken = { specialisations: { tor: { units: { "bad.service": failingUnit } } } };
    expect(verdictOf(await trial.deploy(broken, { specialisation: "tor" }))).toMatchObject({ status: "rolled-back", "failed-units": ["bad.service"] });
    expect(await trial.systems()).toEqual(before);
    expect(verdictOf(await trial.deploy(broken))).toMatchObject({ status: "deployed" });
  });

  test("that is missing is refused before anything is activated, with those there are", async () => {
    const before = await trial.systems();
    const run = await trial.deploy(behaviour, { specialisation: "vpn" });
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "failed", phase: "build", error: error("the system has no specialisation vpn; it defines tor") });
    expect(await trial.systems()).toEqual(before);
  });
});
