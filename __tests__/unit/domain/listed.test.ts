import { expect, test } from "@jest/globals";

import { andMore, listed, listedLines } from "../../../src/domain/listed.js";

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

test("what is not listed is counted", () => {
  expect(andMore(3)).toBe("and 3 more");
  expect(andMore(3, "packages")).toBe("and 3 more packages");
});
