import { describe, expect, test } from "@jest/globals";

import { isAtLeast, type NixVersion, parseNixVersion } from "../../../src/domain/nix-version.js";

describe("parseNixVersion", () => {
  test.each([
    ["nix (Nix) 2.34.8", "nix", 2, 34],
    ["nix (Nix) 2.26.0\n", "nix", 2, 26],
    ["nix (Nix) 2.32.0pre20251001_abcdef", "nix", 2, 32],
    ["nix (Lix, like Nix) 2.93.0", "lix", 2, 93],
    ["nix (Lix, like Nix) 2.94.0-dev-pre20250707-6d0a7b8", "lix", 2, 94],
    ["nix (Determinate Nix 3.11.2) 2.31.1", "determinate", 2, 31],
    ["nix (Lix, like Nix) 2.95.3\nSystem type: x86_64-linux\nAdditional system types: i686-linux, x86_64-v1-linux", "lix", 2, 95],
    ["nix (Nix) 3.0", "nix", 3, 0],
  ])("reads %j", (text, kind, major, minor) => {
    expect(parseNixVersion(text)).toEqual({ kind, major, minor });
  });

  test.each(["", "nix", "sh: 1: nix: not found"])("finds none in %j", (text) => {
    expect(parseNixVersion(text)).toBeUndefined();
  });
});

test.each<[NixVersion, number, number, boolean]>([
  [{ kind: "nix", major: 2, minor: 26 }, 2, 26, true],
  [{ kind: "nix", major: 2, minor: 25 }, 2, 26, false],
  [{ kind: "nix", major: 2, minor: 9 }, 2, 26, false],
  [{ kind: "nix", major: 2, minor: 100 }, 2, 26, true],
  [{ kind: "nix", major: 3, minor: 0 }, 2, 26, true],
  [{ kind: "nix", major: 1, minor: 99 }, 2, 0, false],
])("%j is at least %d.%d: %p", (version, major, minor, expected) => {
  expect(isAtLeast(version, major, minor)).toBe(expected);
});
