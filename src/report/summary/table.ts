import { countChanges, type ClosureDifference } from "../../domain/closure-difference.js";
import { signedSize } from "../../domain/difference-text.js";
import type { HostResult, Status } from "../../domain/result.js";
import { codeSpan } from "./markdown.js";

export const tableHead = "| | host | status | phase | generation | packages | size | seconds |\n|---|---|---|---|---|---|--:|--:|\n";

/** The row of one host. */
export function renderRow(result: HostResult): string {
  const { name, target, configuration, status, phase, seconds, difference } = result;
  const where = tellsMore(target, name) ? ` ${codeSpan(target)}` : "";
  const what = configuration === undefined || configuration === name ? "" : ` ${codeSpan(`#${configuration}`)}`;
  const size = difference === undefined ? "" : signedSize(difference.bytes).replace(" ", "\u00A0");
  return `| ${[mark(result), codeSpan(name) + where + what, status, phase, generation(result), packages(difference), size, seconds.toFixed(1)].join(" | ")} |\n`;
}

/** Returns whether a target shows more than the name: `web1` is enough for `root@web1` and `root@web1.example.org`. */
function tellsMore(target: string, name: string): boolean {
  const host = target.slice(target.lastIndexOf("@") + 1);
  return target !== name && host !== name && !host.startsWith(`${name}.`);
}

const marks: Readonly<Record<Status, string>> = {
  unchanged: "💤",
  planned: "📋",
  deployed: "✅",
  skipped: "➖",
  degraded: "⚠️",
  "rolled-back": "↩️",
  failed: "❌",
  unknown: "❌",
  "rollback-failed": "❌",
};

/** The sign of a status. */
export function mark({ status }: HostResult): string {
  return marks[status];
}

function generation({ previousGeneration: old, generation: now }: HostResult): string {
  if (now === undefined) return old === undefined ? "" : String(old);
  return old === now ? String(now) : `${old ?? "–"} → ${now}`;
}

/** How many packages were added, removed and changed: `+2 −1 ~14`. */
function packages(difference: ClosureDifference | undefined): string {
  if (difference === undefined) return "";
  const { added, removed, changed } = countChanges(difference);
  const counts = [added > 0 ? `+${added}` : "", removed > 0 ? `−${removed}` : "", changed > 0 ? `~${changed}` : ""].filter((text) => text !== "");
  return counts.length === 0 ? "–" : counts.join(" ");
}
