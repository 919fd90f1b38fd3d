import { describe, expect, test } from "@jest/globals";

import type { Outcome, SafeActivation } from "../../../src/deploy/guarded.js";
import { knownAtFirst } from "../../../src/deploy/host-knowledge.js";
import type { RunSettings } from "../../../src/deploy/run-settings.js";
import { activateSafely, explainEnd } from "../../../src/deploy/safe-activation.js";
import { DeployError } from "../../../src/domain/errors.js";
import { rejection } from "../failure-of.js";
import { FakeMachine, makeRunSettings, makeSafety, MemoryLog, newSystem, oldSystem } from "./fake-machine.js";

/** Work on a fake machine that has built the new system. */
async function work(machine: FakeMachine, overrides: Partial<RunSettings> = {}): Promise<SafeActivation> {
  const settings = makeRunSettings(overrides);
  const { signal } = settings;
  return {
    machine: await machine.connect(signal),
    system: { toplevel: newSystem, running: newSystem, generation: undefined },
    known: knownAtFirst(machine.target),
    settings,
    signal,
    log: new MemoryLog().host(machine.target),
    begin: () => undefined,
    ended: () => undefined,
  };
}

async function activate(machine: FakeMachine, overrides: Partial<RunSettings> = {}): Promise<{ outcome: Outcome; known: SafeActivation["known"] }> {
  const activation = await work(machine, overrides);
  return { outcome: await activateSafely(activation), known: activation.known };
}

describe("a safe activation", () => {
  test("sets the profile only after the machine was reached again", async () => {
    const machine = new FakeMachine();
    const { outcome, known } = await activate(machine);
    expect(outcome).toEqual({ status: "deployed", error: undefined });
    expect(known).toMatchObject({ before: { running: oldSystem }, after: { running: newSystem, profile: newSystem }, undecided: false });
    const order = machine.calls.map((call) => call.replace("web1 ", ""));
    expect(order.indexOf("keep")).toBeGreaterThan(order.indexOf("reach"));
    expect(order.indexOf("reach")).toBeGreaterThan(order.indexOf("activate"));
  });

  test.each<[string, (machine: FakeMachine) => void, Partial<RunSettings>]>([
    ["fails", (machine) => (machine.end = { exitCode: 2, causes: [{ kind: "snippet", snippet: "users", exitCode: 1 }] }), {}],
    ["is not reached in time", (machine) => (machine.reached = "late"), {}],
    ["is not healthy", (machine) => (machine.complaint = "exit code 1"), { safety: makeSafety({ healthCheck: "false" }) }],
  ])("that %s never keeps the new system, and ends with the old one", async (_, breaks, settings) => {
    const machine = new FakeMachine();
    breaks(machine);
    const { outcome, known } = await activate(machine, settings);
    expect(outcome.status).toBe("rolled-back");
    expect(machine.calls).not.toContain("web1 keep");
    expect(machine.state).toMatchObject({ running: oldSystem, profile: oldSystem });
    expect(known.undecided).toBe(false);
  });

  describe("that starts no unit and has no health check", () => {
    const quiet = { start: [], restart: [], stop: [], reload: [], again: [], keep: [], reexecutes: false, source: "activation" } as const;
    const withoutUnits = (lateUnits: readonly string[] = []): FakeMachine => {
      const machine = new FakeMachine();
      machine.end = { plan: { ...quiet, inhibitors: [] } };
      machine.lateUnits = lateUnits;
      return machine;
    };

    test("is decided by the machine itself", async () => {
      const machine = withoutUnits();
      const { outcome, known } = await activate(machine);
      expect(outcome.status).toBe("deployed");
      expect(known).toMatchObject({ after: { profile: newSystem }, confirmed: true });
      expect(machine.calls.map((call) => call.replace("web1 ", ""))).toEqual(expect.arrayContaining(["activate", "confirm"]));
      for (const call of ["reach", "settle", "keep"]) expect(machine.calls).not.toContain(`web1 ${call}`);
    });

    test("is rolled back where a unit has failed since", async () => {
      const machine = withoutUnits(["late.service"]);
      const { outcome } = await activate(machine);
      expect(outcome).toMatchObject({ status: "rolled-back", error: { reason: "units failed shortly after the activation: late.service" } });
      expect(machine.calls).not.toContain("web1 keep");
    });

    test("is kept nevertheless where such units are a warning", async () => {
      const machine = withoutUnits(["late.service"]);
      const { outcome } = await activate(machine, { safety: makeSafety({ unitFailures: "warn" }) });
      expect(outcome.status).toBe("degraded");
      expect(machine.calls).toContain("web1 keep");
    });

    test("ends as one that takes each step by itself", async () => {
      const late = withoutUnits();
      late.reached = "late";
      expect((await activate(late)).outcome.status).toBe("rolled-back");
      const restarted = withoutUnits();
      restarted.reached = "restarted";
      expect((await activate(restarted)).outcome.error?.reason).toBe("the machine was restarted before system profile and boot loader were set");
      const failed = withoutUnits();
      failed.kept = { kind: "foreign", state: failed.state };
      expect((await activate(failed)).outcome).toMatchObject({ status: "failed", error: { outcome: "System profile and boot loader were not changed" } });
    });
  });

  test("leaves a machine undecided that is lost in the activation", async () => {
    const machine = new FakeMachine();
    machine.trouble = {
      activate: () => {
        throw new DeployError({ phase: "activate", reason: "the connection was lost", unreachable: true });
      },
    };
    const activation = await work(machine);
    await rejection(DeployError, activateSafely(activation));
    expect(activation.known).toMatchObject({ arming: false, undecided: true });
  });

  test("says of a machine that is lost while it is armed that it may be, and of one that refuses that it is not", async () => {
    const lost = async (unreachable: boolean): Promise<{ error: DeployError; arming: boolean }> => {
      const machine = new FakeMachine();
      machine.trouble = {
        arm: () => {
          throw new DeployError({ phase: "activate", reason: "why", unreachable });
        },
      };
      const activation = await work(machine);
      return { error: await rejection(DeployError, activateSafely(activation)), arming: activation.known.arming };
    };
    expect(await lost(true)).toMatchObject({ arming: true, error: { failure: { outcome: expect.any(String) } } });
    expect(await lost(false)).toMatchObject({ arming: false, error: { failure: { outcome: undefined } } });
  });
});

test("only an activation that came to its own end needs no explanation", () => {
  const settings = { safety: makeSafety(), operation: "switch" } as const;
  expect(explainEnd("ended", settings)).toBeUndefined();
  for (const end of ["killed", "restarted", "not-started"] as const) expect(explainEnd(end, settings)?.reason).toContain("activation");
});
