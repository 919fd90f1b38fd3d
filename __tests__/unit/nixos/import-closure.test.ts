import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";

import { describe, expect, test } from "@jest/globals";

import type { CopyProgress } from "../../../src/domain/copy-progress.js";
import { CommandError } from "../../../src/domain/errors.js";
import { importClosure, wantsSignature } from "../../../src/nixos/import-closure.js";
import { callOnce } from "../../../src/nixos/reconnect.js";
import { RemoteShell } from "../../../src/nixos/remote-shell.js";
import { run } from "../../../src/process/run.js";
import { makeStorePath } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withProgram } from "../nix/fake-nix.js";
import { notesOf } from "./fake-ssh.js";

const directory = temporaryDirectory();
const { signal } = new AbortController();
const toplevel = makeStorePath("nixos-system");
const library = makeStorePath("library");
const exported = join(directory, "exported");
writeFileSync(exported, randomBytes(5_000_000));

// Both sides in one: what the runner's nix-store does, and the machine's.
const nixStore = (onImport: string): string => `case $1 in
--query) printf '%s\\n' ${library} ${toplevel} ;;
--check-validity) printf '%s\\n' "$@" | grep -x ${toplevel} ;;
--export) shift; echo "$*" > ${directory}/paths; cat ${exported} ;;
--import) ${onImport} ;;
esac`;

/** Imports over a machine that is a shell of this computer. */
async function importOver(sh: string, onImport: string, notes: string[] = []): Promise<CopyProgress> {
  const shell = new RemoteShell({ run: async (options) => await run({ file: sh, args: ["-s"] }, options) }, { kind: "none" });
  const call = callOnce(shell, signal);
  return await withProgram(
    directory,
    "nix-store",
    nixStore(onImport),
    async () => await importClosure([toplevel], { shell, call, signal, log: notesOf(notes) }),
  );
}

describe.each(["dash", "bash"])("importing as root under %s", (sh) => {
  test("the machine reads all that the runner writes, and only of what it lacks", async () => {
    const notes: string[] = [];
    const received = join(directory, `received-${sh}`);
    const imported = await importOver(sh, `cat > ${received}; echo ${toplevel}`, notes);
    expect(readFileSync(received).equals(readFileSync(exported))).toBe(true);
    expect(readFileSync(`${directory}/paths`, "utf8").trim()).toBe(toplevel);
    expect(imported).toMatchObject({ paths: 1, expectedPaths: 1 });
    expect(notes).toEqual(["importing 1 path as root, since Nix on the machine accepts none without a signature"]);
  });

  test("a failure on the machine is reported with its own words, while the runner still writes", async () => {
    const error = await rejection(CommandError, importOver(sh, "head -c 10 >/dev/null; echo 'error: writing to file: No space left on device' >&2; exit 1"));
    expect(error.failure).toEqual({ kind: "exit", exitCode: 1 });
    expect(error.stderr).toContain("No space left on device");
  });
});

test("what Nix says of a missing signature is recognised", () => {
  const failed = (stderr: string): CommandError => new CommandError({ command: "nix copy", failure: { kind: "exit", exitCode: 1 }, stdout: "", stderr });
  // Nix 2.34, and 2.8.
  expect(wantsSignature(failed(`error: cannot add path '${toplevel}' because it lacks a valid signature`))).toBe(true);
  expect(wantsSignature(failed(`error: cannot add path '${toplevel}' because it lacks a signature by a trusted key`))).toBe(true);
  expect(wantsSignature(failed("error: unexpected end-of-file"))).toBe(false);
});
