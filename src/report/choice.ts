import type { Choice } from "../domain/inventory.js";
import { listedLines } from "../domain/listed.js";
import type { Annotation } from "./annotations.js";

/** The lines of the log that say what was chosen of a flake's machines. */
export function choiceLines({ machines, unusable, others }: Choice): string[] {
  const count = machines.length + unusable.length;
  const heading = `targets is empty: using ${count} ${count === 1 ? "host" : "hosts"} from the flake`;
  return [
    `${heading}${machines.length === 0 ? "" : `: ${machines.map(({ name }) => name).join(", ")}`}`,
    ...unusable.map(({ name }) => `${name} cannot be deployed and counts as failed`),
    ...others.map(({ name, reason }) => `${name} is excluded: ${reason}`),
  ];
}

const mostIgnored = 30;

/** The warning about settings of the flake that are ignored, one per line; none where there are none. */
export function choiceWarnings({ machines }: Choice): Annotation[] {
  const lines = machines.flatMap(({ name, ignored }) => ignored.map((what) => `${name}: ${what}`));
  if (lines.length === 0) return [];
  return [{ title: "Ignored settings in the flake", message: listedLines(lines, mostIgnored).join("\n") }];
}
