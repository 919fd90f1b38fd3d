import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "@jest/globals";

import { residentCall, residentScript } from "../../../../src/nixos/script-files.js";
import { argv, base, call, environment, payload, runtime, waitFor, prepareArguments } from "./as-user.js";

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("finish does the same from a file on the machine", () => {
    for (const run of ["run1", "run2"]) payload(call(shell, "prepare", prepareArguments(run)));
    const text = join(base, "run1", "finish.sh");
    writeFileSync(text, residentCall("finish", ["run1"]));
    const [file, rest] = argv(shell);
    const { status, stdout, stderr } = spawnSync(file, [...rest.slice(0, -1), text], { encoding: "utf8", env: environment({}), cwd: "/" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readdirSync(base)).toEqual(["run2"]);
  });

  test("finish ends the build with its children, and leaves nothing", async () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
    writeFileSync(join(runtime, "pid"), "");
    chmodSync(join(runtime, "pid"), 0o666);
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", `sleep 300 & echo $! >${runtime}/pid; wait`]));
    for (let tries = 0; tries < 500 && readFileSync(join(runtime, "pid"), "utf8") === ""; tries += 1) await sleep(10);
    const pid = readFileSync(join(runtime, "pid"), "utf8").trim();
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    expect(payload(call(shell, "finish", ["run1"]))).toMatchObject({ code: 0, out: "", err: "" });
    for (let tries = 0; tries < 200 && /State:\s+[^ZX]/.test(stateOf(pid)); tries += 1) await sleep(10);
    expect(stateOf(pid)).not.toMatch(/State:\s+[^ZX]/);
    expect(existsSync(base)).toBe(false);
  });

  test("finish leaves an activation alone, and other runs", async () => {
    for (const run of ["run1", "run2"]) payload(call(shell, "prepare", prepareArguments(run)));
    payload(
      call(shell, "start", [
        "run1",
        "activate",
        residentScript("job"),
        "sh",
        "-c",
        `touch ${runtime}/begun-${shell}; sleep 0.5; touch ${runtime}/activated-${shell}`,
      ]),
    );
    await waitFor(join(runtime, `begun-${shell}`));
    payload(call(shell, "finish", ["run1"]));
    await waitFor(join(runtime, `activated-${shell}`));
    expect(existsSync(join(runtime, `activated-${shell}`))).toBe(true);
    expect(readdirSync(base)).toEqual(["run2"]);
  });

  test("finish twice, and without a run, is no harm", () => {
    payload(call(shell, "prepare", prepareArguments("run2")));
    expect(payload(call(shell, "finish", ["run1"])).code).toBe(0);
    expect(payload(call(shell, "finish", [""])).code).toBe(0);
    expect(readdirSync(base)).toEqual(["run2"]);
  });
});

function stateOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
