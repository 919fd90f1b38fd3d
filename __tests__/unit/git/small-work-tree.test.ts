import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { isSmallWorkTree } from "../../../src/git/small-work-tree.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();

function workTree(name: string, indexBytes: number): string {
  const root = join(directory, name);
  mkdirSync(join(root, ".git"), { recursive: true });
  mkdirSync(join(root, "nixos"));
  writeFileSync(join(root, ".git/index"), "x".repeat(indexBytes));
  return root;
}

const small = workTree("small", 1000);
const large = workTree("large", 200_001);

test.each<[string, string, boolean]>([
  [".", small, true],
  ["./nixos", small, true],
  [".?dir=nixos", small, true],
  ["..", join(small, "nixos"), true],
  [`path:${small}/nixos`, "/", true],
  [`git+file://${small}?rev=0123`, "/", true],
  [`git+file:${small}`, "/", true],
  [".", large, false],
  [`path:${large}/nixos`, small, false],
  [".", "/", false],
  ["github:org/machines", small, false],
  ["nixpkgs", small, false],
])("%s in %s: %s", (reference, cwd, expected) => {
  expect(isSmallWorkTree(reference, cwd)).toBe(expected);
});

test("a work tree whose index is elsewhere, and a path through a file, are none", () => {
  const linked = join(directory, "linked");
  mkdirSync(linked);
  writeFileSync(join(linked, ".git"), "gitdir: /elsewhere\n");
  expect(isSmallWorkTree(".", linked)).toBe(false);
  expect(isSmallWorkTree(`./${"x".repeat(5000)}`, directory)).toBe(false);
});
