import { existsSync, readFileSync, rmSync } from "node:fs";

import { beforeEach, describe, expect, test } from "@jest/globals";

import { EvaluationError } from "../../../src/domain/errors.js";
import type { Inventory } from "../../../src/domain/inventory.js";
import { parseSelection } from "../../../src/domain/selection.js";
import { readInventory } from "../../../src/nix/inventory.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix } from "./fake-nix.js";

const directory = temporaryDirectory();
const calls = `${directory}/calls`;
const options = { cwd: directory, signal: undefined, onLine: (): void => undefined };

beforeEach(() => rmSync(calls, { force: true }));

/** Reads the inventory with a nix that does this; `$names` is the list that the expression is given, or null. */
async function read(script: string, selection = ""): Promise<Inventory> {
  const nix = `arguments=$(printf '%s\\n' "$7" | tail -n 1)
names=$(printf '%s\\n' "$arguments" | sed -n 's/.* names = \\(null\\|\\[[^]]*\\]\\);.*/\\1/p' | tr -d '"')
printf '%s\\n' "$arguments" >> ${calls}
${script}`;
  return await withNix(directory, nix, async () => await readInventory("path:/nix/store/x", { selection: parseSelection(selection), details: false }, options));
}

const called = (): string[] => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []);
const plain = (name: string): string => `"${name}":{"kind":"nixos","host":"${name}"}`;

describe("the inventory of a flake", () => {
  test("is read in one evaluation", async () => {
    const { names, entries } = await read(`echo '{"names":["a","b"],"wanted":["a","b"],"machines":{${plain("a")},${plain("b")}}}'`);
    expect(names).toEqual(["a", "b"]);
    expect(entries).toMatchObject([
      { kind: "machine", name: "a" },
      { kind: "machine", name: "b" },
    ]);
    expect(called()).toHaveLength(1);
  });

  test("leaves the choice by names to Nix, and needs details for a choice by tags", async () => {
    const empty = `echo '{"names":["a"],"wanted":[],"machines":{}}'`;
    await read(empty, "a,b*");
    await read(empty, "@web");
    expect(called()[0]).toMatch(/patterns = \[ "a" "b\.\*" \];.* details = false;/);
    expect(called()[1]).toMatch(/patterns = null;.* details = true;/);
  });

  test("asks again for a machine that throws, and has Nix's words", async () => {
    const { entries } = await read(`case $names in
  null) echo '{"names":["a","b"],"wanted":["a","b"],"machines":{"a":{"kind":"broken"},${plain("b")}}}' ;;
  *) echo 'error: a is broken on purpose' >&2; exit 1 ;;
esac`);
    expect(entries).toMatchObject([
      { kind: "unusable", name: "a", lines: expect.arrayContaining([expect.stringContaining("a is broken on purpose")]) },
      { kind: "machine", name: "b" },
    ]);
    expect(called()).toHaveLength(2);
  });

  test("finds the machine that ends the whole evaluation, and keeps the others", async () => {
    const { entries } = await read(`case " $names " in
  *" null "* | *" b "*) echo 'error: stack overflow' >&2; exit 1 ;;
  *" [  ] "*) echo '{"names":["a","b","c"],"wanted":["a","b","c"],"machines":{}}' ;;
  *" a c "* | *" a "*" c "*) echo '{"names":[],"wanted":[],"machines":{${plain("a")},${plain("c")}}}' ;;
  *" a "*) echo '{"names":[],"wanted":[],"machines":{${plain("a")}}}' ;;
  *) echo '{"names":[],"wanted":[],"machines":{${plain("c")}}}' ;;
esac`);
    expect(entries.map(({ kind, name }) => [kind, name])).toEqual([
      ["machine", "a"],
      ["unusable", "b"],
      ["machine", "c"],
    ]);
  });

  test("is an evaluation error where not even the names can be read", async () => {
    const error = await rejection(EvaluationError, read("echo 'error: syntax error, unexpected end of file' >&2; exit 1"));
    expect(error.lines.join("\n")).toContain("syntax error");
  });
});
