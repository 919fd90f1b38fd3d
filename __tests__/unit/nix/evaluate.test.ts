import { describe, expect, test } from "@jest/globals";

import { EvaluationError, InputError, RunnerError } from "../../../src/domain/errors.js";
import { applyArguments, applyToFlake, nixString } from "../../../src/nix/evaluate.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix } from "./fake-nix.js";
import { recording } from "./recording.js";

const directory = temporaryDirectory();
const options = { cwd: directory, signal: undefined, onLine: (): void => undefined };

async function failing<E extends Error>(kind: new (...args: never[]) => E, stderr: string): Promise<E> {
  return await withNix(directory, `cat >&2 <<'END'\n${stderr}\nEND\nexit 1`, async () => await rejection(kind, applyToFlake(".", "_: _: 1", {}, options)));
}

test("an expression gets its arguments as Nix writes them", () => {
  const args = applyArguments("path:/nix/store/x?dir=nixos", "{ a, b, c, d }: outputs: 1", { a: null, b: ["x", 'y"z'], c: true, d: "${e}" });
  expect(args).toEqual([
    "eval",
    "--json",
    "--show-trace",
    "--no-update-lock-file",
    "path:/nix/store/x?dir=nixos#.",
    "--apply",
    String.raw`({ a, b, c, d }: outputs: 1) { a = null; b = [ "x" "y\"z" ]; c = true; d = "\${e}"; }`,
  ]);
});

test.each([
  ["web1", '"web1"'],
  ["a\\b", String.raw`"a\\b"`],
  ["a\nb\rc", String.raw`"a\nb\rc"`],
  ["''${x}$${y}", "\"''\\${x}\\$\\${y}\""],
])("%j is quoted", (text, quoted) => {
  expect(nixString(text)).toBe(quoted);
});

test("what Nix prints is read", async () => {
  expect(await withNix(directory, `echo '{"names":["a"]}'`, async () => await applyToFlake(".", "_: _: 1", {}, options))).toEqual({ names: ["a"] });
});

describe("an error", () => {
  test("of a Nix that is too old says so", async () => {
    // Of Nix 2.8.0.
    const error = await failing(
      RunnerError,
      "error: flake 'path:/play/f' does not provide attribute 'packages.x86_64-linux..', 'legacyPackages.x86_64-linux..' or '.'\n       Did you mean d?",
    );
    expect(error.message).toBe(
      "nix on this runner is too old to evaluate the flake (2.19 or newer is required). Update Nix, or set the input targets and have the hosts evaluate (build-on: target)",
    );
  });

  test("of a flake that is not there is the input's", async () => {
    expect((await failing(InputError, "error: could not find a flake.nix file")).problems).toMatchObject([{ input: "flake" }]);
  });

  test("of anything else is Nix's own, without the expression", async () => {
    const error = await failing(EvaluationError, recording("inventory-abort-2.34.8.log"));
    expect(error.message).toBe(
      [
        "The flake . does not evaluate:",
        "  error: evaluation aborted with the following error message: 'all broken'",
        "  … while calling the 'abort' builtin",
        "  at /w/abort/flake.nix:1:47:",
        '       1| { outputs = { self }: { nixosConfigurations = builtins.abort "all broken"; }; }',
        "        |                                               ^",
      ].join("\n"),
    );
    for (const text of [error.message, error.command, error.stderr]) expect(text).not.toContain("outputs: 1");
  });

  test("of a file that the flake lacks says that Git may not track it", async () => {
    const error = await failing(EvaluationError, recording("inventory-file-missing-2.26.3.log"));
    expect(error.lines.at(-1)).toBe(
      "web1.nix is not in the source of the flake. If it exists in the work tree, it is not tracked by Git: run `git add web1.nix` and commit it",
    );
  });

  test("of a nix that was killed speaks of memory", async () => {
    const error = await withNix(directory, "kill -9 $$", async () => await rejection(EvaluationError, applyToFlake(".", "_: outputs: 1", {}, options)));
    expect(error.message).toContain("nix was killed (SIGKILL). Linux kills processes when memory runs out");
  });

  test("leaves the trace out of the log, and warnings in it", async () => {
    const seen: string[] = [];
    const stderr = `warning: Git tree is dirty\n${recording("inventory-abort-2.34.8.log")}`;
    const nix = `cat >&2 <<'END'\n${stderr}\nEND\nexit 1`;
    await withNix(
      directory,
      nix,
      async () => await rejection(EvaluationError, applyToFlake(".", "_: 1", {}, { ...options, onLine: (line) => seen.push(line) })),
    );
    expect(seen).toEqual(["warning: Git tree is dirty"]);
  });
});
