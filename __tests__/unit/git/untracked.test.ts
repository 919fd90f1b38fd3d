import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, expect, test } from "@jest/globals";

import { isUntracked } from "../../../src/git/untracked.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
const repository = join(directory, "repository");

beforeAll(() => {
  mkdirSync(join(repository, "nixos"), { recursive: true });
  execFileSync("git", ["-C", repository, "init", "--quiet"]);
  for (const file of ["tracked.nix", "new.nix", "nixos/new.nix", "nixos/*.nix"]) writeFileSync(join(repository, file), "1");
  execFileSync("git", ["-C", repository, "add", "tracked.nix"]);
});

test.each([
  ["new.nix", true],
  ["nixos/new.nix", true],
  ["nixos/*.nix", true],
  ["tracked.nix", false],
  ["nothing.nix", false],
])("%s in a work tree: %s", async (file, untracked) => {
  expect(await isUntracked(repository, file)).toBe(untracked);
  expect(await isUntracked(`${join(repository, "nixos")}?ref=main`, file)).toBe(untracked);
});

test("a directory outside of Git and a reference that is no directory have no untracked files", async () => {
  writeFileSync(join(directory, "new.nix"), "1");
  expect(await isUntracked(directory, "new.nix")).toBe(false);
  expect(await isUntracked("github:org/machines", "new.nix")).toBe(false);
  expect(await isUntracked(join(directory, "nowhere"), "new.nix")).toBe(false);
});
