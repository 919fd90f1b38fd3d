import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { CommandError } from "../../../src/domain/errors.js";
import { RemoteShell, type ScriptCall, type ScriptOutcome } from "../../../src/nixos/remote-shell.js";
import { longestAnswer } from "../../../src/nixos/script-limits.js";
import type { SessionConnection } from "../../../src/nixos/session.js";
import { run } from "../../../src/process/run.js";
import { rejection } from "../failure-of.js";

/** A script that runs any command: health.sh. */
function script(command: string, more: Partial<ScriptCall> = {}): ScriptCall {
  return { script: "health", args: ["10", command], privileged: false, ...more };
}

function outputOf(outcome: ScriptOutcome): string {
  return outcome.kind === "ended" ? `${outcome.stdout}${outcome.exitCode}` : outcome.kind;
}

describe.each(["dash", "bash"])("a standing shell under %s", (sh) => {
  let sessions = 0;
  const running = new Set<number>();
  const connection = {
    era: 0,
    run: async (options: Parameters<typeof run>[1]) => {
      sessions += 1;
      const number = sessions;
      running.add(number);
      const onStart = (pid: number): void => void (endSession = () => process.kill(pid, "SIGKILL"));
      return await run({ file: sh, args: ["-s"] }, { ...options, onStart }).finally(() => running.delete(number));
    },
  };
  let endSession = (): void => undefined;
  let shell = RemoteShell.standing(connection);

  beforeEach(() => {
    sessions = 0;
    running.clear();
    shell = RemoteShell.standing(connection);
  });

  afterEach(() => shell.close());

  test("runs one script after the other in one session", async () => {
    expect(outputOf(await shell.run(script("echo one; exit 3")))).toBe("one\n3");
    expect(outputOf(await shell.run(script("printf two")))).toBe("two0");
    expect(outputOf(await shell.run({ script: "follow", args: ["no-such-run", "build", "0"], privileged: false }))).toBe("3");
    expect(sessions).toBe(1);
  });

  test("keeps nothing of a script", async () => {
    await shell.run({ script: "follow", args: ["no-such-run", "build", "0"], privileged: false });
    // follow.sh has functions of its own.
    expect(outputOf(await shell.run({ script: "settle", args: ["no-such-run", "0"], privileged: false }))).toBe("3");
    expect(outputOf(await shell.run(script("echo ${job-unset} ${missed-unset}")))).toBe("unset unset\n0");
    expect(sessions).toBe(1);
  });

  test("opens another session for a script that does not wait, and keeps both", async () => {
    await Promise.all([shell.run(script("sleep 0.3")), shell.run(script("sleep 0.3"))]);
    await Promise.all([shell.run(script("sleep 0.3")), shell.run(script("sleep 0.3"))]);
    expect(sessions).toBe(2);
  });

  test("uses no session of a former connection", async () => {
    await shell.run(script("true"));
    connection.era += 1;
    await shell.run(script("true"));
    expect(sessions).toBe(2);
    const late = shell.run(script("sleep 0.3; echo late"));
    connection.era += 1;
    // One that is still busy with its script is not kept either.
    expect(outputOf(await late)).toBe("late\n0");
    await shell.run(script("true"));
    expect(sessions).toBe(3);
  });

  test("ends the session of a call that is aborted or takes too long; the next call opens another", async () => {
    const own = new AbortController();
    const aborted = rejection(CommandError, shell.run(script("sleep 20", { signal: own.signal })));
    await sleep(200);
    own.abort();
    expect((await aborted).failure).toEqual({ kind: "aborted" });
    expect((await rejection(CommandError, shell.run(script("sleep 20", { timeout: 0.3 })))).failure).toEqual({ kind: "timeout", seconds: 0.3 });
    expect(outputOf(await shell.run(script("echo one")))).toBe("one\n0");
    expect(sessions).toBe(3);
  });

  test("ends the sessions that no script uses when it rests, and opens another one for the next script", async () => {
    await Promise.all([shell.run(script("sleep 0.3")), shell.run(script("sleep 0.3"))]);
    const late = shell.run(script("sleep 0.3; echo late"));
    shell.rest();
    expect(shell.isOpen).toBe(false);
    expect(outputOf(await late)).toBe("late\n0");
    expect(shell.isOpen).toBe(true);
    shell.rest();
    expect(outputOf(await shell.run(script("echo again")))).toBe("again\n0");
    expect(sessions).toBe(3);
    expect([...running]).toEqual([3]);
  });

  test("opens another session where the former has ended in the meantime", async () => {
    await shell.run(script("true"));
    endSession();
    await sleep(300);
    expect(outputOf(await shell.run(script("echo one")))).toBe("one\n0");
    expect(sessions).toBe(2);
  });

  test("that stands down ends the sessions that wait, and then keeps none", async () => {
    let open = 0;
    const counted = {
      run: async (options: Parameters<typeof run>[1]) => {
        open += 1;
        return await run({ file: sh, args: ["-s"] }, options).finally(() => (open -= 1));
      },
    };
    const own = RemoteShell.standing(counted);
    await Promise.all([own.run(script("sleep 0.1")), own.run(script("sleep 0.1"))]);
    expect([own.isStanding, open]).toEqual([true, 2]);
    await own.standDown();
    expect([own.isStanding, open]).toEqual([false, 0]);
    expect(outputOf(await own.run(script("echo one")))).toBe("one\n0");
    await sleep(300);
    expect(open).toBe(0);
  });

  test("starts no session for a call that is aborted before", async () => {
    expect((await rejection(CommandError, shell.run(script("echo", { signal: AbortSignal.abort() })))).failure.kind).toBe("aborted");
    expect(sessions).toBe(0);
  });

  test("opens another session for a script whose session ends before it begins", async () => {
    await shell.run(script("true"));
    // The end is not known here yet when the question is asked.
    endSession();
    expect(outputOf(await shell.run(script("echo one")))).toBe("one\n0");
    expect(sessions).toBe(2);
  });

  test("passes nothing to a later script of what a health check has left running", async () => {
    // Control: it does reach another script in the same session.
    await shell.run(script("(sleep 0.3; echo left) & echo healthy"));
    expect(outputOf(await shell.run(script("sleep 0.6; echo two")))).toBe("left\ntwo\n0");
    const own = sessions;
    await shell.run(script("(sleep 0.3; echo left) & echo healthy", { leavesProcesses: true }));
    expect(outputOf(await shell.run(script("sleep 0.6; echo two")))).toBe("two\n0");
    expect(sessions).toBe(own + 1);
  });

  test("answers with each stream whole, however much a script prints", async () => {
    for (let time = 0; time < 3; time += 1) {
      const outcome = await shell.run(script("seq 1 100000"));
      expect(outcome.kind === "ended" ? outcome.stdout.length : 0).toBe(588_895);
    }
    expect(sessions).toBe(1);
  });
});

describe("a machine whose answer ends with the piece that ends the session", () => {
  let sessions = 0;
  /** Answers each script with one piece that holds all of it, and ends a moment after it is told to. */
  const connection = (output: string): SessionConnection => ({
    run: async ({ feed, onStdout, onStderr, signal }) => {
      sessions += 1;
      const ended = new Promise<never>((_, reject) => {
        const end = (): void => reject(new CommandError({ command: "ssh", failure: { kind: "aborted" }, stdout: "", stderr: "" }));
        signal?.addEventListener("abort", () => setTimeout(end, 50));
      });
      const write = (text: Buffer, _: unknown, done: () => void): void => {
        const nonce = /^echo 'begin (\w+)'$/m.exec(text.toString())?.[1];
        if (nonce !== undefined) onStderr?.(Buffer.from(`end ${nonce} 0\n`));
        if (nonce !== undefined) onStdout?.(Buffer.from(`begin ${nonce}\n${output}end ${nonce} 0\n`));
        done();
      };
      feed?.(new Writable({ write }));
      return await ended;
    },
  });

  beforeEach(() => {
    sessions = 0;
  });

  test("fails when the answer is too long", async () => {
    const long = RemoteShell.standing(connection("x".repeat(longestAnswer + 1)));
    expect((await rejection(CommandError, long.run(script("")))).failure).toEqual({ kind: "output", bytes: longestAnswer });
    long.close();
  });

  test("gets the next script in another session", async () => {
    const shell = RemoteShell.standing(connection("one"));
    const own = new AbortController();
    await shell.run(script("", { signal: own.signal, onStdout: () => own.abort() }));
    expect(outputOf(await shell.run(script("")))).toBe("one0");
    expect(sessions).toBe(2);
    shell.close();
  });
});

test("without sessions that are kept, each script has its own", async () => {
  let sessions = 0;
  const shell = new RemoteShell(
    {
      run: async (options) => {
        sessions += 1;
        return await run({ file: "/bin/sh", args: ["-s"] }, options);
      },
    },
    { kind: "none" },
  );
  expect(outputOf(await shell.run(script("echo one")))).toBe("one\n0");
  expect(outputOf(await shell.run(script("echo two; exit 255")))).toBe("two\n255");
  expect(sessions).toBe(2);
});
