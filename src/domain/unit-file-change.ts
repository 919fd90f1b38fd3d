import type { UnitFileChange } from "./unit-facts.js";

// Keys of [Unit] that do not change a unit that runs.
const ignoredKeys = new Set([
  "X-Reload-Triggers",
  "Description",
  "Documentation",
  "OnFailure",
  "OnSuccess",
  "OnFailureJobMode",
  "IgnoreOnIsolate",
  "StopWhenUnneeded",
  "RefuseManualStart",
  "RefuseManualStop",
  "AllowIsolate",
  "CollectMode",
  "SourcePath",
]);

/**
 * Returns what a change of a unit's file does to the running unit, by the rules of NixOS's switch-to-configuration: nothing, a reload
 * where only settings have changed that a reload applies, else a restart.
 */
export function judgeChanges(changes: readonly UnitFileChange[]): "equal" | "reload" | "restart" {
  const keysOf = (section: string, change: UnitFileChange["change"]): string[] =>
    changes.flatMap((each) => (each.section === section && each.change === change && each.key !== undefined ? [each.key] : []));
  const sections = changes.filter(({ key }) => key === undefined);
  const added = sections.filter(({ change }) => change === "added");
  if (added.length > 1) return "restart";
  const restart =
    sections.some(({ section, change }) => sectionNeedsRestart(section, change, keysOf(section, change))) ||
    changes.some(({ section, change, key }) => key !== undefined && keyNeedsRestart(section, change, key));
  if (restart) return "restart";
  return changes.some(needsReload) ? "reload" : "equal";
}

function sectionNeedsRestart(section: string, change: UnitFileChange["change"], keys: readonly string[]): boolean {
  if (section === "Unit") return false;
  return section !== "Service" || change === "changed" || keys.length !== 1 || keys[0] !== "ExecReload";
}

function keyNeedsRestart(section: string, change: UnitFileChange["change"], key: string): boolean {
  if (section === "Unit") return !ignoredKeys.has(key);
  // Without ExecReload= the running process is the same, and there is nothing to reload it with.
  if (section === "Service") return key !== "ExecReload";
  return section !== "Mount" || key !== "Options" || change !== "changed";
}

function needsReload({ section, change, key }: UnitFileChange): boolean {
  if (change === "removed") return false;
  return (section === "Unit" && key === "X-Reload-Triggers") || (section === "Service" && key === "ExecReload") || (section === "Mount" && key === "Options");
}
