import { renderDuration } from "../../domain/duration.js";
import type { Flake } from "../../domain/flake.js";
import { listed } from "../../domain/listed.js";
import { isFailure, statuses, type HostResult } from "../../domain/result.js";
import { codeSpan } from "./markdown.js";

// As many as fit on a line.
const mostNamed = 8;

/** What a reader sees first: how it ended, the counts, who failed, and what was deployed. */
export function renderHeadline(results: readonly HostResult[], flake: Flake | undefined, endedEarly: boolean, reason?: string): string {
  const below = [counts(results), failed(results), flake === undefined ? "" : describeFlake(flake)].filter((line) => line !== "");
  const why = reason === undefined ? "" : `: ${codeSpan(reason)}`;
  return `### ${headline(results, endedEarly)}${why}\n\n${below.join("  \n")}\n\n`;
}

function headline(results: readonly HostResult[], endedEarly: boolean): string {
  const failures = results.filter(({ status }) => isFailure(status)).length;
  if (results.length === 0) return endedEarly ? "❌ The run ended before any host was deployed" : "✅ No hosts to deploy";
  const hosts = results.length === 1 ? "1 host" : `${results.length} hosts`;
  if (failures > 0) return `❌ ${failures} of ${hosts} failed${endedEarly ? ", and the run ended early" : ""}`;
  if (endedEarly && results.every(({ status }) => status === "skipped")) return `❌ No host was deployed (${hosts} skipped)`;
  if (endedEarly) return `❌ The run ended early; none of ${hosts} failed`;
  const done = results.filter(({ status }) => status !== "skipped");
  const skipped = results.length - done.length;
  const { sign, word } = achieved(done);
  return skipped === 0 ? `${sign} ${hosts} ${word}` : `⚠️ ${done.length} of ${hosts} ${word}, ${skipped} skipped`;
}

/** What became of hosts of which none failed. */
function achieved(hosts: readonly HostResult[]): { readonly sign: string; readonly word: string } {
  if (hosts.some(({ status }) => status === "degraded")) return { sign: "⚠️", word: "deployed, with failed units" };
  if (hosts.every(({ status }) => status === "unchanged")) return { sign: "✅", word: "unchanged" };
  return { sign: "✅", word: hosts.every(({ status }) => status === "planned" || status === "unchanged") ? "planned" : "deployed" };
}

function counts(results: readonly HostResult[]): string {
  const numbers = statuses.toReversed().map((status) => ({ status, count: results.filter((result) => result.status === status).length }));
  const texts = numbers.flatMap(({ status, count }) => (count === 0 ? [] : [`${count} ${status}`]));
  const end = Math.max(0, ...results.flatMap(({ timeline }) => timeline.map((span) => span.end)));
  return texts.length === 0 ? "" : [...texts.map((text) => `**${text}**`), ...(end === 0 ? [] : [renderDuration(end)])].join(" · ");
}

function failed(results: readonly HostResult[]): string {
  const names = results.filter(({ status }) => isFailure(status)).map(({ name, phase }) => `${codeSpan(name)} (${phase})`);
  // One is the only row that is red in any case.
  if (names.length === 0 || results.length === 1) return "";
  return `Failed: ${listed(names, mostNamed)}`;
}

function describeFlake({ source, revision, subdirectory, dirty }: Flake): string {
  return [
    revision === undefined ? "Flake without a revision" : `Flake at revision ${codeSpan(revision)}`,
    subdirectory === "" ? "" : `, directory ${codeSpan(subdirectory)}`,
    dirty ? ", with uncommitted changes" : "",
    `, source ${codeSpan(source)}`,
  ].join("");
}
