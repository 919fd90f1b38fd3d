import { expect, test } from "@jest/globals";

import { renderCopied, renderCopying } from "../../../src/domain/copy-progress.js";
import { CopyWatch } from "../../../src/nix/copy-progress.js";

// As nix 2.34.8 prints it.
const lines = [
  "Warning: Permanently added 'web1' (ED25519) to the list of known hosts.",
  "copying 2 paths...",
  "copying path '/nix/store/2cig5ylva4z5hh94684dskw2kxi34mh6-source' to 'ssh-ng://root@web1'...",
  "copying path '/nix/store/f1l59cmjz1mz1fc1qvjbky2z03303mai-source' to 'ssh-ng://root@web1'...",
];

test("counts the paths that travel", () => {
  const watch = new CopyWatch();
  const seen = lines.map((line) => {
    watch.line(line);
    return renderCopying(watch.progress);
  });
  expect(seen).toEqual(["path 0 of 0", "path 0 of 2", "path 1 of 2", "path 2 of 2"]);
  expect(renderCopied(watch.progress)).toBe("2 paths");
});

test("has none to count where nothing was missing", () => {
  const watch = new CopyWatch();
  watch.line("copying 0 paths...");
  expect(renderCopied(watch.progress)).toBe("already up to date");
});

test("follows what a process has written as long as it runs", () => {
  const watch = new CopyWatch();
  watch.started(process.pid);
  const before = watch.progress.bytes;
  expect(before).toBeGreaterThan(1000);
  expect(renderCopying({ paths: 1, expectedPaths: 3, bytes: 4_404_019 })).toBe("path 1 of 3, 4.2 MiB sent");
  // No process has this number: it is above what Linux gives (proc(5), pid_max).
  watch.started(2 ** 22 + 1);
  expect(watch.progress.bytes).toBeUndefined();
});
