import type { Flake } from "../domain/flake.js";
import type { WorkflowLog } from "./workflow-log.js";

/** Tells which flake is deployed, and warns of one that is no commit. */
export function announceFlake(flake: Flake, log: WorkflowLog): void {
  log.line(`flake ${flake.source}, revision ${flake.revision ?? "none"}, with ${flake.inputs.length} inputs`);
  if (!flake.dirty) return;
  log.annotate(
    "warning",
    "The flake has changes that are not committed",
    "What is deployed is not a commit: on the machines, self.rev, self.dirtyRev and self.dirtyShortRev are missing. Has an earlier step changed a file?",
  );
}
