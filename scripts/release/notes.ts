/** What is to be released: a version that has a tag must have its own section, another may still be unreleased. */
export type NotesRequest = { readonly version: string; readonly tagged: boolean };

/**
 * Extracts the notes of a release from a changelog in the form of Keep a Changelog: what is below `## [1.2.3] - 2026-01-31`, or
 * below `## [Unreleased]` where the version has neither a section nor a tag yet. Throws an `Error` where there is nothing.
 */
export function releaseNotes(changelog: string, { version, tagged }: NotesRequest): string {
  const sections = sectionsOf(changelog);
  const section = sections.find(({ name }) => name === version) ?? (tagged ? undefined : sections.find(({ name }) => name === "Unreleased"));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section for ${version}; its heading must be: ## [${version}] - YYYY-MM-DD`);
  if (section.name !== "Unreleased" && !/^\d{4}-\d{2}-\d{2}$/.test(section.date))
    throw new Error(`the section of CHANGELOG.md for ${version} has no date; its heading must be: ## [${version}] - YYYY-MM-DD`);
  if (section.text === "") throw new Error(`the section of CHANGELOG.md for ${section.name} is empty`);
  return `${section.text}\n`;
}

/** Makes links to files of the repository absolute: a release is shown on a page of its own. `base` ends with a slash. */
export function withAbsoluteLinks(markdown: string, base: string): string {
  return markdown.replaceAll(/\]\((?!https?:|#)([^)]+)\)/g, (_, path: string) => `](${base}${path})`);
}

function sectionsOf(changelog: string): { name: string; date: string; text: string }[] {
  return changelog
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = "", ...lines] = section.split("\n");
      const [, name = "", date = ""] = /^\[([^\]]+)\](?: - (.*))?$/.exec(heading.trim()) ?? [];
      // Link definitions of the whole file are at its end.
      const text = lines.filter((line) => !/^\[[^\]]+\]: /.test(line)).join("\n");
      return { name, date: date.trim(), text: text.trim() };
    });
}
