import { describe, expect, test } from "@jest/globals";

import { call, payload } from "./as-user.js";
import { twoSystems } from "./two-systems.js";

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
