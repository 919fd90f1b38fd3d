import { spawnSync } from "node:child_process";

import { expect, test } from "@jest/globals";

// A process of its own: the limit cannot be raised again.
const script = `
import { preventCoreDumps } from ${JSON.stringify(new URL("../../../src/process/core-dumps.js", import.meta.url))};
import { run } from ${JSON.stringify(new URL("../../../src/process/run.js", import.meta.url))};
import { readFileSync } from "node:fs";
const limit = (limits) => /^Max core file size +(\\S+)/m.exec(limits)[1];
const own = () => limit(readFileSync("/proc/self/limits", "utf8"));
const child = async () => limit((await run({ file: "/bin/sh", args: ["-c", "while read -r line; do echo \\"$line\\"; done </proc/self/limits"] })).stdout);
const before = [own(), await child()];
await preventCoreDumps();
console.log(JSON.stringify([...before, own(), await child()]));
`;

/** Raises the limit as far as this machine allows: a container can forbid core dumps for good, and then there are none to switch off. */
const raise = '(ulimit -c unlimited) 2>/dev/null && ulimit -c unlimited || ulimit -c "$(ulimit -H -c)"';

const raised = (path: string | undefined, command: string, ...args: string[]): string => {
  const { stdout, stderr, status } = spawnSync("/bin/sh", ["-c", `${raise}; ${command}`, ...args], {
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return stdout;
};

const limits = (path: string | undefined): unknown => JSON.parse(raised(path, 'exec "$0" "$@"', process.execPath, "--input-type=module", "-e", script));

const highest = (): string | undefined => /^Max core file size +(\S+)/m.exec(raised(process.env["PATH"], "cat /proc/self/limits"))?.[1];

test("neither the process nor its children leave core dumps", () => {
  expect(limits(process.env["PATH"])).toEqual([highest(), highest(), "0", "0"]);
});

test("a runner without prlimit is left as it is", () => {
  expect(limits("/nonexistent")).toEqual([highest(), highest(), highest(), highest()]);
});
