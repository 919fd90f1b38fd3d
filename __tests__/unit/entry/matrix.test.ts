import { describe, expect, test } from "@jest/globals";

import { run } from "../../../src/entry/matrix.js";
import { temporaryDirectory } from "../temporary.js";
import { runStep, type StepEnd } from "./step.js";

const directory = temporaryDirectory();

async function plan(inputs: Readonly<Record<string, string>>): Promise<StepEnd> {
  return await runStep(directory, { run, inputs, actionFile: "matrix/action.yml" });
}

describe("the companion action", () => {
  test("plans a job for each explicit target that is selected", async () => {
    const { exitCode, outputs, output } = await plan({ targets: "root@web1#web1\nroot@db1#db1", select: "web*" });
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ count: "1", hosts: '["web1"]' });
    expect(output).toContain("1 of 1 hosts: web1\n");
  });

  test("sets the outputs of an empty matrix where an input is bad", async () => {
    const { exitCode, outputs, annotations } = await plan({ targets: "root@web1#web1", shards: "no number" });
    expect(exitCode).toBe(1);
    expect(outputs).toMatchObject({ matrix: '{"include":[]}', targets: "[]", count: "0", hosts: "[]" });
    expect(annotations).toMatchObject([{ level: "error", title: "The deployment could not start" }]);
  });
});
