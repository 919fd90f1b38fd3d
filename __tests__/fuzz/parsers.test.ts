import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";

import { parsers, isDeclared, type Parser } from "./parsers.js";

/** Texts of the parser's own words, of what steers others, and of anything. */
function texts({ words }: Parser): fc.Arbitrary<string> {
  const common = ["\n", " ", "\r", "\0", "'", '"', "=", "é", "\u2028", "\ud800", "::error::x", "x".repeat(300), "9".repeat(30), "-1", "__proto__"];
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...words) },
    { weight: 2, arbitrary: fc.constantFrom(...common) },
    fc.string({ unit: "binary" }),
  );
  return fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));
}

function withoutAccident(parser: Parser): fc.IProperty<[string]> {
  return fc.property(texts(parser), (text) => {
    try {
      parser.parse(text);
    } catch (error) {
      if (!isDeclared(error, parser)) throw error;
    }
  });
}

describe.each(parsers.map((parser) => [parser.name, parser] as const))("%s", (_, parser) => {
  test("throws nothing but the declared error, whatever the text", () => {
    const run = fc.check(withoutAccident(parser), { numRuns: 300 });
    expect(run.failed ? fc.defaultReportMessage(run) : "no accident").toBe("no accident");
  });
});

test("a parser that throws what it must not is found (control)", () => {
  const careless: Parser = { name: "", parse: (text): unknown => JSON.parse(text), throws: [Error], words: ["{"] };
  expect(fc.check(withoutAccident(careless)).failed).toBe(true);
});
