import { describe, expect, test } from "@jest/globals";

import type { HostResult } from "../../../src/domain/result.js";
import { failureAnnotations, failureSummary, skippedAnnotations } from "../../../src/report/annotations.js";
import { makeError, makeResult } from "../domain/make.js";

function failures(count: number): HostResult[] {
  return Array.from({ length: count }, (_, index) =>
    makeResult({ name: `web${index}`, status: "failed", phase: "build", error: makeError(`reason ${index}`, { hint: "Hint", lines: ["line"] }) }),
  );
}

describe("failureAnnotations", () => {
  test("names host, phase and error of each that failed", () => {
    const results = [
      makeResult(),
      makeResult({ name: "db1", status: "failed", phase: "connect", error: makeError("db1 does not answer", { hint: "Is it on?" }) }),
      makeResult({ name: "x", status: "unknown" }),
      makeResult({ name: "y", status: "rollback-failed", phase: "rollback" }),
      makeResult({ name: "z", status: "degraded" }),
    ];
    expect(failureAnnotations(results, 9)).toEqual([
      { title: "db1: connect failed", message: "db1 does not answer. Is it on?" },
      { title: "x: lost in activate, state unknown", message: "unknown" },
      { title: "y: rollback failed", message: "rollback-failed" },
    ]);
  });

  test("end with a link to the topic of the failure", () => {
    const error = makeError("web1 is locked", { hint: "Deploy again", lines: ["line"], topic: "locked" });
    const [annotation] = failureAnnotations([makeResult({ status: "failed", error })], 9, (topic) => `https://docs.example.org/${topic}`);
    expect(annotation?.message).toBe("web1 is locked. Deploy again\n  line\nSee https://docs.example.org/locked");
  });

  test("are none where none failed", () => {
    expect(failureAnnotations([makeResult(), makeResult({ status: "unchanged" })], 9)).toEqual([]);
  });

  test("are all there up to nine", () => {
    expect(failureAnnotations(failures(9), 9).map(({ title }) => title)).toEqual(failures(9).map(({ name }) => `${name}: build failed`));
  });

  test.each([10, 50])("are no more than nine for %d hosts, and no host is left out", (count) => {
    const annotations = failureAnnotations(failures(count), 9);
    expect(annotations).toHaveLength(9);
    expect(annotations.at(-1)?.title).toBe(`${count - 8} more hosts failed`);
    const text = annotations.map(({ title, message }) => `${title}\n${message}`).join("\n");
    for (const { name } of failures(count)) expect(text).toMatch(new RegExp(`^${name}[: ]`, "m"));
  });
});

describe("failureSummary", () => {
  test("is one line with each host, its phase and its reason", () => {
    const results = [
      makeResult(),
      makeResult({ name: "web3", status: "rolled-back", error: makeError("long story") }),
      makeResult({
        name: "db1",
        status: "failed",
        phase: "connect",
        error: makeError("the host key of db1 is unknown. It is new", { hint: "Compare it", lines: ["line"] }),
      }),
      makeResult({ name: "db2", status: "failed", phase: "copy" }),
    ];
    expect(failureSummary(results)).toBe(
      "3 of 4 hosts failed: web3 (activate failed, rolled back), db1 (connect: the host key of db1 is unknown. It is new), db2 (copy: failed)",
    );
  });
});

test("the skipped hosts are reported in one annotation, by their reasons", () => {
  const skipped = (name: string, reason: string): HostResult => makeResult({ name, status: "skipped", error: makeError(reason, { lines: ["line"] }) });
  const results = [makeResult(), skipped("web2", "too many failed"), skipped("db1", "it does not answer. It never did"), skipped("web3", "too many failed")];
  expect(skippedAnnotations(results)).toEqual([
    { title: "3 of 4 hosts were skipped", message: "web2, web3: too many failed\ndb1: it does not answer. It never did" },
  ]);
  const error = makeError("too many failed", { topic: "not-activated" });
  expect(skippedAnnotations([makeResult({ status: "skipped", error })])[0]?.message).toBe("web1: too many failed\nSee docs/troubleshooting.md#not-activated");
  expect(skippedAnnotations(results.slice(0, 2)).map(({ title }) => title)).toEqual(["1 of 2 hosts was skipped"]);
  expect(skippedAnnotations(results.slice(0, 1))).toEqual([]);
});
