import { spawnSync } from "node:child_process";

import { expect, test } from "@jest/globals";

// A process of its own: the limit cannot be raised again.
const script = `
import { preventCoreDumps } from ${JSON.stringify(new URL("../../../src/process/core-dumps.js", import.meta.url))};
import { run } from ${JSON.stringify(new URL("../../../src/process/run.js", import.meta.url))};
import { readFileSync } from "node:fs";
const own = () => /^Max core file size +(\\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))[1];
const child = async () => (await run({ file: "/bin/sh", args: ["-c", "ulimit -c"] })).stdout.trim();
const before = [own(), await child()];
await preventCoreDumps();
console.log(JSON.stringify([...before, own(), await child()]));
`;

const limits = (path: string | undefined): unknown => {
  const { stdout } = spawnSync("/bin/sh", ["-c", 'ulimit -c unlimited && exec "$0" "$@"', process.execPath, "--input-type=module", "-e", script], {
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  });
  return JSON.parse(stdout);
};

test("neither the process nor its children leave core dumps", () => {
  expect(limits(process.env["PATH"])).toEqual(["unlimited", "unlimited", "0", "0"]);
});

test("a runner without prlimit is left as it is", () => {
  expect(limits("/nonexistent")).toEqual(["unlimited", "unlimited", "unlimited", "unlimited"]);
});
