import { appendFileSync, mkdtempSync } from "node:fs";

import { describe, expect, test } from "@jest/globals";

import { CommandError, EvaluationError, InputError, RunnerError } from "../../../src/domain/errors.js";
import { problemAnnotation } from "../../../src/report/problem.js";

describe("the annotation of a problem", () => {
  test("tells bad inputs and a bare runner as they are", () => {
    const problem = new InputError([{ input: "targets", problem: "names no machine" }]);
    expect(problemAnnotation(problem)).toEqual({ title: "The deployment cannot begin", message: problem.message });
    expect(problemAnnotation(new RunnerError("nix is not on this runner"))).toMatchObject({
      title: "The deployment cannot begin",
      message: "nix is not on this runner",
    });
  });

  test("tells a command with its last lines", () => {
    const stderr = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
    const annotation = problemAnnotation(new CommandError({ command: "nix flake metadata", failure: { kind: "exit", exitCode: 1 }, stdout: "", stderr }));
    expect(annotation.title).toBe("A command on the runner failed; no machine was changed");
    expect(annotation.message.split("\n")).toEqual(["exit code 1: nix flake metadata", ...Array.from({ length: 20 }, (_, index) => `line ${index + 10}`)]);
  });

  test("shows an evaluation error as Nix has it, and of a long command line the beginning", () => {
    const cause = new CommandError({ command: `nix eval '${"x".repeat(8000)}'`, failure: { kind: "exit", exitCode: 1 }, stdout: "", stderr: "error: boom" });
    expect(problemAnnotation(new EvaluationError(".", ["error: boom", "at flake.nix:1:2:"], cause))).toEqual({
      title: "The flake does not evaluate; no machine was changed",
      message: "The flake . does not evaluate:\n  error: boom\n  at flake.nix:1:2:",
    });
    expect(problemAnnotation(cause).message.length).toBeLessThan(400);
    expect(problemAnnotation(cause).message).toMatch(/\nerror: boom$/);
  });

  test("tells a full disk in one sentence", () => {
    let problem: unknown;
    try {
      appendFileSync("/dev/full", "x");
    } catch (error) {
      problem = error;
    }
    expect(problemAnnotation(problem)).toEqual({
      title: "A file on the runner cannot be used; no machine was changed",
      message: "ENOSPC: no space left on device, write.",
    });
    try {
      mkdtempSync("/nonexistent/nix-flake-deploy-");
    } catch (error) {
      problem = error;
    }
    expect(problemAnnotation(problem).message).toMatch(/^ENOENT: [^\n]*\. Check the space and the permissions of \/nonexistent\.$/);
  });

  test("tells a fault of ours with its stack", () => {
    const annotation = problemAnnotation(new TypeError("x is not a function"));
    expect(annotation.title).toBe("A fault in nix-flake-deploy");
    expect(annotation.message).toMatch(/^TypeError: x is not a function\n +at /);
    expect(problemAnnotation("a text").message).toBe("a text");
  });
});
