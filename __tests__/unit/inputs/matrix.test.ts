import { describe, expect, test } from "@jest/globals";

import { nixos } from "../domain/make.js";
import { ownHostname } from "../../../src/domain/configuration.js";
import { readActionMetadata } from "../../../scripts/action-metadata.js";
import { InputError } from "../../../src/domain/errors.js";
import { matrixInputNames, parseMatrixInputs, type MatrixInputName, type MatrixInputs } from "../../../src/inputs/matrix.js";
import { thrown } from "../failure-of.js";

const defaults = new Map(readActionMetadata("matrix/action.yml").inputs.map((input) => [input.name, input.default]));

function parsed(overrides: Partial<Record<MatrixInputName, string>> = {}): MatrixInputs {
  return parseMatrixInputs((name) => overrides[name] ?? defaults.get(name) ?? "", 256);
}

function problemsOf(overrides: Partial<Record<MatrixInputName, string>>): string[] {
  return thrown(InputError, () => parsed(overrides)).problems.map(({ input, problem }) => `${input}: ${problem}`);
}

test("the defaults are those of matrix/action.yml", () => {
  expect([...defaults.keys()].toSorted()).toEqual([...matrixInputNames].toSorted());
  expect(parsed()).toEqual({ flake: ".", targets: [], selection: [], changedSince: undefined, shards: undefined, user: undefined, port: undefined });
});

describe("what is accepted", () => {
  test("values with white space around them", () => {
    expect(parsed({ flake: " ./nixos\n", shards: " 8 ", "ssh-user": " deploy ", "ssh-port": "2222\n", "changed-since": " HEAD~1 " })).toMatchObject({
      flake: "./nixos",
      shards: 8,
      user: "deploy",
      port: 2222,
      changedSince: "HEAD~1",
    });
  });

  test("explicit targets, of which some are selected, with user and port left open", () => {
    expect(parsed({ targets: "web1\nroot@web2:2222#two\nweb3", select: "web1,two" }).targets).toEqual([
      { name: "web1", request: { host: "web1", user: undefined, port: undefined, configuration: ownHostname }, system: undefined, tags: [] },
      { name: "two", request: { host: "web2", user: "root", port: 2222, configuration: nixos("two") }, system: undefined, tags: [] },
    ]);
  });

  test.each(["1", "256"])("shards: %s", (shards) => {
    expect(parsed({ shards }).shards).toBe(Number(shards));
  });

  test.each(["0".repeat(40), "main", "HEAD^", "v1.0", "refs/heads/a-b", "@{upstream}"])("changed-since: %s", (revision) => {
    expect(parsed({ "changed-since": revision }).changedSince).toBe(revision);
  });
});

describe("what is refused", () => {
  test.each<[MatrixInputName, string, string]>([
    [
      "flake",
      ".#web1",
      '".#web1" contains a #; put the configuration into targets (host#configuration); expected a flake reference without #, for example `.`, `./nixos` or `github:org/repo`',
    ],
    ["shards", "0", '"0" is not valid; expected a whole number from 1 to 256, or nothing'],
    ["shards", "257", '"257" is not valid; expected a whole number from 1 to 256, or nothing'],
    ["shards", "many", '"many" is not valid; expected a whole number from 1 to 256, or nothing'],
    ["ssh-port", "70000", '"70000" is not valid; expected a whole number from 1 to 65535, or nothing'],
    ["ssh-user", "-x", "its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)"],
    ["changed-since", "--all", '"--all" is not valid; expected a Git revision, for example ${{ github.event.before }}'],
    ["changed-since", "a b", '"a b" is not valid; expected a Git revision, for example ${{ github.event.before }}'],
    ["targets", "web1\nweb1:22", "web1 port 22 is listed twice; one run can deploy only one configuration per machine"],
  ])("%s: %j", (name, text, problem) => {
    expect(problemsOf({ [name]: text })).toEqual([`${name}: ${problem}`]);
  });

  test("targets that are not a list, and invalid targets", () => {
    expect(problemsOf({ targets: "[]" })).toEqual([expect.stringMatching(/^targets: lists no hosts; expected /)]);
    expect(problemsOf({ targets: "-x" })).toEqual([expect.stringMatching(/^targets: line 1 \("-x"\): its host starts with -/)]);
  });

  test("a selection that matches none of the targets", () => {
    expect(problemsOf({ targets: "web1", select: "web*,db*" })).toEqual(["select: db* matches no host; available: web1"]);
  });

  test("all at once", () => {
    const everything = { flake: "", targets: "#", select: ",", "changed-since": "-", shards: "x", "ssh-user": "-", "ssh-port": "x" };
    expect(new Set(problemsOf(everything).map((problem) => problem.replace(/:.*/s, "")))).toEqual(new Set(matrixInputNames));
  });
});
