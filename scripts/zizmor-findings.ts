import { field } from "../src/domain/json.js";

// The project accepts these. Any other severity counts, also one that a later version of zizmor adds.
const accepted: readonly unknown[] = ["Informational", "Low"];

/**
 * Reads what `zizmor --format=json` prints. Returns the findings above low, one per line: `FILE:LINE: SEVERITY: RULE: DESCRIPTION`.
 * Throws an `Error` where the text is not a list of findings.
 */
export function severeFindings(json: string): string[] {
  const findings: unknown = JSON.parse(json);
  if (!Array.isArray(findings)) throw new Error("zizmor's report is not a JSON array");
  return findings.flatMap((finding: unknown) => {
    const severity = field(finding, "determinations", "severity");
    if (typeof severity !== "string") throw new Error(`a finding of zizmor has no severity: ${JSON.stringify(finding)}`);
    if (accepted.includes(severity) || field(finding, "ignored") === true) return [];
    return [`${placeOf(finding)}: ${severity.toLowerCase()}: ${String(field(finding, "ident"))}: ${String(field(finding, "desc"))}`];
  });
}

function placeOf(finding: unknown): string {
  const locations = field(finding, "locations");
  const all: unknown[] = Array.isArray(locations) ? locations : [];
  const primary = all.find((location) => field(location, "symbolic", "kind") === "Primary") ?? all[0];
  const path = field(primary, "symbolic", "key", "Local", "verbatim_path");
  const row = field(primary, "concrete", "location", "start_point", "row");
  return `${typeof path === "string" ? path : "unknown file"}:${typeof row === "number" ? row + 1 : "?"}`;
}
