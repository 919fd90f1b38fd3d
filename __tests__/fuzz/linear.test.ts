import { describe, expect, jest, test } from "@jest/globals";

import { parseTargetList } from "../../src/domain/target-list.js";
import { parsers, type Parser } from "./parsers.js";

jest.setTimeout(120_000);

// Characters. Where the work is quadratic, this many are some 10^6 steps: what is done within the time below is not worth a second look.
const characters = 2500;
const quickMicroseconds = 4000;
// A quadratic one takes 64 times as long for 8 times as many.
const growth = 8;
const mostTimes = 24;

const common = ["\n", " ", "  ", "\t", "a", "a ", "/", "'", '"', "=", "-", ":", ",", "`", "(", "[", "{", "}", "0", "\r", "é", "x\n", " \n", "\0"];

/** Makers of texts of a length in which something is repeated, behind and before something else. */
function repetitive({ words }: Parser): ((length: number) => string)[] {
  const pieces = [...words, ...common];
  const fill = (piece: string, length: number): string => piece.repeat(Math.ceil(length / piece.length));
  return pieces.flatMap((piece) => [
    (length: number) => fill(piece, length),
    ...words.map((word) => (length: number) => `${word}${fill(piece, length)}${word}\n`),
  ]);
}

/** Time of the processor, which other processes do not add to. */
function microseconds(work: () => unknown): number {
  const before = process.cpuUsage();
  try {
    work();
  } catch {
    // Refused in that time.
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function quickest(work: () => unknown): number {
  return Math.min(...[1, 2, 3].map(() => microseconds(work)));
}

/** The texts for which the time grows much faster than the length, by their beginnings. */
function slow(parser: Parser): string[] {
  return repetitive(parser).flatMap((make) => {
    const text = make(characters);
    if (microseconds(() => parser.parse(text)) < quickMicroseconds) return [];
    const short = quickest(() => parser.parse(text));
    if (short < quickMicroseconds) return [];
    const longer = make(characters * growth);
    const long = quickest(() => parser.parse(longer));
    return long / short > mostTimes ? [`${JSON.stringify(text.slice(0, 60))}: ${short} µs, ${long} µs`] : [];
  });
}

describe.each(parsers.map((parser) => [parser.name, parser] as const))("%s", (_, parser) => {
  test("is read in time that grows with its length", () => {
    expect(slow(parser)).toEqual([]);
  });
});

test("time that grows with the square of the length is found (control)", () => {
  const careless: Parser = { name: "", parse: (text) => text.replace(/\s+$/, ""), throws: [], words: ["x"] };
  expect(slow(careless).length).toBeGreaterThan(0);
});

describe("many names", () => {
  const targets = parsers.find(({ name }) => name === "the input targets");

  test("100,000 targets are read", () => {
    const text = Array.from({ length: 100_000 }, (_, index) => `root@web${index}.example.org#web${index}`).join("\n");
    expect(targets?.parse(text)).toHaveLength(100_000);
  });

  test("a name of 1 MB is refused in few words, wherever it stands", () => {
    const long = "x".repeat(1_000_000);
    for (const text of [long, `root@${long}`, `${long}@web1`, `web1#${long}`, `web1:${"2".repeat(1_000_000)}`, `[{"host":"web1","name":"${long}"}]`]) {
      const { requests, problems } = parseTargetList(text);
      expect([requests, problems.join().length < 2000, problems.length]).toEqual([[], true, 1]);
    }
  });
});
