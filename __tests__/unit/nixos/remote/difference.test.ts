import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { call, payload, runtime } from "./as-user.js";

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("difference reports paths and sizes, and bounds each list", () => {
    const { before, after, path } = twoSystems();
    const { code, out } = payload(call(shell, "difference", [before, after, "5", "100"], { PATH: path }));
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual(["- /nix/store/old 14", `- ${before} ${before.length}`, "+ /nix/store/new 14", `+ ${after} ${after.length}`, "end", ""]);
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

/** Two systems, and a PATH with a nix that knows their closures; every size is the length of the path. */
function twoSystems(): { before: string; after: string; path: string } {
  const [before, after, bin] = ["before", "after", "bin"].map((name) => join(runtime, name));
  if (before === undefined || after === undefined || bin === undefined) throw new Error("three directories");
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin);
  writeFileSync(
    join(bin, "nix"),
    `#!/bin/sh
[ "$*" = "--extra-experimental-features nix-command path-info --recursive --size $6" ] || exit 3
case $6 in
  ${before}) set -- /nix/store/old /nix/store/both ${before} ;;
  ${after}) set -- /nix/store/both /nix/store/new ${after} ;;
  /nix/store/hangs) exec sleep 60 ;;
  *) echo "error: unknown path" >&2; exit 1 ;;
esac
for path; do printf '%-30s\\t%11d\\n' "$path" "\${#path}"; done
`,
  );
  chmodSync(join(bin, "nix"), 0o755);
  return { before, after, path: `${bin}:${process.env["PATH"]}` };
}
