import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { reportEnd } from "../../../src/github/report.js";
import { WorkflowLog } from "../../../src/github/workflow-log.js";
import { annotationsOf, workflowCommands } from "../../fleet/rig/workflow-commands.js";
import { makeError, makeFlake, makeResult } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";
import { captured } from "./captured.js";

const directory = temporaryDirectory();

describe("reportEnd", () => {
  const end = (overrides: Partial<Parameters<typeof reportEnd>[0]>): { green: boolean; output: string } => {
    const before = process.env["GITHUB_OUTPUT"];
    delete process.env["GITHUB_OUTPUT"];
    let green = false;
    try {
      const output = captured(() => {
        green = reportEnd({ results: [makeResult()], arrived: true, flake: makeFlake(), endedEarly: false, summary: true, ...overrides }, new WorkflowLog());
      });
      return { green, output };
    } finally {
      if (before !== undefined) process.env["GITHUB_OUTPUT"] = before;
    }
  };
  const outputOf = (output: string, name: string): string | undefined =>
    workflowCommands(output).find((command) => command.name === "set-output" && command.properties["name"] === name)?.message;

  test("is green where no host failed", () => {
    const { green, output } = end({});
    expect(green).toBe(true);
    expect(annotationsOf(workflowCommands(output))).toEqual([]);
    expect(outputOf(output, "store-path")).toBe(makeFlake().source);
  });

  test("fails if one host failed, which has an annotation and is in the last line", () => {
    const { green, output } = end({ results: [makeResult(), makeResult({ name: "db1", status: "failed", phase: "connect", error: makeError("off") })] });
    expect(green).toBe(false);
    expect(annotationsOf(workflowCommands(output))).toEqual([{ level: "error", title: "db1: connect failed", message: "off" }]);
    expect(output).toContain("\n1 of 2 hosts failed: db1 (connect: off)\n");
    expect(outputOf(output, "status")).toBe("failed");
  });

  test("has no store path where the flake did not arrive", () => {
    expect(outputOf(end({ arrived: false }).output, "store-path")).toBe("");
  });

  test("is red where the run ended early, and repeats nothing about the hosts", () => {
    const { green, output } = end({ results: [makeResult({ status: "failed", error: makeError("the run was cancelled") })], endedEarly: true });
    expect(green).toBe(false);
    expect(annotationsOf(workflowCommands(output))).toEqual([]);
    expect(end({ results: [], endedEarly: true, flake: undefined }).green).toBe(false);
  });
});

describe("a channel that cannot be written", () => {
  /** Reports a failed host with such files, and gives what each channel has. */
  const report = (files: Readonly<Record<"GITHUB_OUTPUT" | "GITHUB_STEP_SUMMARY" | "RUNNER_TEMP", string>>) => {
    const before = { ...process.env };
    const read = (name: keyof typeof files): string => (files[name].startsWith(directory) ? readFileSync(files[name], "utf8") : "");
    Object.assign(process.env, files);
    for (const name of ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] as const) if (files[name].startsWith(directory)) writeFileSync(files[name], "");
    try {
      let green = false;
      const output = captured(() => {
        green = reportEnd({ results: [makeResult()], arrived: true, flake: makeFlake(), endedEarly: false, summary: true }, new WorkflowLog());
      });
      return { green, annotations: annotationsOf(workflowCommands(output)), outputs: read("GITHUB_OUTPUT"), summary: read("GITHUB_STEP_SUMMARY") };
    } finally {
      for (const name of Object.keys(files)) delete process.env[name];
      Object.assign(process.env, before);
    }
  };
  const good = { GITHUB_OUTPUT: join(directory, "output"), GITHUB_STEP_SUMMARY: join(directory, "summary"), RUNNER_TEMP: directory };

  test("control: all can be written", () => {
    const { green, annotations, outputs, summary } = report(good);
    expect({ green, annotations }).toEqual({ green: true, annotations: [] });
    expect(outputs).toContain("status<<");
    expect(summary).toContain("web1");
  });

  test("a full GITHUB_OUTPUT leaves the summary, and the step is not green", () => {
    const { green, annotations, summary } = report({ ...good, GITHUB_OUTPUT: "/dev/full" });
    expect(green).toBe(false);
    expect(annotations).toEqual([
      {
        level: "error",
        title: "The outputs could not be set",
        message: "Some or all of them are missing in later steps: ENOSPC: no space left on device, write",
      },
    ]);
    expect(summary).toContain("web1");
  });

  test("a full summary leaves the outputs", () => {
    const { green, annotations, outputs } = report({ ...good, GITHUB_STEP_SUMMARY: "/dev/full" });
    expect(green).toBe(true);
    expect(annotations).toEqual([{ level: "warning", title: "The job summary could not be written", message: "ENOSPC: no space left on device, write" }]);
    expect(outputs).toContain("status<<");
  });

  test("an unusable RUNNER_TEMP leaves outputs and summary", () => {
    const { green, annotations, outputs, summary } = report({ ...good, RUNNER_TEMP: "/nonexistent" });
    expect(green).toBe(true);
    expect(annotations).toMatchObject([{ level: "warning", title: "The summary file could not be written" }]);
    expect(outputs).toContain("status<<");
    expect(summary).toContain("web1");
  });
});
