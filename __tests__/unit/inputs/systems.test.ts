import { describe, expect, test } from "@jest/globals";

import { readActionMetadata } from "../../../scripts/action-metadata.js";
import { InputError } from "../../../src/domain/errors.js";
import { parseInputs, type InputName, type Inputs } from "../../../src/inputs/deploy.js";
import { makeStorePath } from "../domain/make.js";
import { thrown } from "../failure-of.js";

const defaults = new Map(readActionMetadata().inputs.map((input) => [input.name, input.default]));
const web1 = makeStorePath("nixos-system-web1");
const web2 = makeStorePath("nixos-system-web2");
const both = JSON.stringify({ web1, web2 });
const targets = "root@10.0.0.1#web1\nroot@10.0.0.2#web2";

function parsed(overrides: Partial<Record<InputName, string>>): Inputs {
  const needed: Partial<Record<InputName, string>> = { "ssh-auth": "none", "ssh-strict": "false", targets, systems: both };
  return parseInputs((name) => overrides[name] ?? needed[name] ?? defaults.get(name) ?? "");
}

function problemsOf(overrides: Partial<Record<InputName, string>>): string[] {
  return thrown(InputError, () => parsed(overrides)).problems.map(({ input, problem }) => `${input}: ${problem}`);
}

describe("systems that were built before the run", () => {
  test("are matched with the targets by name", () => {
    expect(parsed({}).systems).toEqual(
      new Map([
        ["web1", web1],
        ["web2", web2],
      ]),
    );
    // No hostname is needed.
    expect(parsed({ targets: "web1\nweb2" }).systems?.size).toBe(2);
  });

  test("may be of targets that are not selected, whose systems are not needed", () => {
    expect(parsed({ select: "web1" }).targets).toHaveLength(1);
    expect(parsed({ select: "web1", systems: JSON.stringify({ web1 }) }).targets).toHaveLength(1);
  });

  test.each<[Partial<Record<InputName, string>>, readonly unknown[]]>([
    [{ systems: JSON.stringify({ web1 }) }, ["systems: has no system for web2; expected one for each target, by its name"]],
    [{ targets: "root@10.0.0.1#web1" }, ["systems: has a system for web2, which is not a target; the targets are web1"]],
    [
      { targets: "root@10.0.0.1#web3", systems: JSON.stringify({ web1 }) },
      [
        "systems: has no system for web3; expected one for each target, by its name",
        "systems: has a system for web1, which is not a target; the targets are web3",
      ],
    ],
    [{ targets: "" }, ["targets: is empty, but with systems no flake is read that could list the hosts; expected the output targets of the action build"]],
    [{ targets: "[]", systems: "{}" }, [expect.stringMatching(/^targets: lists no hosts; expected /)]],
    [{ systems: "{}" }, ["systems: has no system for web1, web2; expected one for each target, by its name"]],
  ])("are refused where they do not match: %j", (inputs, problems) => {
    expect(problemsOf(inputs)).toEqual(problems);
  });

  const nothing = "but with systems nothing is evaluated or built; remove one of the two";

  test.each<[Partial<Record<InputName, string>>, string]>([
    [{ flake: "./nixos" }, `flake: is set, ${nothing}`],
    [{ "build-on": "target" }, `build-on: is target, ${nothing}`],
    [{ "evaluate-on": "runner" }, `evaluate-on: is runner, ${nothing}`],
    [{ "evaluate-on": "target" }, `evaluate-on: is target, ${nothing}`],
    [{ "archive-args": "--refresh" }, `archive-args: is set, ${nothing}`],
    [{ "rebuild-args": "-L" }, `rebuild-args: is set, ${nothing}`],
    [{ "build-args": "--fallback" }, `build-args: is set, ${nothing}`],
    [{ operation: "rollback" }, "operation: is rollback, which activates a system that the host has; with systems, expected another operation"],
    [
      { targets: JSON.stringify([{ host: "web1", configuration: "web1", "build-on": "target" }, "web2"]) },
      `targets: says build-on: target for web1, ${nothing}`,
    ],
  ])("leave nothing to build: %j", (inputs, problem) => {
    expect(problemsOf(inputs)).toEqual([problem]);
  });

  test("are refused with all other bad inputs at once", () => {
    const inputs = { systems: '{"web1":"./result"}', flake: "./nixos", "rebuild-args": "-L", operation: "rollback", "max-parallel": "0" };
    expect(new Set(problemsOf(inputs).map((problem) => problem.replace(/:.*/s, "")))).toEqual(
      new Set(["systems", "flake", "rebuild-args", "operation", "max-parallel"]),
    );
  });

  test("that are no JSON are one problem, not one for each target", () => {
    expect(problemsOf({ systems: "none" })).toEqual([expect.stringMatching(/^systems: is not valid JSON/)]);
  });

  test.each(["switch", "boot", "test", "dry-activate", "build"])("go with operation: %s", (operation) => {
    expect(parsed({ operation, "build-on": "runner" }).operation).toBe(operation);
  });
});
