import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import type { Compress } from "../../../src/domain/compress.js";
import { Pack } from "../../../src/nix/pack.js";
import { HeadStart, isSmall } from "../../../src/nixos/head-start.js";
import { StartGate } from "../../../src/process/start-gate.js";
import { makeSentFlake, outer } from "../domain/make.js";
import { withNix } from "../nix/fake-nix.js";
import { temporaryDirectory } from "../temporary.js";
import { notesOf } from "./fake-ssh.js";

const directory = temporaryDirectory();
const { signal } = new AbortController();
const connection = { store: "ssh-ng://web1", environment: {} };
const sent = makeSentFlake();
const go = join(directory, "go");

/** A nix that sends the flake, once it may where it `waits`. */
const sends = ({ waits = false, exitCode = 0 } = {}): string => `echo "copying 1 paths..." >&2
${waits ? `while [ ! -e ${go} ]; do sleep 0.02; done; rm ${go}` : ""}
echo '{"path":"${outer}","inputs":{}}'; exit ${exitCode}`;

function makeHeadStart(): HeadStart {
  const pack = new Pack(join(directory, "pack"));
  const settings = { run: "run1", checkSignatures: true, substitute: true, archiveArgs: [], compress: "false", pack, starts: new StartGate(1, 5000) } as const;
  return new HeadStart(sent, connection, settings, signal);
}

test("a flake is there when it has been sent, and the log has what Nix said before anybody looked", async () => {
  const lines: string[] = [];
  await withNix(directory, sends({ waits: true }), async () => {
    const headStart = makeHeadStart();
    headStart.begin();
    writeFileSync(go, "");
    expect(await headStart.end(notesOf(lines))).toEqual({ paths: 0, expectedPaths: 1, bytes: undefined });
  });
  expect(lines).toEqual(["copying 1 paths..."]);
});

test("a flake that cannot be sent has to be sent again, which says why", async () => {
  await withNix(directory, sends({ exitCode: 1 }), async () => {
    const headStart = makeHeadStart();
    headStart.begin();
    expect(await headStart.end(notesOf([]))).toBeUndefined();
  });
});

test("a sending that is not wanted any more is ended", async () => {
  await withNix(directory, sends({ waits: true }), async () => {
    const headStart = makeHeadStart();
    headStart.begin();
    await headStart.cancel();
    expect(await headStart.end(notesOf([]))).toBeUndefined();
  });
});

test("a flake that was sent before anybody wanted no more of it has to be sent again", async () => {
  await withNix(directory, sends(), async () => {
    const headStart = makeHeadStart();
    headStart.begin();
    const copied = headStart.end(notesOf([]));
    await copied;
    await headStart.cancel();
    expect(await headStart.end(notesOf([]))).toBeUndefined();
  });
});

test("a flake that may travel compressed is not small, nor one that is not there", async () => {
  const isSmallWith = async (compress: Compress): Promise<boolean> => await isSmall(sent, { compress });
  // The paths of these tests are in no store.
  expect(await Promise.all((["true", "auto", "false"] as const).map(isSmallWith))).toEqual([false, false, true]);
});
