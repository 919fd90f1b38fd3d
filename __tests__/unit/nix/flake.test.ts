import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { CommandError, InputError } from "../../../src/domain/errors.js";
import { archiveOnRunner, parseArchive, parseMetadata } from "../../../src/nix/flake.js";
import { makeStorePath, narHash, source } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix } from "./fake-nix.js";

const rev = "4f1c2a9b0d3e5f60718293a4b5c6d7e8f9012345";

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
      path: source,
      narHash,
      subdirectory: "",
      revision: rev,
      revisionCount: 3,
      lastModified: 1_700_000_000,
      dirty: false,
      locks: {},
      resolved: { type: "git", url: "file:///srv/flake" },
    });
  });

  test.each([undefined, "", "sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s", "md5-x"])(
    "takes no hash in another form than that of lock files (%s)",
    (hash) => {
      const json = { path: source, resolved: { type: "path" }, locked: { type: "path", narHash: hash } };
      expect(parseMetadata(JSON.stringify(json))).toMatchObject({ path: source, narHash: undefined });
    },
  );

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
    expect(parseMetadata(JSON.stringify(json))).toMatchObject({
      path: source,
      subdirectory: "",
      revision: undefined,
      revisionCount: undefined,
      lastModified: 9,
      dirty: false,
    });
  });

  test("takes no path where Nix prints none", () => {
    expect(parseMetadata("{}")).toMatchObject({ path: undefined, revision: undefined, revisionCount: undefined, subdirectory: "" });
  });

  test("refuses a path that is not in the store", () => {
    expect(() => parseMetadata('{"path": "/tmp/flake"}')).toThrow("not a Nix store");
  });
});

describe("what was recorded", () => {
  const recorded = (name: string): string => readFileSync(new URL(`./recorded/${name}.json`, import.meta.url), "utf8");
  const lazy = "determinate-3.22.2-lazy-trees";
  const paths = {
    "nix-2.35.2": ["/nix/store/hs20iy4f45kdif0r1zmcq1hnc5gmrfb4-source", "/nix/store/6pac5l9v8x8wk1p5yr6vjqggd65079n2-source"],
    "determinate-3.22.2": ["/nix/store/0h5v90avb3daa7wbzw7pxzkcla5q1xc8-source", undefined],
    [lazy]: [undefined, undefined],
    "lix-2.95.3": ["/nix/store/vrnqva8dsc3801r19pjpghx7j15hnnmr-source", "/nix/store/vrnqva8dsc3801r19pjpghx7j15hnnmr-source"],
  } as const;

  test.each(["nix-2.35.2", "determinate-3.22.2", lazy, "lix-2.95.3"] as const)("of %s has the identity of a commit", (version) => {
    const metadata = parseMetadata(recorded(`${version}.metadata`));
    expect(metadata).toMatchObject({ path: paths[version][0], subdirectory: "", revisionCount: 1, dirty: false, locks: { root: "root", version: 7 } });
    expect(metadata.revision).toMatch(/^[0-9a-f]{40}$/);
    expect(metadata.lastModified).toBeGreaterThan(1_795_638_000);
  });

  test.each(Object.keys(paths))("of %s has no revision for a dirty tree", (version) => {
    expect(parseMetadata(recorded(`${version}.metadata-dirty`))).toMatchObject({ revision: undefined, revisionCount: undefined, dirty: true });
  });

  test.each(["nix-2.35.2", lazy, "lix-2.95.3"] as const)("of %s has the subdirectory of a flake", (version) => {
    expect(parseMetadata(recorded(`${version}.metadata-subdirectory`))).toMatchObject({ path: paths[version][1], subdirectory: "hosts", revisionCount: 1 });
  });

  test.each(["nix-2.35.2", lazy, "lix-2.95.3"])("of %s has the paths of source and inputs, and of Lix the one of an input inside the tree", (version) => {
    const plain = parseArchive(recorded(`${version}.archive`));
    expect(plain.inputs).toHaveLength(1);
    expect(plain.inputs).not.toContain(plain.source);
    expect(parseArchive(recorded(`${version}.archive-subdirectory`)).inputs).toHaveLength(version.startsWith("lix") ? 2 : 1);
  });
});

describe("parseArchive", () => {
  const [a, b, c] = [makeStorePath("a"), makeStorePath("b"), makeStorePath("c")];

  test("names every input once, at any depth, and not the flake itself", () => {
    const json = {
      path: source,
      inputs: {
        a: { path: a, inputs: { b: { path: b, inputs: {} }, self: { path: source, inputs: {} } } },
        b: { path: b, inputs: { c: { path: c, inputs: {} } } },
      },
    };
    expect(parseArchive(JSON.stringify(json))).toEqual({ source, inputs: [a, b, c] });
  });

  test("takes inputs that lie inside their parent's tree and have no path", () => {
    expect(parseArchive(JSON.stringify({ path: source, inputs: { inside: { inputs: { a: { path: a, inputs: {} } } } } }))).toEqual({ source, inputs: [a] });
  });

  test("takes inputs called as properties of objects are", () => {
    const json = `{"path": "${source}", "inputs": {"__proto__": {"path": "${a}", "inputs": {}}, "constructor": {"path": "${b}"}}}`;
    expect(parseArchive(json)).toEqual({ source, inputs: [a, b] });
  });

  test("is empty where there are none", () => {
    expect(parseArchive(JSON.stringify({ path: source, inputs: {} }))).toEqual({ source, inputs: [] });
  });

  test.each(["{}", '{"path": 7}', "null", "[]"])("refuses %s, which has no store path", (json) => {
    expect(() => parseArchive(json)).toThrow("not a Nix store");
  });

  test("refuses what is no store path", () => {
    expect(() => parseArchive(JSON.stringify({ path: source, inputs: { a: { path: "/etc" } } }))).toThrow("not a Nix store");
  });
});

describe("archiveOnRunner", () => {
  const directory = temporaryDirectory();
  const metadata = JSON.stringify({ path: source, resolved: { type: "path" }, locked: { type: "path", narHash }, locks: {} });

  /** Reads a flake with a nix that does this for both questions; `$2` says which. Returns what it was asked, in order, and the log. */
  async function reading(
    reference: string,
    script: string,
    isSmall = true,
  ): Promise<{ readonly events: readonly string[]; readonly lines: readonly string[]; readonly error?: unknown }> {
    const events = join(directory, "events");
    writeFileSync(events, "");
    const lines: string[] = [];
    const nix = `echo "$2 begins" >>${events}\n${script}\necho "$2 ends" >>${events}
case $2 in archive) echo '{"path":"${source}","inputs":{}}' ;; metadata) echo '${metadata}' ;; esac`;
    const error = await withNix(directory, nix, async () => {
      const options = { cwd: directory, signal: undefined, onLine: (line: string) => lines.push(line), isSmall };
      return await archiveOnRunner(reference, options).then(
        ({ flake }) => {
          expect(flake).toMatchObject({ source, narHash });
          return undefined;
        },
        (reason: unknown) => reason,
      );
    });
    return { events: readFileSync(events, "utf8").trim().split("\n"), lines, error };
  }

  test("asks both questions side by side about a small flake of the runner, and shows its warnings once", async () => {
    // Each waits for the other.
    const script = `until [ "$(grep -c begins ${directory}/events)" -ge 2 ]; do sleep 0.02; done; echo "warning: Git tree is dirty" >&2`;
    const { events, lines, error } = await reading("./machines", script);
    expect(error).toBeUndefined();
    expect(events.slice(0, 2).toSorted()).toEqual(["archive begins", "metadata begins"]);
    expect(lines).toEqual(["warning: Git tree is dirty"]);
  });

  test("asks one after the other about any other flake, which is then downloaded or copied once", async () => {
    expect((await reading("github:org/machines", "sleep 0.1", false)).events).toEqual(["archive begins", "archive ends", "metadata begins", "metadata ends"]);
  });

  test("reports what archiving says, and does not wait for the other", async () => {
    const { error } = await reading(".", `case $2 in archive) echo "error: out of disk" >&2; exit 1 ;; esac; exec sleep 60`);
    expect(error).toBeInstanceOf(CommandError);
    expect(String(error)).toContain("nix flake archive");
  });

  test("refuses a flake whose files change meanwhile", async () => {
    const { error } = await reading(".", `case $2 in metadata) echo '${metadata.replace(source, makeStorePath("other"))}'; exit 0 ;; esac`);
    expect(error).toBeInstanceOf(InputError);
    expect(String(error)).toContain("the files of . changed while the flake was being read");
  });
});
