import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { call, payload, runtime } from "./as-user.js";

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("difference reports paths and sizes, and bounds each list", () => {
    const { before, after, path } = twoSystems();
    const { code, out } = payload(call(shell, "difference", [before, after, "5", "100"], { PATH: path }));
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      "- /nix/store/old",
      `- ${before}`,
      "-size 14",
      `-size ${before.length}`,
      "+ /nix/store/new",
      `+ ${after}`,
      "+size 14",
      `+size ${after.length}`,
      "end",
      "",
    ]);
    const bounded = payload(call(shell, "difference", [before, after, "5", "1"], { PATH: path })).out;
    expect(bounded.split("\n").filter((line) => /^[-+] /.test(line))).toHaveLength(2);
  });

  test("difference reports the exit code if Nix does not list the closures, also if it takes too long", () => {
    const { before, path } = twoSystems();
    for (const systems of [
      [before, "/nix/store/unknown"],
      ["/nix/store/unknown", before],
    ]) {
      expect(payload(call(shell, "difference", [...systems, "5", "100"], { PATH: path }))).toMatchObject({ out: "failed 1\n", err: "error: unknown path\n" });
    }
    expect(payload(call(shell, "difference", [before, "/nix/store/hangs", "0.2", "100"], { PATH: path }))).toMatchObject({ out: "failed 124\n" });
  });
});

/** Two systems with unit files, and a PATH with a nix-store that knows their closures; every size is the length of the path. */
function twoSystems(): { before: string; after: string; path: string } {
  const [before, after, bin] = ["before", "after", "bin"].map((name) => join(runtime, name));
  if (before === undefined || after === undefined || bin === undefined) throw new Error("three directories");
  for (const directory of [before, after, bin]) rmSync(directory, { recursive: true, force: true });
  for (const directory of [before, after]) mkdirSync(directory);
  mkdirSync(bin);
  writeFileSync(
    join(bin, "nix-store"),
    `#!/bin/sh
case "$2 $3" in
  "--requisites ${before}") printf '%s\n' /nix/store/both /nix/store/old ${before} ;;
  "--requisites ${after}") printf '%s\n' /nix/store/both /nix/store/new ${after} ;;
  "--requisites /nix/store/hangs") exec sleep 60 ;;
  --requisites*) echo "error: unknown path" >&2; exit 1 ;;
  *) shift 2; for path; do echo "\${#path}"; done ;;
esac
`,
  );
  chmodSync(join(bin, "nix-store"), 0o755);
  return { before, after, path: `${bin}:${process.env["PATH"]}` };
}
