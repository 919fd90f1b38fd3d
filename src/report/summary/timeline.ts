import { isFailure, type HostResult } from "../../domain/result.js";
import type { PhaseSpan } from "../../domain/timeline.js";

// Mermaid draws nothing of a text above 50,000 characters, and a chart with more rows than these is not readable.
const mostHosts = 60;
const mostSpans = 12;
const longestName = 40;

/**
 * Renders the phases of the hosts over time as a Gantt chart of Mermaid, one row a host; empty where there is nothing to see.
 * Where there are too many hosts, those that failed and those that took longest stay.
 */
export function renderTimeline(results: readonly HostResult[]): string {
  const seen = results.filter(({ timeline }) => timeline.length > 0);
  if (seen.length === 0) return "";
  const worst = seen.toSorted((one, other) => Number(isFailure(other.status)) - Number(isFailure(one.status)) || other.seconds - one.seconds);
  const chosen = new Set(worst.slice(0, mostHosts));
  const hosts = seen.filter((result) => chosen.has(result));
  const left = seen.length - hosts.length;
  const total = Math.max(...hosts.flatMap(({ timeline }) => timeline.map(({ end }) => end)));
  return [
    `<details open><summary>Timeline${left > 0 ? ` (without ${left} faster hosts)` : ""}</summary>\n`,
    "```mermaid",
    "---",
    "displayMode: compact",
    "config:",
    "  gantt:",
    "    barHeight: 14",
    "    barGap: 3",
    "    fontSize: 10",
    "    sectionFontSize: 12",
    // Mermaid always puts the axis 50 above the lower edge.
    "    topPadding: 50",
    "    gridLineStartPadding: 35",
    "    leftPadding: 120",
    "---",
    "gantt",
    // Times of a day without a zone: what Mermaid reads as local time it also writes as local time.
    "  dateFormat YYYY-MM-DD HH:mm:ss.SSS",
    `  axisFormat ${total >= 3600 ? "%H:%M:%S" : "%M:%S"}`,
    `  tickInterval ${tickInterval(total)}`,
    ...hosts.flatMap((result) => [`  section ${sectionName(result.name)}`, ...result.timeline.slice(0, mostSpans).map((span) => task(span, result, total))]),
    "```\n",
    legend(hosts),
    "</details>\n\n",
  ].join("\n");
}

// Seconds. By default Mermaid sets ticks at fractions of a second, which the labels do not show.
const ticks = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600];
const mostTicks = 12;

function tickInterval(total: number): string {
  const seconds = ticks.find((step) => total / step <= mostTicks) ?? 86_400;
  if (seconds < 60) return `${seconds}second`;
  return seconds < 3600 ? `${seconds / 60}minute` : `${seconds / 3600}hour`;
}

// The four styles of a task in Mermaid.
const looks = { connect: "done", copy: "done", build: "active", activate: "", confirm: "", rollback: "crit" } as const;

function task(span: PhaseSpan, { status, phase, timeline }: HostResult, total: number): string {
  const { begin, end } = span;
  const failed = isFailure(status) && span.phase === phase && span === timeline.findLast((other) => other.phase === phase);
  const look = failed ? "crit" : looks[span.phase];
  // Nothing that lasts no time at all would be seen.
  const milliseconds = Math.max(1, Math.round((end - begin) * 1000));
  const label = fits(span, total) ? span.phase : "\u2800";
  return `  ${label} :${look === "" ? "" : `${look}, `}${moment(begin)}, ${milliseconds}ms`;
}

// A label that does not fit would lie over the next bar: the chart is about 900 wide, and a letter 6.
function fits({ phase, begin, end }: PhaseSpan, total: number): boolean {
  return ((end - begin) / total) * 900 > phase.length * 6 + 6;
}

function moment(seconds: number): string {
  return new Date(Date.UTC(2000, 0, 1) + Math.round(seconds * 1000)).toISOString().replace("T", " ").slice(0, -1);
}

/**
 * The name without characters that are special to Mermaid: `;`, `#`, `:`, `%` and quotes. Mermaid looks names up in an object
 * that already has `constructor` and the like.
 */
function sectionName(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_.-]/g, "_").slice(0, longestName) || "_";
  return plain in {} ? `${plain}_` : plain;
}

function legend(hosts: readonly HostResult[]): string {
  const failed = hosts.some(({ status }) => isFailure(status));
  return `Grey: connect and copy. Light: build. Dark: activate and confirm.${failed ? " Red: the failed phase and the rollback." : ""} Minutes and seconds since the run began.\n`;
}
