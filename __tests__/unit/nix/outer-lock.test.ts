import { readFileSync } from "node:fs";

import { describe, expect, test } from "@jest/globals";

import { field } from "../../../src/domain/json.js";
import { storePath } from "../../../src/domain/store-path.js";
import { parseMetadata } from "../../../src/nix/flake.js";
import { lockAround, type LockedFlake } from "../../../src/nix/outer-lock.js";

/** What Nix has printed for a flake with an input inside its tree, and one that follows that one's. */
function recorded(version: string): string {
  return readFileSync(new URL(`./recorded/metadata-${version}.json`, import.meta.url), "utf8");
}

const flake: LockedFlake = {
  source: storePath("/nix/store/489w1kqnxjm0kdarhdpb500l8qv84hwb-source"),
  subdirectory: "",
  revision: "f793f7b69d5b92f2ad5061db044ca69305bd308c",
  revisionCount: 3,
  lastModified: 1_795_616_176,
  narHash: "sha256-m7NHQOtOyrVM1WFuLG7EwgG+uP9j3EA5wZUEooYF/PA=",
};

function lockOf(metadata: string, overrides: Partial<LockedFlake> = {}): unknown {
  return JSON.parse(lockAround({ ...flake, ...overrides }, parseMetadata(metadata).locks));
}

describe("the lock file around a flake", () => {
  test("has its inputs as they were locked, and their paths from the new root", () => {
    const dep = {
      locked: { lastModified: 1795616016, narHash: "sha256-WWUgk7qzdMJTgyW+j9Wve8Zu8aQnVu0rqXWqyVk8qhU=", path: "/play/dep", type: "path" },
      original: { path: "/play/dep", type: "path" },
    };
    expect(lockOf(recorded("2.34.8"))).toEqual({
      nodes: {
        dep,
        dep_2: dep,
        outer: { inputs: { flake: "root" } },
        root: {
          inputs: { dep: "dep", dep2: ["flake", "sub", "dep"], sub: "sub" },
          locked: {
            type: "path",
            path: "/nix/store/489w1kqnxjm0kdarhdpb500l8qv84hwb-source",
            narHash: "sha256-m7NHQOtOyrVM1WFuLG7EwgG+uP9j3EA5wZUEooYF/PA=",
            rev: "f793f7b69d5b92f2ad5061db044ca69305bd308c",
            revCount: 3,
            lastModified: 1795616176,
          },
          original: { type: "indirect", id: "flake" },
        },
        sub: { inputs: { dep: "dep_2" }, locked: { path: "./sub", type: "path" }, original: { path: "./sub", type: "path" }, parent: ["flake"] },
      },
      root: "outer",
      version: 7,
    });
  });

  test("names the directory of a flake below its root, and no revision where there is none", () => {
    const lock = lockOf(recorded("2.34.8"), { subdirectory: "nix/machines", revision: undefined, revisionCount: undefined, lastModified: undefined });
    expect(field(lock, "nodes", "root", "locked")).toEqual({
      type: "path",
      path: "/nix/store/489w1kqnxjm0kdarhdpb500l8qv84hwb-source",
      narHash: "sha256-m7NHQOtOyrVM1WFuLG7EwgG+uP9j3EA5wZUEooYF/PA=",
      dir: "nix/machines",
    });
  });

  test("is made of what an old Nix prints as well", () => {
    expect(lockOf(recorded("2.8.0"))).toMatchObject({
      nodes: { outer: { inputs: { flake: "root" } }, root: { inputs: { dep: "dep", dep2: ["flake", "dep"] }, locked: { type: "path" } } },
      root: "outer",
    });
  });

  test("finds another name where the flake has an input of its name", () => {
    const metadata = recorded("2.34.8").replaceAll('"dep"', '"outer"').replaceAll('"dep_2"', '"outer_"');
    expect(lockOf(metadata)).toMatchObject({ nodes: { outer__: { inputs: { flake: "root" } }, root: { inputs: { outer: "outer" } } }, root: "outer__" });
  });

  test("is made for a flake without inputs", () => {
    const metadata = JSON.stringify({ ...JSON.parse(recorded("2.34.8")), locks: { nodes: { root: {} }, root: "root", version: 7 } });
    expect(lockOf(metadata)).toMatchObject({ nodes: { outer: { inputs: { flake: "root" } }, root: { original: { id: "flake" } } }, root: "outer" });
  });
});
