import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "@jest/globals";

import type { Activation, Reached } from "../../../src/deploy/ports.js";
import { DeployError } from "../../../src/domain/errors.js";
import { GuardedActivation } from "../../../src/nixos/activation.js";
import { ArmedNixosMachine } from "../../../src/nixos/armed-machine.js";
import type { CallScript } from "../../../src/nixos/job.js";
import { makeStorePath } from "../domain/make.js";
import { notesOf } from "./fake-ssh.js";

const system = makeStorePath("nixos-system-new");
const signal = new AbortController().signal;
const unreachable = new DeployError({ phase: "confirm", reason: "no answer", unreachable: true });

type Login = {
  readonly confirm: number;
  /** sshd answers the new connection. */
  readonly answers: boolean;
  /** What becomes of the new connection. */
  readonly reopen: () => Promise<void>;
  /** Exit code of the machine once the login is over: 7 where the watchdog has decided. */
  readonly hold: number;
  /** What becomes of a call over the former connection. */
  readonly former?: () => Promise<void>;
  readonly guarded?: boolean;
  /** Seconds that the checks take at most. */
  readonly checkSeconds?: number;
  /** It is asked to decide at once. */
  readonly confirms?: boolean;
};

/** Reaches a machine again. Returns what comes of it, and what happened to the former connection, in order. */
async function reach({ confirm, answers, reopen, hold, former = async () => await Promise.resolve(), guarded = true, checkSeconds, confirms }: Login) {
  const limits = { activation: 600, confirm, settle: 5, healthCheck: 60, lock: 0 };
  const systems = { toplevel: system, running: system, generation: undefined };
  const activation: Activation = { operation: "switch", system: systems, installBootLoader: false, guarded, limits };
  let decided: string | undefined;
  const call: CallScript = async (next) => {
    const { script, args } = next();
    if (script === "decide") decided = args[1];
    if (script === "confirm") events.push("confirm");
    return await Promise.resolve({ kind: "ended", exitCode: script === "arm" ? 0 : hold, stdout: "", stderr: script === "confirm" ? "confirmed=no\n" : "" });
  };
  const log = notesOf([]);
  const events: string[] = [];
  const armed = await GuardedActivation.begin(activation, { run: "abc", name: "a run", call, log, signal });
  const connection = {
    setAside: () => ({
      run: async () => await Promise.reject(new Error("called through a shell")),
      close: async () => {
        events.push("closed");
        await Promise.resolve();
      },
    }),
    hasAnswered: () => answers,
    reopen,
  };
  const callOver = (): CallScript => async (next) => {
    const { script, args } = next();
    events.push([script, ...args].join(" "));
    await former();
    return { kind: "ended", exitCode: 0, stdout: "", stderr: "" };
  };
  const machine = new ArmedNixosMachine(armed, activation, { connection, log, privileged: true, call: () => call, callOver });
  if (confirms) {
    const confirmed = await machine.confirm([], () => events.push("asked"), signal);
    return { reached: typeof confirmed === "string" ? confirmed : confirmed.kind, events, decided };
  }
  const reached: Reached = await machine.reach(signal, checkSeconds);
  return { reached: typeof reached === "string" ? reached : "reached", events, decided };
}

const told = "decide abc reached 65.4";

describe("a machine whose login is slow", () => {
  const slow = { confirm: 0.4, answers: true, reopen: async () => await sleep(500), hold: 0 };

  test("learns over the former connection that ssh was reached, and is waited for", async () => {
    expect(await reach(slow)).toMatchObject({ reached: "reached", events: [told, "closed"] });
  });

  test("is reported as such where it decides nevertheless, as where the former connection is lost", async () => {
    const former = async (): Promise<void> => await Promise.reject(new Error("broken pipe"));
    expect(await reach({ ...slow, hold: 7, former })).toMatchObject({ reached: "slow-login", events: [told, "closed"] });
  });

  test("is sent nothing if it has no watchdog", async () => {
    expect(await reach({ ...slow, guarded: false })).toMatchObject({ reached: "reached", events: ["closed"] });
  });
});

test("a machine with a quick login is sent nothing over the former connection", async () => {
  expect(await reach({ confirm: 30, answers: true, reopen: async () => await sleep(100), hold: 0 })).toMatchObject({ reached: "reached", events: ["closed"] });
});

test("a machine that has decided before the new connection was made was not reached in time", async () => {
  expect(await reach({ confirm: 30, answers: true, reopen: async () => await sleep(100), hold: 7 })).toMatchObject({ reached: "late", events: ["closed"] });
});

test("a machine whose sshd does not answer is not reached, whatever the former connection can do", async () => {
  const reopen = async (): Promise<void> => {
    await sleep(500);
    throw unreachable;
  };
  expect(await reach({ confirm: 0.4, answers: false, reopen, hold: 7 })).toMatchObject({ reached: "late", events: ["closed"] });
});

describe("the watchdog of a machine that is reached", () => {
  const quick = { confirm: 4, answers: true, reopen: async () => await sleep(100), hold: 0 };

  test.each([
    ["goes on where nothing takes time before the decision", 0, "present"],
    ["goes on where what does fits well into confirm-timeout", 1.5, "present"],
    ["gets more time where it does not", 2, "hold"],
    ["gets more time where it is unknown how long the checks take", undefined, "hold"],
  ])("%s", async (_, checkSeconds, decided) => {
    expect(await reach({ ...quick, ...(checkSeconds === undefined ? {} : { checkSeconds }) })).toMatchObject({ reached: "reached", decided });
  });

  test("gets more time where the connection took long", async () => {
    expect(await reach({ ...quick, confirm: 1, reopen: async () => await sleep(600), checkSeconds: 0 })).toMatchObject({ decided: "hold" });
  });

  test("decides at once, which it may do from then on", async () => {
    const { reached, events, decided } = await reach({ ...quick, confirms: true });
    expect({ reached, decided }).toEqual({ reached: "undecided", decided: undefined });
    expect(events.filter((event) => event !== "closed")).toEqual(["asked", "confirm"]);
    expect(events).toContain("closed");
  });

  test("gets more time and decides nothing where the connection took long", async () => {
    const slow = { ...quick, confirm: 1, reopen: async () => await sleep(600), confirms: true };
    expect(await reach(slow)).toMatchObject({ reached: "undecided", decided: "hold" });
    expect(await reach({ ...slow, hold: 7 })).toMatchObject({ reached: "late" });
  });
});
