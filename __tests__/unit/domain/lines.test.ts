import { expect, test } from "@jest/globals";

import { lastLines } from "../../../src/domain/lines.js";

test("the last lines are at most 20, without blank ones", () => {
  expect(lastLines("")).toEqual([]);
  expect(lastLines("a\n\n  \r\n b\r\n")).toEqual(["a", " b"]);
  const many = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  expect(lastLines(many.join("\n\n"))).toEqual(many.slice(-20));
  expect(lastLines(many.join("\n"), 3)).toEqual(many.slice(-3));
});
