import { describe, expect, test } from "@jest/globals";

import { evaluationMessage, missingFile } from "../../../src/nix/evaluation-message.js";
import { recording } from "./recording.js";

describe("evaluationMessage", () => {
  test.each(["2.34.8", "2.26.3"])("shows the message and the place in the flake, and nothing of the action's expression (Nix %s)", (version) => {
    const output = recording(`inventory-file-missing-${version}.log`);
    expect(output).toContain("«string»");
    expect(evaluationMessage(output)).toEqual([
      "error: path 'web1.nix' does not exist",
      "… while calling the 'import' builtin",
      "at flake.nix:1:52:",
      "     1| { outputs = { self }: { nixosConfigurations.web1 = import ./web1.nix { }; }; }",
      "      |                                                    ^",
    ]);
  });

  test.each(["2.34.8", "2.26.3"])("finds the place of an abort and of an endless recursion (Nix %s)", (version) => {
    const aborted = evaluationMessage(recording(`inventory-abort-${version}.log`));
    expect(aborted[0]).toBe("error: evaluation aborted with the following error message: 'all broken'");
    expect(aborted.join("\n")).toContain("flake.nix:1:47:");
    const recursion = evaluationMessage(recording(`toplevels-recursion-${version}.log`));
    expect(recursion.slice(0, 2)).toEqual(["error: infinite recursion encountered", expect.stringMatching(/^at \S*flake\.nix:1:\d+:$/)]);
    for (const lines of [aborted, recursion]) expect(lines.join("\n")).not.toMatch(/«string»|derivationOf|guarded/);
  });

  test.each(["2.34.8", "2.26.3", "2.8.0"])("shows the place of an error in the flake itself (Nix %s)", (version) => {
    expect(evaluationMessage(recording(`evaluation-dirty-rev-${version}.log`)).slice(0, 2)).toEqual([
      "error: attribute 'dirtyShortRev' missing",
      "at flake.nix:11:24:",
    ]);
  });

  test("has at most 20 lines, of at most 400 characters", () => {
    const output = ["error:", "       Failed assertions:", ...Array.from({ length: 60 }, (_, index) => `       - assertion ${index} ${"x".repeat(9000)}`)].join(
      "\n",
    );
    const lines = evaluationMessage(output);
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(400);
    expect(lines[0]).toBe("Failed assertions:");
  });

  test("keeps a path of another source whole", () => {
    const output = `error:\n       … while calling 'x'\n         at /nix/store/aaaa-source/flake.nix:3:1:\n            3| x\n\n       error: boom\n       at /nix/store/bbbb-source/lib/x.nix:1:1:\n            1| y\n`;
    expect(evaluationMessage(output)).toEqual([
      "error: boom",
      "at /nix/store/bbbb-source/lib/x.nix:1:1:",
      "     1| y",
      "… while calling 'x'",
      "at flake.nix:3:1:",
      "     3| x",
    ]);
  });

  test("is empty where Nix reported no error", () => {
    expect(evaluationMessage("warning: Git tree is dirty\n")).toEqual([]);
    expect(evaluationMessage("")).toEqual([]);
  });
});

describe("missingFile", () => {
  test.each([
    ["2.34.8", "x.nix"],
    ["2.26.3", "x.nix"],
    ["2.8.0", "x.nix"],
  ])("finds the file in the wording of Nix %s", (version, file) => {
    expect(missingFile(recording(`evaluation-file-missing-${version}.log`))).toBe(file);
  });

  test("finds it in a flake that is an input", () => {
    expect(missingFile("error: path '«path:/nix/store/x-source?narHash=sha256-x%3D»/nixos/extra.nix' does not exist")).toBe("nixos/extra.nix");
  });

  test("is nothing for another error", () => {
    expect(missingFile("error: undefined variable 'x'")).toBeUndefined();
    expect(missingFile("error: opening file '/etc/shadow': Permission denied")).toBeUndefined();
  });
});
