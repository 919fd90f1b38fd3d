import type { Flake } from "../domain/flake.js";
import type { Annotation } from "./annotations.js";

/** The line of the log that says which flake is deployed. */
export function flakeLine({ source, revision, inputs }: Flake): string {
  return `flake ${source}, revision ${revision ?? "none"}, with ${inputs.length} inputs`;
}

/** The warning about a flake that is not a commit; none for one that is. */
export function flakeWarnings({ dirty }: Flake): Annotation[] {
  if (!dirty) return [];
  const message =
    "The deployed system does not match a commit: self.rev, self.dirtyRev and self.dirtyShortRev are missing on the machines. Check whether an earlier step changed a file.";
  return [{ title: "The flake has uncommitted changes", message }];
}
