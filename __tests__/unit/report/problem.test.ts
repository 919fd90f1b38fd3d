import { appendFileSync, mkdtempSync } from "node:fs";

import { describe, expect, test } from "@jest/globals";

import { CommandError, EvaluationError, InputError, RunnerError } from "../../../src/domain/errors.js";
import { problemAnnotation } from "../../../src/report/problem.js";

describe("the annotation of a problem", () => {
  test("reports bad inputs and a bare runner as they are", () => {
    const problem = new InputError([{ input: "targets", problem: "lists no hosts" }]);
    expect(problemAnnotation(problem)).toEqual({ title: "The deployment could not start", message: problem.message });
    expect(problemAnnotation(new RunnerError("nix was not found on this runner", { topic: "programs-missing" }))).toMatchObject({
      title: "The deployment could not start",
      message: "nix was not found on this runner\nSee docs/troubleshooting.md#programs-missing",
    });
  });

  test("reports a command with its last lines", () => {
    const stderr = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
    const annotation = problemAnnotation(new CommandError({ command: "nix flake metadata", failure: { kind: "exit", exitCode: 1 }, stdout: "", stderr }));
    expect(annotation.title).toBe("A command on the runner failed; no host was changed");
    expect(annotation.message.split("\n")).toEqual(["exit code 1: nix flake metadata", ...Array.from({ length: 20 }, (_, index) => `line ${index + 10}`)]);
  });

  test("shows an evaluation error as Nix has it, and of a long command line the beginning", () => {
    const cause = new CommandError({ command: `nix eval '${"x".repeat(8000)}'`, failure: { kind: "exit", exitCode: 1 }, stdout: "", stderr: "error: boom" });
    expect(problemAnnotation(new EvaluationError(".", ["error: boom", "at flake.nix:1:2:"], cause))).toEqual({
      title: "The flake does not evaluate; no host was changed",
      message: "The flake . does not evaluate:\n  error: boom\n  at flake.nix:1:2:\nSee docs/troubleshooting.md#evaluation-failed",
    });
    expect(problemAnnotation(cause).message.length).toBeLessThan(400);
    expect(problemAnnotation(cause).message).toMatch(/\nerror: boom$/);
  });

  test("reports a full disk in one sentence", () => {
    let problem: unknown;
    try {
      appendFileSync("/dev/full", "x");
    } catch (error) {
      problem = error;
    }
    expect(problemAnnotation(problem)).toEqual({
      title: "A file on the runner could not be used; no host was changed",
      message: "ENOSPC: no space left on device, write.",
    });
    try {
      mkdtempSync("/nonexistent/nix-flake-deploy-");
    } catch (error) {
      problem = error;
    }
    expect(problemAnnotation(problem).message).toMatch(/^ENOENT: [^\n]*\. Check the space and the permissions of \/nonexistent\.$/);
  });

  test("reports an internal error with its stack", () => {
    const annotation = problemAnnotation(new TypeError("x is not a function"));
    expect(annotation.title).toBe("Internal error");
    expect(annotation.message).toMatch(/^TypeError: x is not a function\n +at /);
    expect(problemAnnotation("a text").message).toBe("a text");
  });
});
