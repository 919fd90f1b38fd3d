/** Names in a sentence, at most `most` of them: `web1, web2 and 3 more`. */
export function listed(names: readonly string[], most: number): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(", ")} ${andMore(more)}` : names.join(", ");
}

/** At most `most` lines, then one for the rest: `and 3 more`, followed by `what` if given. */
export function listedLines(lines: readonly string[], most: number, what = ""): string[] {
  const more = lines.length - most;
  return more > 0 ? [...lines.slice(0, most), andMore(more, what)] : [...lines];
}

/** Says how many are not listed: `and 3 more packages`. */
export function andMore(count: number, what = ""): string {
  return `and ${count} more${what === "" ? "" : ` ${what}`}`;
}
