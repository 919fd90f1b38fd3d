import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { found, realTools } from "../fleet/rig/real-tools.js";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "real-tools-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("REAL_TOOLS", () => {
  test("is not used where it is not set", () => {
    expect(realTools("")).toBeUndefined();
  });

  test("that names no directory is an error", () => {
    expect(() => realTools(`${directory}/nowhere`)).toThrow(`REAL_TOOLS names ${directory}/nowhere, which is not a directory`);
  });

  test.each([
    ["an empty directory", () => undefined],
    ["a directory with an empty tree", () => mkdirSync(join(directory, "nixpkgs"))],
  ])("that names %s is an error", (_, make) => {
    make();
    expect(() => realTools(directory)).toThrow(`REAL_TOOLS names ${directory}, which has none of nix/VERSION/bin/nix, nixpkgs, deploy-rs, colmena, bin`);
  });

  test("is reported by what it has", () => {
    for (const made of ["nix/2.35.2/bin", "colmena", "closure/nix/store"]) mkdirSync(join(directory, made), { recursive: true });
    for (const file of ["nix/2.35.2/bin/nix", "colmena/flake.nix"]) writeFileSync(join(directory, file), "");
    const tools = realTools(directory);
    expect(tools).toMatchObject({ store: `${directory}/closure/nix/store`, nixpkgs: undefined, deployRs: undefined });
    expect(tools === undefined ? [] : found(tools)).toEqual([`${directory}/nix/2.35.2/bin/nix`, `${directory}/colmena`]);
  });
});
