import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { readActionMetadata } from "../../../scripts/action-metadata.js";
import type { UnitPlan } from "../../../src/domain/unit-plan.js";
import { renderOutputs, renderResults, setOutputs, statusOf, type Report } from "../../../src/github/outputs.js";
import { makeError, makeResult, makeStorePath, source } from "../domain/make.js";

function makeReport(overrides: Partial<Report> = {}): Report {
  return { results: [makeResult()], status: "deployed", storePath: source, flakeReference: `path:${source}`, summaryPath: "/tmp/summary.md", ...overrides };
}

test("the outputs are those of action.yml", () => {
  expect(Object.keys(renderOutputs(makeReport()))).toEqual(expect.arrayContaining(readActionMetadata().outputs.map(({ name }) => name)));
  expect(readActionMetadata().outputs).toHaveLength(Object.keys(renderOutputs(makeReport())).length);
});

describe("renderOutputs", () => {
  test("has every value of a single machine", () => {
    expect(renderOutputs(makeReport())).toMatchObject({
      "store-path": source,
      "flake-ref": `path:${source}`,
      status: "deployed",
      changed: "true",
      deployed: "1",
      failed: "0",
      "system-path": makeStorePath("new"),
      "previous-system-path": makeStorePath("old"),
      "exit-code": "0",
    });
  });

  test("counts several machines, whose own values are only in the results", () => {
    const results = [makeResult({ changed: false, status: "unchanged" }), makeResult({ status: "failed" }), makeResult(), makeResult({ status: "degraded" })];
    expect(renderOutputs(makeReport({ results, status: "failed" }))).toMatchObject({
      status: "failed",
      changed: "true",
      deployed: "1",
      failed: "1",
      "system-path": "",
      "previous-system-path": "",
      "exit-code": "",
    });
  });

  test("has every output also where nothing came of it", () => {
    expect(renderOutputs({ results: [], status: "failed", storePath: undefined, flakeReference: undefined, summaryPath: undefined })).toEqual({
      "store-path": "",
      "flake-ref": "",
      status: "failed",
      results: "[]",
      changed: "false",
      deployed: "0",
      failed: "0",
      "summary-path": "",
      "system-path": "",
      "previous-system-path": "",
      "exit-code": "",
    });
  });
});

describe("renderResults", () => {
  const noUnits = { source: "unit-files", stop: [], start: [], restart: [], reload: [], keep: [], again: [], reexecutes: false } as const;

  test("names the inhibitors that a plan foresees, and those that have refused an activation, once", () => {
    const plan: UnitPlan = { ...noUnits, inhibitors: ["systemd: 260 -> 261"] };
    const error = makeError("no", { causes: [{ kind: "inhibitor", changes: ["systemd: 260 -> 261", "dbus: a -> b"] }] });
    const named = [{}, { plan }, { error }, { plan, error }].map((parts) => {
      const results: unknown = JSON.parse(renderResults([makeResult(parts)]));
      return results;
    });
    const [systemd, both] = [["systemd: 260 -> 261"], ["systemd: 260 -> 261", "dbus: a -> b"]];
    expect(named).toMatchObject([[], systemd, both, both].map((inhibitors) => [{ inhibitors }]));
  });

  test("has every field of every host, null where there is no value", () => {
    const [first, second] = [
      makeResult(),
      makeResult({
        configuration: undefined,
        systemPath: undefined,
        previousSystemPath: undefined,
        generation: undefined,
        exitCode: undefined,
        error: makeError("why", { hint: "Do this", lines: ["a line"] }),
      }),
    ];
    const parsed: unknown = JSON.parse(renderResults([first, second]));
    const fields = {
      name: "web1",
      target: "root@web1.example.org",
      status: "deployed",
      phase: "activate",
      changed: true,
      "failed-units": [],
      inhibitors: [],
      seconds: 1.5,
    };
    expect(parsed).toEqual([
      {
        ...fields,
        configuration: "web1",
        "system-path": makeStorePath("new"),
        "previous-system-path": makeStorePath("old"),
        generation: 7,
        "previous-generation": 6,
        "exit-code": 0,
        error: null,
      },
      {
        ...fields,
        configuration: null,
        "system-path": null,
        "previous-system-path": null,
        generation: null,
        "previous-generation": 6,
        "exit-code": null,
        error: "why. Do this\n  a line",
      },
    ]);
  });

  test("keeps a short error whole and cuts a very long one", () => {
    const long = renderResults([makeResult({ error: makeError("x".repeat(50_000)) })]);
    expect(long.length).toBeLessThan(11_000);
    expect(long).toContain("x…");
  });

  test.each([2, 30, 256, 300])("of %d hosts with long errors fits into an output", (count) => {
    const error = makeError("é\n".repeat(4000));
    const text = renderResults(Array.from({ length: count }, (_, index) => makeResult({ name: `web${index}`, error })));
    expect(text.length).toBeLessThanOrEqual(250_000);
    expect(JSON.parse(text)).toHaveLength(count);
  });
});

describe("setOutputs", () => {
  test("writes them as the runner reads them, whatever is in a value", () => {
    const directory = mkdtempSync(join(tmpdir(), "unit-outputs-"));
    const file = join(directory, "output");
    writeFileSync(file, "");
    const before = process.env["GITHUB_OUTPUT"];
    process.env["GITHUB_OUTPUT"] = file;
    try {
      setOutputs(makeReport({ results: [makeResult({ error: makeError("a\nfailed=7\nb") })] }));
      const written = readFileSync(file, "utf8");
      const values = new Map([...written.matchAll(/^([\w-]+)<<(ghadelimiter_\S+)\n(.*?)\n\2$/gms)].map((match) => [match[1], match[3]]));
      expect(values.get("status")).toBe("deployed");
      expect(values.get("failed")).toBe("0");
      expect([...values.keys()]).toEqual(Object.keys(renderOutputs(makeReport())));
    } finally {
      if (before === undefined) delete process.env["GITHUB_OUTPUT"];
      else process.env["GITHUB_OUTPUT"] = before;
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe("statusOf", () => {
  test("is the worst of all hosts", () => {
    expect(statusOf([makeResult({ status: "unchanged" }), makeResult({ status: "failed" })], false)).toBe("failed");
    expect(statusOf([makeResult({ status: "unchanged" })], false)).toBe("unchanged");
  });

  test("is failed where the run ended before any host", () => {
    expect(statusOf([], true)).toBe("failed");
  });
});
