import { readFileSync } from "node:fs";

import { describe, expect, test } from "@jest/globals";

import { repositoryOf, toplevels } from "../../../src/nix/toplevels.js";
import { parseMetadata } from "../../../src/nix/flake.js";
import { makeStorePath } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix } from "./fake-nix.js";

const directory = temporaryDirectory();
const options = { cwd: directory, signal: undefined, onLine: (): void => undefined };

describe("the work tree of a flake", () => {
  const of = (resolved: object): ReturnType<typeof repositoryOf> => repositoryOf(resolved);

  test("is where Nix has found it", () => {
    const repository = repositoryOf(parseMetadata(readFileSync(new URL("./recorded/metadata-2.34.8.json", import.meta.url), "utf8")).resolved);
    expect(repository?.directory).toBe("/play/f");
    expect(repository?.referenceAt("4f1c")).toBe("git+file:///play/f?rev=4f1c");
  });

  test("keeps what the reference says beside the commit", () => {
    const repository = of({ dir: "nix/my machines", shallow: true, submodules: false, ref: "main", rev: "1234", type: "git", url: "file:///srv/my%20flake" });
    expect(repository?.directory).toBe("/srv/my flake");
    expect(repository?.referenceAt("4f1c")).toBe("git+file:///srv/my%20flake?dir=nix/my%20machines&shallow=1&submodules=0&rev=4f1c");
  });

  test.each([
    { type: "path", path: "/srv/flake" },
    { type: "git", url: "https://example.org/flake" },
    { type: "github", owner: "org", repo: "repo" },
  ])("is unknown for %j", (resolved) => {
    expect(of(resolved)).toBeUndefined();
  });
});

describe("systems", () => {
  // Says of each configuration that it is asked for which derivation is its own, but for those that end in 7.
  const nix = `names=$(printf '%s\\n' "$7" | tail -n 1 | sed 's/.*configurations = \\[//; s/\\].*//' | tr -d '"')
echo $names >> ${directory}/calls
hash=/nix/store/0123456789abcdfghijklmnpqrsvwxyz
comma=
printf '{"names":[],"systems":{'
for name in $names; do
  case $name in *7) printf '%s"%s":null' "$comma" "$name" ;; *) printf '%s"%s":{"derivation":"'$hash'-%s.drv","output":"'$hash'-%s","platform":"x86_64-linux"}' "$comma" "$name" "$name" "$name" ;; esac
  comma=,
done
printf '}}'`;

  test("are instantiated in groups that a runner's memory can hold", async () => {
    const names = Array.from({ length: 40 }, (_, index) => `h${index}`);
    const lines: string[] = [];
    const hearing = { ...options, onLine: (line: string) => void lines.push(line) };
    const found = await withNix(directory, nix, async () => await toplevels("path:/nix/store/x", names, hearing, " as they were"));
    expect([...found.keys()]).toEqual(names);
    expect(lines.at(-1)).toBe("evaluated 40 of 40 as they were");
    expect(found.get("h16")).toBe(makeStorePath("h16.drv"));
    expect(found.get("h17")).toBeUndefined();
    const groups = readFileSync(`${directory}/calls`, "utf8").trim().split("\n");
    expect(Math.max(...groups.map((line) => line.split(" ").length))).toBeLessThanOrEqual(8);
    expect(groups.flatMap((line) => line.split(" ")).toSorted()).toEqual(names.toSorted());
  });
});
