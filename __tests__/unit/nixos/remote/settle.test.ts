import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { base, call, payload, prepareArguments } from "./as-user.js";

// Who waits notices the decision; who has nothing to wait for does not look.
test.each([
  ["dash", "", 7],
  ["bash", "", 7],
  ["dash", "100", 0],
])("settle waits from now on where the end of the activation could not be written: %s, %j", (shell, ended, code) => {
  payload(call(shell, "prepare", prepareArguments("run1")));
  for (const name of ["armed", "activate.restarts"]) writeFileSync(join(base, "run1", name), "");
  writeFileSync(join(base, "run1", "activate.ended"), ended);
  symlinkSync("drop", join(base, "run1", "decision"));
  expect(payload(call(shell, "settle", ["run1", "5"])).code).toBe(code);
});
