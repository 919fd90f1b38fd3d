import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "@jest/globals";

import { ownHostname } from "../../../src/domain/configuration.js";
import { deployFleet, type FleetEnd } from "../../../src/deploy/fleet.js";
import type { ActivationEnd } from "../../../src/deploy/ports.js";
import { AnswerError, CommandError, DeployError, NoFlakeError } from "../../../src/domain/errors.js";
import type { Operation } from "../../../src/domain/operation.js";
import { makeDifference, makeSentFlake, makeStorePath, outer, readable, type ReadableResult } from "../domain/make.js";
import { FakeMachine, makeRunSettings, makeSafety, makeState, MemoryLog, newSystem, oldSystem, type SettingOverrides } from "./fake-machine.js";

const unreachable = (): never => {
  throw new DeployError({ phase: "connect", reason: "it does not answer", exitCode: 255, unreachable: true });
};
const refused = (): never => {
  throw new DeployError({ phase: "connect", reason: "the host key is unknown", hint: "Compare it", exitCode: 255 });
};
const copyFails = (): never => {
  throw new DeployError({ phase: "copy", reason: "no space is left", exitCode: 1 });
};
const buildFails = (): never => {
  throw new DeployError({ phase: "build", reason: "it does not build", lines: ["error: builder failed"], exitCode: 1 });
};

type End = Omit<FleetEnd, "results"> & { readonly results: readonly ReadableResult[]; readonly log: MemoryLog };

async function deploy(machines: readonly FakeMachine[], settings: SettingOverrides = {}): Promise<End> {
  const log = new MemoryLog();
  const { results, ...end } = await deployFleet(machines, makeRunSettings(settings), log);
  // A result may be corrected.
  expect(log.results).toEqual(expect.arrayContaining([...results]));
  return { ...end, results: results.map(readable), log };
}

async function deployOne(machine: FakeMachine, settings: SettingOverrides = {}): Promise<ReadableResult> {
  const { results } = await deploy([machine], settings);
  if (results[0] === undefined) throw new Error("there is no result");
  return results[0];
}

/** That these were asked of the machine, one after the other; others may be between them. */
function expectInOrder({ calls, target }: FakeMachine, asked: readonly string[]): void {
  const places = asked.map((call) => calls.indexOf(`${target.name} ${call}`));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((one, other) => one - other));
}

describe("one machine", () => {
  test("that forges its answers fails alone, in one sentence and without a stack", async () => {
    const forged = (): never => {
      throw new AnswerError('running is "/nix/store/x", which is not a path of the Nix store');
    };
    for (const phase of ["connect", "build", "activate"] as const) {
      const forger = new FakeMachine();
      forger.trouble = { [phase]: forged };
      const { results } = await deploy([forger, new FakeMachine({ name: "web2", host: "web2" })]);
      expect(results.map(({ name, status }) => [name, status])).toEqual([
        ["web1", phase === "activate" ? "unknown" : "failed"],
        ["web2", "deployed"],
      ]);
      expect(results[0]?.error).toContain('the machine\'s answer cannot be used: running is "/nix/store/x", which is not a path of the Nix store');
      expect(results[0]?.error).not.toMatch(/\.[jt]s:\d/);
    }
  });

  test("goes through all phases in their order", async () => {
    const machine = new FakeMachine();
    const { results, arrived, log } = await deploy([machine]);
    expectInOrder(machine, ["copyFlake", "build", "activate", "reach", "settle", "keep", "release"]);
    expect(log.lines.filter((line) => line.includes("=="))).toEqual(["connect", "copy", "build", "activate", "confirm"].map((phase) => `web1: == ${phase}`));
    expect(log.lines).toContain(`web1: built ${newSystem}`);
    expect(arrived).toBe(true);
    expect(results[0]).toMatchObject({
      name: "web1",
      target: "root@web1.example.org",
      configuration: "web1",
      status: "deployed",
      phase: "confirm",
      systemPath: newSystem,
      previousSystemPath: oldSystem,
      generation: 7,
      changed: true,
      exitCode: 0,
      failedUnits: [],
      error: undefined,
    });
  });

  test("builds the flake in its own store, under its own hostname where no configuration is written", async () => {
    const machine = new FakeMachine({ configuration: ownHostname });
    const result = await deployOne(machine, { flake: Promise.resolve(makeSentFlake({ subdirectory: "nixos" })) });
    expect(machine.rebuild).toEqual({ reference: `path:${outer}`, configuration: "own-hostname" });
    expect(result.configuration).toBe("own-hostname");
  });

  test.each(["", "-x", "a b", "a#b"])("with the hostname %j wants a configuration", async (hostname) => {
    const machine = new FakeMachine({ configuration: ownHostname });
    machine.hostname = hostname;
    const result = await deployOne(machine);
    expect(result).toMatchObject({ status: "failed", phase: "connect", changed: false });
    expect(result.error).toBe(
      `the machine's hostname (${JSON.stringify(hostname)}) is not a valid name of a configuration. Add the configuration to the target: host#configuration`,
    );
  });

  test.each<[Operation, Partial<FakeMachine["state"]>, string, readonly string[]]>([
    ["switch", {}, "deployed", ["activate"]],
    ["boot", {}, "deployed", ["activate"]],
    ["test", {}, "deployed", ["activate"]],
    ["dry-activate", {}, "planned", ["activate"]],
    ["build", {}, "planned", []],
    ["switch", { running: newSystem, profile: newSystem }, "unchanged", []],
    ["boot", { running: newSystem, profile: newSystem }, "unchanged", []],
    ["test", { running: newSystem }, "unchanged", []],
    ["switch", { running: newSystem }, "deployed", ["activate"]],
    ["switch", { profile: newSystem }, "deployed", ["activate"]],
    ["boot", { profile: newSystem }, "deployed", ["activate"]],
    ["dry-activate", { running: newSystem, profile: newSystem }, "planned", ["activate"]],
  ])("%s with %j before is %s", async (operation, before, status, activations) => {
    const machine = new FakeMachine();
    machine.state = makeState(before);
    const result = await deployOne(machine, { operation });
    expect(result.status).toBe(status);
    expect(machine.calls.filter((line) => line.endsWith("activate")).map(() => "activate")).toEqual(activations);
    expect(result.changed).toBe(machine.state.running !== (before.running ?? oldSystem) || machine.state.profile !== (before.profile ?? oldSystem));
  });

  test("that has no system profile yet is deployed to", async () => {
    const machine = new FakeMachine();
    machine.state = makeState({ running: undefined, profile: undefined, generation: undefined });
    expect(await deployOne(machine)).toMatchObject({ status: "deployed", previousSystemPath: undefined, generation: 1, changed: true });
  });

  test("is reported to need a reboot", async () => {
    const machine = new FakeMachine();
    machine.state = makeState({ rebootNeeded: true });
    expect((await deploy([machine])).log.lines.join("\n")).toContain("take effect after a reboot");
  });
});

describe("what nixos-rebuild says and the machine does not", () => {
  const other = makeStorePath("nixos-system-other");
  test.each<[Operation, Partial<ActivationEnd>, string]>([
    ["switch", { after: makeState({ running: oldSystem }) }, `the machine runs ${oldSystem} instead of ${newSystem}`],
    ["boot", { after: makeState({ profile: other }) }, `the machine boots ${other} instead of ${newSystem}`],
    ["boot", { after: makeState({ profile: undefined }) }, "the machine boots no system of the store instead of"],
    ["boot", { after: makeState() }, `the machine boots ${oldSystem} instead of ${newSystem}`],
  ])("after %s is a failure: %j", async (operation, end, text) => {
    const machine = new FakeMachine();
    machine.end = end;
    const result = await deployOne(machine, { operation });
    expect(result).toMatchObject({ status: "rolled-back", phase: "activate", exitCode: 0 });
    expect(result.error).toContain(text);
    expect(result.error).toContain("Check whether someone else changed it in the meantime");
  });
});

describe("a machine that someone else switches", () => {
  const third = makeStorePath("nixos-system-third");

  test.each<[string, (machine: FakeMachine) => void]>([
    ["by the end of the activation", (machine) => (machine.end = { after: makeState({ running: third }) })],
    ["before the confirmation", (machine) => (machine.settled = makeState({ running: third }))],
  ])("%s has failed, and nothing more is changed", async (_, change) => {
    const machine = new FakeMachine();
    change(machine);
    const result = await deployOne(machine);
    expect(result).toMatchObject({ status: "failed", error: expect.stringContaining(`runs ${third}`) });
    expect(result.error).toContain("Nothing else was changed on the machine");
    expectInOrder(machine, ["drop", "release"]);
    expect(machine.calls).not.toContain("web1 roll back");
    expect(machine.calls).not.toContain("web1 keep");
  });

  test("before the last step has failed, and profile and boot loader stay", async () => {
    const machine = new FakeMachine();
    machine.kept = { kind: "foreign", state: makeState({ running: third }) };
    expect(await deployOne(machine)).toMatchObject({ status: "failed", error: expect.stringContaining("System profile and boot loader were not changed") });
    expect(machine.calls).not.toContain("web1 roll back");
  });

  test("before the rollback has failed, and is not rolled back", async () => {
    const machine = new FakeMachine();
    machine.end = { exitCode: 2, causes: [{ kind: "activation-script" }] };
    machine.back = { exitCode: 9, foreign: true, state: makeState({ running: third }) };
    expect(await deployOne(machine)).toMatchObject({ status: "failed", error: expect.stringContaining(`Nothing was rolled back: the machine runs ${third}`) });
  });
});

describe("a machine whose test refuses", () => {
  const refusals = [
    [{ kind: "locked" }, "another switch-to-configuration is running"],
    [{ kind: "not-nixos" }, "does not recognize the machine as NixOS"],
    [{ kind: "inhibitor", changes: [] }, "a switch inhibitor refuses"],
    [{ kind: "pre-switch-check", check: "custom" }, "the pre-switch check 'custom'"],
    [{ kind: "other-init" }, "a different init system"],
  ] as const;

  test.each(refusals)("has failed and is disarmed, and nothing is run: %j", async (cause, text) => {
    const machine = new FakeMachine();
    machine.end = { exitCode: 1, causes: [cause], touched: false, after: makeState() };
    expect(await deployOne(machine)).toMatchObject({ status: "failed", changed: false, error: expect.stringContaining(text) });
    expectInOrder(machine, ["drop", "release"]);
    expect(machine.calls).not.toContain("web1 roll back");
  });

  test("is rolled back where it had stopped or activated something by then", async () => {
    const machine = new FakeMachine();
    machine.end = { exitCode: 1, causes: [{ kind: "locked" }], touched: true, after: makeState() };
    expect(await deployOne(machine)).toMatchObject({ status: "rolled-back" });
  });
});

describe("a last step that fails", () => {
  const failed = { kind: "failed", exitCode: 1, causes: [{ kind: "boot-loader" }], lines: ["no room"], state: makeState() } as const;
  const undone = { profile: true, bootLoader: true, test: { exitCode: 0, causes: [] } };

  test("and was undone is rolled-back", async () => {
    const machine = new FakeMachine();
    machine.kept = { ...failed, undone };
    expect(await deployOne(machine)).toMatchObject({
      status: "rolled-back",
      changed: false,
      error:
        "the boot loader could not be installed (exit code 1). See the output of its installer below. The machine was rolled back to its old system\n  no room",
    });
  });

  test.each([
    [{ ...undone, profile: false }, "the system profile is"],
    [{ ...undone, bootLoader: false }, `the boot loader's default entry may be ${newSystem}`],
    [{ ...undone, test: { exitCode: 2, causes: [{ kind: "activation-script" } as const] } }, "the activation script failed (exit code 2)"],
    [{ ...undone, test: undefined }, "the old system was not activated"],
  ])("and could not be undone is rollback-failed: %j", async (how, text) => {
    const machine = new FakeMachine();
    machine.kept = { ...failed, undone: how };
    const result = await deployOne(machine);
    expect(result).toMatchObject({ status: "rollback-failed", phase: "rollback", error: expect.stringContaining(text) });
    expect(result.error).toContain("ln -sfn system-6-link /nix/var/nix/profiles/system; ");
    expect(result.error).toContain(
      `NIXOS_NO_CHECK=1 ${oldSystem}/bin/switch-to-configuration boot; NIXOS_NO_CHECK=1 ${oldSystem}/bin/switch-to-configuration test`,
    );
  });

  test("and took too long says so", async () => {
    const machine = new FakeMachine();
    machine.kept = { ...failed, exitCode: 124, causes: [], undone };
    expect(await deployOne(machine)).toMatchObject({ status: "rolled-back", error: expect.stringContaining("took longer than activation-timeout (600 s)") });
  });
});

describe("a machine that is restarted", () => {
  const other = makeStorePath("nixos-system-other");

  test.each([
    ["reached", "before the new system was confirmed"],
    ["kept", "before system profile and boot loader were set"],
  ] as const)("to be %s runs what ran before: rolled-back, and only asked", async (moment, reason) => {
    const machine = new FakeMachine();
    machine[moment] = "restarted";
    expect(await deployOne(machine)).toMatchObject({ status: "rolled-back", error: expect.stringContaining(`the machine was restarted ${reason}`) });
    expectInOrder(machine, ["after restart", "release"]);
    expect(machine.calls).not.toContain("web1 roll back");
  });

  test.each([{ running: other }, { profile: other }])("and boots another system has failed, which is named: %j", async (restarted) => {
    const machine = new FakeMachine();
    machine.reached = "restarted";
    machine.restarted = restarted;
    expect(await deployOne(machine)).toMatchObject({ status: "failed", error: expect.stringContaining(other) });
  });

  test("during the rollback is waited for too", async () => {
    const machine = new FakeMachine();
    machine.end = { exitCode: 2, causes: [{ kind: "activation-script" }] };
    machine.back = "restarted";
    expect(await deployOne(machine)).toMatchObject({ status: "rolled-back", error: expect.stringContaining("restarted during the rollback") });
  });

  test("after it was confirmed, and has booted the new system, is deployed", async () => {
    const machine = new FakeMachine();
    machine.kept = "restarted";
    machine.restarted = { running: newSystem, profile: newSystem };
    expect(await deployOne(machine)).toMatchObject({ status: "deployed" });
  });
});

test("a slow login is reported as such", async () => {
  const machine = new FakeMachine();
  machine.reached = "slow-login";
  expect(await deployOne(machine)).toMatchObject({
    status: "rolled-back",
    error: expect.stringContaining("the login over ssh took longer than confirm-timeout (30 s)"),
  });
});

test("a machine that rolled back while the connection was lost was not reached in time, and no one else has switched it", async () => {
  const machine = new FakeMachine();
  machine.end = { after: makeState({ running: oldSystem }) };
  machine.reached = "late";
  const result = await deployOne(machine);
  expect(result).toMatchObject({ status: "rolled-back", error: expect.stringContaining("could not be reached within confirm-timeout (30 s)") });
  expect(result.error).not.toContain("someone else");
});

test.each<[string, Partial<FakeMachine>]>([
  [
    "the rollback",
    { end: { exitCode: 2, causes: [{ kind: "activation-script" }] }, back: { exitCode: 2, causes: [{ kind: "activation-script" }, { kind: "no-space" }] } },
  ],
  [
    "the undoing of the last step",
    {
      kept: {
        kind: "failed",
        exitCode: 1,
        causes: [{ kind: "boot-loader" }],
        lines: [],
        undone: { profile: true, bootLoader: true, test: { exitCode: 2, causes: [{ kind: "activation-script" }, { kind: "no-space" }] } },
        state: makeState(),
      },
    },
  ],
])("%s that fails for want of space says what the machine runs, and to make room first", async (_, behaviour) => {
  const machine = Object.assign(new FakeMachine(), behaviour);
  const result = await deployOne(machine);
  expect(result).toMatchObject({ status: "rollback-failed", error: expect.stringContaining("no space is left on the device") });
  expect(result.error).toContain(
    "The machine runs its old system, but some of its files could not be written. Free space on the full file system (`df -h` on the machine shows which one). Then repair the machine manually, as root: ",
  );
});

test("a connection that is lost while arming: the message says what the machine does", async () => {
  const machine = new FakeMachine();
  machine.trouble = {
    arm: () => {
      throw new DeployError({ phase: "activate", reason: "the connection was lost", unreachable: true });
    },
  };
  expect(await deployOne(machine)).toMatchObject({
    status: "failed",
    error: expect.stringContaining(
      "Nothing has changed on the machine. If it was already locked when the connection was lost, its watchdog stops after 600 s without changing anything",
    ),
  });
});

test("little room on /boot is warned about before the activation", async () => {
  const machine = new FakeMachine();
  machine.scarceBoot = { free: 2048, needed: 40_960 };
  const { log } = await deploy([machine]);
  const warning = log.lines.findIndex((line) =>
    line.includes("only 2.0 MiB are free on /boot of the machine, but kernel and initrd of the new system need 40.0 MiB"),
  );
  expect(warning).toBeGreaterThan(0);
});

test("what an earlier run has left unfinished is warned about, and never unchanged", async () => {
  const machine = new FakeMachine();
  machine.state = makeState({ running: newSystem, profile: newSystem });
  machine.unfinished = "an earlier run did not finish setting profile and boot loader";
  const { results, log } = await deploy([machine]);
  expect(results[0]).toMatchObject({ status: "deployed" });
  expect(log.lines).toContain("web1: an earlier run did not finish setting profile and boot loader. The next activation finishes or undoes it first");
});

describe("a machine that fails", () => {
  const causes = [{ kind: "snippet", snippet: "users", exitCode: 1 }] as const;
  const told = "the activation script snippet 'users' (1) failed (exit code 2). See its output in the host's log, fix the snippet and deploy again";

  test("during activation rolls back, and reports exit code, last lines and reason", async () => {
    const machine = new FakeMachine();
    machine.end = { exitCode: 2, causes, lines: ["snippet failed"] };
    expect(await deployOne(machine)).toMatchObject({
      status: "rolled-back",
      phase: "activate",
      exitCode: 2,
      changed: false,
      generation: 6,
      error: `${told}. The machine was rolled back to its old system\n  snippet failed`,
    });
    expect(machine.calls).not.toContain("web1 keep");
  });

  test("stays as it is without rollback, and says so", async () => {
    const machine = new FakeMachine();
    machine.end = { exitCode: 2, causes, lines: [] };
    const result = await deployOne(machine, { safety: makeSafety({ rollback: false }) });
    expect(result).toMatchObject({
      status: "failed",
      changed: true,
      error: `${told}. The new system stays active, since rollback is false`,
    });
    expect(machine.calls).not.toContain("web1 roll back");
  });

  test("and cannot roll back reports the commands that repair it", async () => {
    const machine = new FakeMachine();
    machine.end = { exitCode: 2, causes, lines: [] };
    machine.back = { exitCode: 1, lines: ["no"], state: makeState() };
    const result = await deployOne(machine);
    expect(result).toMatchObject({ status: "rollback-failed", phase: "rollback", exitCode: 1 });
    expect(result.error).toContain("; the rollback failed: switch-to-configuration failed without naming a cause (exit code 1)");
    expect(result.error).toContain(`Repair the machine manually, as root: NIXOS_NO_CHECK=1 ${oldSystem}/bin/switch-to-configuration test`);
  });

  test.each([
    [{ profile: newSystem }, `the system profile is ${newSystem} (before: ${oldSystem})`],
    [{ running: newSystem }, `the machine runs ${newSystem} (before: ${oldSystem})`],
  ])("and differs from its old state after the rollback is not rolled back: %j", async (state, text) => {
    const machine = new FakeMachine();
    machine.end = { exitCode: 2, causes, lines: [] };
    machine.back = { state: makeState(state) };
    expect(await deployOne(machine)).toMatchObject({ status: "rollback-failed", error: expect.stringContaining(text) });
  });

  test.each([
    ["reached", "late", "could not be reached within confirm-timeout (30 s) after the activation"],
    ["kept", "late", "could not be reached within confirm-timeout (30 s) after the activation"],
  ] as const)("to be %s, %s, rolls back", async (moment, answer, reason) => {
    const machine = new FakeMachine();
    machine[moment] = answer;
    expect(await deployOne(machine)).toMatchObject({ status: "rolled-back", phase: "confirm", error: expect.stringContaining(reason) });
    expect(machine.calls).toContain("web1 roll back");
  });

  test("its health check rolls back", async () => {
    const machine = new FakeMachine();
    machine.complaint = "exit code 1 at try 3";
    const safety = makeSafety({ healthCheck: "curl -f localhost" });
    expect(await deployOne(machine, { safety })).toMatchObject({
      status: "rolled-back",
      phase: "confirm",
      error: expect.stringContaining("the health check did not succeed within 60 s"),
    });
  });

  test("by a unit that had not failed before rolls back, or is degraded if requested", async () => {
    const failing = (): FakeMachine => {
      const machine = new FakeMachine();
      machine.state = makeState({ failedUnits: ["old.service"] });
      machine.end = {
        exitCode: 4,
        causes: ["old.service", "web.service"].map((unit) => ({ kind: "unit", unit, what: "failed" })),
        after: makeState({ running: newSystem, profile: newSystem, failedUnits: ["old.service", "web.service"] }),
      };
      return machine;
    };
    expect(await deployOne(failing())).toMatchObject({
      status: "rolled-back",
      failedUnits: ["web.service"],
      error: expect.stringContaining("web.service: no luck"),
    });
    expect(await deployOne(failing(), { safety: makeSafety({ unitFailures: "warn" }) })).toMatchObject({
      status: "degraded",
      phase: "confirm",
      failedUnits: ["web.service"],
      error: expect.stringContaining("newly failed units (exit code 4): web.service"),
    });
    const old = failing();
    const again = [{ kind: "unit", unit: "old.service", what: "failed" }] as const;
    old.end = { ...old.end, causes: again, after: makeState({ running: newSystem, profile: newSystem, failedUnits: ["old.service"] }) };
    expect(await deployOne(old)).toMatchObject({ status: "deployed", failedUnits: [] });
  });

  test.each([
    ["connect", { connect: refused }, "connect", false],
    ["copyFlake", { copyFlake: copyFails }, "copy", false],
    ["build", { build: buildFails }, "build", true],
  ] as const)("in %s does not stop the others, who activate", async (_, trouble, phase, arrived) => {
    const journal: string[] = [];
    const bad = new FakeMachine({ name: "bad" }, journal);
    bad.trouble = trouble;
    const good = new FakeMachine({ name: "good" }, journal);
    const { results, arrived: somewhere } = await deploy([bad, good], { maxParallel: 1 });
    expect(results.map(({ name, status, phase: last }) => [name, status, last])).toEqual([
      ["bad", "failed", phase],
      ["good", "deployed", "confirm"],
    ]);
    expect(journal).not.toContain("bad activate");
    expect(journal.filter((line) => line.endsWith("release"))).toEqual(["bad release", "good release"]);
    expect(somewhere).toBe(true);
    expect((await deploy([bad])).arrived).toBe(arrived);
  });

  test("with a fault of ours shows its stack", async () => {
    const machine = new FakeMachine();
    machine.trouble = {
      build: () => {
        throw new TypeError("x is not a function");
      },
    };
    const result = await deployOne(machine);
    expect(result).toMatchObject({ status: "failed", phase: "build", exitCode: undefined });
    expect(result.error).toMatch(/^TypeError: x is not a function\n\s+at /);
  });
});

describe("the activations", () => {
  test("begin when all machines have built, not before", async () => {
    const journal: string[] = [];
    const machines = ["a", "b", "c", "d"].map((name, index) => {
      const machine = new FakeMachine({ name, host: name }, journal);
      machine.trouble = { build: async () => await sleep(10 * (4 - index)) };
      return machine;
    });
    await deploy(machines, { maxParallel: 2 });
    const builds = journal.filter((line) => line.endsWith("build"));
    const firstActivation = journal.findIndex((line) => line.endsWith("activate"));
    expect(builds).toHaveLength(4);
    expect(journal.slice(0, firstActivation).filter((line) => line.endsWith("build"))).toHaveLength(4);
  });

  test("wait also for a machine that fails late", async () => {
    const journal: string[] = [];
    const slow = new FakeMachine({ name: "slow" }, journal);
    slow.trouble = {
      build: async () => {
        await sleep(50);
        journal.push("slow has failed");
        buildFails();
      },
    };
    await deploy([slow, new FakeMachine({ name: "fast" }, journal)]);
    expect(journal.indexOf("slow has failed")).toBeLessThan(journal.indexOf("fast activate"));
  });
});

describe("trying again", () => {
  const failingTimes = (times: number, fail: () => never): (() => void) => {
    let left = times;
    return () => {
      left -= 1;
      if (left >= 0) fail();
    };
  };

  test("happens for a machine that cannot be reached", async () => {
    const machine = new FakeMachine();
    machine.trouble = { connect: failingTimes(1, unreachable) };
    const { results, log } = await deploy([machine], { retries: 2 });
    expect(results[0]?.status).toBe("deployed");
    expect(log.lines).toContain("web1: it does not answer; retrying in 1 s (1 of 2)");
  });

  test("of the copy reconnects first", async () => {
    const machine = new FakeMachine();
    machine.trouble = { copyFlake: failingTimes(1, unreachable) };
    expect((await deployOne(machine, { retries: 1 })).status).toBe("deployed");
    expect(machine.calls.slice(0, 4)).toEqual(["web1 connect", "web1 copyFlake", "web1 connect", "web1 copyFlake"]);
  });

  test("has an end", async () => {
    const machine = new FakeMachine();
    machine.trouble = { connect: unreachable };
    expect(await deployOne(machine, { retries: 1 })).toMatchObject({ status: "failed", phase: "connect", exitCode: 255 });
    expect(machine.calls.filter((line) => line.endsWith("connect"))).toHaveLength(2);
  });

  test("does not happen for what will not pass, nor for a build or an activation", async () => {
    for (const trouble of [{ connect: refused }, { copyFlake: refused }, { build: unreachable }, { activate: unreachable }]) {
      const machine = new FakeMachine();
      machine.trouble = trouble;
      const [phase = ""] = Object.keys(trouble);
      await deploy([machine], { retries: 5 });
      expect(machine.calls.filter((line) => line.endsWith(phase))).toHaveLength(1);
    }
  });
});

describe("an end before the end", () => {
  const waits = async (signal: AbortSignal): Promise<void> => {
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    throw new CommandError({ command: "ssh", failure: { kind: "aborted" }, stdout: "", stderr: "" });
  };

  test("is reported if the timeout causes it", async () => {
    const machine = new FakeMachine();
    machine.trouble = { build: waits };
    const result = await deployOne(machine, { timeout: 0.1 });
    expect(result).toMatchObject({ status: "failed", phase: "build" });
    expect(result.error).toBe("the host took longer than the timeout of 0.1 s. Nothing has changed on the machine");
    expect(machine.calls.at(-1)).toBe("web1 release");
  });

  test("while a machine activates says that the activation goes on", async () => {
    const machine = new FakeMachine();
    machine.trouble = { activate: waits };
    const guarded = await deployOne(machine, { timeout: 0.1 });
    expect(guarded).toMatchObject({ status: "unknown", phase: "activate" });
    expect(guarded.error).toContain(
      "Without confirmation the machine rolls back on its own, 30 s after the activation ends or, if it does not end, 600 s after it started",
    );
    const unguarded = await deployOne(machine, { timeout: 0.1, safety: makeSafety({ rollback: false }) });
    expect(unguarded.error).toContain("The activation is still running on the machine and is not rolled back, since rollback is false");
  });

  test("is reported if the run was cancelled, for every machine, and nothing is activated", async () => {
    const controller = new AbortController();
    const machines = ["a", "b"].map((name) => new FakeMachine({ name, host: name }));
    for (const machine of machines) machine.trouble = { copyFlake: waits };
    setTimeout(() => controller.abort(), 30);
    const { results } = await deploy(machines, { signal: controller.signal, retries: 3 });
    for (const result of results) expect(result.error).toBe("the run was cancelled. Nothing has changed on the machine");
    expect(machines.flatMap(({ calls }) => calls).filter((line) => line.endsWith("activate"))).toEqual([]);
    expect(machines.map(({ calls }) => calls.at(-1))).toEqual(["a release", "b release"]);
  });

  test("comes at once where a machine waits to be tried again", async () => {
    const controller = new AbortController();
    const machine = new FakeMachine();
    machine.trouble = { connect: unreachable };
    setTimeout(() => controller.abort(), 30);
    const begin = performance.now();
    expect((await deployOne(machine, { signal: controller.signal, retries: 9 })).error).toContain("the run was cancelled");
    expect(performance.now() - begin).toBeLessThan(900);
  });
});

describe("a flake that could not be fetched", () => {
  const skipped = {
    status: "skipped",
    phase: "connect",
    changed: false,
    error: "not started: the flake could not be fetched (no flake.nix). Nothing has changed on the machine",
  };
  const noFlake = new NoFlakeError("the flake could not be fetched (no flake.nix)");

  test("skips the machines that wait for it, with the reason", async () => {
    const { results, arrived } = await deploy([new FakeMachine()], { flake: Promise.reject(noFlake) });
    expect(results).toMatchObject([skipped]);
    expect(arrived).toBe(false);
  });

  test("ends the work on machines that are being connected, and begins none on the others, and nobody cancelled", async () => {
    const controller = new AbortController();
    const machines = [new FakeMachine(), new FakeMachine({ name: "web2", host: "web2" })];
    for (const machine of machines) machine.trouble = { connect: unreachable };
    setTimeout(() => controller.abort(noFlake), 30);
    const { results } = await deploy(machines, { flake: new Promise(() => undefined), signal: controller.signal, maxParallel: 1, retries: 9 });
    expect(results).toMatchObject([skipped, skipped]);
  });

  test("is not what failed where a machine could not be reached before", async () => {
    const machine = new FakeMachine();
    machine.trouble = { connect: unreachable };
    const { results } = await deploy([machine], { flake: new Promise(() => undefined), retries: 0 });
    expect(results).toMatchObject([{ status: "failed" }]);
  });
});

test("no machines are no work", async () => {
  expect(await deploy([])).toMatchObject({ results: [], arrived: false });
});

describe("what is new", () => {
  const compared = {
    source: "unit-files",
    stop: [],
    start: ["new.service"],
    restart: ["web.service"],
    reload: [],
    keep: [],
    again: [],
    reexecutes: false,
    inhibitors: [],
  } as const;
  const closure = makeDifference({ rebuilt: 3, bytes: 1024 });
  const told = {
    source: "activation",
    stop: [],
    start: [],
    restart: ["web.service", "other.service"],
    reload: [],
    keep: [],
    again: [],
    reexecutes: false,
    inhibitors: [],
  } as const;

  function machineWithDifference(): FakeMachine {
    const machine = new FakeMachine();
    machine.difference = { closure, units: compared };
    return machine;
  }

  test("is requested between build and activation, and reported in the log", async () => {
    const machine = machineWithDifference();
    const { results, log } = await deploy([machine], { diff: true });
    expectInOrder(machine, ["build", `compare ${oldSystem} ${newSystem}`, "activate"]);
    expect(log.lines).toContain("web1: packages: 3 rebuilt; size +1.0 KiB");
    expect(results[0]).toMatchObject({ status: "deployed", difference: closure, plan: undefined, previousGeneration: 6, generation: 7 });
  });

  test("is not asked for where nothing is, or with diff: false", async () => {
    for (const [settings, state] of [
      [{ diff: false }, {}],
      [{ diff: true }, { running: newSystem }],
      [{ diff: true }, { running: undefined }],
    ] as const) {
      const machine = machineWithDifference();
      machine.state = makeState(state);
      const result = await deployOne(machine, settings);
      expect(machine.calls.filter((call) => call.includes("compare"))).toEqual([]);
      expect(result).toMatchObject({ difference: undefined, plan: undefined });
    }
  });

  test("is unknown if the machine cannot compare, without other consequences", async () => {
    const machine = new FakeMachine();
    expect(await deployOne(machine, { diff: true })).toMatchObject({ status: "deployed", difference: undefined, plan: undefined });
  });

  test("has the units that the activation reported, if any", async () => {
    for (const diff of [true, false]) {
      const machine = machineWithDifference();
      machine.end = { plan: told };
      expect(await deployOne(machine, { diff })).toMatchObject({ plan: told, difference: diff ? closure : undefined });
    }
  });

  test("of a dry run has what dry-activate reports, with the new units", async () => {
    const machine = machineWithDifference();
    machine.end = { plan: { ...told, source: "rehearsal" } };
    expect((await deployOne(machine, { diff: true, operation: "dry-activate" })).plan).toEqual({ ...told, source: "rehearsal", start: ["new.service"] });
  });

  test("of a build has the result of comparing unit files, and of boot no unit", async () => {
    expect(await deployOne(machineWithDifference(), { diff: true, operation: "build" })).toMatchObject({
      status: "planned",
      difference: closure,
      plan: compared,
    });
    expect(await deployOne(machineWithDifference(), { diff: true, operation: "boot" })).toMatchObject({ difference: closure, plan: undefined });
  });

  test("is reported for a host that was rolled back, too", async () => {
    const machine = machineWithDifference();
    machine.complaint = "no";
    const result = await deployOne(machine, { diff: true, safety: makeSafety({ healthCheck: "false" }) });
    expect(result).toMatchObject({ status: "rolled-back", difference: closure });
  });

  test("is not reported if another run has changed the system in between", async () => {
    const machine = machineWithDifference();
    machine.before = makeState({ running: makeStorePath("nixos-system-another") });
    expect(await deployOne(machine, { diff: true })).toMatchObject({ status: "deployed", difference: undefined });
  });
});

describe("two targets that are one machine", () => {
  const twins = (calls?: string[]): [FakeMachine, FakeMachine] => {
    const machines = [new FakeMachine({ name: "web1" }, calls), new FakeMachine({ name: "web1-by-address", host: "192.0.2.7" }, calls)] as const;
    for (const machine of machines) machine.identity = "boot namespace id";
    return [...machines];
  };
  const told = (other: string): string =>
    `this is the same machine as ${other}; one run can deploy only one configuration per machine. Nothing was activated on it. Remove one of the two targets`;

  test.each([1, 10])("are both refused, and the one noticed second is sent nothing, with max-parallel %d", async (maxParallel) => {
    const calls: string[] = [];
    const other = new FakeMachine({ name: "web2", host: "web2" }, calls);
    other.identity = "another";
    const { results } = await deploy([...twins(calls), other], { maxParallel });
    expect(results.map(({ status, phase }) => [status, phase])).toEqual([
      ["failed", "connect"],
      ["failed", "connect"],
      ["deployed", "confirm"],
    ]);
    expect(results[0]?.error).toBe(told("web1-by-address (root@192.0.2.7)"));
    expect(results[1]?.error).toBe(told("web1 (root@web1.example.org)"));
    expect(calls.filter((call) => /^web1.* (copyFlake|build|activate)/.test(call))).toEqual(["web1 copyFlake", "web1 build"]);
  });

  test("are refused whichever of them answers first", async () => {
    const [slow, fast] = twins();
    slow.trouble = { connect: async () => await sleep(20) };
    const { results } = await deploy([slow, fast]);
    expect(results.map(({ status }) => status)).toEqual(["failed", "failed"]);
    expect([...slow.calls, ...fast.calls].filter((call) => /activate|keep/.test(call))).toEqual([]);
    expect(slow.calls).not.toContain("web1 build");
  });

  test.each<[Operation, Partial<FakeMachine["state"]>]>([
    ["build", {}],
    ["switch", { running: newSystem, profile: newSystem }],
  ])("are refused also where the first was done with already: %s", async (operation, state) => {
    const machines = twins();
    for (const machine of machines) machine.state = makeState(state);
    const { results } = await deploy(machines, { operation, maxParallel: 1 });
    expect(results.map(({ status, phase }) => [status, phase])).toEqual([
      ["failed", "connect"],
      ["failed", "connect"],
    ]);
  });

  test("leave the first its own failure", async () => {
    const [first, second] = twins();
    first.trouble = { build: buildFails };
    const { results } = await deploy([first, second]);
    expect(results.map(({ phase }) => phase)).toEqual(["build", "connect"]);
  });

  test("are not found in machines that do not say which they are", async () => {
    const machines = twins();
    for (const machine of machines) machine.identity = undefined;
    expect((await deploy(machines)).results.map(({ status }) => status)).toEqual(["deployed", "deployed"]);
  });
});

describe("the timeline", () => {
  test("has every phase, in its order, and not the wait for other hosts", async () => {
    const [fast, slow] = [new FakeMachine({ name: "fast" }), new FakeMachine({ name: "slow", host: "slow" })];
    slow.trouble = { build: async () => await sleep(200) };
    const { results } = await deploy([fast, slow]);
    const spans = results[0]?.timeline ?? [];
    expect(spans.map(({ phase }) => phase)).toEqual(["connect", "copy", "build", "activate", "confirm"]);
    for (const { begin, end } of spans) expect(end).toBeGreaterThanOrEqual(begin);
    const [build, activate] = [spans[2], spans[3]];
    const slowBuild = results[1]?.timeline.find(({ phase }) => phase === "build");
    // The activation begins when the slow one has built; the fast one's build ended long before.
    expect(activate?.begin).toBeGreaterThanOrEqual(slowBuild?.end ?? Infinity);
    expect(build?.end).toBeLessThan(slowBuild?.end ?? 0);
  });

  test("ends where the host failed", async () => {
    const machine = new FakeMachine();
    machine.trouble = { build: buildFails };
    expect((await deployOne(machine)).timeline.map(({ phase }) => phase)).toEqual(["connect", "copy", "build"]);
  });
});
