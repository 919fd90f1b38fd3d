import { describe, expect, test } from "@jest/globals";

import { parseFacts } from "../../../../src/nixos/facts.js";
import { residentScript } from "../../../../src/nixos/script-files.js";
import { call, payload, prepareArguments } from "./as-user.js";
import { twoSystems } from "./two-systems.js";

describe.each(["dash", "bash"])("under %s", (shell) => {
  /** What a build says that makes this system, or none. */
  function build(before: string, makes: string | undefined, path: string): ReturnType<typeof payload> {
    payload(call(shell, "finish", ["run1"]));
    payload(call(shell, "prepare", prepareArguments("run1")));
    const command = makes === undefined ? "exit 7" : `mkdir -p ${makes}; ln -s ${makes} result; echo built`;
    const job = [residentScript("job"), "sh", "-c", command];
    return payload(call(shell, "build", ["run1", "build", "0", before, "5", "100", ...job], { PATH: path }));
  }

  test("build follows the build, and says how its system differs from the one that runs", () => {
    const { before, after, path } = twoSystems();
    const { code, out, err } = build(before, after, path);
    expect([code, out, parseFacts(err).get("exit"), parseFacts(err).get("result")]).toEqual([0, "built\n", "0", after]);
    const [, difference = ""] = err.split("\ndifference\n");
    expect(difference.split("\n").slice(0, -1)).toEqual([
      "- /nix/store/old 14",
      `- ${before} ${before.length}`,
      "+ /nix/store/new 14",
      `+ ${after} ${after.length}`,
      "end",
    ]);
  });

  test("build compares nothing where it has failed, has made the system that runs, or is not asked to", () => {
    const { before, after, path } = twoSystems();
    for (const [system, made] of [
      [before, undefined],
      [after, after],
      ["", after],
    ] as const) {
      const { code, err } = build(system, made, path);
      expect(code).toBe(0);
      expect(err).not.toContain("difference");
    }
  });
});
