import { writeFileSync } from "node:fs";

import { isStorePath } from "../../../../src/domain/store-path.js";
import { reportEnd as report, type RunEnd } from "../../../../src/github/report.js";
import type { WorkflowLog } from "../../../../src/github/workflow-log.js";

/** Reports as the action does, and writes the results, as TypeScript, into the file that RECORDED_RESULTS names. */
export function reportEnd(end: RunEnd, log: WorkflowLog): boolean {
  const lines = [
    'import type { HostResult } from "../../../../src/domain/result.js";',
    'import { storePath } from "../../../../src/domain/store-path.js";',
    "",
    "/** What the action knew of nine real machines when a run had ended: written by __tests__/fleet/programs/record-results.ts. */",
    `export const recordedResults: readonly HostResult[] = ${literal(end.results)};`,
    "",
  ];
  writeFileSync(process.env["RECORDED_RESULTS"] ?? "", lines.join("\n"));
  return report(end, log);
}

/** A value as TypeScript, which unlike JSON has `undefined` and checks its type. */
function literal(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value === "string" && isStorePath(value)) return `storePath(${JSON.stringify(value)})`;
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, field]) => `${name}: ${literal(field)}`)
      .join(", ")} }`;
  return JSON.stringify(value);
}
