import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import type { Behaviour } from "../rig/flake.js";
import { useTrial, verdictOf, type Systems } from "./trial.js";

// A machine whose init is killed, at every stage of a deployment, with the runner alive and with the runner killed before. Until it is
// confirmed a reboot boots the old system; a last step that was interrupted is undone or finished by whoever comes next.
const trial = useTrial(["web1", { name: "web2", rootInMemory: true, systemProfile: true }], ["web1", "web2"]);
const reached = "/var/tmp/reached";
let before: Systems = { current: "", profile: undefined, boot: "" };

// Holds the machine where a file says so: before and after nix-env, in the boot loader, and before the record is deleted.
const nixEnv = `#!/bin/sh
case "$*" in *" --set "*) ;; *) exec /usr/bin/nix-env "$@" ;; esac
if [ -e /var/tmp/hold-before ]; then touch ${reached}; sleep 600; fi
/usr/bin/nix-env "$@"
if [ -e /var/tmp/hold-after ]; then touch ${reached}; sleep 600; fi
`;
const sync = `#!/bin/sh
if [ "$*" = -- ] && [ -e /var/tmp/hold-record ]; then touch ${reached}; sleep 600; fi
exec /usr/bin/sync "$@"
`;
const bootLoaderScript = `if [ -e /var/tmp/hold-boot ]; then touch ${reached}; sleep 600; fi`;

type Place = {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly inputs: Readonly<Record<string, string>>;
  readonly hold?: string;
  readonly line: RegExp;
};

const untilConfirmed: readonly Place[] = [
  { name: "in the activation", behaviour: { switchSeconds: 20 }, inputs: {}, line: /\] activating the configuration/ },
  { name: "in the health check", behaviour: {}, inputs: { "health-check": "touch /var/tmp/reached; sleep 60" }, hold: "nothing", line: /== confirm/ },
  { name: "in the rollback", behaviour: { activationScript: "false" }, inputs: {}, line: /\] rolling back: / },
];
const written: Place = { name: "after the boot loader's entry was written", behaviour: {}, inputs: {}, hold: "record", line: /== confirm/ };
const lastStep: readonly Place[] = [
  { name: "before the profile is set", behaviour: {}, inputs: {}, hold: "before", line: /== confirm/ },
  { name: "between profile and boot loader", behaviour: {}, inputs: {}, hold: "after", line: /== confirm/ },
  { name: "in the boot loader", behaviour: { bootLoaderScript }, inputs: {}, hold: "boot", line: /== confirm/ },
];

// Set by jest.matrix.config.js. Without it the first place has the runner alive, and the second has it killed; ../faults/ has the others.
const everyCell = Reflect.get(globalThis, "everyCell") === true;

function cells(places: readonly Place[], runner: "alive" | "killed"): readonly Place[] {
  return places.filter((_, index) => everyCell || index === (runner === "alive" ? 0 : 1));
}

const putPrograms = async (name = "web1"): Promise<void> => {
  for (const [program, text] of [["nix-env", nixEnv] as const, ["sync", sync] as const]) {
    await trial.machine(name).exec(`cat >/usr/local/bin/${program} && chmod +x /usr/local/bin/${program}`, { stdin: text });
  }
};

beforeAll(async () => await putPrograms());

const prepare = async (): Promise<void> => {
  await trial.machine().output("rm -f /var/tmp/hold-* /var/tmp/reached");
  if (await trial.isAt(before)) return;
  // Slow, so that a rollback to it can be interrupted.
  before = await trial.settle({ switchSeconds: 2 });
};

/** Deploys, and kills the machine's init there; with the runner killed before, or alive to the end. */
async function crash(place: Place, runner: "alive" | "killed", more: Readonly<Record<string, string>> = {}, name = "web1") {
  const machine = trial.machine(name);
  if (place.hold !== undefined) await machine.output(`touch /var/tmp/hold-${place.hold}`);
  const workspace = await trial.flake(place.behaviour, name);
  const going = trial.fleet.runner.start(trial.step(workspace, { targets: `root@${name}`, "confirm-timeout": "20", ...place.inputs, ...more }));
  await going.waitFor(place.line);
  if (place.hold !== undefined) await until("the place", 40, async () => (await machine.exec(`test -e ${reached}`)).code === 0);
  if (runner === "killed") {
    going.signal("SIGKILL");
    await going.finished;
    await trial.fleet.runner.endJob();
  }
  await machine.crash();
  await machine.boot();
  await machine.output("rm -f /var/tmp/hold-* /var/tmp/reached");
  return { workspace, run: runner === "alive" ? await going.finished : undefined };
}

/** No generation but the old ones is there, so that no later rollback can choose what was rejected. */
async function requireOldGenerations(generations: number): Promise<void> {
  expect((await trial.machine().generations()).length).toBe(generations);
}

describe("a machine that crashes before it is confirmed boots its old system", () => {
  beforeEach(prepare);

  test.each(cells(untilConfirmed, "alive"))("$name, with the runner alive: rolled-back", async (place) => {
    const { length } = await trial.machine().generations();
    const { run } = await crash(place, "alive");
    if (run === undefined) throw new Error("no run");
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", error: expect.stringContaining("restarted") });
    expect(await trial.machine().bootedSystem()).toBe(before.current);
    expect(await trial.systems()).toEqual(before);
    await requireOldGenerations(length);
  });

  test.each(cells(untilConfirmed, "killed"))("$name, with the runner killed", async (place) => {
    const { length } = await trial.machine().generations();
    await crash(place, "killed");
    expect(await trial.machine().bootedSystem()).toBe(before.current);
    expect(await trial.systems()).toEqual(before);
    await requireOldGenerations(length);
    await trial.forget();
  });

  test("control: without protection it boots a system that nobody has confirmed", async () => {
    const [place] = untilConfirmed;
    if (place === undefined) throw new Error("no place");
    const { run } = await crash(place, "alive", { rollback: "false" });
    if (run === undefined) throw new Error("no run");
    const { current } = await trial.systems();
    expect(current).toBe(run.outputs["system-path"]);
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "failed", error: expect.stringContaining(`The machine booted ${current}`) });
    await trial.repair(before);
  });

  // Like one of the others.
  if (!everyCell) return;

  test("one that ran another system than that of its profile boots the profile's: failed, naming both", async () => {
    const tested = String((await trial.deploy({}, { operation: "test" })).outputs["system-path"]);
    const [place] = untilConfirmed;
    if (place === undefined) throw new Error("no place");
    const { run } = await crash(place, "alive");
    if (run === undefined) throw new Error("no run");
    const error = `The machine booted ${before.current}; before, it ran ${tested}`;
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "failed", error: expect.stringContaining(error) });
    expect(await trial.systems()).toEqual(before);
  });
});

describe("a last step that a crash interrupts", () => {
  beforeEach(prepare);

  test.each(cells(lastStep, "alive"))("$name, with the runner alive: it is undone", async (place) => {
    const { length } = await trial.machine().generations();
    const { run } = await crash(place, "alive");
    if (run === undefined) throw new Error("no run");
    expect(verdictOf(run)).toMatchObject({
      exit: 1,
      status: "rolled-back",
      error: expect.stringContaining("restarted before system profile and boot loader were set"),
    });
    expect(await trial.systems()).toEqual(before);
    await requireOldGenerations(length);
    expect((await trial.machine().exec("ls /nix/var/nix/nix-flake-deploy")).code).not.toBe(0);
  });

  test.each(cells(lastStep, "killed"))("$name, with the runner killed: the old system boots, and the next run mends the step first", async (place) => {
    const { length } = await trial.machine().generations();
    const { workspace } = await crash(place, "killed");
    expect(await trial.machine().bootedSystem()).toBe(before.current);
    expect((await trial.systems()).boot).toBe(before.boot);
    await trial.forget();
    // One that changes nothing only reports it.
    const plan = await trial.fleet.runner.run(trial.step(workspace, { operation: "build" }));
    expect(plan.log).toContain("an earlier run did not finish setting profile and boot loader for ");
    expect((await trial.machine().exec("test -e /nix/var/nix/nix-flake-deploy/last-step")).code).toBe(0);
    const next = await trial.fleet.runner.run(trial.step(workspace));
    expect(next.log).toContain("an earlier run did not finish setting profile and boot loader, and the machine runs");
    expect(verdictOf(next)).toMatchObject({ exit: 0, status: "deployed" });
    const system = next.outputs["system-path"];
    expect(await trial.systems()).toEqual({ current: system, profile: system, boot: system });
    await requireOldGenerations(length + 1);
  });

  test("after the boot loader's entry was written, with the runner killed: the new system boots, and the next run finishes the step first", async () => {
    const { length } = await trial.machine().generations();
    const { workspace } = await crash(written, "killed");
    const booted = await trial.machine().bootedSystem();
    expect(booted).not.toBe(before.current);
    await trial.forget();
    const next = await trial.fleet.runner.run(trial.step(workspace));
    expect(next.log).toContain("an earlier run did not finish setting profile and boot loader, and the machine runs its new system");
    expect(verdictOf(next)).toMatchObject({ exit: 0, status: "deployed", "system-path": booted });
    expect(await trial.systems()).toEqual({ current: booted, profile: booted, boot: booted });
    await requireOldGenerations(length + 1);
    expect(verdictOf(await trial.fleet.runner.run(trial.step(workspace)))).toMatchObject({ exit: 0, status: "unchanged" });
  });

  test("control: without the record, profile and boot loader stay apart", async () => {
    const place = lastStep[1];
    if (place === undefined) throw new Error("no place");
    await crash(place, "killed");
    const { profile, boot } = await trial.systems();
    expect(profile).not.toBe(boot);
    await trial.machine().output("rm -r /nix/var/nix/nix-flake-deploy");
    await trial.forget();
    const plan = await trial.fleet.runner.run(trial.step(await trial.flake({}), { operation: "build" }));
    expect(plan.log).not.toContain("an earlier run did not finish");
    await trial.repair(before);
  });

  if (!everyCell) return;

  test("after the boot loader's entry was written, with the runner alive: the new system boots, and the step is finished", async () => {
    const { length } = await trial.machine().generations();
    const { run } = await crash(written, "alive");
    if (run === undefined) throw new Error("no run");
    const system = run.outputs["system-path"];
    expect(run.log).toContain("the machine was restarted after the confirmation and booted the new system");
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
    expect(await trial.systems()).toEqual({ current: system, profile: system, boot: system });
    await requireOldGenerations(length + 1);
    expect((await trial.machine().exec("ls /nix/var/nix/nix-flake-deploy")).code).not.toBe(0);
  });
});

describe("a machine whose root file system is in memory", () => {
  test("that crashes between profile and boot loader still has the record of the step, and the next run mends it first", async () => {
    const machine = trial.machine("web2");
    const old = await trial.settle({}, "web2");
    await putPrograms("web2");
    const place = lastStep[1];
    if (place === undefined) throw new Error("no place");
    await machine.output("mkdir -p /var/lib/nix-state && touch /var/lib/nix-state/last-step");
    const { workspace } = await crash(place, "killed", {}, "web2");
    // Control: what is written anywhere else is lost.
    expect((await machine.exec("ls /var/lib/nix-state/last-step")).code).not.toBe(0);
    expect((await machine.exec("test -e /nix/var/nix/nix-flake-deploy/last-step")).code).toBe(0);
    const { profile, ...others } = await trial.systems("web2");
    expect(others).toEqual({ current: old.current, boot: old.boot });
    expect(profile).not.toBe(old.profile);
    await trial.forget("web2");

    const next = await trial.fleet.runner.run(trial.step(workspace, { targets: "root@web2" }));
    expect(next.log).toContain(`an earlier run did not finish setting profile and boot loader, and the machine runs ${old.current}: undoing it`);
    expect(verdictOf(next)).toMatchObject({ exit: 0, status: "deployed" });
    const system = next.outputs["system-path"];
    expect(await trial.systems("web2")).toEqual({ current: system, profile: system, boot: system });
  });

  if (!everyCell) return;

  test("that crashes in the activation boots its old system, and without protection one that nobody has confirmed", async () => {
    const old = await trial.settle({}, "web2");
    const [place] = untilConfirmed;
    if (place === undefined) throw new Error("no place");
    await crash(place, "killed", {}, "web2");
    expect(await trial.systems("web2")).toEqual(old);

    await crash(place, "killed", { rollback: "false" }, "web2");
    expect((await trial.systems("web2")).current).not.toBe(old.current);
    await trial.repair(old, "web2");
    await trial.forget("web2");
  });
});

describe("a machine without a boot loader", () => {
  // It boots its profile, as a container does.
  const systems = async () => {
    const machine = trial.machine("web2");
    expect((await machine.exec("ls /boot/default")).code).not.toBe(0);
    return [await machine.currentSystem(), await machine.systemProfile()];
  };

  test("is deployed and rolled back; one that crashes in the activation boots its old system, and without protection one that nobody has confirmed", async () => {
    const none: Behaviour = { bootLoader: "none" };
    await trial.machine("web2").output("rm -f /boot/default");
    const run = await trial.deploy(none, {}, "web2");
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
    const old = run.outputs["system-path"];
    expect(await systems()).toEqual([old, old]);
    const rejected = await trial.deploy({ ...none, activationScript: "false" }, {}, "web2");
    expect(verdictOf(rejected)).toMatchObject({ exit: 1, status: "rolled-back" });
    expect(await systems()).toEqual([old, old]);

    const place: Place = { name: "", behaviour: { ...none, switchSeconds: 20 }, inputs: {}, line: /\] activating the configuration/ };
    await crash(place, "killed", {}, "web2");
    expect(await systems()).toEqual([old, old]);

    await crash(place, "killed", { rollback: "false" }, "web2");
    const [current, profile] = await systems();
    expect(current).not.toBe(old);
    expect(profile).toBe(current);
    await trial.forget("web2");
  });
});
