import { describe, expect, test } from "@jest/globals";

import { renderChange, renderCounts, renderDifferenceLines, signedSize } from "../../../src/domain/difference-text.js";
import { makeDifference } from "./make.js";

test.each([
  [0, "±0 B"],
  [1, "+1 B"],
  [-1023, "−1023 B"],
  [1024, "+1.0 KiB"],
  [-1_048_576, "−1.0 MiB"],
  [1_600_000_000, "+1.5 GiB"],
  [2 ** 60, "+1048576.0 TiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(signedSize(bytes)).toBe(text);
});

test.each([
  [["1.28.0"], ["1.28.1"], "nginx 1.28.0 → 1.28.1"],
  [["1", "2"], ["3"], "nginx 1, 2 → 3"],
  [[], ["1"], "nginx 1"],
  [["1"], [], "nginx 1"],
  [[""], [""], "nginx"],
  [[], [""], "nginx"],
  [[""], ["1"], "nginx → 1"],
])("from %j to %j is %s", (before, after, text) => {
  expect(renderChange({ name: "nginx", before, after, bytes: 0 })).toBe(text);
});

describe("renderDifferenceLines", () => {
  const change = (name: string) => ({ name, before: [], after: ["1"], bytes: 1 });

  test("has counts and a line a package", () => {
    const packages = [change("curl"), { name: "nginx", before: ["1"], after: ["2"], bytes: 0 }];
    expect(renderDifferenceLines(makeDifference({ packages, rebuilt: 14, bytes: 2048 }))).toEqual([
      "packages: 1 added, 1 changed, 14 rebuilt; size +2.0 KiB",
      "  curl 1",
      "  nginx 1 → 2",
    ]);
  });

  test("states that nothing changed, and that the comparison is incomplete", () => {
    expect(renderCounts(makeDifference({ truncated: true }))).toBe("packages: none changed; size ±0 B; incomplete: too many paths to compare");
  });

  test("does not fill a log", () => {
    const lines = renderDifferenceLines(makeDifference({ packages: Array.from({ length: 1000 }, (_, index) => change(`p${index}`)) }));
    expect(lines).toHaveLength(42);
    expect(lines.at(-1)).toBe("  and 960 more");
  });
});
