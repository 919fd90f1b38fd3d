import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { keepSystems } from "../../../src/nix/keep-systems.js";
import { makeStorePath } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";
import { withProgram } from "./fake-nix.js";

const directory = temporaryDirectory();
const { signal } = new AbortController();
const system = makeStorePath("nixos-system-web1");

test("systems are kept by links in a directory of their own, each once", async () => {
  await withProgram(
    directory,
    "nix-store",
    `echo "$*" > ${directory}/call; ln -s "$4" "$3"`,
    async () => await keepSystems([system, system], directory, signal),
  );
  const [links = ""] = readdirSync(directory).filter((name) => name.startsWith("nix-flake-deploy-systems-"));
  expect(readFileSync(`${directory}/call`, "utf8")).toBe(`--realise --add-root ${directory}/${links}/system ${system}\n`);
  expect(readdirSync(`${directory}/${links}`)).toEqual(["system"]);
});

test("without any system nothing is made, and a failure of Nix is thrown", async () => {
  const nothing = mkdtempSync(join(directory, "nothing-"));
  await withProgram(nothing, "nix-store", "exit 1", async () => await keepSystems([], nothing, signal));
  expect(readdirSync(nothing)).toEqual(["bin-nix-store"]);
  const failing = async (): Promise<void> => await keepSystems([system], nothing, signal);
  await expect(withProgram(nothing, "nix-store", "echo 'error: no luck today' >&2; exit 1", failing)).rejects.toThrow("exit code 1: nix-store");
});
