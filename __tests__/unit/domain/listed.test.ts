import { expect, test } from "@jest/globals";

import { listed, listedLines } from "../../../src/domain/listed.js";

test("names up to the limit are all there, and above it the others are counted", () => {
  expect(listed([], 2)).toBe("");
  expect(listed(["a", "b"], 2)).toBe("a, b");
  expect(listed(["a", "b", "c", "d"], 2)).toBe("a, b and 2 more");
});

test("lines end with how many more there are", () => {
  expect(listedLines(["a", "b"], 2)).toEqual(["a", "b"]);
  expect(listedLines(["a", "b", "c"], 2)).toEqual(["a", "b", "and 1 more"]);
  expect(listedLines(["a", "b", "c"], 1, "packages")).toEqual(["a", "and 2 more packages"]);
});
