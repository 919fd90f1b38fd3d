import { describe, expect, test } from "@jest/globals";

import { flakeReference, outerReference, sentPaths, type Flake } from "../../../src/domain/flake.js";
import { makeFlake, makeSentFlake, makeStorePath, outer, source } from "./make.js";

const rev = "4f1c2a9b0d3e5f60718293a4b5c6d7e8f9012345";
const hash = "narHash=sha256-47DEQpj8HBSa%2B/TImW%2B5JCeuQeRkm5NMpJWZG3hSuFU%3D";

describe("flakeReference", () => {
  test.each<[string, Partial<Flake>, string]>([
    ["a plain directory", {}, `path:${source}?${hash}`],
    ["a commit of a shallow clone", { revision: rev, lastModified: 1_700_000_000 }, `path:${source}?rev=${rev}&lastModified=1700000000&${hash}`],
    [
      "a commit of a full clone",
      { revision: rev, revisionCount: 7, lastModified: 1_700_000_000 },
      `path:${source}?rev=${rev}&revCount=7&lastModified=1700000000&${hash}`,
    ],
    ["a dirty tree", { lastModified: 7, dirty: true }, `path:${source}?lastModified=7&${hash}`],
    ["a subdirectory with odd characters", { subdirectory: "nix/my machines#1&?%" }, `path:${source}?dir=nix/my%20machines%231%26%3F%25&${hash}`],
  ])("renders %s", (_, flake, expected) => {
    expect(flakeReference(makeFlake(flake))).toBe(expected);
  });

  test("never puts a subdirectory behind the path: Nix would build the source itself, with exit code 0", () => {
    expect(flakeReference(makeFlake({ subdirectory: "nixos" }))).not.toContain(`${source}/`);
  });
});

test("a machine builds the outer flake", () => {
  expect(outerReference(makeSentFlake())).toBe(`path:${outer}`);
});

test("a machine needs the outer flake, the source and all inputs, each once", () => {
  const input = makeStorePath("input");
  expect(sentPaths(makeSentFlake({ inputs: [input] }))).toEqual([outer, source, input]);
  expect(sentPaths(makeSentFlake({ inputs: [input, source, input] }))).toEqual([outer, source, input]);
});
