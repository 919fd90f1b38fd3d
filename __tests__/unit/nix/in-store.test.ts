import { expect, test } from "@jest/globals";

import { isInStore } from "../../../src/nix/in-store.js";
import { makeStorePath } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";
import { withProgram } from "./fake-nix.js";

const directory = temporaryDirectory();
const path = makeStorePath("nixos-system-web1");

test("a path is in the store unless nix-store prints it as invalid", async () => {
  const ask = async (script: string): Promise<boolean> => await withProgram(directory, "nix-store", script, async () => await isInStore(path, undefined));
  expect(await ask("exit 0")).toBe(true);
  expect(await ask(`[ "$*" = "--check-validity --print-invalid ${path}" ] || exit 1; echo "${path}"`)).toBe(false);
  await expect(ask("echo 'error: no store' >&2; exit 1")).rejects.toThrow("exit code 1: nix-store");
});
