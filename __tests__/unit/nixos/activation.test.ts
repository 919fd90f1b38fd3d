import { describe, expect, test } from "@jest/globals";

import type { Activation } from "../../../src/deploy/ports.js";
import { DeployError } from "../../../src/domain/errors.js";
import type { Operation } from "../../../src/domain/operation.js";
import { GuardedActivation } from "../../../src/nixos/activation.js";
import type { ActivationSite } from "../../../src/nixos/arming.js";
import type { CallScript } from "../../../src/nixos/job.js";
import { residentCall, residentScript } from "../../../src/nixos/script-files.js";
import { makeStorePath } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { notesOf } from "./fake-ssh.js";

// What is asked of the machine, in its order, and what becomes of its answers.
type Answer = { readonly exitCode?: number; readonly stdout?: string; readonly stderr?: string };

const old = makeStorePath("nixos-system-old");
const built = makeStorePath("nixos-system-new");
const before = `running=${old}\nprofile=${old}\ngeneration=6\nboot-id=one\nfailed-units=\n`;
const resident = [
  ...(["job", "watchdog", "switch", "activate", "last"] as const).flatMap((name) => [`${name}.sh`, residentScript(name)]),
  "finish.sh",
  residentCall("finish", ["abc"]),
];

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

/** The same, whose last step prints this log. */
async function begunWithLog(log: string, stderr: string) {
  const { call } = machine([{ stdout: before }, { stdout: before }]);
  const guarded = await GuardedActivation.begin(
    makeActivation(),
    makeSite(async (next, phase) => {
      const { script, onStdout } = next();
      if (script !== "follow") return await call(next, phase);
      onStdout?.(Buffer.from(log));
      return { kind: "ended", exitCode: 0, stdout: "", stderr };
    }),
  );
  return { guarded };
}

/** An activation that has begun, on a machine that gives these answers from then on. */
async function begun(answers: readonly Answer[], activation = makeActivation()) {
  const { call, asked } = machine([{ stdout: before }, ...answers]);
  return { call, asked, guarded: await GuardedActivation.begin(activation, makeSite(call)) };
}

describe("arming", () => {
  test.each([true, false])("passes the limits, the run's name and the residents to the machine (guarded: %s)", async (guarded) => {
    const { asked } = await begun([], makeActivation({ guarded }));
    const clear = String(600 + 30 + 5 + 60 + 900);
    expect(asked).toEqual([["arm", "abc", guarded ? "switch" : "plain", "600", "30", clear, "the run of somebody", built, built, "", "0", ...resident]]);
  });

  test.each<[Operation, boolean, string, string]>([
    ["switch", true, "switch", "test"],
    ["rollback", true, "switch", "test"],
    ["boot", true, "boot", "step"],
    ["test", true, "test", "test"],
    ["switch", false, "plain", "switch"],
    ["boot", false, "plain", "boot"],
  ])("%s (guarded: %s) goes the way %s and begins with %s", async (operation, isGuarded, way, action) => {
    const { call, asked, guarded } = await begun([{ stderr: `exit=0\n${before}` }], makeActivation({ operation, guarded: isGuarded }));
    await guarded.run(call);
    expect(asked[0]?.[2]).toBe(way);
    expect(asked[1]?.slice(5, 8)).toEqual(["/bin/sh", "./activate.sh", action]);
  });

  test("repairs what an earlier run left first, and queries the machine again", async () => {
    const notes: string[] = [];
    const mended = before.replace("generation=6", "generation=5");
    const { call, asked } = machine([{ stdout: `${before}mend=yes\n` }, { stderr: `exit=0\n${before}` }, { stdout: mended }]);
    const guarded = await GuardedActivation.begin(makeActivation(), makeSite(call, notes));
    expect(guarded.before.generation).toBe(5);
    expect(asked.map(([script, , job]) => (script === "run" ? `run ${job}` : script))).toEqual(["arm", "run mend", "arm"]);
    expect(notes).toContain("an earlier run or switch was interrupted on the machine: finishing or undoing it first");
  });

  test("fails where that cannot be mended", async () => {
    const { call } = machine([{ stdout: `${before}mend=yes\n` }, { stdout: "no room\n", stderr: `exit=1\n${before}` }]);
    const error = await rejection(DeployError, GuardedActivation.begin(makeActivation(), makeSite(call)));
    expect(error.reason).toBe("an interrupted earlier run could be neither finished nor undone (exit code 1)");
  });

  test("reads how little room /boot has", async () => {
    const { call } = machine([{ stdout: `${before}scarce-boot=2048 40960\n` }]);
    expect((await GuardedActivation.begin(makeActivation(), makeSite(call))).scarceBoot).toEqual({ free: 2048, needed: 40_960 });
    expect((await begun([])).guarded.scarceBoot).toBeUndefined();
  });

  test("says who holds the lock, and that nothing was activated", async () => {
    const { call } = machine([{ exitCode: 5, stdout: "holder=another run of this action: somebody, since 12:00:00Z\n" }]);
    const error = await rejection(DeployError, GuardedActivation.begin(makeActivation(), makeSite(call)));
    expect(error).toMatchObject({ phase: "activate", exitCode: 5 });
    expect(error.reason).toBe("the machine is still locked after 0 s: another run of this action: somebody, since 12:00:00Z");
    expect(error.hint).toMatch(/^Nothing was activated/);
  });

  test("says that the watchdog cannot be armed, with what the machine says of it", async () => {
    const { call } = machine([{ exitCode: 1, stderr: "Failed to start transient timer unit\n" }]);
    const error = await rejection(DeployError, GuardedActivation.begin(makeActivation(), makeSite(call)));
    expect(error).toMatchObject({ phase: "activate", reason: "the watchdog could not be armed (exit code 1); nothing was activated" });
    expect(error.lines).toEqual(["Failed to start transient timer unit"]);
  });
});

describe("an activation whose end is unknown", () => {
  const lost = [{ stderr: "exit=lost\n" }];

  test.each([
    ["was killed", "one", "killed"],
    ["went down with the machine", "two", "restarted"],
  ])("%s", async (_, bootId, ended) => {
    const { call, guarded: activation } = await begun([...lost, { stdout: before.replace("boot-id=one", `boot-id=${bootId}`) }]);
    expect(await activation.run(call)).toMatchObject({ exitCode: 255, after: { running: old }, end: ended });
    expect(activation.before).toMatchObject({ running: old });
  });
});

test("an activation that cannot be started has failed and is not unknown", async () => {
  const { call, guarded } = await begun([{ exitCode: 1, stderr: "Failed to start transient service unit\n" }, { stdout: before }]);
  expect(await guarded.run(call)).toMatchObject({
    exitCode: 1,
    lines: ["Failed to start transient service unit"],
    after: { running: old },
    end: "not-started",
  });
});

describe("the decision", () => {
  test("is requested with the time limit of the health check, and granted", async () => {
    const { asked, guarded } = await begun([{ stdout: before }, { stdout: before }], makeActivation({ operation: "test" }));
    expect(await guarded.hold()).toMatchObject({ running: old });
    expect(await guarded.keep()).toMatchObject({ kind: "done", state: { running: old } });
    expect(asked.slice(1)).toEqual([
      ["decide", "abc", "hold", "95"],
      ["decide", "abc", "keep"],
    ]);
  });

  test("is too late, or has been forgotten", async () => {
    const { guarded } = await begun([{ exitCode: 7 }, { exitCode: 3 }]);
    expect(await guarded.hold()).toBe("late");
    expect(await guarded.keep()).toBe("restarted");
  });

  test("that the machine cannot accept is reported", async () => {
    const { guarded } = await begun([{ exitCode: 1, stderr: "no timer\n" }]);
    const error = await rejection(DeployError, guarded.hold());
    expect(error).toMatchObject({ phase: "confirm", reason: "the watchdog on the machine did not accept the decision (exit code 1)", lines: ["no timer"] });
  });
});

const kept = { stdout: before };

describe("the last step", () => {
  const follow = ["follow", "abc", "last", "0"];

  test("is followed to its end", async () => {
    const { asked, guarded } = await begun([kept, { stderr: `exit=0\n${before}` }]);
    expect(await guarded.keep()).toMatchObject({ kind: "done", state: { running: old } });
    expect(asked.slice(1)).toEqual([["decide", "abc", "keep"], follow]);
  });

  test("that failed says why, and how far it was undone", async () => {
    const log = ["Failed to install bootloader", "nix-flake-deploy: undoing profile and boot loader (exit code 1)", "nix-flake-deploy: undone 0 1 0", ""].join(
      "\n",
    );
    const follows = async (answer: Answer) => {
      const { guarded } = await begun([kept, answer]);
      return await guarded.keep();
    };
    // The log comes piece by piece, as it does from the machine.
    const { guarded } = await begunWithLog(log, `exit=21\n${before}`);
    expect(await guarded.keep()).toMatchObject({
      kind: "failed",
      exitCode: 1,
      causes: [{ kind: "boot-loader" }],
      undone: { profile: true, bootLoader: false, test: { exitCode: 0 } },
    });
    expect(await follows({ stderr: `exit=9\n${before}` })).toMatchObject({ kind: "foreign" });
  });

  test("that was killed is started again, once; after a restart of the machine it is not", async () => {
    const again = await begun([kept, { stderr: "exit=lost\n" }, { stdout: before }, kept, { stderr: `exit=0\n${before}` }]);
    expect(await again.guarded.keep()).toMatchObject({ kind: "done" });
    const restarted = await begun([kept, { exitCode: 3 }, { stdout: before.replace("boot-id=one", "boot-id=two") }]);
    expect(await restarted.guarded.keep()).toBe("restarted");
    const twice = await begun([kept, { stderr: "exit=lost\n" }, { stdout: before }, kept, { stderr: "exit=lost\n" }, { stdout: before }]);
    await rejection(DeployError, twice.guarded.keep());
  });
});

describe("a system that is confirmed at once", () => {
  const yes = { stderr: `confirmed=yes\nexit=0\n${before}` };
  const no = { stderr: `confirmed=no\n${before.replace("failed-units=", "failed-units=late.service")}` };
  const armed = { stdout: `${before.replace("failed-units=", "failed-units=broken.service")}restarting-units=restless.service\n` };

  /** The words of the question, and what comes of it. */
  async function confirm(answers: readonly Answer[], overrides: Partial<Activation> = {}, notes: string[] = []) {
    const { call, asked } = machine([armed, ...answers]);
    const guarded = await GuardedActivation.begin(makeActivation(overrides), makeSite(call, notes));
    return { confirmed: await guarded.confirm(["known.service"]), asked: asked.slice(1) };
  }

  test("must run, and may have the failed units of before and those that are known", async () => {
    const { confirmed, asked } = await confirm([yes]);
    expect(confirmed).toMatchObject({ kind: "done", state: { running: old } });
    expect(asked).toEqual([["confirm", "abc", "last", "0", built, "broken.service restless.service known.service"]]);
  });

  test.each<[string, Partial<Activation>, string]>([
    ["a new entry of the boot loader", { operation: "boot" }, ""],
    ["an activation without protection", { guarded: false }, ""],
    ["a test", { operation: "test" }, built],
  ])("of %s must run or not", async (_, overrides, running) => {
    const { asked } = await confirm([yes], overrides);
    expect(asked[0]?.[4]).toBe(running);
  });

  test("without a last step is kept once the machine has decided", async () => {
    expect((await confirm([{ stderr: `confirmed=yes\n${before}` }], { operation: "test" })).confirmed).toMatchObject({ kind: "done", state: { running: old } });
  });

  test("is left undecided where something speaks against it", async () => {
    expect((await confirm([no])).confirmed).toMatchObject({ kind: "undecided", state: { failedUnits: ["late.service"] } });
  });

  test("is refused by a machine that has decided otherwise, or has forgotten the run", async () => {
    expect((await confirm([{ exitCode: 7 }])).confirmed).toBe("late");
    expect((await confirm([{ exitCode: 3 }])).confirmed).toBe("restarted");
    const error = await rejection(DeployError, confirm([{ exitCode: 1, stderr: "no timer\n" }]));
    expect(error).toMatchObject({ reason: "the watchdog on the machine did not accept the decision (exit code 1)", lines: ["no timer"] });
  });

  test("has its last step started again where that was killed", async () => {
    const notes: string[] = [];
    const lost = { stderr: `confirmed=yes\nexit=lost\n${before}` };
    const { confirmed, asked } = await confirm([lost, { stdout: before }, kept, { stderr: `exit=0\n${before}` }], {}, notes);
    expect(confirmed).toMatchObject({ kind: "done" });
    expect(asked.map((words) => words.slice(0, 3).join(" "))).toEqual(["confirm abc last", "facts", "decide abc keep", "follow abc last"]);
    expect(notes).toEqual(["setting system profile and boot loader was interrupted on the machine; starting it again"]);
    const restarted = await confirm([lost, { stdout: before.replace("boot-id=one", "boot-id=two") }]);
    expect(restarted.confirmed).toBe("restarted");
  });
});

describe("after a restart", () => {
  test("the machine reports what it runs", async () => {
    const { asked, guarded } = await begun([{ stdout: before }]);
    expect(await guarded.afterRestart()).toMatchObject({ running: old });
    expect(asked.slice(1)).toEqual([["facts"]]);
  });

  test("an unfinished last step is mended under the lock, and nothing else is done", async () => {
    const { asked, guarded } = await begun([
      { stdout: `${before}unfinished=an earlier run\n` },
      {},
      { stdout: `${before}mend=yes\n` },
      { stderr: `exit=0\n${before}` },
      { stdout: before },
      { stdout: before },
    ]);
    expect(await guarded.afterRestart()).toMatchObject({ running: old });
    const steps = asked.slice(1).map((words) => words.slice(0, 3).join(" "));
    // Mended under the lock, which is then left without any change.
    expect(steps.indexOf("run abc mend")).toBeGreaterThan(steps.indexOf("arm abc switch"));
    expect(steps.at(-1)).toBe("decide abc drop");
  });
});

describe("the rollback", () => {
  const way = [{}, { stderr: `exit=0\n${before}` }, { stderr: `exit=0\n${before}` }];
  const asks = [
    ["start", "abc", "back"],
    ["follow", "abc", "rollback"],
    ["follow", "abc", "back"],
  ];

  test("is ordered once, followed as it goes, and waited for to its end", async () => {
    const { asked, guarded } = await begun([{ stdout: before }, ...way]);
    expect(await guarded.rollBack()).toMatchObject({ exitCode: 0, foreign: false, state: { running: old } });
    expect(asked.slice(1).map((words) => words.slice(0, 3))).toEqual([["decide", "abc", "look"], ...asks]);
    expect(asked[2]?.slice(-2)).toEqual(["./watchdog.sh", "back"]);
  });

  test("says that someone else has switched the machine", async () => {
    const { guarded } = await begun([{ stdout: before }, {}, { stderr: `exit=9\n${before}` }, { stderr: `exit=0\n${before}` }]);
    expect(await guarded.rollBack()).toMatchObject({ exitCode: 9, foreign: true });
  });

  test("is not begun where the machine has been restarted", async () => {
    const { asked, guarded } = await begun([{ exitCode: 3 }]);
    expect(await guarded.rollBack()).toBe("restarted");
    expect(asked.slice(1)).toEqual([["decide", "abc", "look"]]);
  });

  test("in which the machine is restarted says so, and one that was killed has failed", async () => {
    const lost = [{ stdout: before }, {}, { stderr: "exit=lost\n" }];
    const restarted = await begun([...lost, { stdout: before.replace("boot-id=one", "boot-id=two") }]);
    expect(await restarted.guarded.rollBack()).toBe("restarted");
    const killed = await begun([...lost, { stdout: before }, { stdout: before }]);
    expect(await killed.guarded.rollBack()).toMatchObject({ exitCode: 255, state: { running: old } });
  });

  test("does not begin where it was decided otherwise", async () => {
    const { guarded } = await begun([{ exitCode: 7 }]);
    expect(await rejection(DeployError, guarded.rollBack())).toMatchObject({
      phase: "rollback",
      reason: "the machine has already made another decision (exit code 7)",
    });
  });
});
