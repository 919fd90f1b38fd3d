import { describe, expect, test } from "@jest/globals";

import { CommandError, type CommandFailure } from "../../../src/domain/errors.js";
import { evaluateEach, type EvaluatedEach } from "../../../src/nix/evaluate-each.js";
import { rejection } from "../failure-of.js";

function failure(kind: CommandFailure = { kind: "exit", exitCode: 1 }): CommandError {
  return new CommandError({ command: "nix eval", failure: kind, stdout: "", stderr: "error: no luck" });
}

/** Evaluates names to their length; those of `bad` end the whole evaluation. Tells which evaluations there were. */
async function evaluate(all: readonly string[], bad: ReadonlySet<string>): Promise<{ found: EvaluatedEach<number>; calls: string[][] }> {
  const calls: string[][] = [];
  const found = await evaluateEach(all, async (some) => {
    calls.push([...some]);
    if (some.some((name) => bad.has(name))) throw failure();
    return await Promise.resolve(new Map(some.map((name) => [name, name.length])));
  });
  return { found, calls };
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `h${index}`);
}

function failed(found: EvaluatedEach<number>): string[] {
  return [...found].flatMap(([name, one]) => ("error" in one ? [name] : [])).toSorted();
}

test("takes one evaluation where nothing fails", async () => {
  const { found, calls } = await evaluate(names(300), new Set());
  expect(calls).toHaveLength(1);
  expect(found.size).toBe(300);
  expect(found.get("h17")).toEqual({ value: 3 });
});

test("takes none for nothing", async () => {
  expect((await evaluate([], new Set())).calls).toEqual([]);
});

test.each([[["h0"]], [["h299"]], [["h3", "h4", "h200"]]])("finds %j among 300, and all others", async (bad) => {
  const { found, calls } = await evaluate(names(300), new Set(bad));
  expect(failed(found)).toEqual(bad.toSorted());
  expect([...found.keys()]).toEqual(names(300));
  for (const name of bad) expect(found.get(name)).toMatchObject({ together: [name] });
  expect(calls.length).toBeLessThanOrEqual(60);
});

test("does not divide for ever what fails everywhere, and leaves out none", async () => {
  const { found, calls } = await evaluate(names(300), new Set(names(300)));
  expect(calls.length).toBeLessThanOrEqual(60);
  expect(failed(found)).toHaveLength(300);
  const one = found.get("h299");
  expect(one !== undefined && "together" in one ? one.together : []).toContain("h299");
});

describe("what is no failure of the evaluation is thrown", () => {
  test.each<CommandFailure>([{ kind: "aborted" }, { kind: "spawn", code: "ENOENT" }])("%j", async (kind) => {
    const error = await rejection(
      CommandError,
      evaluateEach(["a", "b"], async () => await Promise.reject(failure(kind))),
    );
    expect(error.failure).toEqual(kind);
  });
});

test("a Nix that is killed for its memory is one of the evaluation", async () => {
  const found = await evaluateEach(["a", "b"], async (some) =>
    some.length > 1 ? await Promise.reject(failure({ kind: "signal", signal: "SIGKILL" })) : new Map(some.map((name) => [name, name])),
  );
  expect([...found]).toEqual([
    ["a", { value: "a" }],
    ["b", { value: "b" }],
  ]);
});
