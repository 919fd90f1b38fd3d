import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "@jest/globals";

import { holdAtLeast } from "../../../src/nix/tree-size.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
const [tree, file] = [join(directory, "tree"), join(directory, "file")];

beforeAll(() => {
  mkdirSync(join(tree, "a/b"), { recursive: true });
  writeFileSync(join(tree, "a/b/three"), "123");
  writeFileSync(join(tree, "four"), "1234");
  symlinkSync(directory, join(tree, "link"));
  writeFileSync(file, "12345");
});

describe("trees hold", () => {
  test.each([
    ["all bytes of their files", [tree, file], 12, true],
    ["no more, and nothing behind a link", [tree, file], 13, false],
    ["what one file has", [file], 5, true],
    ["nothing where there are none", [], 1, false],
  ])("%s", async (_, trees, bytes, expected) => {
    expect(await holdAtLeast(trees, bytes)).toBe(expected);
  });

  test("what can be read only", async () => {
    await expect(holdAtLeast([join(directory, "missing")], 1)).rejects.toThrow("ENOENT");
  });

  test("enough without a look at the rest", async () => {
    expect(await holdAtLeast([join(directory, "missing"), file], 5)).toBe(true);
  });
});
