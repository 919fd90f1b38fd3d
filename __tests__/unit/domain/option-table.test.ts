import { describe, expect, test } from "@jest/globals";

import { accepted, checkArguments, type OptionTable, refused } from "../../../src/domain/option-table.js";

const table: OptionTable = {
  program: "prog",
  lastWins: ["--option"],
  options: [
    accepted("--option", "change a setting", ["NAME", "VALUE"]),
    accepted("--max-jobs", "builds at a time", ["NUMBER"], ["-j"]),
    accepted("--verbose", "print more", [], ["-v", "-vv"]),
    refused("--override-input", "commit it to flake.lock instead", ["INPUT", "FLAKE"]),
    refused("--impure", "write it into the flake"),
  ],
  settings: [
    { name: "cores", verdict: { kind: "accepted", meaning: "cores" } },
    { name: "extra-features", verdict: { kind: "accepted", meaning: "features" } },
    { name: "substituters", verdict: { kind: "refused", reason: "set it in nix.conf" } },
  ],
};
const all = "allowed options are --option, --max-jobs, --verbose";

describe("arguments are accepted", () => {
  test.each([
    ["none", []],
    ["an option without words", ["--verbose"]],
    ["an option by its alias", ["-vv", "-v"]],
    ["an option with its word", ["--max-jobs", "4"]],
    ["a word that looks like a command", ["--max-jobs", `$(touch /harm) "it's" * ;`]],
    ["a word that is the name of another row", ["--max-jobs", "cores"]],
    ["a setting", ["--option", "cores", "2", "-v"]],
    ["a setting that begins with extra-", ["--option", "extra-features", "a b"]],
  ])("%s", (_, lines) => {
    expect(checkArguments(lines, table)).toEqual([]);
  });
});

describe("arguments are refused", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["an unknown option", ["--no-such-option"], [`"--no-such-option" is not allowed; ${all}`]],
    ["a word of its own", ["switch"], [`"switch" is not allowed; ${all}`]],
    ["two hyphens", ["--"], [`"--" is not allowed; ${all}`]],
    ["an abbreviation", ["--max"], [`"--max" is not allowed; ${all}`]],
    ["a number that sticks to its option", ["-j4"], [`"-j4" is not allowed; ${all}`]],
    ["a value behind =", ["--max-jobs=4"], ['"--max-jobs=4" is not allowed: write NUMBER on its own line, after --max-jobs']],
    ["a value on the same line", ["-j 4"], ['"-j 4" is not allowed: write NUMBER on its own line, after -j']],
    ["an option without its word", ["--max-jobs"], ["--max-jobs needs NUMBER, each on its own line"]],
    ["a setting without its value", ["--option", "cores"], ["--option needs NAME and VALUE, each on its own line"]],
    ["an option in place of a word", ["--max-jobs", "--impure"], ['--max-jobs needs NUMBER, but "--impure" starts with - and would be read as an option']],
    [
      "a refused option, once, with its words",
      ["--override-input", "nixpkgs", "github:x/y", "-v"],
      ["--override-input is not allowed: commit it to flake.lock instead"],
    ],
    [
      "a refused option without its words",
      ["--override-input", "--impure"],
      ["--override-input is not allowed: commit it to flake.lock instead", "--impure is not allowed: write it into the flake"],
    ],
    ["a refused option behind =", ["--override-input=x"], ["--override-input is not allowed: commit it to flake.lock instead"]],
    ["a refused setting", ["--option", "substituters", "https://x"], ["--option substituters is not allowed: set it in nix.conf"]],
    ["a refused setting with extra-", ["--option", "extra-substituters", "https://x"], ["--option extra-substituters is not allowed: set it in nix.conf"]],
    [
      "a refused setting as an option",
      ["--substituters", "https://x"],
      ['"--substituters" is not allowed: set it in nix.conf', `"https://x" is not allowed; ${all}`],
    ],
    ["a refused setting as an option with extra-", ["--extra-substituters"], ['"--extra-substituters" is not allowed: set it in nix.conf']],
    ["a setting as an option", ["--cores"], ['"--cores" is not allowed: write --option, cores and the value, each on its own line']],
    ["an unknown setting", ["--option", "sandbox", "false"], ['--option "sandbox" is not allowed; allowed settings are cores, extra-features']],
    [
      "extra- before a setting that is no list",
      ["--option", "extra-cores", "2"],
      ['--option "extra-cores" is not allowed; allowed settings are cores, extra-features'],
    ],
    [
      "an option of which only the last would count",
      ["--option", "cores", "2", "--option", "cores", "3"],
      ["--option is given more than once, but prog uses only the last one"],
    ],
  ])("%s", (_, lines, problems) => {
    expect(checkArguments(lines, table)).toEqual(problems);
  });

  test("a long line is shown shortened", () => {
    const [problem = ""] = checkArguments(["x".repeat(10_000)], table);
    expect(problem.length).toBeLessThan(200);
  });
});
