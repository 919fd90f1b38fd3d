import { shownLines } from "../domain/lines.js";
import { derivationName, type BuildFailures, type FailedDerivation } from "./build-log.js";

/** The text for a failed build: one clause, and at most 20 lines with each failed derivation and the end of its log. */
export type BuildFailureText = { readonly clause: string; readonly lines: readonly string[] };

/** Renders the failures of a build; `undefined` where no derivation failed itself. */
export function renderBuildFailures({ failed, more, dependents }: BuildFailures): BuildFailureText | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const count = failed.length + more;
  const cause = count === 1 ? `${derivationName(first.path)}: ${first.reason}` : `${count} derivations failed: ${listNames(failed, more)}`;
  return { clause: [cause, dependentsClause(dependents, count)].filter((part) => part !== "").join("; "), lines: renderLines(failed, more) };
}

function dependentsClause(dependents: number, causes: number): string {
  if (dependents === 0) return "";
  const which = dependents === 1 ? "1 other derivation depends" : `${dependents} other derivations depend`;
  return `${which} on ${causes === 1 ? "it" : "them"} and could not be built`;
}

function listNames(failed: readonly FailedDerivation[], more: number): string {
  const names = failed.map(({ path }) => derivationName(path)).join(", ");
  return more === 0 ? names : `${names} and ${more} more`;
}

function renderLines(failed: readonly FailedDerivation[], more: number): string[] {
  const rest = more === 0 ? [] : [`${more} more derivations failed; see the log`];
  // Each failure has the command below its log, and one of several a heading above it.
  const perFailure = Math.floor((shownLines - rest.length) / failed.length) - (failed.length === 1 ? 1 : 2);
  const blocks = failed.flatMap(({ path, reason, log }) => [
    ...(failed.length === 1 ? [] : [`${derivationName(path)}: ${reason}`]),
    ...log
      .filter((line) => line.trim() !== "")
      .slice(-perFailure)
      .map((line) => `> ${line}`),
    `nix log ${path}`,
  ]);
  return [...blocks, ...rest];
}
