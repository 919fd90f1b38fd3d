import type { Choice } from "../domain/inventory.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import { choiceLines, choiceWarnings, type GivenInputs } from "../report/choice.js";

/** Reports what was chosen of a flake's machines, and which of their settings have no effect with these inputs. */
export function announceChoice(choice: Choice, log: WorkflowLog, given?: GivenInputs): void {
  for (const line of choiceLines(choice)) log.line(line);
  log.annotateAll("warning", choiceWarnings(choice, given));
}
