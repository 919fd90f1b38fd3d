import type { StepInputs } from "./files.js";

/** Renders the commands that keep the lines of the key out of a job's log. */
export function renderMasks({ "ssh-key": key }: StepInputs): string {
  const lines = key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  return lines.map((line) => `::add-mask::${line}\n`).join("");
}

/**
 * Renders the inputs in the form of GITHUB_OUTPUT. Throws an `Error` where a value has the line that ends it.
 * Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
 */
export function renderOutputs(inputs: StepInputs, delimiter: string): string {
  return Object.entries(inputs)
    .map(([name, value]) => {
      if (value.split("\n").includes(delimiter)) throw new Error(`${name} has the line ${delimiter}`);
      return `${name}<<${delimiter}\n${value}\n${delimiter}\n`;
    })
    .join("");
}
