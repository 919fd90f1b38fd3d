import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeEach } from "@jest/globals";

import { prepareCall } from "../../../../src/nixos/lease.js";
import type { ScriptName } from "../../../../src/nixos/script-files.js";
import { program } from "../../../../src/nixos/script-program.js";

// The scripts run for real, as a user without root: where the tests run as root, as nobody.

export const isRoot = userInfo().uid === 0;
export const uid = isRoot ? 65_534 : userInfo().uid;
export const nonce = "0123456789abcdef";
/** The directory of this user in /run, one for each test file. */
export const runtime = mkdtempSync(join(tmpdir(), "unit-remote-"));
chmodSync(runtime, 0o777);
// As pam_systemd makes it.
if (isRoot) chownSync(runtime, uid, uid);
afterAll(() => {
  rmSync(runtime, { recursive: true, force: true });
});

/** The directory of the runs. */
export const base = join(runtime, `nix-flake-deploy-${uid}`);

beforeEach(() => {
  rmSync(base, { recursive: true, force: true });
});

/** The command that runs a script on standard input as that user. */
export function argv(shell: string): [string, string[]] {
  const drop = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", shell, "-s"];
  return isRoot ? ["setpriv", drop.slice(1)] : [shell, ["-s"]];
}

// In place of the systemd of whatever runs the tests, which may be none and is then asked again and again: no unit has failed.
const programs = mkdtempSync(join(tmpdir(), "unit-programs-"));
writeFileSync(join(programs, "systemctl"), "#!/bin/sh\n", { mode: 0o755 });
chmodSync(programs, 0o755);
afterAll(() => {
  rmSync(programs, { recursive: true, force: true });
});

/** Its environment. */
export function environment(overrides: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: `${programs}:${process.env["PATH"]}`, XDG_RUNTIME_DIR: runtime, HOME: "/nonexistent", ...overrides };
}

/** Runs a script as a machine does. */
export function call(shell: string, script: ScriptName, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
  const [file, rest] = argv(shell);
  return spawnSync(file, rest, {
    input: program(script, args, nonce),
    encoding: "utf8",
    cwd: "/",
    env: environment(env),
    timeout: 20_000,
    maxBuffer: 10_000_000,
  });
}

/** Arguments of prepare.sh for a run and the paths that it is to root. */
export function prepareArguments(run: string, ...paths: readonly string[]): readonly string[] {
  const [, ...lease] = prepareCall(run, [], false).args;
  return [run, ...lease, ...paths];
}

/** What the script itself printed, between its two marks. */
export function payload({ stdout, stderr }: SpawnSyncReturns<string>): { out: string; err: string; code: number } {
  const end = new RegExp(`^end ${nonce} (\\d+)\\n`, "m").exec(stderr);
  if (end === null || !stdout.startsWith(`begin ${nonce}\n`)) throw new Error(`the script did not come to its end: ${stdout}${stderr}`);
  const out = stdout.slice(`begin ${nonce}\n`.length, -end[0].length);
  return { out, err: stderr.slice(0, end.index), code: Number(end[1]) };
}

/** Waits up to five seconds for a file. */
export async function waitFor(path: string): Promise<void> {
  for (let tries = 0; tries < 500 && !existsSync(path); tries += 1) await sleep(10);
}
