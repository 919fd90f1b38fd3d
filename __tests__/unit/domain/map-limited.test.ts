import { setImmediate, setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "@jest/globals";

import { mapLimited } from "../../../src/domain/map-limited.js";

describe("mapLimited", () => {
  test.each([
    [1, 1],
    [3, 3],
    [100, 10],
  ])("with a limit of %d works on %d of ten at a time", async (limit, expected) => {
    let now = 0;
    let most = 0;
    const items = Array.from({ length: 10 }, (_, index) => index);
    const results = await mapLimited(items, limit, async (item) => {
      now += 1;
      most = Math.max(most, now);
      await sleep(10 - item);
      now -= 1;
      return item * 2;
    });
    expect(most).toBe(expected);
    expect(results).toEqual(items.map((item) => item * 2));
  });

  test("begins in the order of the items, and a slow one does not hold up the others", async () => {
    const begun: string[] = [];
    const ended: string[] = [];
    const others = Promise.withResolvers<undefined>();
    await mapLimited(["slow", "a", "b", "c"], 2, async (item) => {
      begun.push(item);
      await (item === "slow" ? others.promise : setImmediate());
      ended.push(item);
      if (item === "c") others.resolve(undefined);
    });
    expect(begun).toEqual(["slow", "a", "b", "c"]);
    expect(ended).toEqual(["a", "b", "c", "slow"]);
  });

  test("takes no items, and rejects with what one rejects with", async () => {
    expect(await mapLimited([], 3, async () => await Promise.resolve(1))).toEqual([]);
    await expect(mapLimited([1], 1, async () => await Promise.reject(new Error("why")))).rejects.toThrow("why");
  });
});
