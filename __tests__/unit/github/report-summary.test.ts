import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";

import { reportEnd } from "../../../src/github/report.js";
import { WorkflowLog } from "../../../src/github/workflow-log.js";

describe("the job summary at the end of a run", () => {
  const before = { ...process.env };
  let directory = "";
  let printed = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "summary-"));
    printed = "";
    for (const name of ["OUTPUT", "STEP_SUMMARY"]) {
      const file = join(directory, name);
      writeFileSync(file, "");
      process.env[`GITHUB_${name}`] = file;
    }
    jest.spyOn(process.stdout, "write").mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });

  afterEach(() => {
    jest.restoreAllMocks();
    process.env = { ...before };
    rmSync(directory, { recursive: true });
  });

  const end = (): boolean => reportEnd({ results: [], arrived: false, flake: undefined, endedEarly: true }, new WorkflowLog());
  const headline = "### ❌ The deployment ended before any host was worked on\n";

  test("is written also when the run fails, behind what is there", () => {
    writeFileSync(join(directory, "STEP_SUMMARY"), "before\n");
    expect(end()).toBe(false);
    expect(readFileSync(join(directory, "STEP_SUMMARY"), "utf8")).toMatch(new RegExp(`^before\n${headline}`));
  });

  test("is passed over where the runner has none", () => {
    delete process.env["GITHUB_STEP_SUMMARY"];
    expect(end()).toBe(false);
    expect(printed).not.toContain("::warning");
  });

  test("is warned about, not failed on, when it cannot be written", () => {
    process.env["GITHUB_STEP_SUMMARY"] = directory;
    expect(end()).toBe(false);
    expect(printed).toContain("::warning title=The job summary could not be written::");
    expect(printed).toContain("EISDIR");
  });
});
