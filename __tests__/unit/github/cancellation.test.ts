import { spawn } from "node:child_process";

import { describe, expect, test } from "@jest/globals";

import { runCancellable } from "../../../src/github/cancellation.js";

// Signals are for a process of its own: the module runs in a child.
const module = new URL("../../../src/github/cancellation.js", import.meta.url).href;
const script = `
import { runCancellable } from ${JSON.stringify(module)};
const say = (text) => process.stdout.write(text + "\\n");
const timer = setTimeout(() => process.exit(9), 10_000);
let cancelled;
const work = async (signal) => {
  cancelled = signal;
  signal.addEventListener("abort", () => say("aborted"));
  say("ready");
  await new Promise(() => {});
};
process.exit(await runCancellable(work, {
  onFirst: (signal) => say("first " + signal + " " + cancelled.aborted),
  onSecond: async () => say("second"),
}));
`;

async function after(...signals: readonly NodeJS.Signals[]): Promise<{ lines: string[]; exitCode: number | null }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const queue = [...signals];
  // Each signal comes when the answer to the one before has been heard.
  child.stdout.on("data", (chunk: Buffer) => {
    lines.push(...chunk.toString().trim().split("\n"));
    const heard = lines.at(-1);
    const next = heard === "ready" || heard === "aborted" ? queue.shift() : undefined;
    if (next !== undefined) child.kill(next);
    if (next === "SIGTERM" && heard === "aborted") setTimeout(() => child.kill(queue.shift() ?? "SIGKILL"), 300);
    if (next === undefined && heard === "aborted") child.kill("SIGKILL");
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { lines, exitCode };
}

describe("a cancellation", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("by %s is reported before the abort, and the process continues to its end", async (signal) => {
    expect(await after(signal)).toEqual({ lines: ["ready", `first ${signal} false`, "aborted"], exitCode: null });
  });

  test("by a second SIGINT ends at once", async () => {
    expect(await after("SIGINT", "SIGINT")).toEqual({ lines: ["ready", "first SIGINT false", "aborted", "second"], exitCode: 130 });
  });

  test("by SIGTERM after SIGINT, as the runner sends it, does not disturb the end", async () => {
    expect(await after("SIGINT", "SIGTERM")).toEqual({ lines: ["ready", "first SIGINT false", "aborted"], exitCode: null });
  });
});

describe("without a signal", () => {
  const handlers = { onFirst: () => undefined, onSecond: async () => await Promise.resolve() };

  test("the exit code is that of the work, and no listener stays", async () => {
    const before = process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");
    expect(await runCancellable(async () => await Promise.resolve(3), handlers)).toBe(3);
    expect(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM")).toBe(before);
  });

  test("what the work throws is thrown", async () => {
    await expect(runCancellable(async () => await Promise.reject(new Error("why")), handlers)).rejects.toThrow("why");
  });
});
