import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "@jest/globals";

import { CommandError, RunnerError } from "../../../src/domain/errors.js";
import { isShallow, resolveCommit, revParseArguments } from "../../../src/git/commit.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
const repository = join(directory, "repository");
const shallow = join(directory, "shallow");
let first: string;

function git(at: string, ...args: string[]): string {
  const who = ["-c", "user.name=test", "-c", "user.email=test@test", "-c", "commit.gpgSign=false"];
  return execFileSync("git", ["-C", at, ...who, ...args], { encoding: "utf8" }).trim();
}

beforeAll(() => {
  mkdirSync(repository);
  git(repository, "init", "--quiet", "--initial-branch=main");
  for (const text of ["one", "two"]) {
    writeFileSync(join(repository, "file"), text);
    git(repository, "add", "file");
    git(repository, "commit", "--quiet", "--message", text);
    git(repository, "tag", "--annotate", "--message", text, text);
  }
  first = git(repository, "rev-parse", "HEAD~1");
  execFileSync("git", ["clone", "--quiet", "--depth", "1", `file://${repository}`, shallow]);
});

describe("a revision", () => {
  test.each(["HEAD~1", "main^", "one", "refs/tags/one"])("%s is a commit", async (revision) => {
    expect(await resolveCommit(repository, revision)).toEqual({ kind: "commit", id: first });
  });

  test("is one by its full and by its short id", async () => {
    for (const id of [first, first.slice(0, 8)]) expect(await resolveCommit(repository, id)).toEqual({ kind: "commit", id: first });
  });

  test.each(["nowhere", "0".repeat(40), "1".repeat(40), "HEAD:file", "--all"])("%s is none", async (revision) => {
    expect(await resolveCommit(repository, revision)).toEqual({ kind: "missing", shallow: false });
  });

  test("that a shallow clone lacks is reported as missing", async () => {
    expect(await resolveCommit(shallow, first)).toEqual({ kind: "missing", shallow: true });
    expect(await isShallow(repository)).toBe(false);
  });

  test("is never an option", () => {
    expect(revParseArguments("/x", "--output=y")).toEqual(["-C", "/x", "rev-parse", "--verify", "--quiet", "--end-of-options", "--output=y^{commit}"]);
  });
});

test("outside of a work tree is git's own error", async () => {
  const error = await rejection(CommandError, resolveCommit("/", "HEAD"));
  expect(error.stderr).toContain("not a git repository");
});

test("without git, the step to add is reported", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = directory;
  try {
    const error = await rejection(RunnerError, resolveCommit(repository, "HEAD"));
    expect(error.message).toMatch(/^git was not found on this runner; changed-since needs it\. Add this to the workflow before this step: - run: /);
  } finally {
    process.env["PATH"] = path;
  }
});
