import { describe, expect, test } from "@jest/globals";

import { isAtLeast, parseNixVersion } from "../../../src/domain/nix-version.js";

describe("parseNixVersion", () => {
  test.each([
    ["nix (Nix) 2.34.8", 2, 34],
    ["nix (Nix) 2.26.0\n", 2, 26],
    ["nix (Nix) 2.32.0pre20251001_abcdef", 2, 32],
    ["nix (Lix, like Nix) 2.93.0", 2, 93],
    ["nix (Lix, like Nix) 2.94.0-dev-pre20250707-6d0a7b8", 2, 94],
    ["nix (Determinate Nix 3.11.2) 2.31.1", 2, 31],
    ["nix (Nix) 3.0", 3, 0],
  ])("reads %j", (text, major, minor) => {
    expect(parseNixVersion(text)).toEqual({ major, minor });
  });

  test.each(["", "nix", "sh: 1: nix: not found"])("finds none in %j", (text) => {
    expect(parseNixVersion(text)).toBeUndefined();
  });
});

test.each([
  [{ major: 2, minor: 26 }, 2, 26, true],
  [{ major: 2, minor: 25 }, 2, 26, false],
  [{ major: 2, minor: 9 }, 2, 26, false],
  [{ major: 2, minor: 100 }, 2, 26, true],
  [{ major: 3, minor: 0 }, 2, 26, true],
  [{ major: 1, minor: 99 }, 2, 0, false],
])("%j is at least %d.%d: %p", (version, major, minor, expected) => {
  expect(isAtLeast(version, major, minor)).toBe(expected);
});
