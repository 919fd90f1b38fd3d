import { expect, test } from "@jest/globals";

import { flakeLine, flakeWarnings } from "../../../src/report/flake.js";
import { makeFlake, makeStorePath, source } from "../domain/make.js";

test("the flake is named with its revision and the number of its inputs", () => {
  expect(flakeLine(makeFlake({ revision: "4f1c", inputs: [makeStorePath("nixpkgs")] }))).toBe(`flake ${source}, revision 4f1c, with 1 inputs`);
  expect(flakeLine(makeFlake())).toContain(", revision none, ");
});

test("only a flake that is not a commit has a warning", () => {
  expect(flakeWarnings(makeFlake())).toEqual([]);
  expect(flakeWarnings(makeFlake({ dirty: true }))).toMatchObject([{ title: "The flake has uncommitted changes" }]);
});
