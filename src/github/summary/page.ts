import type { Flake } from "../domain/flake.js";
import { isFailure, statuses, type HostResult } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import { printable } from "./workflow-log.js";

/**
 * Renders the job summary as GitHub's Markdown.
 *
 * Names, targets and errors may hold anything: they stand in code spans, of which Markdown obeys nothing, or as escaped
 * text in `<pre>`, a block that is HTML up to its end (CommonMark 4.6). In both GitHub makes no mentions, links or emoji.
 *
 * GitHub refuses a summary above 1 MiB as a whole. What does not fit is dropped, least important first: the middle of long
 * errors, rows of hosts that are as they should be, errors, rows of failed hosts. The last line then says what is missing.
 */
export function renderSummary(
  results: readonly HostResult[],
  flake: Flake | undefined,
  { endedEarly = false, limit = mostBytes }: { readonly endedEarly?: boolean; readonly limit?: number } = {},
): string {
  const head = `### ${headline(results, endedEarly)}\n\n${[counts(results), flake === undefined ? "" : describeFlake(flake)].filter(Boolean).join("  \n")}\n\n`;
  const failed = results.filter(({ status }) => isFailure(status));
  const fine = results.filter(({ status }) => !isFailure(status));

  let left = limit - byteLength(head) - byteLength(tableHead) - bytesOfNote;
  const take = (hosts: readonly HostResult[], render: (result: HostResult) => string): Map<HostResult, string> => {
    const taken = new Map<HostResult, string>();
    for (const host of hosts) {
      const piece = render(host);
      const size = byteLength(piece);
      if (size > left) break;
      left -= size;
      taken.set(host, piece);
    }
    return taken;
  };
  const failedRows = take(failed, row);
  // A part is kept for the other rows, as long as the errors can still say something.
  const longestError = Math.min(mostBytesOfError, Math.max(leastBytesOfError, Math.floor((left * 0.8) / Math.max(1, failed.length)) - 500));
  const errors = take(failed, (result) => errorSection(result, longestError));
  const fineRows = take(fine, row);

  const rows = results.flatMap((result) => failedRows.get(result) ?? fineRows.get(result) ?? []);
  const table = rows.length === 0 ? "" : `${tableHead}${rows.join("")}\n`;
  return head + table + [...errors.values()].join("") + note(failed.length - failedRows.size, failed.length - errors.size, fine.length - fineRows.size);
}

// GitHub's limit is 1,048,576 bytes a step.
const mostBytes = 1_000_000;
const mostBytesOfError = 16_000;
const leastBytesOfError = 400;
const bytesOfNote = 400;

const tableHead = "| | host | status | phase | generation | system | seconds |\n|---|---|---|---|--:|---|--:|\n";

function headline(results: readonly HostResult[], endedEarly: boolean): string {
  const failed = results.filter(({ status }) => isFailure(status)).length;
  if (results.length === 0) return endedEarly ? "❌ The deployment ended before any host was worked on" : "✅ No host was to be deployed";
  const hosts = results.length === 1 ? "1 host" : `${results.length} hosts`;
  if (failed > 0) return `❌ ${failed} of ${hosts} failed${endedEarly ? ", and the run ended early" : ""}`;
  if (endedEarly) return `❌ The run ended early; of ${hosts} none failed`;
  if (results.every(({ status }) => status === "unchanged")) return `✅ ${hosts} unchanged`;
  if (results.every(({ status }) => status === "planned" || status === "unchanged")) return `✅ ${hosts} planned`;
  return results.some(({ status }) => status === "degraded") ? `⚠️ ${hosts} deployed, with units that failed` : `✅ ${hosts} deployed`;
}

function counts(results: readonly HostResult[]): string {
  const worstFirst = statuses.toReversed();
  const numbers = worstFirst.map((status) => ({ status, count: results.filter((result) => result.status === status).length }));
  return numbers.flatMap(({ status, count }) => (count === 0 ? [] : [`${count} ${status}`])).join(" · ");
}

function describeFlake({ source, revision, subdirectory, dirty }: Flake): string {
  return [
    revision === undefined ? "flake without a revision" : `flake at revision ${codeSpan(revision)}`,
    subdirectory === "" ? "" : `, directory ${codeSpan(subdirectory)}`,
    dirty ? ", with changes that are not committed" : "",
    `, source ${codeSpan(source)}`,
  ].join("");
}

function row(result: HostResult): string {
  const { name, target, configuration, status, phase, generation, seconds } = result;
  const where = target === name ? "" : ` ${codeSpan(target)}`;
  const what = configuration === undefined || configuration === name ? "" : ` ${codeSpan(`#${configuration}`)}`;
  const cells = [mark(result), codeSpan(name) + where + what, status, phase, generation?.toString() ?? "", system(result), seconds.toFixed(1)];
  return `| ${cells.join(" | ")} |\n`;
}

function mark({ status }: HostResult): string {
  if (isFailure(status)) return "❌";
  if (status === "degraded") return "⚠️";
  return status === "skipped" ? "➖" : "✅";
}

/** What ran before and what was built: `` `0gzabcde` → `1hw6k2pq` ``. */
function system({ status, changed, previousSystemPath: old, systemPath: built }: HostResult): string {
  if (built === undefined) return old === undefined ? "" : codeSpan(shortHash(old));
  if (built === old) return `${codeSpan(shortHash(built))}${changed ? "" : " as before"}`;
  const change = `${old === undefined ? "" : `${codeSpan(shortHash(old))} `}→ ${codeSpan(shortHash(built))}`;
  if (changed) return change;
  return `${change} (${status === "planned" ? "planned" : "not activated"})`;
}

function shortHash(path: StorePath): string {
  return path.slice("/nix/store/".length, "/nix/store/".length + 8);
}

function errorSection({ name, status, phase, error }: HostResult, bytes: number): string {
  const title = `<summary>❌ <code>${escapeHtml(oneLine(name))}</code>: ${phase} ${status}</summary>`;
  return `<details>${title}\n\n<pre>${shorten(error ?? status, bytes)}</pre>\n\n</details>\n\n`;
}

function note(failedRows: number, errors: number, fineRows: number): string {
  const missing = [
    fineRows === 0 ? [] : `${fineRows} hosts that are as they should be`,
    errors === 0 ? [] : `the errors of ${errors} hosts`,
    failedRows === 0 ? [] : `${failedRows} failed hosts`,
  ].flat();
  return missing.length === 0 ? "" : `Left out, because GitHub takes no summary above 1 MiB: ${missing.join(", ")}. The log has them all.\n`;
}

/** Escapes a text for `<pre>`; one that needs more bytes than these loses its middle. */
function shorten(text: string, bytes: number): string {
  // A character needs at least one byte: what is beyond cannot fit, and is not even looked at.
  const cut = text.length > 2 * bytes ? `${text.slice(0, bytes)}\n${text.slice(-bytes)}` : text;
  const lines = cut.split("\n").map(visible).join("\n");
  const whole = escapeHtml(lines);
  if (cut === text && byteLength(whole) <= bytes) return whole;
  const characters = Array.from(lines);
  const beginning = fitting(characters, bytes / 2);
  const end = fitting(characters.toReversed(), bytes / 2);
  return `${escapeHtml(beginning.join(""))}\n… the middle is left out; the log has it …\n${escapeHtml(end.toReversed().join(""))}`;
}

/** The first characters that need no more than these bytes once they are escaped. */
function fitting(characters: readonly string[], bytes: number): string[] {
  let left = bytes;
  const beyond = characters.findIndex((character) => (left -= byteLength(escapeHtml(character))) < 0);
  return characters.slice(0, beyond === -1 ? undefined : beyond);
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/**
 * Renders one line of text as a code span (CommonMark 6.1) that may stand in a table. Tables are split at pipes before
 * anything else is read, and a backslash before an escaped one splits all the same: a pipe becomes a broken bar.
 */
function codeSpan(text: string): string {
  const line = oneLine(text).replaceAll("|", "¦");
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}

function oneLine(text: string): string {
  return visible(text.replaceAll(/\s+/g, " ")).trim() || "?";
}

/** A line without control characters, and without those that turn the direction of the text around them. */
function visible(line: string): string {
  return printable(line).replaceAll(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, "");
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
