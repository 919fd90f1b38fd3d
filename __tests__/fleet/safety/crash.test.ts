import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import type { Behaviour } from "../rig/flake.js";
import { useTrial, verdictOf, type Systems } from "./trial.js";

// A machine whose init is killed, at every stage of a deployment, with the runner alive and with the runner killed before. Until it is
// confirmed a reboot boots the old system; a last step that was interrupted is undone or finished by whoever comes next.
const trial = useTrial(["web1"]);
const reached = "/var/tmp/reached";
let before: Systems;

// Holds the machine where a file says so: before and after nix-env, and in the boot loader.
const nixEnv = `#!/bin/sh
case "$*" in *" --set "*) ;; *) exec /usr/bin/nix-env "$@" ;; esac
if [ -e /var/tmp/hold-before ]; then touch ${reached}; sleep 600; fi
/usr/bin/nix-env "$@"
if [ -e /var/tmp/hold-after ]; then touch ${reached}; sleep 600; fi
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
const lastStep: readonly Place[] = [
  { name: "before the profile is set", behaviour: {}, inputs: {}, hold: "before", line: /== confirm/ },
  { name: "between profile and boot loader", behaviour: {}, inputs: {}, hold: "after", line: /== confirm/ },
  { name: "in the boot loader", behaviour: { bootLoaderScript }, inputs: {}, hold: "boot", line: /== confirm/ },
];

beforeAll(async () => {
  await trial.machine().output(`cat >/usr/local/bin/nix-env <<'END'\n${nixEnv}END\nchmod +x /usr/local/bin/nix-env`);
});

beforeEach(async () => {
  await trial.machine().output("rm -f /var/tmp/hold-* /var/tmp/reached");
  // Slow, so that a rollback to it can be interrupted.
  before = await trial.settle({ switchSeconds: 2 });
});

/** Deploys, and kills the machine's init there; with the runner killed before, or alive to the end. */
async function crash(place: Place, runner: "alive" | "killed", more: Readonly<Record<string, string>> = {}) {
  const machine = trial.machine();
  if (place.hold !== undefined) await machine.output(`touch /var/tmp/hold-${place.hold}`);
  const workspace = await trial.flake(place.behaviour);
  const going = trial.fleet.runner.start(trial.step(workspace, { "confirm-timeout": "20", ...place.inputs, ...more }));
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
  test.each(untilConfirmed)("$name, with the runner alive: rolled-back", async (place) => {
    const { length } = await trial.machine().generations();
    const { run } = await crash(place, "alive");
    if (run === undefined) throw new Error("no run");
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", error: expect.stringContaining("restarted") });
    expect(await trial.machine().bootedSystem()).toBe(before.current);
    expect(await trial.systems()).toEqual(before);
    await requireOldGenerations(length);
  });

  test.each(untilConfirmed)("$name, with the runner killed", async (place) => {
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
});

describe("a last step that a crash interrupts", () => {
  test.each(lastStep)("$name, with the runner alive: it is undone", async (place) => {
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

  test.each(lastStep)("$name, with the runner killed: the old system boots, and the next run mends the step first", async (place) => {
    const { length } = await trial.machine().generations();
    const { workspace } = await crash(place, "killed");
    expect(await trial.machine().bootedSystem()).toBe(before.current);
    expect((await trial.systems()).boot).toBe(before.boot);
    await trial.forget();
    // One that changes nothing only reports it.
    const plan = await trial.fleet.runner.run(trial.step(workspace, { operation: "build" }));
    expect(plan.log).toContain("an earlier run did not finish setting profile and boot loader,");
    expect((await trial.machine().exec("test -e /nix/var/nix/nix-flake-deploy/last-step")).code).toBe(0);
    const next = await trial.fleet.runner.run(trial.step(workspace));
    expect(next.log).toContain("an earlier run did not finish setting profile and boot loader, and the machine runs");
    expect(verdictOf(next)).toMatchObject({ exit: 0, status: "deployed" });
    const system = next.outputs["system-path"];
    expect(await trial.systems()).toEqual({ current: system, profile: system, boot: system });
    await requireOldGenerations(length + 1);
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
});
