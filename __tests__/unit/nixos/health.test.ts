import { describe, expect, test } from "@jest/globals";

import { checkHealth } from "../../../src/nixos/health.js";
import type { CallScript } from "../../../src/nixos/job.js";
import type { ScriptCall } from "../../../src/nixos/remote-shell.js";
import { notesOf } from "./fake-ssh.js";

const signal = new AbortController().signal;

/** Checks the health of a machine whose command ends with these codes, the last of them for ever. */
async function check(
  codes: readonly number[],
  seconds: number,
  own = signal,
): Promise<{ complaint: string | undefined; calls: ScriptCall[]; notes: string[] }> {
  const calls: ScriptCall[] = [];
  const notes: string[] = [];
  const call: CallScript = async (next) => {
    calls.push(next());
    const exitCode = codes[Math.min(calls.length, codes.length) - 1] ?? 0;
    return await Promise.resolve({ kind: "ended", exitCode, stdout: "starting\n\nnot ready\n", stderr: "" });
  };
  return { complaint: await checkHealth("curl -f localhost", seconds, call, notesOf(notes), own), calls, notes };
}

describe("the health check", () => {
  test("that passes at once runs once, as the deploy user, and says nothing", async () => {
    const { complaint, calls, notes } = await check([0], 60);
    expect(complaint).toBeUndefined();
    expect(calls).toMatchObject([{ script: "health", args: ["60", "curl -f localhost"], privileged: false }]);
    expect(notes).toEqual([]);
  });

  test("is tried again until it passes, with the time that is left", async () => {
    const { complaint, calls, notes } = await check([7, 0], 60);
    expect(complaint).toBeUndefined();
    expect(calls).toHaveLength(2);
    expect(Number(calls[1]?.args[0])).toBeLessThan(60);
    expect(notes).toHaveLength(1);
  });

  test("that never passes gives its exit code and what it printed last", async () => {
    const { complaint } = await check([7], 1);
    expect(complaint).toMatch(/^exit code 7 at \w+ \d+:\nstarting\nnot ready$/);
  });

  test("ends with the run", async () => {
    await expect(check([7], 60, AbortSignal.abort())).rejects.toThrow("aborted");
  });
});
