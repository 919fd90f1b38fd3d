import type { Flake } from "../../domain/flake.js";
import { isFailure, type HostResult } from "../../domain/result.js";
import { renderHeadline } from "./headline.js";
import { byteLength } from "./markdown.js";
import { linkToPath, type LinkTo } from "../troubleshooting.js";
import { detailsPart, errorPart, foldSections, renderSection } from "./section.js";
import { renderRow, tableHead } from "./table.js";
import { renderTimeline } from "./timeline.js";

/** A place for the summary, which takes no more bytes than these. */
export type Place = { readonly bytes: number; readonly name: string };

const everywhere: Place = { bytes: Number.POSITIVE_INFINITY, name: "" };

// Of one host, where there is room.
const mostBytesOfError = 16_000;
const leastBytesOfError = 400;
const mostPackages = 300;
const leastPackages = 10;
const mostUnits = 100;
// The most sections of successful hosts that are not folded under one title.
const mostUnfolded = 12;
const bytesOfNote = 600;
// What folds a section, roughly.
const bytesOfFold = 500;
// A package's line, roughly.
const bytesOfPackage = 60;

export type SummaryOptions = {
  readonly endedEarly?: boolean;
  readonly reason?: string | undefined;
  readonly place?: Place;
  readonly linkTo?: LinkTo;
};

/**
 * Renders the summary as GitHub's Markdown, of the results alone.
 *
 * What does not fit into its place is dropped, least important first: the middle of long errors and the ends of long lists, the
 * timeline, the changes on hosts that did not fail, then on those that failed, rows of hosts that did not fail, errors, rows of failed hosts. The last line then says what is missing.
 */
export function renderSummary(
  results: readonly HostResult[],
  flake: Flake | undefined,
  { endedEarly = false, reason, place = everywhere, linkTo = linkToPath }: SummaryOptions = {},
): string {
  const head = renderHeadline(results, flake, endedEarly, reason);
  const failed = results.filter(({ status }) => isFailure(status));
  const fine = results.filter(({ status }) => !isFailure(status));
  const budget = new Budget(place.bytes - byteLength(head) - byteLength(tableHead) - bytesOfNote);

  const rowsOfFailed = budget.take(failed, renderRow);
  // A part is kept for what comes after, as long as each can still say something.
  const share = (hosts: readonly HostResult[]): number => Math.floor((budget.left * 0.8) / Math.max(1, hosts.length)) - bytesOfFold;
  const bytesOfError = Math.min(mostBytesOfError, Math.max(leastBytesOfError, share(failed)));
  const errors = budget.take(failed, (result) => renderSection(result, errorPart(result, bytesOfError, linkTo), ""));
  const rowsOfFine = budget.take(fine, renderRow);
  const packages = Math.min(mostPackages, Math.max(leastPackages, Math.floor(share(results) / bytesOfPackage)));
  const limits = { packages, units: Math.min(mostUnits, packages) };
  const details = budget.take([...failed, ...fine], (result) => renderSection(result, "", detailsPart(result, limits)));
  const timeline = renderTimeline(results);
  const timelineFits = budget.fits(timeline);

  const rows = results.filter((result) => rowsOfFailed.has(result) || rowsOfFine.has(result)).map(renderRow);
  const section = (result: HostResult): string =>
    renderSection(result, errors.has(result) ? errorPart(result, bytesOfError, linkTo) : "", details.has(result) ? detailsPart(result, limits) : "");
  const sectionsOfFine = fine.map(section).filter((text) => text !== "");
  return [
    head,
    // What a reader looks for first.
    ...failed.map(section),
    rows.length === 0 ? "" : `${tableHead}${rows.join("")}\n`,
    timelineFits ? timeline : "",
    ...(sectionsOfFine.length > mostUnfolded ? [foldSections(sectionsOfFine, `Changes on ${sectionsOfFine.length} hosts`)] : sectionsOfFine),
    note(place, [
      timelineFits ? "" : "the timeline",
      missing("the changes on", fine, details),
      missing("the changes on", failed, details, " that failed"),
      missing("", fine, rowsOfFine, " that did not fail"),
      missing("the errors of", failed, errors),
      missing("", failed, rowsOfFailed, " that failed"),
    ]),
  ].join("");
}

function missing(what: string, hosts: readonly HostResult[], taken: ReadonlySet<HostResult>, which = ""): string {
  const count = hosts.filter((result) => !taken.has(result)).length;
  return count === 0 ? "" : `${what} ${count} hosts${which}`.trim();
}

function note({ name }: Place, parts: readonly string[]): string {
  const left = parts.filter((part) => part !== "");
  return left.length === 0 ? "" : `Shortened to fit GitHub's limit for a ${name}; left out: ${left.join(", ")}. See the log for everything.\n`;
}

/** Bytes that are given away in the order of importance. */
class Budget {
  left: number;

  constructor(bytes: number) {
    this.left = bytes;
  }

  /** Takes hosts in their order until one does not fit. */
  take(hosts: readonly HostResult[], render: (result: HostResult) => string): ReadonlySet<HostResult> {
    const end = hosts.findIndex((host) => !this.fits(render(host)));
    return new Set(end === -1 ? hosts : hosts.slice(0, end));
  }

  /** Takes a text, where it fits. */
  fits(text: string): boolean {
    const size = byteLength(text);
    if (size > this.left) return false;
    this.left -= size;
    return true;
  }
}
