import { describe, expect, test } from "@jest/globals";

import { deployFleet } from "../../../src/deploy/fleet.js";
import { operations } from "../../../src/domain/operation.js";
import type { StorePath } from "../../../src/domain/store-path.js";
import type { Target } from "../../../src/domain/target.js";
import { FakeMachine, makeRunSettings, MemoryLog } from "./fake-machine.js";

describe("a system that the runner does not know", () => {
  const asked: [Target, StorePath][] = [];
  const knowsProfile = async (target: Target, present: StorePath): Promise<boolean> => {
    asked.push([target, present]);
    return await Promise.resolve(false);
  };

  test.each(operations.filter((operation) => operation !== "build" && operation !== "rollback"))("is not replaced by %s", async (operation) => {
    const machine = new FakeMachine();
    const before = machine.calls.length;
    const { results } = await deployFleet([machine], makeRunSettings({ operation, knowsProfile }), new MemoryLog());
    expect(results).toMatchObject([
      {
        status: "failed",
        changed: false,
        error: { topic: "profile-unknown", reason: expect.stringContaining("replaceUnknownProfiles is false for the machine") },
      },
    ]);
    expect(machine.calls.slice(before).filter((call) => /activate|arm|switch/i.test(call))).toEqual([]);
    expect(asked.at(-1)?.[0]).toBe(machine.target);
    expect(results[0]?.error?.reason).toContain(asked.at(-1)?.[1]);
  });

  test("is replaced where the flake does not forbid it, or it is known", async () => {
    for (const settings of [makeRunSettings(), makeRunSettings({ knowsProfile: async () => await Promise.resolve(true) })]) {
      const { results } = await deployFleet([new FakeMachine()], settings, new MemoryLog());
      expect(results).toMatchObject([{ status: "deployed" }]);
    }
  });

  test("does not matter to what only builds, and to a rollback", async () => {
    const built = await deployFleet([new FakeMachine()], makeRunSettings({ operation: "build", knowsProfile }), new MemoryLog());
    expect(built.results).toMatchObject([{ status: "planned" }]);
    const back = await deployFleet([new FakeMachine()], makeRunSettings({ operation: "rollback", flake: undefined, knowsProfile }), new MemoryLog());
    expect(back.results[0]?.error?.topic).not.toBe("profile-unknown");
  });
});
