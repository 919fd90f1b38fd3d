import type { Annotation } from "./annotations.js";

/** The notice that no machine is left out as unchanged. */
export function allChangedNotice(reason: string): Annotation {
  return { title: "All hosts count as changed", message: reason };
}

/** The warning about a machine that counts as changed because its system does not evaluate. */
export function notComparableWarning(machine: string): Annotation {
  return { title: machine, message: "Its system does not evaluate, so it counts as changed." };
}
