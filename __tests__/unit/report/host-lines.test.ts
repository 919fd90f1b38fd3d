import { describe, expect, test } from "@jest/globals";

import { HostLines, mostShown } from "../../../src/report/host-lines.js";

describe("the lines of one host", () => {
  test("beyond 100,000 are counted, and not shown", () => {
    const lines = new HostLines();
    const shown = Array.from({ length: mostShown + 500 }, (_, index) => lines.push(`line ${index}`)).filter(Boolean);
    expect(shown).toHaveLength(100_000);
    expect(lines.counted).toBe(500);
    const all = [...lines.all()];
    expect(all.at(-1)).toBe("… 500 more lines of this host omitted …");
    expect(all.at(-2)).toBe("line 99999");
    expect(all.some((line) => line === "line 100000")).toBe(false);
  });

  test("of the action itself are shown at any length", () => {
    const lines = new HostLines();
    for (let count = 0; count < mostShown + 1; count += 1) lines.push("x");
    lines.note("rolling back");
    expect([...lines.all()]).toContain("rolling back");
  });

  test("account for every line", () => {
    const lines = new HostLines();
    for (let count = 0; count < 70_000; count += 1) lines.push(`line ${count}`);
    const all = [...lines.all()];
    const gap = Number(/^… (\d+) lines omitted …$/.exec(all[5000] ?? "")?.[1]);
    expect(all.length - 1 + gap).toBe(70_000);
    expect(all[5001]).toBe(`line ${5000 + gap}`);
  });

  test("take little memory, however long they are", () => {
    const lines = new HostLines();
    for (let count = 0; count < 100_000; count += 1) lines.push("x".repeat(16_384 - (count % 7)));
    const characters = [...lines.all()].reduce((sum, line) => sum + line.length, 0);
    expect(characters).toBeLessThan(3_100_000);
    expect(lines.counted).toBeGreaterThan(90_000);
  });
});
