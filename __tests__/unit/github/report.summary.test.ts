import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    process.env["RUNNER_TEMP"] = directory;
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

  const end = (summary = true): boolean => reportEnd({ results: [], arrived: false, flake: undefined, endedEarly: true, summary }, new WorkflowLog());
  const files = (): string[] => readdirSync(directory).filter((name) => name.endsWith(".md"));
  const headline = "### ❌ The run ended before any host was deployed\n";

  test("is written also when the run fails, behind what is there", () => {
    writeFileSync(join(directory, "STEP_SUMMARY"), "before\n");
    expect(end()).toBe(false);
    expect(readFileSync(join(directory, "STEP_SUMMARY"), "utf8")).toMatch(new RegExp(`^before\n${headline}`));
  });

  test("is written into a file of its own, which the output names, also where the page is not to show it", () => {
    expect(end(false)).toBe(false);
    expect(readFileSync(join(directory, "STEP_SUMMARY"), "utf8")).toBe("");
    const [name = "", ...others] = files();
    expect(others).toEqual([]);
    expect(name).toMatch(/^nix-flake-deploy-summary-[0-9a-f]{12}\.md$/);
    expect(readFileSync(join(directory, name), "utf8")).toMatch(new RegExp(`^${headline}`));
    expect(readFileSync(join(directory, "OUTPUT"), "utf8")).toContain(join(directory, name));
    // A second step of the job has another one.
    end(false);
    expect(files()).toHaveLength(2);
  });

  test("is warned about, not failed on, when its file cannot be written", () => {
    process.env["RUNNER_TEMP"] = join(directory, "no-such-directory");
    expect(end()).toBe(false);
    expect(printed).toContain("::warning title=The summary file could not be written::");
    expect(printed).toContain("ENOENT");
    expect(readFileSync(join(directory, "OUTPUT"), "utf8")).toMatch(/^summary-path<<(\S+)\n\n\1$/m);
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
