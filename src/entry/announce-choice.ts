import type { Choice } from "../domain/inventory.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import { choiceLines, choiceWarnings } from "../report/choice.js";

/** Reports what was chosen of a flake's machines, and which of their settings are ignored. */
export function announceChoice(choice: Choice, log: WorkflowLog): void {
  for (const line of choiceLines(choice)) log.line(line);
  log.annotateAll("warning", choiceWarnings(choice));
}
