import { isSmallWorkTree } from "../git/small-work-tree.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import { archiveOnRunner, type ArchivedFlake, type FlakeOptions } from "../nix/flake.js";
import { flakeLine, flakeWarnings } from "../report/flake.js";

/** Fetches a flake into the runner's store, and reports which it is. Throws as `archiveOnRunner`. */
export async function archiveAndAnnounce(reference: string, log: WorkflowLog, options: FlakeOptions): Promise<ArchivedFlake> {
  const archived = await archiveOnRunner(reference, { ...options, isSmall: isSmallWorkTree(reference, options.cwd) });
  log.line(flakeLine(archived.flake));
  log.annotateAll("warning", flakeWarnings(archived.flake));
  return archived;
}
