/**
 * Reads what ncc writes of licences: for each package its name, its licence's identifier, and the text, where it has one. Returns the
 * same with each text once, below all packages that have it.
 */
export function uniteLicenses(written: string, packages: readonly string[]): string {
  const texts = new Map<string, string[]>();
  let name = "";
  let body: string[] = [];
  const finish = (): void => {
    const text = body.join("\n").trim();
    if (name !== "") texts.set(text, [...(texts.get(text) ?? []), name]);
  };
  for (const line of written.split("\n")) {
    if (packages.includes(line)) {
      finish();
      name = line;
      body = [];
    } else body.push(line);
  }
  finish();
  return [...texts].map(([text, names]) => `${names.join("\n")}\n${text}\n`).join("\n");
}
