import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";

import { entries, field } from "../../src/domain/json.js";
import { root } from "../../scripts/paths.js";

// Runs shell steps of the examples as a runner does: bash -e, with the step's environment.

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "example-scripts-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Step = { readonly run: string; readonly env: Readonly<Record<string, string>> };

function stepNamed(example: string, name: string): Step {
  const workflow: unknown = parse(readFileSync(join(root, "examples/workflows", example), "utf8"));
  const steps = entries(field(workflow, "jobs")).flatMap(([, job]): unknown[] => {
    const list = field(job, "steps");
    return Array.isArray(list) ? list : [];
  });
  const step = steps.find((candidate) => field(candidate, "name") === name);
  const run = field(step, "run");
  if (typeof run !== "string") throw new Error(`${example} has no step ${name} that runs a script`);
  return { run, env: Object.fromEntries(entries(field(step, "env")).map(([key, value]) => [key, String(value)])) };
}

function runStep(step: Step, env: Readonly<Record<string, string>>): { status: number | null; stdout: string; stderr: string } {
  const path = join(directory, "step.sh");
  writeFileSync(path, step.run);
  const environment = { ...step.env, ...env, PATH: `${directory}:${process.env["PATH"] ?? ""}` };
  return spawnSync("bash", ["-e", path], { cwd: directory, env: environment, encoding: "utf8" });
}

describe("rollback.yml", () => {
  const step = stepNamed("rollback.yml", "Refuse an empty selection");

  test.each(["", " ", ",", " , ,", "\t\n"])("refuses the empty selection %j", (SELECT) => {
    const { status, stdout } = runStep(step, { SELECT });
    expect(stdout).toBe("::error::The selection is empty. Name the machines to roll back, or enter * for all.\n");
    expect(status).toBe(1);
  });

  test.each(["web1", "*", "@database, !db1"])("accepts the selection %j", (SELECT) => {
    expect(runStep(step, { SELECT })).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  test("has no health check, which would have to hold for the old system", () => {
    expect(readFileSync(join(root, "examples/workflows/rollback.yml"), "utf8")).not.toMatch(/^ *health-check:/m);
  });
});

describe("plan-pull-request.yml", () => {
  const step = stepNamed("plan-pull-request.yml", "Comment");
  const marker = step.env["MARKER"] ?? "";
  const bot = "github-actions[bot]";

  /** Stands in for gh: filters these comments with jq, and records every other call. Returns the calls. */
  function comment(comments: readonly object[]): string[] {
    writeFileSync(join(directory, "comments.json"), JSON.stringify(comments));
    const gh = ["#!/bin/bash", 'if [ "$1 $2" = "api --paginate" ]; then exec jq -r "$5" comments.json; fi', 'echo "$*" >>calls'];
    writeFileSync(join(directory, "gh"), gh.join("\n"));
    chmodSync(join(directory, "gh"), 0o755);
    writeFileSync(join(directory, "calls"), "");
    writeFileSync(join(directory, "nix-flake-deploy-summary-1.md"), "### The plan\n");
    const { status, stderr } = runStep(step, { REPOSITORY: "owner/flake", NUMBER: "7" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readFileSync(join(directory, "comment.md"), "utf8")).toBe(`${marker}\n\n### The plan\n`);
    return readFileSync(join(directory, "calls"), "utf8").split("\n").slice(0, -1);
  }

  const create = "pr comment 7 --repo owner/flake --body-file comment.md";

  test("adds a comment where there is none of its own", () => {
    expect(comment([])).toEqual([create]);
  });

  test("replaces its own comment, wherever it is", () => {
    const comments = [
      { id: 1, user: { login: bot }, body: "Coverage is 90%" },
      { id: 2, user: { login: bot }, body: `${marker}\n\nAn older plan` },
      { id: 3, user: { login: "someone" }, body: "Looks good" },
      { id: 4, user: { login: bot }, body: "Preview deployed" },
    ];
    expect(comment(comments)).toEqual(["api --silent --method PATCH repos/owner/flake/issues/comments/2 --field body=@comment.md"]);
  });

  test("leaves other comments of the same bot alone, and a person's that quotes the marker", () => {
    const comments = [
      { id: 1, user: { login: bot }, body: `Coverage\n${marker}` },
      { id: 2, user: { login: "someone" }, body: `${marker}\n\nA copy` },
    ];
    expect(comment(comments)).toEqual([create]);
  });

  test("replaces the first where there are several", () => {
    const comments = [5, 6].map((id) => ({ id, user: { login: bot }, body: `${marker}\n` }));
    expect(comment(comments)).toEqual(["api --silent --method PATCH repos/owner/flake/issues/comments/5 --field body=@comment.md"]);
  });
});
