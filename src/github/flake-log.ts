import type { Flake } from "../domain/flake.js";
import type { WorkflowLog } from "./workflow-log.js";

/** Tells which flake is deployed, and warns of one that is no commit. */
export function announceFlake(flake: Flake, log: WorkflowLog): void {
  log.line(`flake ${flake.source}, revision ${flake.revision ?? "none"}, with ${flake.inputs.length} inputs`);
  if (!flake.dirty) return;
  log.annotate(
    "warning",
    "The flake has uncommitted changes",
    "The deployed system does not match a commit: self.rev, self.dirtyRev and self.dirtyShortRev are missing on the machines. Check whether an earlier step changed a file.",
  );
}
