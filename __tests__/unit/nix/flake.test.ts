import { describe, expect, test } from "@jest/globals";

import { archivedInputs, parseMetadata, pinned, pinnedAt } from "../../../src/nix/flake.js";
import { makeStorePath, source } from "../domain/make.js";

const rev = "4f1c2a9b0d3e5f60718293a4b5c6d7e8f9012345";
const narHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

describe("parseMetadata", () => {
  test("reads a commit of a Git repository", () => {
    const json = {
      description: "a fleet",
      lastModified: 1_700_000_000,
      locked: { lastModified: 1_700_000_000, narHash, ref: "refs/heads/main", rev, revCount: 3, type: "git", url: "file:///srv/flake" },
      locks: {},
      original: { type: "git", url: "file:///srv/flake" },
      path: source,
      resolved: { type: "git", url: "file:///srv/flake" },
      revCount: 3,
      revision: rev,
    };
    expect(parseMetadata(JSON.stringify(json))).toEqual({
      source,
      subdirectory: "",
      revision: rev,
      lastModified: 1_700_000_000,
      narHash,
      dirty: false,
      inputs: [],
    });
  });

  test("reads a subdirectory of it", () => {
    const json = { path: source, resolved: { dir: "hosts/nixos", type: "git" }, locked: { dir: "hosts/nixos", rev, type: "git" }, revision: rev };
    expect(parseMetadata(JSON.stringify(json))).toMatchObject({ subdirectory: "hosts/nixos", revision: rev, dirty: false });
  });

  test("takes the slashes from the ends of a subdirectory", () => {
    expect(parseMetadata(JSON.stringify({ path: source, resolved: { dir: "/nixos//", type: "path" } })).subdirectory).toBe("nixos");
  });

  test("reads a dirty tree", () => {
    const json = {
      path: source,
      resolved: { type: "git", url: "file:///srv/flake" },
      locked: { dirtyRev: `${rev}-dirty`, dirtyShortRev: "4f1c2a9-dirty", lastModified: 7, narHash, type: "git" },
      dirtyRevision: `${rev}-dirty`,
      lastModified: 7,
    };
    expect(parseMetadata(JSON.stringify(json))).toMatchObject({ revision: undefined, dirty: true, lastModified: 7 });
  });

  test("reads a dirty tree of a Nix that has no dirtyRev", () => {
    expect(parseMetadata(JSON.stringify({ path: source, resolved: { type: "git" }, locked: { type: "git" } }))).toMatchObject({ dirty: true });
  });

  test("reads a plain directory, which is never dirty", () => {
    const json = { path: source, resolved: { type: "path", path: "/srv/flake" }, locked: { type: "path", narHash, lastModified: 9 }, lastModified: 9 };
    expect(parseMetadata(JSON.stringify(json))).toEqual({ source, subdirectory: "", revision: undefined, lastModified: 9, narHash, dirty: false, inputs: [] });
  });

  test.each([["{}"], ['{"path": 7}'], ['{"path": "/tmp/flake"}'], ["null"], ["[]"]])("refuses %s, which has no store path", (json) => {
    expect(() => parseMetadata(json)).toThrow("not a path of the Nix store");
  });
});

describe("archivedInputs", () => {
  const [a, b, c] = [makeStorePath("a"), makeStorePath("b"), makeStorePath("c")];

  test("names every input once, at any depth, and not the flake itself", () => {
    const json = {
      path: source,
      inputs: {
        a: { path: a, inputs: { b: { path: b, inputs: {} }, self: { path: source, inputs: {} } } },
        b: { path: b, inputs: { c: { path: c, inputs: {} } } },
      },
    };
    expect(archivedInputs(JSON.stringify(json), source)).toEqual([a, b, c]);
  });

  test("takes inputs that lie inside their parent's tree and have no path", () => {
    expect(archivedInputs(JSON.stringify({ path: source, inputs: { inside: { inputs: { a: { path: a, inputs: {} } } } } }), source)).toEqual([a]);
  });

  test("takes inputs called as properties of objects are", () => {
    const json = `{"path": "${source}", "inputs": {"__proto__": {"path": "${a}", "inputs": {}}, "constructor": {"path": "${b}"}}}`;
    expect(archivedInputs(json, source)).toEqual([a, b]);
  });

  test("is empty where there are none", () => {
    expect(archivedInputs(JSON.stringify({ path: source, inputs: {} }), source)).toEqual([]);
  });

  test("refuses what is no store path", () => {
    expect(() => archivedInputs(JSON.stringify({ path: source, inputs: { a: { path: "/etc" } } }), source)).toThrow("not a path of the Nix store");
  });
});

describe("pinned at a revision", () => {
  test.each([
    ["", undefined, `path:${source}`],
    ["", rev, `path:${source}?rev=${rev}`],
    ["nixos", rev, `path:${source}?dir=nixos&rev=${rev}`],
  ])("in the subdirectory %j at %j", (subdirectory, revision, expected) => {
    expect(pinnedAt({ source, subdirectory }, revision)).toBe(expected);
  });
});

describe("pinned", () => {
  test.each([
    ["", `path:${source}`],
    ["nixos", `path:${source}?dir=nixos`],
    ["a b/c#d", `path:${source}?dir=a%20b/c%23d`],
  ])("in the subdirectory %j", (subdirectory, expected) => {
    expect(pinned({ source, subdirectory })).toBe(expected);
  });
});
