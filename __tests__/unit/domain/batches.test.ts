import { describe, expect, test } from "@jest/globals";

import { amountOf, inBatches, parseAmount, parseBatches } from "../../../src/domain/batches.js";

describe("an amount", () => {
  test.each([
    ["0", { kind: "count", count: 0 }],
    [" 12 ", { kind: "count", count: 12 }],
    ["0%", { kind: "percentage", percentage: 0 }],
    ["25 %", { kind: "percentage", percentage: 25 }],
    ["100%", { kind: "percentage", percentage: 100 }],
  ] as const)("is %j", (text, amount) => {
    expect(parseAmount(text)).toEqual(amount);
  });

  test.each(["", "-1", "101%", "1.5", "%", "one", "1 2", "1e3"])("is not %j", (text) => {
    expect(parseAmount(text)).toBeUndefined();
  });

  test("is a share of all hosts, rounded down", () => {
    expect([amountOf({ kind: "percentage", percentage: 25 }, 7), amountOf({ kind: "count", count: 3 }, 2)]).toEqual([1, 3]);
  });
});

describe("batches", () => {
  const hosts = [1, 2, 3, 4, 5, 6, 7, 8];

  // The sizes that Ansible's documentation of `serial` explains.
  test.each([
    ["100%", [[1, 2, 3, 4, 5, 6, 7, 8]]],
    [
      "3",
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8],
      ],
    ],
    ["1, 50%, 100%", [[1], [2, 3, 4, 5], [6, 7, 8]]],
    ["1,2", [[1], [2, 3], [4, 5], [6, 7], [8]]],
    ["10%", [[1], [2], [3], [4], [5], [6], [7], [8]]],
    ["99", [[1, 2, 3, 4, 5, 6, 7, 8]]],
  ])("of sizes %s", (sizes, batches) => {
    expect(inBatches(hosts, parseBatches(sizes))).toEqual(batches);
  });

  test("of nothing are none", () => {
    expect(inBatches([], parseBatches("1"))).toEqual([]);
  });

  test.each([
    ["0", '"0"'],
    ["1,,2", '""'],
    ["0%", '"0%"'],
    ["1, all", '"all"'],
    ["", '""'],
  ])("have no size %j", (text, named) => {
    expect(() => parseBatches(text)).toThrow(`${named} is not a valid batch size`);
  });
});
