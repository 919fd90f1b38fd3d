import { spawnSync } from "node:child_process";

import { describe, expect, test } from "@jest/globals";

import { followsJob } from "../../../src/nixos/script-files.js";
import { program } from "../../../src/nixos/script-program.js";
import { argv, environment, nonce, payload } from "./remote/as-user.js";

test("what follows a job is given up when it is silent", () => {
  const names = ["run", "follow", "confirm", "facts", "start", "decide", "settle"] as const;
  expect(names.filter((name) => followsJob(name))).toEqual(["run", "follow", "confirm"]);
});

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("what a script's child reads is not the rest of the script", () => {
    const text = program("facts", [], nonce).replace("main() {", "main() {\n  cat\n");
    const [file, rest] = argv(shell);
    const result = spawnSync(file, rest, { input: text, encoding: "utf8", env: environment({}) });
    expect(payload(result).code).toBe(0);
  });
});
