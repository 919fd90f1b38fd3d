import { spawn } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "@jest/globals";

import { parseFacts } from "../../../../src/nixos/facts.js";
import { residentScript } from "../../../../src/nixos/script-files.js";
import { program } from "../../../../src/nixos/script-program.js";
import { argv, base, call, environment, nonce, payload, prepareArguments, waitFor } from "./as-user.js";

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("follow goes on from a byte, without gap and repetition", () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "printf", String.raw`0123456789\né\n`]));
    expect(payload(call(shell, "follow", ["run1", "build", "0"])).out).toBe("0123456789\né\n");
    expect(payload(call(shell, "follow", ["run1", "build", "4"])).out).toBe("456789\né\n");
    expect(payload(call(shell, "follow", ["run1", "build", "14"])).out).toBe("");
  });

  test("follow shows a long log whole", () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "seq", "1", "200000"]));
    const { out } = payload(call(shell, "follow", ["run1", "build", "0"]));
    expect(out.length).toBe(1_288_895);
    expect(out.endsWith("\n199999\n200000\n")).toBe(true);
  });

  test("follow shows what is there before the job has ended", async () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
    // It ends only once its first line has been seen.
    const job = "echo first; until [ -e go ]; do sleep 0.05; done; echo second";
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", job]));
    const [file, rest] = argv(shell);
    const child = spawn(file, rest, { env: environment({}), cwd: "/" });
    let seen = "";
    child.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes("first")) writeFileSync(join(base, "run1", "go"), "");
    });
    child.stdin.end(program("follow", ["run1", "build", "0"], nonce));
    await new Promise((resolve) => child.once("close", resolve));
    expect(seen).toContain("first\nsecond\n");
  });

  test("follow knows no job that was not started, start no run that was not prepared", () => {
    expect(payload(call(shell, "follow", ["run1", "build", "0"])).code).toBe(3);
    expect(payload(call(shell, "start", ["run1", "build", residentScript("job"), "true"])).code).toBe(1);
    payload(call(shell, "prepare", prepareArguments("run1")));
    expect(payload(call(shell, "follow", ["run1", "build", "0"])).code).toBe(3);
  });

  test("follow ends when someone removes the run in the middle of a job", async () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", "echo first; sleep 5"]));
    const [file, rest] = argv(shell);
    const child = spawn(file, rest, { env: environment({}), cwd: "/" });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.stdin.end(program("follow", ["run1", "build", "0"], nonce));
    await new Promise((resolve) => child.stdout.on("data", (chunk: Buffer) => chunk.includes("first") && resolve(undefined)));
    rmSync(join(base, "run1"), { recursive: true });
    await ended;
    expect(stderr).toContain(`end ${nonce} 3\n`);
  });
});

test("the log of a build that prints without end gives most of its room back, and stays where it was", async () => {
  payload(call("dash", "prepare", prepareArguments("run1")));
  const file = (name: string): string => join(base, "run1", name);
  const room = (): number => statSync(file("build.log")).blocks * 512;
  const prints = "yes 0123456789abcde | head -c 90000000; touch printed; until [ -e go ]; do sleep 0.05; done; echo the end; exit 7";
  payload(call("dash", "start", ["run1", "build", residentScript("job"), "sh", "-c", prints]));
  await waitFor(file("printed"));
  for (let tries = 0; tries < 200 && room() > 40_000_000; tries += 1) await sleep(100);
  expect(room()).toBeLessThan(40_000_000);
  writeFileSync(file("go"), "");
  const before = payload(call("dash", "follow", ["run1", "build", "89999984"]));
  expect([before.out, parseFacts(before.err).get("exit")]).toEqual(["0123456789abcde\nthe end\n", "7"]);
  const log = readFileSync(file("build.log"));
  expect([log.length, log.indexOf(0), log.lastIndexOf(0) < 90_000_000 - 1_000_000]).toEqual([90_000_008, 33_554_432, true]);
});
