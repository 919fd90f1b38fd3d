import { describe, expect, test } from "@jest/globals";

import { checkArguments, type OptionTable, type Verdict } from "../../src/domain/option-table.js";
import { archiveOptions } from "../../src/nix/archive-options.js";
import { buildOptions } from "../../src/nix/build-options.js";
import { settingTable } from "../../src/nix/setting-table.js";
import { rebuildOptions } from "../../src/nixos/rebuild-options.js";

const text = (verdict: Verdict): string => (verdict.kind === "accepted" ? verdict.meaning : verdict.reason);

describe.each([
  ["archive-args", archiveOptions],
  ["rebuild-args", rebuildOptions],
  ["build-args", buildOptions],
] as const)("the options of %s", (_, table: OptionTable) => {
  const { options } = table;

  test("have a name that is an option, and a meaning or a reason", () => {
    expect(options.filter(({ name, aliases }) => [name, ...aliases].some((spelling) => !/^-{1,2}[A-Za-z][a-z-]*$/.test(spelling)))).toEqual([]);
    expect(options.filter(({ verdict }) => text(verdict).length < 10)).toEqual([]);
    expect(options.filter(({ words }) => words.some((word) => !/^[A-Z]+$/.test(word)))).toEqual([]);
  });

  test("are listed once each", () => {
    const spellings = options.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(spellings.filter((spelling, index) => spellings.indexOf(spelling) !== index)).toEqual([]);
  });

  test("are accepted with their words, or refused with their reason", () => {
    for (const { name, aliases, words, verdict } of options) {
      const values = name === "--option" ? ["cores", "2"] : words.map(() => "word");
      for (const spelling of [name, ...aliases]) {
        expect(checkArguments([spelling, ...values], table)).toEqual(verdict.kind === "accepted" ? [] : [`${name} is not allowed: ${verdict.reason}`]);
      }
    }
  });

  test("refuse an unknown option with the list of what is accepted", () => {
    const names = options.filter(({ verdict }) => verdict.kind === "accepted").map(({ name }) => name);
    expect(names.length).toBeGreaterThan(5);
    expect(checkArguments(["--no-such-option"], table)).toEqual([`"--no-such-option" is not allowed; allowed options are ${names.join(", ")}`]);
  });
});

describe("the settings of --option", () => {
  test("have a meaning or a reason, and are listed once each", () => {
    const names = settingTable.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(settingTable.filter(({ verdict }) => text(verdict).length < 10)).toEqual([]);
  });

  test.each(settingTable.flatMap(({ name, verdict }) => (verdict.kind === "refused" ? [[name, verdict.reason]] : [])))("%s is refused", (name, reason) => {
    expect(checkArguments(["--option", name, "x"], archiveOptions)).toEqual([`--option ${name} is not allowed: ${reason}`]);
  });
});

test("what changes which flake, path, store, profile, channel or host is meant is refused by both", () => {
  const dangerous = ["--flake", "--file", "--attr", "--impure", "--profile-name", "--target-host", "--build-host", "--upgrade", "--override-input"];
  for (const option of dangerous) expect(checkArguments([option, "x", "y"], rebuildOptions)[0]).toMatch(/^--[a-z-]+ is not allowed: /);
  const stores = ["--to", "--store", "--eval-store", "--override-input", "--inputs-from", "--dry-run", "--json", "--no-check-sigs", "--impure"];
  for (const option of stores) expect(checkArguments([option, "x", "y"], archiveOptions)[0]).toMatch(/^--[a-z-]+ is not allowed: /);
});
