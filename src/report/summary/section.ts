import { changeKind, countChanges, type ClosureDifference, type PackageChange } from "../../domain/closure-difference.js";
import { renderChange, renderCounts, signedSize } from "../../domain/difference-text.js";
import { failureSentences, renderFailureLines, type Failure } from "../../domain/failure.js";
import { andMore, listed } from "../../domain/listed.js";
import { isFailure, type HostResult, type Status } from "../../domain/result.js";
import { touchesNoUnit, unitActions, type UnitPlan } from "../../domain/unit-plan.js";
import { verdict } from "../annotations.js";
import { linkToPath, type LinkTo } from "../troubleshooting.js";
import { codeSpan, htmlCode, oneLine, preformatted } from "./markdown.js";
import { mark } from "./table.js";

/** How many packages, and units of each kind, are named of one host. */
export type DetailLimits = { readonly packages: number; readonly units: number };

const longestName = 120;

/** What went wrong on a host, in no more than about these bytes, and where to read about it; empty where nothing did. */
export function errorPart({ status, error }: HostResult, bytes: number, linkTo: LinkTo = linkToPath): string {
  if (error === undefined) return isFailure(status) ? `${preformatted(status, bytes)}\n` : "";
  const help = error.topic === undefined ? "" : `${renderLink(linkTo(error.topic))}\n\n`;
  return `${preformatted(explained(error), bytes)}\n${help}`;
}

function renderLink(link: string): string {
  return link.startsWith("https://") ? `[Troubleshooting](${link})` : `See ${codeSpan(link)}`;
}

/** One sentence per line, so that readers need not scroll sideways. */
function explained(error: Failure): string {
  return [failureSentences(error).join(".\n"), ...renderFailureLines(error)].join("\n");
}

/** What the new system of a host brings: packages and units; empty where nothing is known of it. */
export function detailsPart({ target, status, difference, plan, systemPath, previousSystemPath }: HostResult, limits: DetailLimits): string {
  if (difference === undefined && plan === undefined) return "";
  const paths = systemPath === undefined ? "" : `: ${codeSpan(previousSystemPath ?? "nothing")} → ${codeSpan(systemPath)}`;
  return [
    `${codeSpan(target)}${paths}\n\n`,
    difference === undefined ? "" : renderDifference(difference, limits.packages),
    plan === undefined ? "" : renderPlan(plan, status, limits.units),
  ].join("");
}

/** Folds the parts of a host under its title; without any there is no section. */
export function renderSection(result: HostResult, error: string, details: string): string {
  if (error === "" && details === "") return "";
  const { name, status, difference } = result;
  const what = isFailure(status) ? verdict(result) : status;
  const changes = difference === undefined ? "" : `, ${brief(difference)}`;
  return `<details><summary>${mark(result)} ${htmlCode(name)}: ${what}${changes}</summary>\n\n${error}${details}</details>\n\n`;
}

/** Folds many sections under one title. */
export function foldSections(sections: readonly string[], title: string): string {
  return `<details><summary>${title}</summary>\n\n${sections.join("")}</details>\n\n`;
}

function brief(difference: ClosureDifference): string {
  const { added, removed, changed } = countChanges(difference);
  const counts = Object.entries({ added, removed, changed }).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
  return `${counts.length === 0 ? "no package changed" : counts.join(", ")}, ${signedSize(difference.bytes)}`;
}

const signs = { added: "+", removed: "-", changed: "!" } as const;

/** A fenced block that GitHub colours as a diff. No line can end it, since each begins with a sign. */
function renderDifference(difference: ClosureDifference, most: number): string {
  const { packages, files } = difference;
  const order = ["changed", "added", "removed"] as const;
  const sorted = order.flatMap((kind) => packages.filter((change) => changeKind(change) === kind));
  const lines = sorted.slice(0, most).map((change) => `${signs[changeKind(change)]} ${packageLine(change)}`);
  const rest = packages.length - lines.length;
  if (rest > 0) lines.push(`# ${andMore(rest, "packages")}`);
  const beside = files === 0 ? "" : `; ${files === 1 ? "1 generated file" : `${files} generated files`}`;
  const block = lines.length === 0 ? "" : `\`\`\`diff\n${lines.join("\n")}\n\`\`\`\n\n`;
  return `${renderCounts(difference).replace(/^p/, "P")}${beside}\n\n${block}`;
}

function packageLine(change: PackageChange): string {
  const line = oneLine(renderChange(change));
  const short = line.length <= longestName ? line : `${line.slice(0, longestName)}…`;
  return change.bytes === 0 ? short : `${short} (${signedSize(change.bytes)})`;
}

const planned = {
  stop: "would stop",
  restart: "would restart",
  reload: "would reload",
  start: "would start",
  again: "would run again",
  keep: "would not restart despite changes",
} as const;

const verbs = {
  activation: { stop: "stopped", restart: "restarted", reload: "reloaded", start: "started", again: "ran again", keep: "not restarted despite changes" },
  rehearsal: planned,
  "unit-files": planned,
} as const;

const sources = {
  activation: "Units (reported by the activation)",
  rehearsal: "Units (reported by `dry-activate`)",
  "unit-files": "Units (from a comparison of the unit files)",
} as const;

function renderPlan(plan: UnitPlan, status: Status, most: number): string {
  const before = status === "rolled-back" && plan.source === "activation" ? ", before the rollback" : "";
  const title = `${sources[plan.source]}${before}`;
  const inhibitors = plan.inhibitors.map((inhibitor) => `- switch inhibitor: ${codeSpan(inhibitor)}: \`switch\` and \`test\` would be refused\n`).join("");
  if (touchesNoUnit(plan)) return `${title}: none\n\n${inhibitors === "" ? "" : `${inhibitors}\n`}`;
  const lists = unitActions.flatMap((action) => {
    const units = plan[action];
    if (units.length === 0) return [];
    return [`- ${verbs[plan.source][action]}: ${listed(units.map(codeSpan), most)}\n`];
  });
  const systemd = plan.reexecutes ? `- systemd ${plan.source === "activation" ? "was" : "would be"} re-executed\n` : "";
  return `${title}:\n\n${lists.join("")}${systemd}${inhibitors}\n`;
}
