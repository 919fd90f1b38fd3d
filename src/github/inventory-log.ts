import { describeChoice, describeIgnored, type Choice } from "../domain/inventory.js";
import type { WorkflowLog } from "./workflow-log.js";

/** Tells which machines the flake names, and warns of what it wants of them that is not done. */
export function announceChoice(choice: Choice, log: WorkflowLog): void {
  for (const line of describeChoice(choice)) log.line(line);
  const ignored = describeIgnored(choice);
  if (ignored !== undefined) log.annotate("warning", "Ignored settings in the flake", ignored);
}
