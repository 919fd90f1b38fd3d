import { expect, test } from "@jest/globals";

import { run } from "../../../src/entry/build.js";
import { temporaryDirectory } from "../temporary.js";
import { runStep } from "./step.js";

const directory = temporaryDirectory();

test("the companion action sets the outputs of no system where an input is bad, and makes no identity", async () => {
  const { exitCode, outputs, annotations, state } = await runStep(directory, { run, inputs: { targets: "root@web1" }, actionFile: "build/action.yml" });
  expect(exitCode).toBe(1);
  expect(outputs).toEqual({ systems: "{}", targets: "[]", count: "0" });
  expect(annotations).toMatchObject([{ level: "error", title: "The deployment could not start" }]);
  expect(state).toEqual({});
});
