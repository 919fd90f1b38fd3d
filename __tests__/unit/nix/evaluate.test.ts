import { describe, expect, test } from "@jest/globals";

import { CommandError, InputError, RunnerError } from "../../../src/domain/errors.js";
import { applyArguments, applyToFlake, nixString } from "../../../src/nix/evaluate.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix } from "./fake-nix.js";

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
      "nix on this runner is too old to read the machines from the flake, which needs 2.19. Write the targets yourself, or update Nix",
    );
  });

  test("of a flake that is not there is the input's", async () => {
    expect((await failing(InputError, "error: could not find a flake.nix file")).problems).toMatchObject([{ input: "flake" }]);
  });

  test("of anything else is Nix's own", async () => {
    expect((await failing(CommandError, "error: infinite recursion encountered")).stderr).toContain("infinite recursion");
  });
});
