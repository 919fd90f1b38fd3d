import { describe, expect, test } from "@jest/globals";

import { AnswerError, DeployError } from "../../../src/domain/errors.js";
import { followJob, runJob, type CallScript, type Job } from "../../../src/nixos/job.js";
import type { ScriptCall } from "../../../src/nixos/remote-shell.js";
import { makeStorePath } from "../domain/make.js";
import { rejection } from "../failure-of.js";

const toplevel = makeStorePath("nixos-system-web1");

function makeJob(overrides: Partial<Job> = {}): Job {
  return { run: "run1", name: "build", phase: "build", command: ["nixos-rebuild", "build"], privileged: true, onLine: () => undefined, ...overrides };
}

/** A machine whose log comes in these pieces, one for each connection, and whose follow ends with these facts. */
function machine(pieces: readonly string[], end: { stderr?: string; exitCode?: number; startCode?: number } = {}): { call: CallScript; calls: ScriptCall[] } {
  const calls: ScriptCall[] = [];
  const call: CallScript = async (next) => {
    const first = next();
    calls.push(first);
    if (first.script === "run" && end.startCode !== undefined)
      return await Promise.resolve({ kind: "ended", exitCode: end.startCode, stdout: "", stderr: "cannot\n\n" });
    for (const [index, piece] of pieces.entries()) {
      const current = index === 0 ? first : next();
      if (index > 0) calls.push(current);
      current.onStdout?.(Buffer.from(piece));
    }
    return { kind: "ended", exitCode: end.exitCode ?? 0, stdout: "", stderr: end.stderr ?? `exit=0\nresult=${toplevel}\ngeneration=7\n` };
  };
  return { call, calls };
}

describe("a job", () => {
  test("is started once and followed, and its lines are shown", async () => {
    const seen: string[] = [];
    const { call, calls } = machine(["one\ntwo\n\nthree"]);
    const end = await runJob(makeJob({ onLine: (line) => seen.push(line) }), call);
    expect(calls.map(({ script, privileged }) => [script, privileged])).toEqual([["run", true]]);
    expect(calls[0]?.args.slice(-2)).toEqual(["nixos-rebuild", "build"]);
    expect(seen).toEqual(["one", "two", "", "three"]);
    expect(end).toMatchObject({ exitCode: 0, result: toplevel, lines: ["one", "two", "three"], state: { generation: 7 } });
  });

  test("goes on from the byte where the connection was lost", async () => {
    const seen: string[] = [];
    const { call, calls } = machine(["é one\ntw", "o\nthree\n"]);
    await runJob(makeJob({ onLine: (line) => seen.push(line) }), call);
    expect(seen).toEqual(["é one", "two", "three"]);
    expect(calls.at(-1)?.args.slice(0, 3)).toEqual(["run1", "build", String(Buffer.byteLength("é one\ntw"))]);
  });

  test("does not show what a long log has in the place of lines that gave their room back, and counts it", async () => {
    const seen: string[] = [];
    const { call, calls } = machine(["one\n\0\0\0", "\0two\n"]);
    await runJob(makeJob({ onLine: (line) => seen.push(line) }), call);
    expect(seen).toEqual(["one", "two"]);
    expect(calls.at(-1)?.args[2]).toBe("7");
  });

  test("keeps its last 200 lines", async () => {
    const { call } = machine([Array.from({ length: 250 }, (_, index) => `line ${index}\n`).join("")]);
    const { lines } = await followJob(makeJob(), call);
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([200, "line 50", "line 249"]);
  });

  test("keeps and shows the list of what is built as one line", async () => {
    const seen: string[] = [];
    const list = Array.from({ length: 300 }, (_, index) => `  /nix/store/${String(index).padStart(32, "0")}-x.drv\n`).join("");
    const { call } = machine([`these 300 derivations will be built:\n${list.slice(0, 1000)}`, `${list.slice(1000)}building x\n`]);
    const { lines } = await followJob(makeJob({ onLine: (line) => seen.push(line) }), call);
    expect(seen).toEqual(["these 300 derivations will be built", "building x"]);
    expect(lines).toEqual(seen);
  });

  test("returns its exit code without throwing", async () => {
    const { call } = machine([], { stderr: "exit=4\nresult=\n" });
    expect(await followJob(makeJob(), call)).toMatchObject({ exitCode: 4, result: undefined });
  });

  test("that cannot be started is reported", async () => {
    const error = await rejection(DeployError, runJob(makeJob(), machine([], { startCode: 1 }).call));
    expect(error).toMatchObject({ phase: "build", reason: "the job could not be started on the machine (exit code 1)", lines: ["cannot"], exitCode: 1 });
  });

  test.each([
    [{ stderr: "exit=256\n" }, "the job build ended with 256, which is no exit code"],
    [{ stderr: `exit=${"9".repeat(400)}\n` }, "the job build ended with 99999999999999999999, which is no exit code"],
    [{ stderr: "exit=0\nresult=/nix/store/../x\n" }, 'result is "/nix/store/../x", which is not a path of the Nix store'],
  ])("that ends as no job does is an answer that cannot be used: %j", async (end, message) => {
    expect((await rejection(AnswerError, followJob(makeJob(), machine([], end).call))).message).toBe(message);
  });

  test("that must end in time is followed for no longer", async () => {
    const { call, calls } = machine([]);
    await followJob(makeJob({ seconds: 100 }), call);
    await followJob(makeJob(), call);
    expect(calls.map(({ timeout }) => timeout)).toEqual([100, undefined]);
  });

  test.each([
    ["that the machine does not know any more", { exitCode: 3, stderr: "" }, "the job was not found on the machine (was the machine restarted?)"],
    ["that was lost", { stderr: "exit=lost\n" }, "the job ended, but no exit status was recorded"],
    ["of which nothing is told", { stderr: "" }, "the job ended, but no exit status was recorded"],
  ])("%s is reported with what it had printed", async (_, end, reason) => {
    const error = await rejection(DeployError, followJob(makeJob({ phase: "activate" }), machine(["one\n"], end).call));
    expect(error).toMatchObject({ phase: "activate", reason, lines: ["one"], exitCode: 255 });
    expect(error.hint).toContain("machine's");
  });
});
