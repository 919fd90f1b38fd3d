import { describe, expect, test } from "@jest/globals";

import { deployFleet } from "../../../src/deploy/fleet.js";
import type { RunSettings } from "../../../src/deploy/run-settings.js";
import type { Operation } from "../../../src/domain/operation.js";
import type { UnitPlan } from "../../../src/domain/unit-plan.js";
import { makeStorePath, readable, type ReadableResult } from "../domain/make.js";
import { FakeMachine, makeRunSettings, makeSafety, makeState, MemoryLog, newSystem, type SettingOverrides } from "./fake-machine.js";

type End = ReadableResult & { readonly lines: readonly string[] };

async function deploy(machine: FakeMachine, settings: SettingOverrides = {}): Promise<End> {
  const log = new MemoryLog();
  const { results } = await deployFleet([machine], makeRunSettings(settings), log);
  if (results[0] === undefined) throw new Error("there is no result");
  return { ...readable(results[0]), lines: log.lines };
}

const plan = (parts: Partial<UnitPlan>): UnitPlan => ({
  source: "activation",
  stop: [],
  start: [],
  restart: [],
  reload: [],
  keep: [],
  again: [],
  reexecutes: false,
  inhibitors: [],
  ...parts,
});
const limits = { ...makeSafety().limits, settle: 0 };

describe("the settle time", () => {
  test.each<[string, Partial<RunSettings>, UnitPlan | undefined, boolean]>([
    ["units that were started", {}, plan({ start: ["a.service"] }), true],
    ["units that were restarted", {}, plan({ restart: ["a.service"] }), true],
    ["an activation that did not say", {}, undefined, true],
    ["units that were stopped and reloaded", {}, plan({ stop: ["a.service"], reload: ["b.service"] }), false],
    ["the target that each switch starts again", {}, plan({ start: ["sysinit-reactivation.target"] }), false],
    ["settle-time: 0", { safety: makeSafety({ limits }) }, plan({ start: ["a.service"] }), false],
    ["boot", { operation: "boot" }, undefined, false],
    ["test", { operation: "test" }, plan({ start: ["a.service"] }), true],
  ])("is waited for, or not, with %s", async (_, settings, told, waits) => {
    const machine = new FakeMachine();
    machine.end = { plan: told };
    expect((await deploy(machine, settings)).status).toBe("deployed");
    expect(machine.calls.includes("web1 settle")).toBe(waits);
  });

  test("in which a unit fails ends with the old system, or with a degraded host", async () => {
    const machine = (): FakeMachine => {
      const made = new FakeMachine();
      made.state = makeState({ failedUnits: ["old.service"], restartingUnits: ["loop.service"] });
      made.settled = makeState({ running: newSystem, profile: newSystem, failedUnits: ["old.service", "loop.service", "dier.service"] });
      return made;
    };
    const reason = "units failed shortly after the activation: dier.service";
    expect(await deploy(machine())).toMatchObject({
      status: "rolled-back",
      phase: "activate",
      failedUnits: ["dier.service"],
      error: expect.stringContaining(reason),
    });
    const warned = await deploy(machine(), { safety: makeSafety({ unitFailures: "warn" }) });
    expect(warned).toMatchObject({ status: "degraded", phase: "confirm", failedUnits: ["dier.service"], error: expect.stringContaining(reason) });
    expect(warned.lines.join("\n")).toContain(`web1: ${reason}\ndier.service: no luck`);
  });

  test.each([
    ["late", "could not be reached"],
    ["restarted", "was restarted before the new system was confirmed"],
  ] as const)("in which the machine is %s is none", async (settled, text) => {
    const machine = new FakeMachine();
    machine.settled = settled;
    expect(await deploy(machine)).toMatchObject({ status: "rolled-back", phase: "confirm", error: expect.stringContaining(text) });
  });
});

test("a user whose activation failed makes the host degraded, whatever unit-failures says, and is named", async () => {
  const machine = new FakeMachine();
  machine.end = { exitCode: 4, causes: [{ kind: "user", user: "alice", units: ["agent.service"], late: false }] };
  const end = await deploy(machine);
  expect(end).toMatchObject({ status: "degraded", phase: "confirm", exitCode: 4, failedUnits: [], changed: true });
  expect(end.error).toMatch(/^the user activation failed for alice \(agent\.service\)\. The system itself was activated\./);
  expect(end.lines).toContain("web1: the user activation failed for alice (agent.service)");
});

describe("an activation that did not come to its own end", () => {
  test.each([
    ["restarted", true, "the machine was restarted during the activation"],
    ["killed", true, "the activation took longer than activation-timeout (600 s), or was killed"],
    ["killed", false, "the activation was killed"],
    ["not-started", true, "the activation could not be started on the machine"],
  ] as const)("%s (rollback: %s)", async (end, rollback, reason) => {
    const machine = new FakeMachine();
    machine.end = { exitCode: 255, end };
    const result = await deploy(machine, { safety: makeSafety({ rollback }) });
    expect(result).toMatchObject({ status: rollback ? "rolled-back" : "failed", phase: "activate", exitCode: 255 });
    expect(result.error).toContain(`${reason}. `);
  });
});

describe("a rehearsal", () => {
  test.each([
    ["that is refused fails", { exitCode: 1, causes: [{ kind: "pre-switch-check", check: "disk" }] }, "the pre-switch check 'disk' of the new system failed"],
    ["without a cause fails", { exitCode: 1, causes: [] }, "switch-to-configuration failed without naming a cause (exit code 1)"],
    ["that cannot be started fails", { exitCode: 1, end: "not-started" }, "the activation could not be started on the machine"],
  ] as const)("%s", async (_, end, reason) => {
    const machine = new FakeMachine();
    machine.end = end;
    expect(await deploy(machine, { operation: "dry-activate" })).toMatchObject({ status: "failed", phase: "activate", error: expect.stringContaining(reason) });
  });

  test("does not count units that are failed on the machine", async () => {
    const machine = new FakeMachine();
    machine.state = makeState({ failedUnits: ["old.service"] });
    expect(await deploy(machine, { operation: "dry-activate" })).toMatchObject({ status: "planned", failedUnits: [] });
  });
});

describe("a specialisation", () => {
  const special = makeStorePath("nixos-system-special");
  const variant = { specialisation: "tor", installBootLoader: true };
  const machine = (): FakeMachine => {
    const made = new FakeMachine();
    made.specialisations = { tor: special };
    return made;
  };

  test("runs, and profile and boot loader get the system", async () => {
    const made = machine();
    expect(await deploy(made, { variant })).toMatchObject({ status: "deployed", systemPath: newSystem });
    expect(made.activation).toMatchObject({ system: { toplevel: newSystem, running: special, generation: undefined }, installBootLoader: true });
    expect(made.state).toMatchObject({ running: special, profile: newSystem });
  });

  test("that runs already is unchanged, and the system itself is not", async () => {
    const made = machine();
    made.state = makeState({ running: special, profile: newSystem });
    expect((await deploy(made, { variant })).status).toBe("unchanged");
    made.specialisation = "tor";
    const { status, lines } = await deploy(made);
    expect(status).toBe("deployed");
    expect(lines).toContain("web1: the machine runs the specialisation tor, which this deployment leaves; set `specialisation: tor` to keep it");
  });

  test.each<[Operation, string | undefined]>([
    ["boot", undefined],
    ["switch", "tor"],
  ])("that is not left is no matter: %s", async (operation, specialisation) => {
    const made = machine();
    made.specialisation = "tor";
    const { lines } = await deploy(made, { operation, variant: { specialisation, installBootLoader: false } });
    expect(lines.join("\n")).not.toContain("this deployment");
  });

  test("that the machine does not end in is a failure", async () => {
    const made = machine();
    made.end = { after: makeState({ running: newSystem, profile: newSystem }) };
    expect(await deploy(made, { variant })).toMatchObject({
      status: "failed",
      error: expect.stringContaining(`the machine runs ${newSystem} instead of ${special}`),
    });
  });
});

test("a machine is left undecided only while nothing was decided", async () => {
  const lost = new FakeMachine();
  lost.trouble = {
    activate: () => {
      throw new Error("the connection is gone");
    },
  };
  expect((await deploy(lost)).status).toBe("unknown");
  expect(lost.calls.at(-1)).toBe("web1 release undecided");
  const locked = new FakeMachine();
  locked.trouble = {
    arm: () => {
      throw new Error("no lock");
    },
  };
  expect((await deploy(locked)).status).toBe("failed");
  expect(locked.calls.at(-1)).toBe("web1 release");
});
