import { failureSentences, renderFailure } from "../domain/failure.js";
import { isFailure, type HostResult } from "../domain/result.js";
import { linkToPath, seeAlso, type LinkTo } from "./troubleshooting.js";

export type Annotation = { readonly title: string; readonly message: string };

/** One annotation for each host that failed, at most so many: where there are more hosts, the last one names the rest. */
export function failureAnnotations(results: readonly HostResult[], most: number, linkTo: LinkTo = linkToPath): Annotation[] {
  const failed = results.filter((result) => isFailure(result.status));
  const annotations = failed.map((result) => ({ title: `${result.name}: ${verdict(result)}`, message: message(result, linkTo) }));
  if (annotations.length <= most) return annotations;
  const rest = failed.slice(most - 1);
  return [...annotations.slice(0, most - 1), { title: `${rest.length} more hosts failed`, message: rest.map(brief).join("\n") }];
}

/** One annotation for all hosts that were skipped, with the reasons. */
export function skippedAnnotations(results: readonly HostResult[], linkTo: LinkTo = linkToPath): Annotation[] {
  const skipped = results.filter((result) => result.status === "skipped");
  if (skipped.length === 0) return [];
  const reasons = new Map<string, string[]>();
  for (const { name, error } of skipped) {
    const reason = error === undefined ? "skipped" : [failureSentences(error).join(". "), ...seeAlso(error.topic, linkTo)].join("\n");
    reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  }
  const title = `${skipped.length} of ${results.length} hosts ${skipped.length === 1 ? "was" : "were"} skipped`;
  return [{ title, message: [...reasons].map(([reason, names]) => `${names.join(", ")}: ${reason}`).join("\n") }];
}

/** The last line of a failed step: `2 of 14 hosts failed: web3 (activate: …), db1 (connect: …)`. */
export function failureSummary(results: readonly HostResult[]): string {
  const failed = results.filter((result) => isFailure(result.status));
  return `${failed.length} of ${results.length} hosts failed: ${failed.map(brief).join(", ")}`;
}

/** What went wrong in a few words: `activate failed, rolled back`. */
export function verdict({ phase, status }: HostResult): string {
  if (status === "rolled-back") return `${phase} failed, rolled back`;
  if (status === "rollback-failed") return "rollback failed";
  return status === "unknown" ? `lost in ${phase}, state unknown` : `${phase} ${status}`;
}

function message({ error, status }: HostResult, linkTo: LinkTo): string {
  return error === undefined ? status : [renderFailure(error), ...seeAlso(error.topic, linkTo)].join("\n");
}

function brief(result: HostResult): string {
  const reason = result.status === "failed" ? `${result.phase}: ${result.error?.reason ?? "failed"}` : verdict(result);
  return `${result.name} (${reason})`;
}
