import { readFileSync } from "node:fs";

import { expect, test } from "@jest/globals";

import { copyArguments, copyPaths } from "../../../src/nix/copy-paths.js";
import { StartGate } from "../../../src/process/start-gate.js";
import { makeStorePath, source } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix } from "./fake-nix.js";

const directory = temporaryDirectory();
const toplevel = makeStorePath("nixos-system");
const derivation = makeStorePath("nixos-system.drv");

test("the arguments of a copy", () => {
  const store = "ssh-ng://web1";
  expect(copyArguments([toplevel, source], false, { store, checkSignatures: true, substitute: false })).toEqual(["copy", "--to", store, toplevel, source]);
  expect(copyArguments([derivation], true, { store, checkSignatures: false, substitute: true })).toEqual([
    "copy",
    "--to",
    store,
    "--no-check-sigs",
    "--substitute-on-destination",
    "--derivation",
    derivation,
  ]);
});

test("sources and derivations are two copies, whose paths are counted together", async () => {
  const lines: string[] = [];
  const script = `printf '%s\\n' "$*" >> ${directory}/calls; echo "copying 2 paths..." >&2; echo "copying path '/nix/store/x' to 'ssh-ng://web1'..." >&2`;
  const options = {
    store: "ssh-ng://web1",
    environment: {},
    checkSignatures: true,
    substitute: false,
    signal: undefined,
    starts: new StartGate(1, 5000),
    onLine: (line: string) => void lines.push(line),
    onBegin: () => undefined,
  };
  const copied = await withNix(directory, script, async () => await copyPaths({ closures: [source], derivations: [derivation] }, options));
  expect(copied).toMatchObject({ paths: 2, expectedPaths: 4 });
  expect(lines).toHaveLength(4);
  expect(readFileSync(`${directory}/calls`, "utf8")).toBe(`copy --to ssh-ng://web1 ${source}\ncopy --to ssh-ng://web1 --derivation ${derivation}\n`);
});
