import { describe, expect, test } from "@jest/globals";

import { hasScheme, installable, renderReference, withoutAttributes } from "../../../src/domain/flake-reference.js";

test.each([
  ["path:/x", {}, "path:/x"],
  ["path:/x", { dir: undefined, rev: "4f1c", revCount: 7 }, "path:/x?rev=4f1c&revCount=7"],
  ["git+file:///x", { dir: "nix/a b#1&?%" }, "git+file:///x?dir=nix/a%20b%231%26%3F%25"],
])("%s with the attributes %j is rendered as %s", (address, attributes, expected) => {
  expect(renderReference(address, attributes)).toBe(expected);
});

test("an installable is a reference and an attribute", () => {
  expect(installable("path:/x?dir=nixos", "web1")).toBe("path:/x?dir=nixos#web1");
});

describe("a reference of a user", () => {
  test.each([
    [".", false],
    ["./nixos", false],
    ["/srv/machines", false],
    ["nixpkgs", false],
    ["path:.", true],
    ["git+ssh://git@example.org/machines", true],
    ["github:org/repo", true],
  ])("has a scheme or not: %s", (reference, expected) => {
    expect(hasScheme(reference)).toBe(expected);
  });

  test.each([
    ["nixpkgs", "nixpkgs"],
    ["nixpkgs?dir=lib", "nixpkgs"],
    ["nixpkgs#web1", "nixpkgs"],
  ])("without attributes: %s", (reference, expected) => {
    expect(withoutAttributes(reference)).toBe(expected);
  });
});
