import type { Choice } from "../domain/inventory.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import type { MadeSystems } from "../machines/ports.js";
import { activationWarnings, choiceLines, choiceWarnings, type GivenInputs } from "../report/choice.js";

/** Reports what was chosen of a flake's machines, and which of their settings have no effect with these inputs. */
export function announceChoice(choice: Choice, log: WorkflowLog, given?: GivenInputs): void {
  for (const line of choiceLines(choice)) log.line(line);
  log.annotateAll("warning", choiceWarnings(choice, given));
}

/** Reports which profiles of deploy-rs have a script of their own that is not run. */
export function announceActivations({ systems }: MadeSystems, log: WorkflowLog): void {
  log.annotateAll("warning", activationWarnings([...systems].flatMap(([name, { ownActivation }]) => (ownActivation === true ? [name] : []))));
}
