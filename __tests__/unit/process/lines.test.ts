import { describe, expect, test } from "@jest/globals";

import { lineCutter } from "../../../src/process/lines.js";

function cut(...chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const cutter = lineCutter((line) => lines.push(line));
  for (const chunk of chunks) cutter.push(Buffer.from(chunk));
  cutter.end();
  return lines;
}

describe("a stream of bytes", () => {
  test.each<[string, readonly (string | Buffer)[], readonly string[]]>([
    ["LF", ["a\nb\n"], ["a", "b"]],
    ["CRLF", ["a\r\nb\r\n"], ["a", "b"]],
    ["CR, as progress bars have it", ["10%\r20%\rdone\n"], ["10%", "20%", "done"]],
    ["no end", ["a\nb"], ["a", "b"]],
    ["a CR at the end", ["a\r"], ["a"]],
    ["empty lines", ["\n\na\n\n"], ["", "", "a", ""]],
    ["a line in pieces", ["a", "b", "c\nd"], ["abc", "d"]],
    ["CRLF in two pieces", ["a\r", "\nb\n"], ["a", "b"]],
    ["a CR at the end of a piece", ["a\r", "b\n"], ["a", "b"]],
    ["CR CR LF", ["a\r\r\nb\n"], ["a", "", "b"]],
    ["a character in two pieces", [Buffer.from("é\n").subarray(0, 1), Buffer.from("é\n").subarray(1)], ["é"]],
    ["half a character at the end", [Buffer.from([0x61, 0xc3])], ["a\uFFFD"]],
    ["nothing", [], []],
    ["nothing in a piece", [""], []],
  ])("with %s", (_, chunks, expected) => {
    expect(cut(...chunks)).toEqual(expected);
  });

  test("in pieces of one byte", () => {
    expect(cut(...Array.from("ab\r\ncd\re\n\nf"))).toEqual(["ab", "cd", "e", "", "f"]);
    expect(cut(...Array.from("x".repeat(40_000))).map((line) => line.length)).toEqual([16_384, 16_384, 7232]);
  });

  test("without any line end does not fill the memory", () => {
    const lines = cut("x".repeat(50_000), "y".repeat(50_000));
    expect(lines.every((line) => line.length <= 16_384)).toBe(true);
    expect(lines.join("")).toBe("x".repeat(50_000) + "y".repeat(50_000));
  });
});
