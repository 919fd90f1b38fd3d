import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { root } from "../../scripts/paths.js";
import { shellProblems, shellScripts } from "../../scripts/shell-scripts.js";

// The scripts themselves are checked by npm run lint:sh.

test("the shell scripts are those of the sources, the rig and CI", () => {
  expect(shellScripts()).toEqual(expect.arrayContaining([".ci/run", "src/nixos/remote/common.sh", "__tests__/fleet/rig/sweep.sh"]));
});

test("of the scripts for machines, only environment.sh sets PATH", () => {
  const setting = shellScripts().filter((path) => path.startsWith("src/") && /^\s*(?:export )?PATH=/m.test(readFileSync(join(root, path), "utf8")));
  expect(setting).toEqual(["src/nixos/remote/environment.sh"]);
});

test("a faulty script is reported with its line and rule", () => {
  const directory = mkdtempSync(join(tmpdir(), "shell-scripts-"));
  try {
    const path = join(directory, "faulty.sh");
    writeFileSync(path, "#!/bin/sh\nrm $1\n");
    expect(shellProblems(path)).toEqual([expect.stringMatching(/faulty\.sh:2:4: .*SC2086/)]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
