import { existsSync } from "node:fs";

import { describe, expect, test } from "@jest/globals";

import { run } from "../../../src/entry/post.js";
import { makeIdentityDirectory } from "../../../src/ssh/identity.js";
import { temporaryDirectory } from "../temporary.js";
import { runStep } from "./step.js";

const directory = temporaryDirectory();

describe("the post step", () => {
  test("has nothing to do where the main step has made no identity", async () => {
    expect(await runStep(directory, { run })).toMatchObject({ exitCode: 0, output: "" });
  });

  test("removes what a killed main step has left", async () => {
    const left = makeIdentityDirectory(directory);
    expect((await runStep(directory, { run, environment: { "STATE_identity-directory": left } })).exitCode).toBe(0);
    expect(existsSync(left)).toBe(false);
  });

  test("fails and says so where the directory is not the action's own", async () => {
    const { exitCode, annotations } = await runStep(directory, { run, environment: { "STATE_identity-directory": directory } });
    expect(exitCode).toBe(1);
    expect(annotations).toMatchObject([{ level: "error", title: "The ssh key may still be on the runner" }]);
    expect(existsSync(directory)).toBe(true);
  });
});
