import { describe, expect, test } from "@jest/globals";

import { looksAtTags, isNamed, parseSelection, select, unmatchedProblem } from "../../../src/domain/selection.js";

type Machine = { readonly name: string; readonly tags?: readonly string[] };

const machines: readonly Machine[] = [
  { name: "alpha", tags: ["web", "infra-lax"] },
  { name: "beta", tags: ["router", "infra-sfo"] },
  { name: "gamma-a", tags: ["controller"] },
  { name: "gamma-b", tags: ["ewaste"] },
];

function chosen(text: string, from: readonly Machine[] = machines): { names: string[]; unmatched: string[] } {
  const result = select(from, parseSelection(text), ({ name, tags }) => ({ names: [name], tags }));
  return { names: result.chosen.map(({ name }) => name), unmatched: result.unmatched };
}

// The first ones are cases of colmena's own tests (src/nix/node_filter.rs).
test.each([
  ["@web", ["alpha"]],
  ["@infra-*", ["alpha", "beta"]],
  ["@router,@controller", ["beta", "gamma-a"]],
  ["@router,gamma-*", ["beta", "gamma-a", "gamma-b"]],
  [" beta, \t@web ", ["alpha", "beta"]],
  ["gamma-?", ["gamma-a", "gamma-b"]],
  ["gamma-[bc]", ["gamma-b"]],
  ["gamma-[!b]", ["gamma-a"]],
  ["[a-b]*", ["alpha", "beta"]],
  ["**", ["alpha", "beta", "gamma-a", "gamma-b"]],
  ["", ["alpha", "beta", "gamma-a", "gamma-b"]],
  ["\t", ["alpha", "beta", "gamma-a", "gamma-b"]],
  ["!beta", ["alpha", "gamma-a", "gamma-b"]],
  ["!@infra-*, !gamma-b", ["gamma-a"]],
  ["!gamma-a,gamma-*", ["gamma-b"]],
  ["@infra-*,!@router", ["alpha"]],
  ["! @web,alpha,beta", ["beta"]],
])("%j chooses", (text, expected) => {
  expect(chosen(text)).toEqual({ names: expected, unmatched: [] });
});

test.each([
  ["a name is matched as a whole, in its own case", "alp,ALPHA,beta"],
  ["what regular expressions know means nothing", "b.ta,(alpha),alpha|beta,^beta,beta$,b+eta,\\w*,beta{1},beta"],
  ["a tag is no name and a name no tag", "web,@beta,beta"],
])("%s", (_, text) => {
  const { names, unmatched } = chosen(text);
  expect(names).toEqual(["beta"]);
  expect(unmatched).toEqual(text.split(",").slice(0, -1));
});

test("dots, pluses and line ends of a name are matched as they are", () => {
  const odd = [{ name: "web.1+x" }, { name: "web-1+x" }, { name: "a\nb" }];
  expect(chosen("web.1+x", odd).names).toEqual(["web.1+x"]);
  expect(chosen("a?b", odd).names).toEqual(["a\nb"]);
});

test("a machine with unknown tags is selected by a tag, but does not count as a match", () => {
  expect(chosen("@web", [{ name: "broken" }])).toEqual({ names: ["broken"], unmatched: ["@web"] });
  expect(chosen("alpha", [{ name: "broken" }, { name: "alpha" }])).toEqual({ names: ["alpha"], unmatched: [] });
});

test("a machine with unknown tags is not excluded by a tag, and a rule that excludes nothing counts as no match", () => {
  expect(chosen("!@web", [{ name: "broken" }, { name: "alpha", tags: ["web"] }])).toEqual({ names: ["broken"], unmatched: [] });
  expect(chosen("!delta")).toEqual({ names: ["alpha", "beta", "gamma-a", "gamma-b"], unmatched: ["!delta"] });
});

test.each([
  ["!", "contains an empty pattern"],
  ["a,!@", "contains an empty pattern"],
  [",", "contains an empty pattern"],
  ["a,,b", "contains an empty pattern"],
  ["a,b,", "contains an empty pattern"],
  ["@", "contains an empty pattern"],
  ["web[", "contains an invalid set in web[: brackets may enclose only letters, digits and _ . @ -"],
  ["web[]", "contains an invalid set in web[]: brackets may enclose only letters, digits and _ . @ -"],
  ["web]", "contains an invalid set in web]: brackets may enclose only letters, digits and _ . @ -"],
  ["web[*]", "contains an invalid set in web[*]: brackets may enclose only letters, digits and _ . @ -"],
  ["web[9-0]", "contains the reversed range 9-0"],
])("%j is refused", (text, message) => {
  expect(() => parseSelection(text)).toThrow(message);
});

describe("an expression", () => {
  test.each([
    ["web-*", "web-.*"],
    ["a.b+c", String.raw`a\.b\+c`],
    ["x?[!a-c]", "x.[^a-c]"],
    [String.raw`a\b`, String.raw`a\\b`],
  ])("of %j is one of POSIX as well", (glob, expression) => {
    expect(parseSelection(glob)).toEqual([{ kind: "name", leavesOut: false, text: glob, expression }]);
  });
});

test("knows whether tags are needed", () => {
  expect(looksAtTags(parseSelection("a,b*"))).toBe(false);
  expect(looksAtTags(parseSelection("a,@b"))).toBe(true);
});

test("what matches nothing is reported with the available names, shortened if there are many", () => {
  expect(unmatchedProblem(["x"], [])).toBe("x matches no host; available: none");
  const many = Array.from({ length: 60 }, (_, index) => `h${index}`);
  expect(unmatchedProblem(["x", "@y"], many)).toMatch(/^x, @y matches no host; available: h0, h1, .*, h49 and 10 more$/);
});

test("a name is selected as such only by a rule without a pattern", () => {
  expect(["web1", "web*", "web[1]", "@web1", "!web1"].map((text) => isNamed("web1", parseSelection(text)))).toEqual([true, false, false, false, false]);
});
