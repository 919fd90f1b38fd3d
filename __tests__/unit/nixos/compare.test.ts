import { join } from "node:path";

import { beforeEach, describe, expect, test } from "@jest/globals";

import { root } from "../../../scripts/paths.js";
import type { SystemDifference } from "../../../src/deploy/ports.js";
import { compareSystems } from "../../../src/nixos/compare.js";
import { RemoteShell } from "../../../src/nixos/remote-shell.js";
import { makeStorePath } from "../domain/make.js";
import { notesOf, useFakeSsh } from "./fake-ssh.js";

const ssh = useFakeSsh();
const notes: string[] = [];

async function compare({ withUnits = true, signal = new AbortController().signal } = {}): Promise<SystemDifference | undefined> {
  const shell = new RemoteShell(ssh.connection, { kind: "none" });
  return await compareSystems([makeStorePath("old"), makeStorePath("new")], withUnits, shell, notesOf(notes), signal);
}

beforeEach(() => {
  notes.length = 0;
});

/** Has the machine run `units` and `difference` for the two parts of its answer, the first only where units are asked for, and end with `code`. */
function answers({ difference = "", units = "", code = 0 }: { readonly difference?: string; readonly units?: string; readonly code?: number }): void {
  ssh.does(`text=$(cat)
nonce=$(printf '%s' "$text" | sed -n "s/^echo 'begin \\([0-9a-f]*\\)'$/\\1/p")
echo "begin $nonce"
case $text in *unit_facts*)
${units}
echo difference
esac
${difference}
echo "end $nonce ${code}" >&2
exit ${code}`);
}

describe("a comparison of two systems", () => {
  const difference = `cat '${join(root, "__tests__/unit/nixos/recorded/difference-2.34.8.txt")}'`;
  const units = "printf '%s\\n' 'active active a.service' 'managed gone a.service' end";

  test("is what the machine reports of packages and units", async () => {
    answers({ difference, units });
    const found = await compare();
    expect(found?.closure.packages.map(({ name }) => name)).toEqual(["curl", "hello", "linux", "nginx"]);
    expect(found?.units).toMatchObject({ source: "unit-files", stop: ["a.service"] });
    expect(notes).toEqual([]);
  });

  test("has no units where they are not asked for", async () => {
    answers({ difference, units });
    const found = await compare({ withUnits: false });
    expect(found?.closure.packages).toHaveLength(4);
    expect(found?.units).toBeUndefined();
    expect(notes).toEqual([]);
  });

  test("has no units where the systems have none", async () => {
    answers({ difference });
    expect(await compare()).toMatchObject({ units: undefined });
    expect(notes).toEqual([]);
  });

  test.each<[string, string, string]>([
    ["the facts are incomplete", "echo 'active active a.service'", "the facts about units are incomplete"],
    ["systemd does not answer", "echo end", "systemd did not list its units"],
  ])("has no units, and says so in the log, where %s", async (_, broken, reason) => {
    answers({ difference, units: broken });
    expect(await compare()).toMatchObject({ closure: { rebuilt: 0 }, units: undefined });
    expect(notes).toEqual([`the effect of a switch on units is unknown: ${reason}`]);
  });

  test.each<[string, () => void, string]>([
    ["the machine's Nix refuses", () => answers({ difference: "echo 'error: no such path' >&2; echo failed 1", units }), "error: no such path"],
    ["its Nix ends without a word", () => answers({ difference: "echo failed 124", units }), "exit code 124"],
    ["the script fails", () => answers({ units: "echo 'sh: out of memory' >&2", code: 2 }), "sh: out of memory"],
    ["what it prints breaks off", () => answers({ units }), "incomplete output"],
    ["the connection is lost", () => ssh.does("exit 255"), "the connection was lost"],
  ])("is a note in the log, and no error, where %s", async (_, prepare, reason) => {
    prepare();
    expect(await compare()).toBeUndefined();
    expect(notes).toEqual([`the old and the new system could not be compared: ${reason}`]);
  });

  test("does not throw either where the run is cancelled", async () => {
    ssh.does("sleep 60");
    expect(await compare({ signal: AbortSignal.abort() })).toBeUndefined();
    expect(notes).toHaveLength(1);
  });
});
