import { describe, expect, test } from "@jest/globals";

import { KeptOutput } from "../../../src/process/kept-output.js";

function kept(limit: number, ...pieces: readonly string[]): KeptOutput {
  const output = new KeptOutput(limit);
  for (const piece of pieces) output.push(Buffer.from(piece));
  return output;
}

describe("an output", () => {
  test.each<[string, readonly string[], string, boolean]>([
    ["nothing", [], "", false],
    ["shorter than the limit", ["abc", "de"], "abcde", false],
    ["as long as the limit", ["abcde", "fghij"], "abcdefghij", false],
    ["a little longer", ["abcdefgh", "ijklm"], "defghijklm", true],
    ["much longer, in one piece", [`${"x".repeat(100)}0123456789`], "0123456789", true],
    ["much longer, in many pieces", Array.from({ length: 100 }, (_, index) => String(index % 10)), "0123456789", true],
    ["a long piece behind a short one", ["abc", "0123456789012"], "3456789012", true],
    ["a short piece behind a long one", ["0123456789012", "abc"], "6789012abc", true],
  ])("with a limit of 10 bytes: %s", (_, pieces, text, overflowed) => {
    const output = kept(10, ...pieces);
    expect([output.text(), output.overflowed]).toEqual([text, overflowed]);
  });

  test("in pieces of one byte takes no more memory than its limit asks for", () => {
    const before = process.memoryUsage();
    const output = new KeptOutput(1_000_000);
    const piece = Buffer.from("x");
    for (let count = 0; count < 3_000_000; count += 1) output.push(piece);
    const { heapUsed, external } = process.memoryUsage();
    expect(output.text()).toHaveLength(1_000_000);
    // As a list, these pieces alone would be 3,000,000 references: 24 MB, and more for pieces of their own.
    expect(heapUsed + external - before.heapUsed - before.external).toBeLessThan(20_000_000);
  });
});
