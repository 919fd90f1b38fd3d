import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { root } from "../../../scripts/paths.js";
import type { SystemDifference } from "../../../src/deploy/ports.js";
import { NixosMachine } from "../../../src/nixos/machine.js";
import { Connection } from "../../../src/ssh/connection.js";
import { makeStorePath, makeTarget } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
const path = process.env["PATH"];
const notes: string[] = [];
const note = (text: string): void => {
  notes.push(text);
};

/** Puts an ssh in front of PATH that does this; the script that it is given is on its standard input. */
function ssh(script: string): void {
  writeFileSync(join(directory, "bin", "ssh"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, "bin", "ssh"), 0o755);
}

/** An ssh whose machine prints a file, in place of what the script would print, and ends with that code. */
function answering(file: string, exitCode = 0, stderr = ""): void {
  ssh(`nonce=$(sed -n "s/^echo 'begin \\([0-9a-f]*\\)'$/\\1/p")
echo "begin $nonce"
cat '${file}'
printf '${stderr}' >&2
echo "end $nonce ${exitCode}" >&2
exit ${exitCode}`);
}

async function compare(signal = new AbortController().signal): Promise<SystemDifference | undefined> {
  const settings = {
    run: "run1",
    name: "a run",
    access: { sudo: "auto", sudoPassword: undefined, needsRoot: false },
    checkSignatures: true,
    archiveArgs: [],
    rebuildArgs: [],
    patience: () => 1,
    configurationNames: async () => await Promise.resolve(undefined),
  } as const;
  const machine = new NixosMachine(new Connection(makeTarget(), 0, directory, 5), settings, {
    phase: () => undefined,
    ended: () => undefined,
    copying: () => undefined,
    output: note,
    note,
    warn: note,
  });
  return await machine.compare(makeStorePath("old"), makeStorePath("new"), signal);
}

beforeAll(() => {
  mkdirSync(join(directory, "bin"));
  process.env["PATH"] = `${join(directory, "bin")}:${path}`;
});
afterAll(() => {
  process.env["PATH"] = path;
});
beforeEach(() => {
  notes.length = 0;
});

describe("a comparison of two systems", () => {
  const recorded = join(root, "__tests__/unit/nixos/recorded/difference-2.34.8.txt");

  test("is what the machine tells", async () => {
    answering(recorded);
    expect((await compare())?.closure.packages.map(({ name }) => name)).toEqual(["curl", "hello", "linux", "nginx"]);
    expect(notes).toEqual([]);
  });

  test.each<[string, () => void, string]>([
    ["the machine's Nix refuses", () => answering("/dev/null", 1, "error: no such path\\n"), "error: no such path"],
    ["it ends without a word", () => answering("/dev/null", 124), "exit code 124"],
    ["what it prints breaks off", () => answering("/dev/null"), "it broke off"],
    ["the connection is lost", () => ssh("exit 255"), "the connection was lost"],
  ])("is a note in the log, and no error, where %s", async (_, prepare, reason) => {
    prepare();
    expect(await compare()).toBeUndefined();
    expect(notes).toEqual([`the difference between the two systems cannot be told: ${reason}`]);
  });

  test("does not throw either where the run is cancelled", async () => {
    ssh("sleep 60");
    expect(await compare(AbortSignal.abort())).toBeUndefined();
    expect(notes).toHaveLength(1);
  });
});
