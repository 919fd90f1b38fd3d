import { describe, expect, test } from "@jest/globals";

import { readActionMetadata } from "../../../scripts/action-metadata.js";
import { InputError } from "../../../src/domain/errors.js";
import { buildInputNames, parseBuildInputs, type BuildInputName, type BuildInputs } from "../../../src/inputs/build.js";
import { misplacedKey } from "../../../src/inputs/misplaced-secrets.js";
import { thrown } from "../failure-of.js";
import { makeKey } from "../ssh/keys.js";

const defaults = new Map(readActionMetadata("build/action.yml").inputs.map((input) => [input.name, input.default]));

function parsed(overrides: Partial<Record<BuildInputName, string>> = {}): BuildInputs {
  return parseBuildInputs((name) => overrides[name] ?? defaults.get(name) ?? "");
}

function problemsOf(overrides: Partial<Record<BuildInputName, string>>): string[] {
  return thrown(InputError, () => parsed(overrides)).problems.map(({ input, problem }) => `${input}: ${problem}`);
}

test("the defaults are those of build/action.yml", () => {
  expect([...defaults.keys()].toSorted()).toEqual([...buildInputNames].toSorted());
  expect(parsed()).toEqual({ flake: ".", targets: [], selection: [], changedSince: undefined, user: undefined, port: undefined, buildArgs: [] });
});

describe("the inputs of a build", () => {
  test("are arguments of the builds, and targets that name their configurations", () => {
    const inputs = { targets: "web1#web1\nweb2#two", select: "two", "build-args": "--max-jobs\n2" };
    expect(parsed(inputs)).toMatchObject({ targets: [{ name: "two" }], buildArgs: ["--max-jobs", "2"] });
  });

  test("are refused all at once", () => {
    expect(problemsOf({ targets: "web1\nweb2#web2\n10.0.0.3", "build-args": "--impure", "changed-since": "-" })).toEqual([
      expect.stringMatching(/^changed-since: /),
      "targets: gives no configuration for web1, 10.0.0.3, whose hostnames are unknown because no machine is contacted; expected host#configuration",
      expect.stringMatching(/^build-args: --impure/),
    ]);
  });

  test("need the configurations of selected targets alone", () => {
    expect(parsed({ targets: "web1\nweb2#web2", select: "web2" }).targets).toHaveLength(1);
  });

  test("are no place for a private key", () => {
    expect(problemsOf({ "build-args": makeKey().secret })).toEqual([`build-args: ${misplacedKey}`]);
  });
});
