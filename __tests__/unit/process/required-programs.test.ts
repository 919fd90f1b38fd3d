import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "@jest/globals";

import { RunnerError } from "../../../src/domain/errors.js";
import { requirePrograms } from "../../../src/process/required-programs.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
const path = process.env["PATH"];
afterAll(() => {
  process.env["PATH"] = path;
});

/** A PATH with these programs alone. */
function only(...names: readonly string[]): void {
  const bin = join(directory, `bin-${names.join("-")}`);
  mkdirSync(bin);
  for (const name of names) {
    writeFileSync(join(bin, name), "");
    chmodSync(join(bin, name), 0o755);
  }
  process.env["PATH"] = bin;
}

describe("what every run needs", () => {
  const nix = "  - uses: cachix/install-nix-action@v31";
  const ssh = "  - run: sudo apt-get update && sudo apt-get install --yes openssh-client";

  test.each([
    [["ssh", "ssh-keygen"], "nix", [nix]],
    [["nix"], "ssh and ssh-keygen", [ssh]],
    [["ssh"], "nix and ssh-keygen", [nix, ssh]],
  ])("with only %j is reported with the steps to add", async (present, missing, steps) => {
    only(...present);
    const { message } = await rejection(RunnerError, requirePrograms());
    expect(message.split("\n")).toEqual([`${missing} not found on this runner; no host was changed. Add this to the workflow before this step:`, ...steps]);
  });

  test("is there where nothing is missing", async () => {
    only("nix", "ssh", "ssh-keygen");
    await expect(requirePrograms()).resolves.toBeUndefined();
  });
});
