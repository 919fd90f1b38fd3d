import { printable } from "../printable.js";

// Output of machines is only in code spans, where Markdown has no effect, in fenced blocks whose lines all begin with a sign of
// the action, or escaped in `<pre>` and `<code>`, which are HTML. In none of them GitHub makes mentions, links or emoji.

/** Escapes a text for HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/**
 * Renders one line of text as a code span (CommonMark 6.1) that may be in a table. Tables are split at pipes before anything
 * else is parsed, and a backslash before an escaped pipe still splits: a pipe becomes a broken bar.
 */
export function codeSpan(text: string): string {
  const line = oneLine(text).replaceAll("|", "¦");
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}

/** Renders one line of text as code in HTML. */
export function htmlCode(text: string): string {
  return `<code>${escapeHtml(oneLine(text))}</code>`;
}

// A store path has up to 255 characters; a longer name is not readable.
const longestLine = 300;

/** The text as one line without what cannot be seen, and not too long; a text of which nothing can be seen is a question mark. */
export function oneLine(text: string): string {
  const line = visible(text.replaceAll(/\s+/g, " ")).trim() || "?";
  return line.length <= longestLine ? line : `${Array.from(line).slice(0, longestLine).join("")}…`;
}

/** A line without control characters, and without those that turn the direction of the text around them. */
export function visible(line: string): string {
  return printable(line).replaceAll(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, "");
}

export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** Renders a text of several lines as a block; one that needs more bytes than these loses its middle. */
export function preformatted(text: string, bytes: number): string {
  return `<pre>${shorten(text, bytes)}</pre>\n`;
}

function shorten(text: string, bytes: number): string {
  // A character needs at least one byte: what exceeds that cannot fit, and is not processed.
  const cut = text.length > 2 * bytes ? `${text.slice(0, bytes)}\n${text.slice(-bytes)}` : text;
  const lines = cut.split("\n").map(visible).join("\n");
  const whole = escapeHtml(lines);
  if (cut === text && byteLength(whole) <= bytes) return whole;
  const characters = Array.from(lines);
  const beginning = fitting(characters, bytes / 2);
  const end = fitting(characters.toReversed(), bytes / 2);
  return `${escapeHtml(beginning.join(""))}\n… shortened; see the log for the rest …\n${escapeHtml(end.toReversed().join(""))}`;
}

/** The first characters that need no more than these bytes once they are escaped. */
function fitting(characters: readonly string[], bytes: number): string[] {
  let left = bytes;
  const beyond = characters.findIndex((character) => (left -= byteLength(escapeHtml(character))) < 0);
  return characters.slice(0, beyond === -1 ? undefined : beyond);
}
