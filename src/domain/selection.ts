import { listed } from "./listed.js";

/** A part of a selection: a glob over names, or over tags. */
export type SelectionRule = {
  readonly kind: "name" | "tag";
  /** Whether it leaves out what it matches. */
  readonly leavesOut: boolean;
  /** As it was written. */
  readonly text: string;
  /** The glob as a regular expression that means the same in JavaScript and in POSIX (ERE), without anchors. */
  readonly expression: string;
};

/** What is chosen: what any rule matches (everything where no rule chooses), without what a rule leaves out, in any order. */
export type Selection = readonly SelectionRule[];

/** What a rule is compared with. `tags` is `undefined` where they are unknown. */
export type Selectable = { readonly names: readonly string[]; readonly tags: readonly string[] | undefined };

export const acceptedSelection =
  "comma-separated globs over names and @tags, for example web1,edge-*,@canary,!web2 (! leaves out, * matches anything, ? one character, [abc] and [!a-z] one character of a set)";

// Characters: Nix gets the globs in one argument, of which Linux takes 128 KiB.
const longestSelection = 30_000;

/**
 * Parses a selection in the syntax of colmena's `--on` (src/nix/node_filter.rs there): globs, separated by commas, white space
 * around them; one that begins with `@` matches tags, and one with `!` leaves out. An empty text has no rules. Throws an `Error` that says what is wrong.
 */
export function parseSelection(text: string): Selection {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  if (trimmed.length > longestSelection) throw new Error(`is longer than ${longestSelection} characters`);
  return trimmed.split(",").map((part) => {
    const rule = part.trim();
    const leavesOut = rule.startsWith("!");
    const positive = leavesOut ? rule.slice(1).trim() : rule;
    const isTag = positive.startsWith("@");
    const glob = isTag ? positive.slice(1) : positive;
    if (glob === "") throw new Error("contains an empty pattern");
    return { kind: isTag ? "tag" : "name", leavesOut, text: rule, expression: expressionOf(glob) };
  });
}

/** Returns whether the selection depends on tags. */
export function looksAtTags(selection: Selection): boolean {
  return selection.some(({ kind }) => kind === "tag");
}

/** Returns whether the selection chooses an item by its whole name, not by a pattern. */
export function isNamed(name: string, selection: Selection): boolean {
  return selection.some(({ kind, leavesOut, text }) => kind === "name" && !leavesOut && text === name);
}

/**
 * Returns the chosen items, and the rules that match nothing. An item whose tags are unknown is chosen by any rule for tags, so
 * that it is not skipped silently.
 */
export function select<T>(items: readonly T[], selection: Selection, look: (item: T) => Selectable): { chosen: T[]; unmatched: string[] } {
  if (selection.length === 0) return { chosen: [...items], unmatched: [] };
  const seen = items.map((item) => ({ item, ...look(item) }));
  const choosing = selection.filter(({ leavesOut }) => !leavesOut);
  const isChosen = (one: Selectable): boolean =>
    choosing.length === 0 || choosing.some((rule) => isMatch(rule, one) || (rule.kind === "tag" && one.tags === undefined));
  const isLeftOut = (one: Selectable): boolean => selection.some((rule) => rule.leavesOut && isMatch(rule, one));
  return {
    chosen: seen.flatMap((one) => (isChosen(one) && !isLeftOut(one) ? [one.item] : [])),
    unmatched: selection.filter((rule) => !seen.some((one) => isMatch(rule, one))).map((rule) => rule.text),
  };
}

/** Says that a selection leaves nothing. */
export function nothingLeftProblem(selection: Selection): string {
  return `${selection.map(({ text }) => text).join(",")} leaves no machine`;
}

/** Renders which rules match nothing, and what is available. */
export function unmatchedProblem(unmatched: readonly string[], available: readonly string[]): string {
  return `${unmatched.join(", ")} matches no host; available: ${available.length === 0 ? "none" : listed(available, mostNames)}`;
}

const mostNames = 50;

function isMatch({ kind, expression }: SelectionRule, { names, tags }: Selectable): boolean {
  const pattern = new RegExp(`^(?:${expression})$`, "su");
  return (kind === "tag" ? (tags ?? []) : names).some((text) => pattern.test(text));
}

// A set contains only characters that need no escape in either kind of regular expression.
const pieces = /\*+|\?|\[(!?)([A-Za-z0-9_.@ -]+)\]|[^*?[\]]+|[[\]]/g;

function expressionOf(glob: string): string {
  return glob.replaceAll(pieces, (piece: string, not: string | undefined, set: string | undefined) => {
    if (piece.startsWith("*")) return ".*";
    if (piece === "?") return ".";
    if (set !== undefined) return `[${not === "!" ? "^" : ""}${checkedSet(set)}]`;
    if (piece === "[" || piece === "]") throw new Error(`contains an invalid set in ${glob}: brackets may enclose only letters, digits and _ . @ -`);
    return piece.replaceAll(/[\\^$.|+(){}]/g, String.raw`\$&`);
  });
}

// A range that runs backwards is an error in both kinds.
function checkedSet(set: string): string {
  for (const [range, from, to] of set.matchAll(/(.)-(.)/g)) {
    if ((from ?? "") > (to ?? "")) throw new Error(`contains the reversed range ${range}`);
  }
  return set;
}
