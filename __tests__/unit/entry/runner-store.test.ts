import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { InputError } from "../../../src/domain/errors.js";
import type { StorePath } from "../../../src/domain/store-path.js";
import { requireSystemsHere, runnerStore } from "../../../src/entry/runner-store.js";
import { makeStorePath } from "../domain/make.js";
import { thrown } from "../failure-of.js";
import { withProgram } from "../nix/fake-nix.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
const { signal } = new AbortController();
const here = makeStorePath("here");
const elsewhere = makeStorePath("elsewhere");

/** A nix-store that has one path, and notes how it is called. */
const nixStore = `echo "$*" >> ${directory}/calls
case $1 in
--check-validity) printf '%s\\n' "$@" | grep -x ${elsewhere} || true ;;
--realise) echo "error: path '$2' does not exist and cannot be created" >&2; exit 1 ;;
esac`;

describe("the store of the runner", () => {
  test("is queried once for a system, however many machines get it", async () => {
    const lines: string[] = [];
    await withProgram(directory, "nix-store", nixStore, async () => {
      const store = runnerStore({ signal, onLine: (line) => lines.push(line) });
      expect(await Promise.all([store.has(here), store.has(here), store.has(elsewhere)])).toEqual([true, true, false]);
      const refusal = [`error: path '${elsewhere}' does not exist and cannot be created`];
      expect(await Promise.all([store.download(elsewhere), store.download(elsewhere)])).toEqual([refusal, refusal]);
    });
    expect(readFileSync(`${directory}/calls`, "utf8").trim().split("\n")).toHaveLength(3);
    expect(lines).toHaveLength(1);
  });
});

test("a directory that is no system of NixOS is refused at once, and what is not here is left to the machines", () => {
  const at = (name: string): StorePath => {
    const path = join(directory, name);
    mkdirSync(join(path, "bin"), { recursive: true });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a path of the store cannot be made in a unit test
    return path as StorePath;
  };
  writeFileSync(join(at("system"), "bin/switch-to-configuration"), "");
  expect(existsSync(elsewhere)).toBe(false);
  expect(() =>
    requireSystemsHere(
      new Map([
        ["web1", at("system")],
        ["web2", elsewhere],
      ]),
    ),
  ).not.toThrow();
  expect(
    thrown(InputError, () =>
      requireSystemsHere(
        new Map([
          ["web1", at("system")],
          ["web2", at("package")],
        ]),
      ),
    ).problems,
  ).toMatchObject([{ input: "systems", problem: expect.stringMatching(/^\S+package of web2 is not a NixOS system/) }]);
});
