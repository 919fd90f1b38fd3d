import { resolveCommit } from "../git/commit.js";
import { runnerTemp } from "../github/runner-temp.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import type { MatrixPorts } from "../machines/ports.js";
import { readInventory } from "../nix/inventory.js";
import { checkout, formerToplevels, toplevels } from "../nix/toplevels.js";
import { allChangedNotice, notComparableWarning } from "../report/changed.js";
import { announceChoice } from "./announce-choice.js";

/** Connects the ports of `src/machines/` with Nix, Git and the log. `reference` is the flake. */
export function matrixPorts(reference: string, log: WorkflowLog, signal: AbortSignal): MatrixPorts {
  const local = { cwd: process.cwd(), signal, onLine: (line: string) => log.line(line) };
  const scratch = runnerTemp();
  return {
    readInventory: async (query) => await readInventory(reference, query, local),
    announce: (choice) => announceChoice(choice, log),
    checkout: async () => await checkout(reference, scratch, local),
    resolveRevision: resolveCommit,
    formerToplevels: async (present, former, configurations) => await formerToplevels(present, { reference: former, scratch }, configurations, local),
    toplevels: async ({ pinned }, configurations) => await toplevels(pinned, configurations, local),
    allChanged: (reason) => log.annotateAll("notice", [allChangedNotice(reason)]),
    notComparable: (machine) => log.annotateAll("warning", [notComparableWarning(machine)]),
  };
}
