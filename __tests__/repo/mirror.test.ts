import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { root } from "../../scripts/paths.js";

const tests = readdirSync(join(root, "__tests__/unit"), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".test.ts"));

/** Files of which one must exist for a test file: `a/b.test.ts`, or `a/b.aspect.test.ts` where a module has several. */
function modulesOf(path: string): string[] {
  const name = path.replace(/(?:\.[\w-]+)?\.test\.ts$/, "");
  return [".ts", ".sh", ".nix"].map((extension) => `src/${name}${extension}`);
}

test.each(tests)("the unit test %s has its module at the same place below src", (path) => {
  expect(modulesOf(path).filter((module) => existsSync(join(root, module)))).not.toEqual([]);
});

test("a test without a module is noticed", () => {
  expect(modulesOf("domain/nothing.test.ts").some((module) => existsSync(join(root, module)))).toBe(false);
  expect(modulesOf("deploy/fleet.staging.test.ts")).toContain("src/deploy/fleet.ts");
});
