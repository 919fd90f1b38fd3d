import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "@jest/globals";

import { Stopwatch } from "../../../src/deploy/stopwatch.js";

const never = new AbortController().signal;

describe("a stopwatch", () => {
  test("counts the pieces, and not what is between them", async () => {
    const stopwatch = new Stopwatch(0, never);
    await stopwatch.run(async () => await sleep(50));
    await sleep(200);
    await stopwatch.run(async () => await sleep(50));
    expect(stopwatch.seconds).toBeGreaterThanOrEqual(0.09);
    expect(stopwatch.seconds).toBeLessThan(0.19);
    expect(stopwatch.expired).toBe(false);
  });

  test("gives out what the piece gives, and counts one that fails", async () => {
    const stopwatch = new Stopwatch(0, never);
    expect(await stopwatch.run(async () => await Promise.resolve(7))).toBe(7);
    const failing = stopwatch.run(async () => {
      await sleep(30);
      throw new Error("why");
    });
    await expect(failing).rejects.toThrow("why");
    expect(stopwatch.seconds).toBeGreaterThanOrEqual(0.02);
  });

  test("ends the piece in which the time is used up", async () => {
    const stopwatch = new Stopwatch(0.1, never);
    await stopwatch.run(async () => await sleep(60));
    const second = stopwatch.run(async (signal) => await sleep(5000, undefined, { signal }));
    await expect(second).rejects.toThrow("aborted");
    expect([stopwatch.expired, stopwatch.cancelled]).toEqual([true, false]);
    expect(stopwatch.seconds).toBeLessThan(1);
  });

  test("ends a piece when the run is cancelled, which is no time-out", async () => {
    const outer = new AbortController();
    const stopwatch = new Stopwatch(60, outer.signal);
    setTimeout(() => outer.abort(), 20);
    await expect(stopwatch.run(async (signal) => await sleep(5000, undefined, { signal }))).rejects.toThrow("aborted");
    expect([stopwatch.expired, stopwatch.cancelled]).toEqual([false, true]);
  });

  test("without a limit does not end anything", async () => {
    const stopwatch = new Stopwatch(0, never);
    await stopwatch.run(async (signal) => {
      await sleep(30);
      expect(signal.aborted).toBe(false);
    });
  });
});
