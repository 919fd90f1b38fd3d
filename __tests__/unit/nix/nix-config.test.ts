import { describe, expect, test } from "@jest/globals";

import { nixLiteral } from "../../../src/nix/nix-config.js";

describe("nixLiteral", () => {
  test.each<[unknown, string]>([
    ['a "quoted" ${expression}', String.raw`"a \"quoted\" \${expression}"`],
    [true, "true"],
    [7, "7"],
    [["https://a", "https://b"], '[ ("https://a") ("https://b") ]'],
    [[], "[  ]"],
    [{}, "{ }"],
    [{ "extra-substituters": ["https://a"], fallback: true }, '{ "extra-substituters" = [ ("https://a") ]; "fallback" = true; }'],
  ])("renders %j", (value, expected) => {
    expect(nixLiteral(value)).toBe(expected);
  });
});
