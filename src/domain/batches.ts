/** A number of hosts, or a share of them in percent. */
export type Amount = { readonly kind: "count"; readonly count: number } | { readonly kind: "percentage"; readonly percentage: number };

export const acceptedAmount = "a whole number (3) or a percentage (25%)";

/** Parses `3` or `25%`. Returns `undefined` for anything else. */
export function parseAmount(text: string): Amount | undefined {
  const [, digits, percent] = /^(\d{1,9})\s*(%?)$/.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits);
  if (percent === "") return { kind: "count", count: number };
  return number <= 100 ? { kind: "percentage", percentage: number } : undefined;
}

/** Parses the sizes of batches, comma separated: `1, 25%, 100%`. Throws an `Error` that names an invalid size. */
export function parseBatches(text: string): Amount[] {
  return text.split(",").map((part) => {
    const amount = parseAmount(part);
    if (amount === undefined || amountOf(amount, 100) === 0) throw new Error(`${JSON.stringify(part.trim())} is not a valid batch size`);
    return amount;
  });
}

/** How many of `total` hosts an amount is; a share is rounded down. */
export function amountOf(amount: Amount, total: number): number {
  return amount.kind === "count" ? amount.count : Math.floor((amount.percentage * total) / 100);
}

/**
 * Cuts the items into batches of these sizes, in their order. As with Ansible's `serial`, a percentage is one of all items, a
 * batch has at least one item, and the last size is repeated until no items are left.
 */
export function inBatches<T>(items: readonly T[], sizes: readonly Amount[]): T[][] {
  const batches: T[][] = [];
  for (let begin = 0; begin < items.length;) {
    const size = sizes[Math.min(batches.length, sizes.length - 1)];
    const end = begin + (size === undefined ? items.length : Math.max(1, amountOf(size, items.length)));
    batches.push(items.slice(begin, end));
    begin = end;
  }
  return batches;
}
