import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { root } from "../../../scripts/paths.js";
import { definition, residentScript, type ResidentScript, type ScriptName } from "../../../src/nixos/script-files.js";

function scriptsIn(directory: string): string[] {
  const names = readdirSync(join(root, "src/nixos/remote", directory)).filter((name) => name.endsWith(".sh"));
  return names.map((name) => name.slice(0, -".sh".length));
}

const called = scriptsIn("").filter((name) => !["environment", "common"].includes(name)) as ScriptName[];
const residents = scriptsIn("resident") as ResidentScript[];

describe("what a machine is sent", () => {
  test.each([...called.map((name) => [name, definition(name, []).join("\n")] as const), ...residents.map((name) => [name, residentScript(name)] as const)])(
    "of %s is a script without comments",
    (_, text) => {
      for (const shell of ["dash", "bash"]) expect(spawnSync(shell, ["-n"], { input: text, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
      expect(text.split("\n").filter((line) => /^\s*#/.test(line))).toEqual([]);
      expect(text.split("\n").length).toBeGreaterThan(5);
    },
  );
});
