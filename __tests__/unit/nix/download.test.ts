import { describe, expect, test } from "@jest/globals";

import { CommandError } from "../../../src/domain/errors.js";
import { downloadHere, isDownload } from "../../../src/nix/download.js";
import { makeStorePath } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withProgram } from "./fake-nix.js";

const directory = temporaryDirectory();
const path = makeStorePath("nixos-system-web1");

describe("a download of the runner", () => {
  test("that fails is reported in Nix's last lines", async () => {
    const options = { signal: new AbortController().signal, onLine: () => undefined };
    const script = "echo 'warning: something' >&2; echo 'error: build of it failed' >&2; exit 1";
    expect(await withProgram(directory, "nix-store", script, async () => await downloadHere(path, options))).toEqual([
      "warning: something",
      "error: build of it failed",
    ]);
    expect(await withProgram(directory, "nix-store", "exit 0", async () => await downloadHere(path, options))).toBeUndefined();
  });

  test("that is stopped throws", async () => {
    const controller = new AbortController();
    const stopped = withProgram(directory, "nix-store", "sleep 20", async () => {
      const download = downloadHere(path, { signal: controller.signal, onLine: () => undefined });
      controller.abort();
      return await rejection(CommandError, download);
    });
    expect((await stopped).failure.kind).toBe("aborted");
  });
});

test.each([
  [`copying path '${path}' from 'https://cache.example.org'...`, true],
  [`copying path '${path}' to 'ssh-ng://web1'...`, false],
  [`these 2 paths will be fetched (1.2 MiB download, 4.5 MiB unpacked):`, false],
])("%s begins a download: %s", (line, begins) => {
  expect(isDownload(line)).toBe(begins);
});
