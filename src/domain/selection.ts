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

/** What a rule looks at. `tags` is `undefined` where they cannot be told. */
export type Selectable = { readonly names: readonly string[]; readonly tags: readonly string[] | undefined };

export const acceptedSelection =
  "globs over names and @tags, comma separated, as in web1,edge-*,@canary,!web2; ! leaves out, * stands for anything, ? for one character, [abc] and [!a-z] for one of a set";

/**
 * Reads a selection in the syntax of colmena's `--on` (src/nix/node_filter.rs there): globs, separated by commas, white space
 * around them; one that begins with `@` is for tags, and one that begins with `!` leaves out. An empty text is no rule. Throws an `Error` that says what is wrong.
 */
export function parseSelection(text: string): Selection {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  return trimmed.split(",").map((part) => {
    const rule = part.trim();
    const leavesOut = rule.startsWith("!");
    const positive = leavesOut ? rule.slice(1).trim() : rule;
    const isTag = positive.startsWith("@");
    const glob = isTag ? positive.slice(1) : positive;
    if (glob === "") throw new Error("has an empty part between its commas");
    return { kind: isTag ? "tag" : "name", leavesOut, text: rule, expression: expressionOf(glob) };
  });
}

/** Tells whether the tags decide about what is chosen. */
export function looksAtTags(selection: Selection): boolean {
  return selection.some(({ kind }) => kind === "tag");
}

/**
 * Splits into what is chosen and the rules that match nothing. What cannot tell its tags is chosen by any rule about tags, so
 * that it is not passed over in silence.
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

/** Says which rules match nothing, and what there is. */
export function unmatchedProblem(unmatched: readonly string[], available: readonly string[]): string {
  return `${unmatched.join(", ")} matches no machine; there are ${available.length === 0 ? "none" : listed(available, mostNames)}`;
}

const mostNames = 50;

function isMatch({ kind, expression }: SelectionRule, { names, tags }: Selectable): boolean {
  const pattern = new RegExp(`^(?:${expression})$`, "su");
  return (kind === "tag" ? (tags ?? []) : names).some((text) => pattern.test(text));
}

// A set holds only what needs no escape in either kind of regular expression.
const pieces = /\*+|\?|\[(!?)([A-Za-z0-9_.@ -]+)\]|[^*?[\]]+|[[\]]/g;

function expressionOf(glob: string): string {
  return glob.replaceAll(pieces, (piece: string, not: string | undefined, set: string | undefined) => {
    if (piece.startsWith("*")) return ".*";
    if (piece === "?") return ".";
    if (set !== undefined) return `[${not === "!" ? "^" : ""}${checkedSet(set)}]`;
    if (piece === "[" || piece === "]") throw new Error(`has a bracket in ${glob} that encloses no set of letters, digits, or _ . -`);
    return piece.replaceAll(/[\\^$.|+(){}]/g, String.raw`\$&`);
  });
}

// A range that runs backwards is an error in both kinds.
function checkedSet(set: string): string {
  for (const [range, from, to] of set.matchAll(/(.)-(.)/g)) {
    if ((from ?? "") > (to ?? "")) throw new Error(`has the range ${range}, which ends before it begins`);
  }
  return set;
}
