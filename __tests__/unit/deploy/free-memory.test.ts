import { expect, test } from "@jest/globals";

import { memoryWarning } from "../../../src/deploy/free-memory.js";

test("less than 1.5 GiB of available memory is reported with its size", () => {
  expect(memoryWarning(1.5 * 1024 * 1024 - 1)).toMatch(/^only 1\.5 GiB of memory are available on the machine/);
  expect(memoryWarning(700_000)).toMatch(/^only 683\.6 MiB of memory are available/);
});

test("enough memory, or a machine that does not report it, needs no warning", () => {
  expect(memoryWarning(1.5 * 1024 * 1024)).toBeUndefined();
  expect(memoryWarning(undefined)).toBeUndefined();
});
