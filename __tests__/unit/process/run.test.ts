import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "@jest/globals";

import { CommandError } from "../../../src/domain/errors.js";
import { pasteable, quote, run, type RunOptions } from "../../../src/process/run.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();

async function sh(script: string, options: RunOptions = {}, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return await run({ file: "/bin/sh", args: ["-c", script, "sh", ...args] }, options);
}

function isAlive(pid: number): boolean {
  // A zombie whose parent is gone waits for init alone.
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

async function pidsIn(file: string, count: number): Promise<number[]> {
  for (;;) {
    const pids = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").map(Number) : [];
    if (pids.length >= count) return pids;
    await sleep(10);
  }
}

describe("a program that ends well", () => {
  test("gives both outputs apart", async () => {
    expect(await sh("echo out; echo err >&2")).toEqual({ stdout: "out\n", stderr: "err\n" });
  });

  test("gets its arguments as they are", async () => {
    const args = ["a b", "$(id)", "*", "", "'", '"', "\n", "é"];
    expect((await sh(String.raw`printf '%s\0' "$@"`, {}, ...args)).stdout.split("\0").slice(0, -1)).toEqual(args);
  });

  test("reads what it is given, and nothing where nothing is given", async () => {
    expect((await sh("cat", { stdin: "a\nb" })).stdout).toBe("a\nb");
    expect((await sh("cat")).stdout).toBe("");
  });

  test("may leave its input unread", async () => {
    expect((await sh("exec <&-; sleep 0.1; echo done", { stdin: "x".repeat(5_000_000) })).stdout).toBe("done\n");
  });

  test("has the directory and the environment that it was given, and the rest of ours", async () => {
    const { stdout } = await sh('pwd; echo "$UNIT_TEST:${PATH:+path}"', { cwd: directory, env: { UNIT_TEST: "yes" } });
    expect(stdout).toBe(`${directory}\nyes:path\n`);
  });

  test("gets no input, no state, no token and no file of workflow commands", async () => {
    const withheld = ["INPUT_SSH-KEY", "input_x", "STATE_identity-directory", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_ENV"];
    const kept = ["GITHUB_TOKEN", "NIX_CONFIG", "MY_INPUT_X"];
    const before = { ...process.env };
    for (const name of [...withheld, ...kept]) process.env[name] = `value of ${name}`;
    try {
      const script = "cat /proc/$$/environ";
      // Control: the variables are there to be inherited.
      expect(spawnSync("/bin/sh", ["-c", script], { encoding: "utf8", env: process.env }).stdout).toContain("value of INPUT_SSH-KEY");
      const { stdout } = await sh(script, { env: { UNIT_TEST: "yes" } });
      const seen = [...stdout.matchAll(/value of ([\w-]+)/g)].map(([, name = ""]) => name);
      expect(seen.toSorted()).toEqual(kept.toSorted());
    } finally {
      for (const name of [...withheld, ...kept]) delete process.env[name];
      Object.assign(process.env, before);
    }
  });

  test("may print a lot", async () => {
    const { stdout, stderr } = await sh("head -c 20000000 /dev/zero | tr '\\0' x; head -c 1500000 /dev/zero | tr '\\0' y >&2");
    expect([stdout.length, stderr.length]).toEqual([20_000_000, 1_500_000]);
  });

  test("keeps the end of an error output that would fill the memory", async () => {
    const { stderr } = await sh("{ head -c 90000000 /dev/zero; echo; echo the end; } >&2");
    expect(stderr.length).toBe(2 * 1024 * 1024);
    expect(stderr.endsWith("\nthe end\n")).toBe(true);
  });

  test("shows its lines as they come, and keeps the errors", async () => {
    const lines: string[] = [];
    const chunks: Buffer[] = [];
    const { stdout, stderr } = await sh("echo one >&2; echo out; printf two >&2", {
      onStderrLine: (line) => lines.push(line),
      onStdout: (chunk) => chunks.push(chunk),
    });
    expect(lines).toEqual(["one", "two"]);
    expect([stdout, stderr, Buffer.concat(chunks).toString()]).toEqual(["", "one\ntwo", "out\n"]);
  });

  test("may leave a child behind that holds its output, with a file for the errors", async () => {
    const begin = performance.now();
    const { stderr } = await sh("sleep 5 & echo started >&2", { stderrFile: join(directory, "stderr") });
    expect(stderr).toBe("started\n");
    expect(performance.now() - begin).toBeLessThan(3000);
  });
});

describe("a program that does not end well", () => {
  test("is reported with its exit code, its command and both outputs", async () => {
    const error = await rejection(CommandError, sh("echo out; echo err >&2; exit 7"));
    expect(error).toMatchObject({ failure: { kind: "exit", exitCode: 7 }, stdout: "out\n", stderr: "err\n" });
    expect(error.message).toBe("exit code 7: /bin/sh -c 'echo out; echo err >&2; exit 7' sh");
  });

  test("is reported with the signal that ended it", async () => {
    expect((await rejection(CommandError, sh("kill -KILL $$"))).failure).toEqual({ kind: "signal", signal: "SIGKILL" });
  });

  test("is reported as missing, with the cause", async () => {
    const error = await rejection(CommandError, run({ file: "no-such-program-here", args: ["a"] }));
    expect(error.failure).toEqual({ kind: "spawn", code: "ENOENT" });
    expect(error.message).toBe("command not found: no-such-program-here a");
    expect(error.cause).toMatchObject({ code: "ENOENT", syscall: "spawn no-such-program-here" });
  });

  test("is reported not to be a program", async () => {
    const file = join(directory, "no-program");
    writeFileSync(file, "", { mode: 0o644 });
    expect((await rejection(CommandError, run({ file, args: [] }))).message).toBe(`could not be started (EACCES): ${file}`);
  });

  test("has its errors in the file as well", async () => {
    expect((await rejection(CommandError, sh("echo why >&2; exit 3", { stderrFile: join(directory, "stderr") }))).stderr).toBe("why\n");
  });
});

describe("the end that we make", () => {
  test("a time-out ends the program with its children and theirs", async () => {
    const pids = join(directory, "timeout");
    const script = `echo $$ >>${pids}; (echo $(exec sh -c 'echo $PPID') >>${pids}; sh -c 'echo $$ >>${pids}; sleep 60'; true) & sleep 60`;
    const begin = performance.now();
    const error = await rejection(CommandError, sh(script, { timeout: 0.5 }));
    expect(performance.now() - begin).toBeLessThan(3000);
    expect(error.failure).toEqual({ kind: "timeout", seconds: 0.5 });
    expect(error.message).toMatch(/^timed out after 0\.5 s: /);
    const started = await pidsIn(pids, 3);
    await sleep(100);
    expect(started.filter((pid) => isAlive(pid))).toEqual([]);
  });

  test("a program that does not listen to SIGTERM is killed soon after, and so are its children", async () => {
    const pids = join(directory, "stubborn");
    const begin = performance.now();
    await rejection(
      CommandError,
      sh(`trap '' TERM; echo $$ >>${pids}; sh -c 'echo $$ >>${pids}; sleep 60; true' & while :; do sleep 60; done`, { timeout: 0.3 }),
    );
    expect(performance.now() - begin).toBeLessThan(5000);
    const started = await pidsIn(pids, 2);
    await sleep(100);
    expect(started.filter((pid) => isAlive(pid))).toEqual([]);
  });

  test("a child that does not listen does not keep us, nor live on", async () => {
    const pids = join(directory, "deaf-child");
    await rejection(CommandError, sh(`(trap '' TERM; sh -c 'echo $$ >>${pids}; sleep 60'; true) & wait`, { timeout: 0.3 }));
    const started = await pidsIn(pids, 1);
    await sleep(100);
    expect(started.filter((pid) => isAlive(pid))).toEqual([]);
  });

  test("a program that prints for ever is ended, and so is one that prints too much for its caller", async () => {
    const error = await rejection(CommandError, sh("exec cat /dev/zero", { mostStdout: 1000 }));
    expect(error.failure).toEqual({ kind: "output", bytes: 1000 });
    expect(error.message).toBe("printed more than 1000 B: /bin/sh -c 'exec cat /dev/zero' sh");
    expect((await rejection(CommandError, sh("cat /dev/zero; true"))).failure).toEqual({ kind: "output", bytes: 32 * 1024 * 1024 });
    expect((await sh("printf 1234", { mostStdout: 4 })).stdout).toBe("1234");
  });

  test("a program that is silent for too long is ended, and one that says something now and then is not", async () => {
    const error = await rejection(CommandError, sh("echo begin; exec sleep 60", { silence: 0.5 }));
    expect(error).toMatchObject({ failure: { kind: "silent", seconds: 0.5 }, stdout: "begin\n" });
    expect(error.message).toMatch(/^no output for 0\.5 s: /);
    const talking = "for i in 1 2 3 4 5 6; do sleep 0.4; echo $i >&2; done";
    expect((await sh(talking, { silence: 2 })).stderr).toBe("1\n2\n3\n4\n5\n6\n");
  });

  test("an abort does the same", async () => {
    const controller = new AbortController();
    const pids = join(directory, "abort");
    const work = rejection(CommandError, sh(`echo $$ >>${pids}; sleep 60`, { signal: controller.signal }));
    const started = await pidsIn(pids, 1);
    controller.abort();
    const error = await work;
    expect(error.failure).toEqual({ kind: "aborted" });
    expect(error.message).toMatch(/^aborted: /);
    await sleep(100);
    expect(started.filter((pid) => isAlive(pid))).toEqual([]);
  });

  test("nothing is started after an abort", async () => {
    const file = join(directory, "never");
    const error = await rejection(CommandError, sh(`touch ${file}`, { signal: AbortSignal.abort() }));
    expect(error.failure).toEqual({ kind: "aborted" });
    expect(existsSync(file)).toBe(false);
  });

  test("a program that ended in time is no time-out, and nothing waits for the timer", async () => {
    expect((await sh("echo in time", { timeout: 60 })).stdout).toBe("in time\n");
  });
});

describe("pasteable", () => {
  test.each(["dash", "bash"])("is read by %s as it was meant", (shell) => {
    const words = ["plain", "a b", "it's", '"', "$(id)", "`id`", "*", "~", "", "\n", "\\", "a=b", "!x", "é", "-n", "#", "{a,b}"];
    const { stdout } = spawnSync(shell, ["-c", pasteable({ file: "printf", args: [String.raw`%s\0`, ...words] })], { encoding: "utf8" });
    expect(stdout.split("\0").slice(0, -1)).toEqual(words);
  });

  test("leaves plain words as they are", () => {
    expect(quote("ssh-ng://web1:22/a_b%c@d+e=f,g.h")).toBe("ssh-ng://web1:22/a_b%c@d+e=f,g.h");
    expect(quote("")).toBe("''");
  });
});
