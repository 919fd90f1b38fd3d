import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "@jest/globals";

import { CommandError } from "../../../src/domain/errors.js";
import { Pack } from "../../../src/nix/pack.js";
import { makeStorePath } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withProgram } from "./fake-nix.js";

const directory = temporaryDirectory();
const calls = join(directory, "calls");
const path = makeStorePath("source");

test("sizes are queried once for all machines, and again if the work on the machine that began the query was aborted", async () => {
  const pack = new Pack(join(directory, "pack"));
  const [first, second] = [new AbortController(), new AbortController()];
  // The first query hangs.
  const script = `echo "$*" >>${calls}; [ "$(wc -l <${calls})" -gt 1 ] || exec sleep 60; echo 5`;
  await withProgram(directory, "nix-store", script, async () => {
    const aborted = rejection(CommandError, pack.sizesOf([path], first.signal));
    const waiting = pack.sizesOf([path], second.signal);
    while (!existsSync(calls)) await sleep(10);
    first.abort();
    expect((await aborted).failure).toEqual({ kind: "aborted" });
    expect(await waiting).toEqual([5]);
  });
  expect(readFileSync(calls, "utf8")).toBe(`--query --size ${path}\n`.repeat(2));
});
