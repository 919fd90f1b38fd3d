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

async function compare(signal = new AbortController().signal): Promise<SystemDifference | undefined> {
  const shell = new RemoteShell(ssh.connection, { kind: "none" });
  return await compareSystems([makeStorePath("old"), makeStorePath("new")], shell, notesOf(notes), signal);
}

beforeEach(() => {
  notes.length = 0;
});

describe("a comparison of two systems", () => {
  const file = join(root, "__tests__/unit/nixos/recorded/difference-2.34.8.txt");

  test("is what the machine tells", async () => {
    ssh.answers({ file });
    expect((await compare())?.closure.packages.map(({ name }) => name)).toEqual(["curl", "hello", "linux", "nginx"]);
    expect(notes).toEqual([]);
  });

  test.each<[string, () => void, string]>([
    ["the machine's Nix refuses", () => ssh.answers({ exitCode: 1, stderr: "error: no such path\\n" }), "error: no such path"],
    ["it ends without a word", () => ssh.answers({ exitCode: 124 }), "exit code 124"],
    ["what it prints breaks off", () => ssh.answers({}), "it broke off"],
    ["the connection is lost", () => ssh.does("exit 255"), "the connection was lost"],
  ])("is a note in the log, and no error, where %s", async (_, prepare, reason) => {
    prepare();
    expect(await compare()).toBeUndefined();
    expect(notes).toEqual([`the difference between the two systems cannot be told: ${reason}`]);
  });

  test("does not throw either where the run is cancelled", async () => {
    ssh.does("sleep 60");
    expect(await compare(AbortSignal.abort())).toBeUndefined();
    expect(notes).toHaveLength(1);
  });
});
