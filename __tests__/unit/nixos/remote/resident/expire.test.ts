import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, test } from "@jest/globals";

import { residentScript } from "../../../../../src/nixos/script-files.js";
import { temporaryDirectory } from "../../../temporary.js";

// The lease of a run, without a machine: no unit is active.
const directory = temporaryDirectory();
const run = join(directory, "run");
const programs = join(directory, "programs");
mkdirSync(programs);
writeFileSync(join(programs, "systemctl"), "#!/bin/sh\n", { mode: 0o755 });

beforeEach(() => {
  rmSync(run, { recursive: true, force: true });
  mkdirSync(run);
  writeFileSync(join(run, "expire.sh"), residentScript("expire"));
  writeFileSync(join(run, "finish.sh"), `rm -r ${run}\n`);
  writeFileSync(join(run, "activate.log"), "activating the configuration...\n");
});

describe.each(["dash", "bash"])("the end of a lease under %s", (shell) => {
  const fire = (): string => {
    const env = { ...process.env, PATH: `${programs}:${process.env["PATH"]}` };
    const { status, stdout, stderr } = spawnSync(shell, [join(run, "expire.sh"), "fire"], { encoding: "utf8", env });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
  };

  test("shows the logs, for the journal, before it removes them", () => {
    expect(fire()).toMatch(/the runner has shown no sign of life[^]*activating the configuration/);
    expect(existsSync(run)).toBe(false);
  });

  test.each(["rollback", "last"])("keeps the result of a machine that has decided, for a runner that may come back (%s)", (job) => {
    writeFileSync(join(run, "begun"), "");
    writeFileSync(join(run, "activate.window"), "30");
    writeFileSync(join(run, "clear.window"), "1500");
    symlinkSync(job === "last" ? "keep" : "back", join(run, "decision"));
    const status = join(run, `${job}.status`);
    writeFileSync(status, "0\n");
    const endedBefore = (seconds: number): void => utimesSync(status, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
    endedBefore(1400);
    expect(fire()).toBe("");
    expect(existsSync(run)).toBe(true);
    endedBefore(1600);
    expect(fire()).not.toBe("");
    expect(existsSync(run)).toBe(false);
  });

  test("does not wait for ever where the clock of the machine was set back", () => {
    writeFileSync(join(run, "clear.window"), "1500");
    writeFileSync(join(run, "rollback.status"), "0\n");
    utimesSync(join(run, "rollback.status"), Date.now() / 1000 + 100_000, Date.now() / 1000 + 100_000);
    fire();
    expect(existsSync(run)).toBe(false);
  });
});
