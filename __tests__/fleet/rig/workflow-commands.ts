/** A workflow command that the runner obeys, as `::error title=x::message`. */
export type WorkflowCommand = { readonly name: string; readonly properties: Readonly<Record<string, string>>; readonly message: string };

/** A message that the runner shows on the page of the run. */
export type Annotation = { readonly level: "error" | "warning" | "notice"; readonly title: string; readonly message: string };

/**
 * Reads the workflow commands of an output as the runner does: `::name k=v,k=v::message` after leading blanks, the older
 * `##[name k=v;k=v]message` anywhere in a line, none between `::stop-commands::TOKEN` and `::TOKEN::`. A line ends at LF, CR
 * or both.
 */
export function workflowCommands(output: string): WorkflowCommand[] {
  const commands: WorkflowCommand[] = [];
  let token: string | undefined;
  for (const line of output.split(/\r\n|\n|\r/)) {
    const command = modern(line) ?? (token === undefined ? legacy(line) : undefined);
    if (command === undefined) continue;
    if (token !== undefined) {
      if (command.name === token) token = undefined;
    } else if (command.name === "stop-commands") {
      token = command.message;
    } else {
      commands.push(command);
    }
  }
  return commands;
}

/** The annotations among the commands. */
export function annotationsOf(commands: readonly WorkflowCommand[]): Annotation[] {
  return commands.flatMap(({ name, properties, message }) =>
    name === "error" || name === "warning" || name === "notice" ? [{ level: name, title: properties["title"] ?? "", message }] : [],
  );
}

function modern(line: string): WorkflowCommand | undefined {
  const match = /^\s*::([^\s:]+)(?:\s+([^:]*(?::(?!:)[^:]*)*))?::(.*)$/s.exec(line);
  if (match === null) return undefined;
  return { name: match[1] ?? "", properties: propertiesOf(match[2] ?? "", ",", unescapeProperty), message: unescapeData(match[3] ?? "") };
}

function legacy(line: string): WorkflowCommand | undefined {
  const match = /##\[([^\s\]]+)(?:\s+([^\]]*))?\](.*)$/s.exec(line);
  if (match === null) return undefined;
  return { name: match[1] ?? "", properties: propertiesOf(match[2] ?? "", ";", (text) => text), message: match[3] ?? "" };
}

function propertiesOf(text: string, separator: string, unescape: (text: string) => string): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const part of text.split(separator)) {
    const equals = part.indexOf("=");
    if (equals > 0) properties[part.slice(0, equals).trim()] = unescape(part.slice(equals + 1));
  }
  return properties;
}

function unescapeData(text: string): string {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

function unescapeProperty(text: string): string {
  return unescapeData(text.replaceAll("%3A", ":").replaceAll("%2C", ","));
}
