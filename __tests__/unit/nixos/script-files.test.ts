import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { root } from "../../../scripts/paths.js";
import { definition, residentScript, type ResidentScript, type ScriptName } from "../../../src/nixos/script-files.js";

const called = [
  "arm",
  "build",
  "compare",
  "confirm",
  "daemon",
  "decide",
  "difference",
  "enter",
  "facts",
  "finish",
  "follow",
  "health",
  "import",
  "journal",
  "lease",
  "missing",
  "place",
  "prepare",
  "run",
  "settle",
  "specialisation",
  "start",
  "system",
  "units",
  "unpack",
] as const satisfies readonly ScriptName[];
const residents = ["activate", "expire", "job", "last", "switch", "watchdog"] as const satisfies readonly ResidentScript[];

test.each([
  ["", [...called, "common", "environment"]],
  ["resident", residents],
])("all scripts are known (%s)", (directory, names) => {
  const files = readdirSync(join(root, "src/nixos/remote", directory)).filter((name) => name.endsWith(".sh"));
  expect(files.toSorted()).toEqual(names.map((name) => `${name}.sh`).toSorted());
});

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
