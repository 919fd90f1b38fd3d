import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { root } from "../../scripts/paths.js";
import { severeFindings } from "../../scripts/zizmor-findings.js";

/** As zizmor 1.32.0 prints a finding, shortened. */
function finding(severity: unknown, ignored = false): object {
  return {
    ident: "artipacked",
    desc: "credential persistence through GitHub Actions artifacts",
    determinations: { confidence: "Low", severity, persona: "Regular" },
    locations: [
      { symbolic: { key: { Local: { verbatim_path: "other.yml" } }, kind: "Related" }, concrete: { location: { start_point: { row: 0, column: 0 } } } },
      { symbolic: { key: { Local: { verbatim_path: "ci.yml" } }, kind: "Primary" }, concrete: { location: { start_point: { row: 5, column: 8 } } } },
    ],
    ignored,
  };
}

describe("severeFindings", () => {
  test.each(["Medium", "High", "Unknown"])("reports a finding of severity %s with its place", (severity) => {
    const line = `ci.yml:6: ${severity.toLowerCase()}: artipacked: credential persistence through GitHub Actions artifacts`;
    expect(severeFindings(JSON.stringify([finding(severity)]))).toEqual([line]);
  });

  test.each(["Low", "Informational"])("accepts a finding of severity %s", (severity) => {
    expect(severeFindings(JSON.stringify([finding(severity)]))).toEqual([]);
  });

  test("accepts a finding that a comment or the configuration ignores", () => {
    expect(severeFindings(JSON.stringify([finding("High", true)]))).toEqual([]);
  });

  test("refuses a report that it does not understand", () => {
    expect(() => severeFindings("{}")).toThrow("zizmor's report is not a JSON array");
    expect(() => severeFindings(JSON.stringify([finding(undefined)]))).toThrow("a finding of zizmor has no severity");
  });
});

test("zizmor is installed by its exact version and hash", () => {
  expect(readFileSync(join(root, "scripts/requirements.txt"), "utf8")).toMatch(/^zizmor==[\d.]+ --hash=sha256:[0-9a-f]{64}$/m);
});
