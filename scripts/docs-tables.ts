import { dirname, relative } from "node:path/posix";

import type { ActionFile, ActionMetadata } from "./action-metadata.js";

/** Puts the tables of an action's inputs and outputs between the markers of its document. Throws an `Error` if a marker is missing. */
export function withTables(markdown: string, action: ActionMetadata, file: ActionFile): string {
  const withInputs = fill(markdown, "inputs", linkedFrom(file.document, renderInputs(action)), file);
  return fill(withInputs, "outputs", linkedFrom(file.document, renderOutputs(action)), file);
}

// The descriptions in action.yml link to files as seen from the root of the repository.
function linkedFrom(document: string, markdown: string): string {
  return markdown.replaceAll(/\]\((docs\/[^)#]+)/g, (_, path: string) => `](${relative(dirname(document), path)}`);
}

export function renderInputs({ inputs }: ActionMetadata): string {
  return table(
    ["Input", "Default", "Meaning"],
    inputs.map((input) => [code(input.name), input.required ? "required" : code(input.default), input.description]),
  );
}

export function renderOutputs({ outputs }: ActionMetadata): string {
  return table(
    ["Output", "Meaning"],
    outputs.map((output) => [code(output.name), output.description]),
  );
}

function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

/** Renders a Markdown table whose columns are not padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`).replaceAll(/\s*\n\s*/g, " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

// The formatter would pad the columns to the longest description.
function fill(markdown: string, kind: string, content: string, { path, prefix }: ActionFile): string {
  const name = `${prefix}${kind}`;
  const begin = `<!-- ${name}: written by npm run docs from ${path} -->\n<!-- prettier-ignore-start -->\n`;
  const end = `\n<!-- prettier-ignore-end -->\n<!-- end of ${name} -->`;
  const from = markdown.indexOf(begin);
  const to = markdown.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`the place of the table of ${name} is not marked by:\n${begin}${end}`);
  return `${markdown.slice(0, from + begin.length)}\n${content}\n${markdown.slice(to)}`;
}
