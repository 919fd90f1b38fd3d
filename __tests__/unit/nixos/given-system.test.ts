import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { AnswerError, DeployError } from "../../../src/domain/errors.js";
import type { StorePath } from "../../../src/domain/store-path.js";
import { downloadSome, downloadThere, requireSystem } from "../../../src/nixos/given-system.js";
import type { CallScript } from "../../../src/nixos/job.js";
import { callOnce } from "../../../src/nixos/reconnect.js";
import { RemoteShell } from "../../../src/nixos/remote-shell.js";
import { run } from "../../../src/process/run.js";
import { makeStorePath } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { notesOf } from "./fake-ssh.js";

const directory = temporaryDirectory();
const { signal } = new AbortController();
const path = makeStorePath("nixos-system-web1");

describe("a download of a machine", () => {
  /** A machine whose job prints this and ends so. */
  const machine =
    (log: string, exit: number, commands: (readonly string[])[] = []): CallScript =>
    async (next) => {
      const call = next();
      commands.push(call.args);
      call.onStdout?.(Buffer.from(log));
      return await Promise.resolve({ kind: "ended", exitCode: 0, stdout: "", stderr: `exit=${exit}\nresult=${path}\n` });
    };
  const site = { run: "run1", privileged: true, log: notesOf([]) };

  test("counts the paths, and keeps them", async () => {
    const commands: (readonly string[])[] = [];
    const log = `copying path '${path}' from 'https://cache.example.org'...\ncopying path '${path}-2' from 'file:///cache'...\n${path}\n`;
    const download = await downloadThere(path, { ...site, call: machine(log, 0, commands) });
    expect(download).toEqual({ kind: "downloaded", copied: { paths: 2, expectedPaths: 2, bytes: undefined } });
    expect(commands[0]?.slice(-5)).toEqual(["nix-store", "--realise", path, "--add-root", "result"]);
  });

  test("that fails is reported in Nix's words", async () => {
    const log = `warning: x\nerror: path '${path}' does not exist and cannot be created\n`;
    expect(await downloadThere(path, { ...site, call: machine(log, 1) })).toEqual({ kind: "unavailable", lines: log.trim().split("\n") });
  });
});

describe("a download of what a machine's binary caches have", () => {
  const download = async (call: CallScript): Promise<string[]> => {
    const notes: string[] = [];
    await downloadSome([path], { run: "run1", privileged: true, log: notesOf(notes), call });
    return notes;
  };
  const ended = { kind: "ended", exitCode: 0, stdout: "" } as const;

  test("shows what is downloaded, and fails with nothing that the next copy does not report", async () => {
    const starts: (readonly string[])[] = [];
    const log = `copying path '${path}' from 'file:///cache'...\n${path}\nerror: some of it failed\n`;
    const notes = await download(async (next) => {
      const call = next();
      starts.push(call.args);
      call.onStdout?.(Buffer.from(log));
      return await Promise.resolve({ ...ended, stderr: "exit=1\n" });
    });
    expect(notes).toEqual([`copying path '${path}' from 'file:///cache'...`, "error: some of it failed"]);
    expect(starts[0]?.slice(-4)).toEqual(["nix-store", "--realise", "--ignore-unknown", path]);
  });

  test.each([
    ["could not be started", 1, 0],
    ["was lost", 0, 3],
  ])("that %s is left to the next copy", async (_, start, follow) => {
    const call: CallScript = async (next) => await Promise.resolve({ ...ended, exitCode: next().script === "start" ? start : follow, stderr: "" });
    expect(await download(call)).toEqual([]);
  });
});

describe.each(["dash", "bash"])("a path of the store under %s", (sh) => {
  const shell = new RemoteShell({ run: async (options) => await run({ file: sh, args: ["-s"] }, options) }, { kind: "none" });

  /** A directory with these files, the first one executable. */
  function pathWith(name: string, ...files: readonly string[]): StorePath {
    const made = join(directory, `${sh}-${name}`);
    mkdirSync(join(made, "bin"), { recursive: true });
    for (const [index, file] of files.entries()) writeFileSync(join(made, file), "", { mode: index === 0 ? 0o755 : 0o644 });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a path of the store cannot be made in a unit test
    return made as StorePath;
  }

  test("is a system with its switch-to-configuration and its version", async () => {
    await expect(requireSystem(pathWith("system", "bin/switch-to-configuration", "nixos-version"), callOnce(shell, signal))).resolves.toBeUndefined();
  });

  test.each([
    ["package", ["bin/hello"]],
    ["half", ["bin/switch-to-configuration"]],
    ["not-executable", ["nixos-version", "bin/switch-to-configuration"]],
  ])("is no system: %s", async (name, files) => {
    const error = await rejection(DeployError, requireSystem(pathWith(name, ...files), callOnce(shell, signal)));
    expect(error).toMatchObject({ phase: "copy", failure: { topic: "systems-unusable" } });
    expect(error.reason).toMatch(/ is not a NixOS system: /);
  });
});

test("a machine that answers something else is not believed", async () => {
  const call: CallScript = async () => await Promise.resolve({ kind: "ended", exitCode: 0, stdout: "system=perhaps\n", stderr: "" });
  expect((await rejection(AnswerError, requireSystem(path, call))).message).toBe(`whether ${path} is a NixOS system was not answered`);
});
