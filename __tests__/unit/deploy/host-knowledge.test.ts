import { describe, expect, test } from "@jest/globals";

import { knownAtFirst, outlookOf, resultOf, settledBy, type HostKnowledge } from "../../../src/deploy/host-knowledge.js";
import type { MachineFacts } from "../../../src/deploy/ports.js";
import type { Operation } from "../../../src/domain/operation.js";
import { ownHostname } from "../../../src/domain/configuration.js";
import { hiveNode, makeDifference, makeError, makeTarget } from "../domain/make.js";
import { makeSafety, makeState, newSystem, oldSystem } from "./fake-machine.js";

function known(overrides: Partial<HostKnowledge> = {}): HostKnowledge {
  return { ...knownAtFirst(makeTarget()), ...overrides };
}

function facts(overrides: Partial<MachineFacts> = {}): MachineFacts {
  return {
    hostname: "web1",
    nix: "nix (Nix) 2.34.8",
    freeKibibytes: undefined,
    memoryKibibytes: undefined,
    state: makeState(),
    olderGeneration: undefined,
    unfinished: undefined,
    specialisation: undefined,
    identity: undefined,
    ...overrides,
  };
}

describe("what is left to do with a system", () => {
  const system = { toplevel: oldSystem, running: oldSystem, generation: undefined };
  const other = { toplevel: newSystem, running: newSystem, generation: undefined };

  test.each<[Operation, string | undefined]>([
    ["switch", "unchanged"],
    ["boot", "unchanged"],
    ["test", "unchanged"],
    ["build", "planned"],
    ["dry-activate", undefined],
    ["rollback", undefined],
  ])("that runs and boots already is, for %s, %s", (operation, status) => {
    expect(settledBy(system, facts(), operation)).toBe(status);
  });

  test("is everything where it does not run, or another one boots, or an earlier run is unfinished", () => {
    expect(settledBy(other, facts(), "switch")).toBeUndefined();
    expect(settledBy(system, facts({ state: makeState({ profile: newSystem }) }), "switch")).toBeUndefined();
    // What boots does not matter to test.
    expect(settledBy(system, facts({ state: makeState({ profile: newSystem }) }), "test")).toBe("unchanged");
    expect(settledBy(system, facts({ unfinished: "an earlier run is unfinished" }), "switch")).toBeUndefined();
  });
});

describe("what happens to a machine that is left alone", () => {
  const undecided = { before: makeState(), toplevel: newSystem, undecided: true } as const;

  test("is nothing before the activation", () => {
    expect(outlookOf(known(), makeSafety())).toContain("Nothing has changed");
  });

  test("is a rollback within the limits, or none where rollback is false", () => {
    const limits = { activation: 600, confirm: 30, settle: 5, healthCheck: 60, lock: 300 };
    expect(outlookOf(known({ ...undecided, phase: "activate" }), makeSafety({ limits }))).toMatch(/\b30 s\b.*\b600 s\b/);
    expect(outlookOf(known({ ...undecided, phase: "confirm" }), makeSafety({ limits }))).toMatch(/\b95 s\b/);
    expect(outlookOf(known({ ...undecided, phase: "confirm", confirmed: true }), makeSafety({ limits }))).toMatch(/confirmation.*\b95 s\b/);
    expect(outlookOf(known({ ...undecided, phase: "activate" }), makeSafety({ rollback: false }))).toContain("rollback is false");
  });

  test("names the system that ran and the new one", () => {
    const outlook = outlookOf(known({ ...undecided, phase: "activate" }), makeSafety());
    for (const system of [oldSystem, newSystem]) expect(outlook).toContain(system);
  });
});

describe("the result of a host", () => {
  const after = makeState({ running: newSystem, profile: newSystem, generation: 7 });

  test("has the systems before and after, and that they differ", () => {
    const result = resultOf(
      makeTarget(),
      known({ before: makeState(), after, toplevel: newSystem, phase: "confirm" }),
      { status: "deployed", error: undefined },
      2,
      [],
    );
    expect(result).toMatchObject({ systemPath: newSystem, previousSystemPath: oldSystem, generation: 7, previousGeneration: 6, changed: true, exitCode: 0 });
  });

  test("has the phase and exit code of the failure, but not those of a degraded host", () => {
    const error = makeError("why", { phase: "copy", exitCode: 255 });
    const work = known({ before: makeState(), after, phase: "confirm", exitCode: 4 });
    expect(resultOf(makeTarget(), work, { status: "failed", error }, 2, [])).toMatchObject({ phase: "copy", exitCode: 255 });
    expect(resultOf(makeTarget(), work, { status: "degraded", error }, 2, [])).toMatchObject({ phase: "confirm", exitCode: 4 });
  });

  test("has the configuration as a target names it", () => {
    const configurationOf = (configuration: Parameters<typeof knownAtFirst>[0]["configuration"]): string | undefined =>
      knownAtFirst(makeTarget({ configuration })).configuration;
    expect(configurationOf(hiveNode("web1"))).toBe("colmenaHive.nodes.web1");
    expect(configurationOf(ownHostname)).toBeUndefined();
  });

  test("leaves out a difference to a system that another run has replaced since", () => {
    const compared = { running: oldSystem, difference: makeDifference() };
    const resultFor = (running: typeof oldSystem) =>
      resultOf(makeTarget(), known({ before: makeState({ running }), compared }), { status: "deployed", error: undefined }, 2, []);
    expect(resultFor(oldSystem).difference).toEqual(makeDifference());
    expect(resultFor(newSystem).difference).toBeUndefined();
  });
});
