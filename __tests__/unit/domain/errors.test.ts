import { describe, expect, test } from "@jest/globals";

import { renderFailure } from "../../../src/domain/failure.js";
import { briefReason, CommandError, DeployError, EvaluationError, InputError, type CommandFailure } from "../../../src/domain/errors.js";

describe("InputError", () => {
  test("names all bad inputs, one per line", () => {
    const error = new InputError([
      { input: "targets", problem: "lists no hosts" },
      { input: "elevate", problem: "is not accepted" },
    ]);
    expect(error.message).toBe("2 inputs are invalid; no host was changed:\n  targets: lists no hosts\n  elevate: is not accepted");
  });

  test("speaks of one where it is one", () => {
    expect(new InputError([{ input: "elevate", problem: "is bad" }]).message).toBe("An input is invalid; no host was changed:\n  elevate: is bad");
  });
});

describe("briefReason", () => {
  const command = (stderr: string): CommandError => new CommandError({ command: "nix", failure: { kind: "exit", exitCode: 1 }, stdout: "", stderr });

  test.each([
    [new InputError([{ input: "flake", problem: "there is no ./x", advice: "Accepted is a directory. Is there a checkout?" }]), "flake: there is no ./x"],
    [new EvaluationError(".", ["error: undefined variable 'x'", "at flake.nix:1:1:"], command("")), "the flake does not evaluate: undefined variable 'x'"],
    [command("warning: x\nerror:\n       … while y\n\n       error: no such thing\n"), "error: no such thing"],
    [command(""), "exit code 1: nix"],
    [new Error("It is broken.\nTwice"), "It is broken."],
    ["a text", "a text"],
  ])("of %s", (problem, reason) => {
    expect(briefReason(problem)).toBe(reason);
  });
});

describe("CommandError", () => {
  test.each<[CommandFailure, string]>([
    [{ kind: "exit", exitCode: 4 }, "exit code 4: nix build"],
    [{ kind: "signal", signal: "SIGKILL" }, "terminated by SIGKILL: nix build"],
    [{ kind: "timeout", seconds: 30 }, "timed out after 30 s: nix build"],
    [{ kind: "aborted" }, "aborted: nix build"],
    [{ kind: "spawn", code: "ENOENT" }, "command not found: nix build"],
    [{ kind: "spawn", code: "EACCES" }, "could not be started (EACCES): nix build"],
  ])("includes %j", (failure, message) => {
    const cause = new Error("why");
    const error = new CommandError({ command: "nix build", failure, stdout: "o", stderr: "e", cause });
    expect(error).toMatchObject({ message, cause, failure, stdout: "o", stderr: "e", name: "CommandError" });
  });
});

describe("DeployError", () => {
  test("is reported as reason, hint and the last lines", () => {
    const error = new DeployError({ phase: "copy", reason: "no space", hint: "Free space", lines: ["a", "b"], exitCode: 1, unreachable: true });
    expect(error.message).toBe("no space");
    expect(renderFailure(error.failure)).toBe("no space. Free space\n  a\n  b");
    expect(error).toMatchObject({ phase: "copy", reason: "no space", hint: "Free space", lines: ["a", "b"], exitCode: 1, unreachable: true });
  });

  test("needs the reason alone", () => {
    expect(new DeployError({ phase: "build", reason: "it broke" })).toMatchObject({ message: "it broke", lines: [], unreachable: false, exitCode: undefined });
  });
});
