import { describe, expect, test } from "@jest/globals";

import { newestReference, referenceOnMachine, type Flake } from "../../../src/domain/flake.js";
import { makeFlake, source } from "./make.js";

const rev = "4f1c2a9b0d3e5f60718293a4b5c6d7e8f9012345";
const versions = {
  old: { kind: "nix", major: 2, minor: 18 },
  dated: { kind: "nix", major: 2, minor: 25 },
  current: { kind: "nix", major: 2, minor: 26 },
  lix: { kind: "lix", major: 2, minor: 93 },
  next: { kind: "nix", major: 3, minor: 0 },
} as const;

describe("referenceOnMachine", () => {
  test.each<[string, Partial<Flake>, keyof typeof versions, string]>([
    ["a plain directory", {}, "current", `path:${source}`],
    ["a commit", { revision: rev, lastModified: 1_700_000_000 }, "current", `path:${source}?rev=${rev}&lastModified=1700000000`],
    ["a commit", { revision: rev, lastModified: 1_700_000_000 }, "dated", `path:${source}?rev=${rev}&lastModified=1700000000`],
    ["a commit", { revision: rev, lastModified: 1_700_000_000 }, "old", `path:${source}?rev=${rev}`],
    ["a dirty tree", { dirty: true, lastModified: 7 }, "current", `path:${source}?lastModified=7`],
    ["a dirty tree", { dirty: true, lastModified: 7 }, "old", `path:${source}`],
    ["a date of 1970", { lastModified: 0 }, "current", `path:${source}?lastModified=0`],
    ["a subdirectory", { subdirectory: "nixos" }, "current", `path:${source}?dir=nixos`],
    ["a subdirectory of a commit", { subdirectory: "a/b", revision: rev, lastModified: 7 }, "current", `path:${source}?dir=a/b&rev=${rev}&lastModified=7`],
    ["a subdirectory of a commit", { subdirectory: "a/b", revision: rev, lastModified: 7 }, "dated", `${source}?dir=a/b`],
    ["a subdirectory", { subdirectory: "a/b" }, "old", `${source}?dir=a/b`],
    ["a subdirectory with characters of its own", { subdirectory: "a b&c#d/é" }, "current", `path:${source}?dir=a%20b%26c%23d/%C3%A9`],
    ["a commit", { revision: rev, lastModified: 7 }, "lix", `path:${source}?rev=${rev}&lastModified=7`],
    ["a subdirectory", { subdirectory: "a" }, "next", `path:${source}?dir=a`],
  ])("of %s (%j) for Nix %s", (_, flake, version, expected) => {
    expect(referenceOnMachine(makeFlake(flake), versions[version])).toBe(expected);
  });

  test("never names the subdirectory as a part of the path, which nixos-rebuild would build itself", () => {
    for (const version of Object.values(versions)) expect(referenceOnMachine(makeFlake({ subdirectory: "nixos" }), version)).not.toContain(`${source}/`);
  });
});

test("newestReference is what a current Nix builds", () => {
  expect(newestReference(makeFlake({ subdirectory: "nixos", revision: rev, lastModified: 7 }))).toBe(`path:${source}?dir=nixos&rev=${rev}&lastModified=7`);
});
