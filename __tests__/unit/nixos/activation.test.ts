import { describe, expect, test } from "@jest/globals";

import type { Activation } from "../../../src/deploy/ports.js";
import { DeployError } from "../../../src/domain/errors.js";
import { GuardedActivation, type ActivationSite } from "../../../src/nixos/activation.js";
import type { CallScript } from "../../../src/nixos/job.js";
import { residentCall, residentScript } from "../../../src/nixos/remote-shell.js";
import { makeStorePath } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { notesOf } from "./fake-ssh.js";

// What is asked of the machine, in its order, and what becomes of its answers.
type Answer = { readonly exitCode?: number; readonly stdout?: string; readonly stderr?: string };

const old = makeStorePath("nixos-system-old");
const built = makeStorePath("nixos-system-new");
const before = `running=${old}\nprofile=${old}\ngeneration=6\nboot-id=one\nfailed-units=\nlink=system-6-link\n`;
const resident = [residentScript("job"), residentScript("watchdog"), residentCall("finish", ["abc"]), residentScript("switch")];

function machine(answers: readonly Answer[]): { call: CallScript; asked: string[][] } {
  const left = [...answers];
  const asked: string[][] = [];
  const call: CallScript = async (next) => {
    const { script, args } = next();
    asked.push([script, ...args]);
    const answer = left.shift();
    if (answer === undefined) throw new Error(`nothing is known of a call of ${script}`);
    return await Promise.resolve({ kind: "ended", exitCode: 0, stdout: "", stderr: "", ...answer });
  };
  return { call, asked };
}

function makeActivation(overrides: Partial<Activation> = {}): Activation {
  const limits = { activation: 600, confirm: 30, settle: 5, healthCheck: 60, lock: 0 };
  const system = { toplevel: built, running: built, generation: undefined };
  return { operation: "switch", system, installBootLoader: false, guarded: true, limits, ...overrides };
}

function makeSite(call: CallScript, notes: string[] = []): ActivationSite {
  return { run: "abc", name: "the run of somebody", call, log: notesOf(notes), signal: new AbortController().signal };
}

/** An activation that has begun, on a machine that gives these answers from then on. */
async function begun(answers: readonly Answer[], activation = makeActivation()) {
  const { call, asked } = machine([{ stdout: before }, ...answers]);
  return { call, asked, guarded: await GuardedActivation.begin(activation, makeSite(call)) };
}

describe("arming", () => {
  test.each([true, false])("tells the machine the limits, who it is, and what to leave there (guarded: %s)", async (guarded) => {
    const { asked } = await begun([], makeActivation({ guarded }));
    const clear = String(600 + 30 + 5 + 60 + 900);
    expect(asked).toEqual([
      ["arm", "abc", "switch", "600", "30", clear, guarded ? "yes" : "no", "the run of somebody", ...resident, residentScript("activate")],
    ]);
  });

  test("says who is in the way, and that nothing was activated", async () => {
    const { call } = machine([{ exitCode: 5, stdout: "holder=another run of this action: somebody, since 12:00:00Z\n" }]);
    const error = await rejection(DeployError, GuardedActivation.begin(makeActivation(), makeSite(call)));
    expect(error).toMatchObject({ phase: "activate", exitCode: 5 });
    expect(error.reason).toBe("the machine is locked after 0 s of waiting: another run of this action: somebody, since 12:00:00Z");
    expect(error.hint).toMatch(/^Nothing was activated/);
  });

  test("says that the watchdog cannot be armed, with what the machine says of it", async () => {
    const { call } = machine([{ exitCode: 1, stderr: "Failed to start transient timer unit\n" }]);
    const error = await rejection(DeployError, GuardedActivation.begin(makeActivation(), makeSite(call)));
    expect(error).toMatchObject({ phase: "activate", reason: "the watchdog cannot be armed (exit code 1); nothing was activated" });
    expect(error.lines).toEqual(["Failed to start transient timer unit"]);
  });
});

describe("an activation whose end nobody knows", () => {
  const lost = [{}, { stderr: "exit=lost\n" }];

  test.each([
    ["was killed", "one", "killed"],
    ["went down with the machine", "two", "restarted"],
  ])("%s", async (_, bootId, ended) => {
    const { call, guarded: activation } = await begun([...lost, { stdout: before.replace("boot-id=one", `boot-id=${bootId}`) }]);
    expect(await activation.run(call)).toMatchObject({ exitCode: 255, after: { running: old }, end: ended });
    expect(activation.before).toMatchObject({ running: old });
  });
});

test("an activation that cannot be started is one that has failed, and not one that nobody knows of", async () => {
  const { call, guarded } = await begun([{ exitCode: 1, stderr: "Failed to start transient service unit\n" }, { stdout: before }]);
  expect(await guarded.run(call)).toMatchObject({
    exitCode: 1,
    lines: ["Failed to start transient service unit"],
    after: { running: old },
    end: "not-started",
  });
});

describe("the decision", () => {
  test("is asked for with the time of the health check, and made", async () => {
    const { asked, guarded } = await begun([{ stdout: before }, { stdout: before }]);
    expect(await guarded.hold()).toMatchObject({ running: old });
    expect(await guarded.keep()).toMatchObject({ running: old });
    expect(asked.slice(1)).toEqual([
      ["keep", "abc", "hold", "95"],
      ["keep", "abc", "keep"],
    ]);
  });

  test("is too late, or has been forgotten", async () => {
    const { guarded } = await begun([{ exitCode: 7 }, { exitCode: 3 }]);
    expect(await guarded.hold()).toBe("late");
    expect(await guarded.keep()).toBe("restarted");
  });

  test("that the machine cannot take is told", async () => {
    const { guarded } = await begun([{ exitCode: 1, stderr: "no timer\n" }]);
    const error = await rejection(DeployError, guarded.hold());
    expect(error).toMatchObject({ phase: "confirm", reason: "the machine cannot be told to keep the new system (exit code 1)", lines: ["no timer"] });
  });
});

describe("the way back", () => {
  const way = [{}, { stderr: `exit=0\n${before}` }, { stderr: `exit=0\n${before}` }];
  const asks = [
    ["start", "abc", "back", residentScript("job"), "/bin/sh", "./watchdog.sh", "back"],
    ["follow", "abc", "rollback", "0"],
    ["follow", "abc", "back", "0"],
  ];

  test("is ordered once, followed as it goes, and waited for to its end", async () => {
    const { asked, guarded } = await begun([{ stdout: before }, ...way]);
    expect(await guarded.rollBack()).toMatchObject({ exitCode: 0, state: { running: old } });
    expect(asked.slice(1)).toEqual([["keep", "abc", "look"], ...asks]);
  });

  test("is recorded anew first where the machine has forgotten it", async () => {
    const { asked, guarded } = await begun([{ exitCode: 3 }, {}, ...way]);
    await guarded.rollBack();
    expect(asked.slice(1)).toEqual([["keep", "abc", "look"], ["recover", "abc", "switch", "system-6-link", old, old, "1595", ...resident], ...asks]);
  });

  test.each([
    ["the machine has already decided for the new system (exit code 7)", [{ exitCode: 7 }]],
    ["the machine cannot be told what to go back to (exit code 1)", [{ exitCode: 3 }, { exitCode: 1 }]],
  ])("does not begin: %s", async (reason, answers) => {
    const { guarded } = await begun(answers);
    expect(await rejection(DeployError, guarded.rollBack())).toMatchObject({ phase: "rollback", reason });
  });
});
