import { spawn } from "node:child_process";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "@jest/globals";

import { Pace } from "../../../src/process/pace.js";

const bytes = 40_000_000;

/** Runs a program that shows so much output; its reader waits until nothing more is queued. Returns how much was queued at most, and what arrived. */
async function show(shown: boolean): Promise<{ queued: number; arrived: number }> {
  const script = `
    import { run } from ${JSON.stringify(new URL("../../../src/process/run.js", import.meta.url))};
    let queued = 0;
    setInterval(() => process.stderr.write(queued + "\\n"), 100).unref();
    const onStdout = (chunk) => { process.stdout.write(chunk); queued = Math.max(queued, process.stdout.writableLength); };
    await run({ file: "head", args: ["-c", "${bytes}", "/dev/zero"] }, { shown: ${shown}, onStdout });
    process.stderr.write(queued + "\\n");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "pipe"] });
  let [arrived, said] = [0, ""];
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise((resolve) => child.once("close", resolve));
  // Ten reports of the same.
  while (!/^([1-9]\d*)\n(?:\1\n){9}/m.test(said)) await sleep(50);
  child.stdout.on("data", (chunk: Buffer) => (arrived += chunk.length));
  await ended;
  return { queued: Math.max(...said.trim().split("\n").map(Number)), arrived };
}

describe("the reader of the log", () => {
  test("sets the pace of what is shown, and loses none of it", async () => {
    const { queued, arrived } = await show(true);
    expect(arrived).toBe(bytes);
    expect(queued).toBeLessThan(1_000_000);
  });

  test("without that, everything waits in memory (control)", async () => {
    const { queued, arrived } = await show(false);
    expect(arrived).toBe(bytes);
    expect(queued).toBeGreaterThan(10_000_000);
  });
});

describe("a source that is held", () => {
  function blocked(): { log: PassThrough; source: Readable } {
    const log = new PassThrough({ highWaterMark: 1 });
    log.on("error", () => undefined);
    log.write("full");
    const source = new Readable({ read: () => undefined });
    source.resume();
    return { log, source };
  }

  test.each<[string, (log: PassThrough) => unknown]>([
    ["has been read", (log) => log.resume()],
    ["fails", (log) => log.destroy(new Error("EPIPE"))],
    ["is closed", (log) => log.destroy()],
  ])("goes on once the log %s", async (_, end) => {
    const { log, source } = blocked();
    new Pace(log).hold(source);
    expect(source.isPaused()).toBe(true);
    end(log);
    await sleep(20);
    expect(source.isPaused()).toBe(false);
    expect(log.listenerCount("drain")).toBe(0);
  });

  test("is not held by a log that takes more, or that nobody reads any more", () => {
    const free = blocked();
    new Pace(new PassThrough()).hold(free.source);
    expect(free.source.isPaused()).toBe(false);
    const gone = blocked();
    gone.log.destroy();
    new Pace(gone.log).hold(gone.source);
    expect(gone.source.isPaused()).toBe(false);
  });

  test("does not add a listener for each of many", () => {
    const { log } = blocked();
    const pace = new Pace(log);
    for (let count = 0; count < 50; count += 1) pace.hold(blocked().source);
    expect(log.listenerCount("drain")).toBe(1);
  });
});
