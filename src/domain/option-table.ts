/** An option of a program that may be given in an input, or may not, with its reason. */
export type OptionRow = {
  /** As it is documented: `--max-jobs`. */
  readonly name: string;
  /** Other spellings with the same meaning: `-j`. */
  readonly aliases: readonly string[];
  /** The values that follow it, each on its own line: `NUMBER`. */
  readonly words: readonly string[];
  readonly verdict: Verdict;
};

/** A setting of Nix, as `--option NAME VALUE` sets it. */
export type SettingRow = { readonly name: string; readonly verdict: Verdict };

export type Verdict =
  | { readonly kind: "accepted"; readonly meaning: string }
  /** `reason` says why, and what to use instead. */
  | { readonly kind: "refused"; readonly reason: string };

export type OptionTable = {
  /** The program, as a message names it: `nix flake archive`. */
  readonly program: string;
  readonly options: readonly OptionRow[];
  /** What `--option` may set. */
  readonly settings: readonly SettingRow[];
  /** Options of which the program silently uses only the last. */
  readonly lastWins: readonly string[];
};

/** Makes a row of an option that is accepted. */
export function accepted(name: string, meaning: string, words: readonly string[] = [], aliases: readonly string[] = []): OptionRow {
  return { name, aliases, words, verdict: { kind: "accepted", meaning } };
}

/** Makes a row of an option that is refused. */
export function refused(name: string, reason: string, words: readonly string[] = [], aliases: readonly string[] = []): OptionRow {
  return { name, aliases, words, verdict: { kind: "refused", reason } };
}

/**
 * Checks arguments, one per line, against a table. Only exact names count: the forms `--name=value`, `-j4` and abbreviations are
 * refused, because the programs do not agree on them. Returns a message for every problem; none where all are accepted.
 */
export function checkArguments(lines: readonly string[], table: OptionTable): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < lines.length;) {
    const line = lines[index] ?? "";
    const row = table.options.find(({ name, aliases }) => name === line || aliases.includes(line));
    if (row === undefined) {
      problems.push(explainUnknown(line, table));
      index += 1;
      continue;
    }
    const words = lines.slice(index + 1, index + 1 + row.words.length);
    // The value of a refused option may be missing.
    const taken = row.verdict.kind === "refused" ? words.filter((word) => !word.startsWith("-")) : words;
    index += 1 + taken.length;
    problems.push(...checkOption(row, words, table));
    if (table.lastWins.includes(row.name) && seen.has(row.name))
      problems.push(`${row.name} is given more than once, but ${table.program} uses only the last one`);
    seen.add(row.name);
  }
  return [...new Set(problems)];
}

function checkOption({ name, words, verdict }: OptionRow, given: readonly string[], table: OptionTable): string[] {
  if (verdict.kind === "refused") return [`${name} is not allowed: ${verdict.reason}`];
  if (given.length < words.length) return [`${name} needs ${words.join(" and ")}, each on its own line`];
  const option = given.find((word) => word.startsWith("-"));
  if (option !== undefined) return [`${name} needs ${words.join(" and ")}, but ${show(option)} starts with - and would be read as an option`];
  return name === "--option" ? checkSetting(given[0] ?? "", table) : [];
}

function checkSetting(setting: string, { settings }: OptionTable): string[] {
  const row = settingNamed(setting, settings);
  if (row?.verdict.kind === "refused") return [`--option ${setting} is not allowed: ${row.verdict.reason}`];
  // extra-NAME only exists for settings that are lists.
  if (row?.name === setting) return [];
  const names = settings.filter(({ verdict }) => verdict.kind === "accepted").map(({ name }) => name);
  return [`--option ${show(setting)} is not allowed; allowed settings are ${names.join(", ")}`];
}

function settingNamed(text: string, settings: readonly SettingRow[]): SettingRow | undefined {
  const named = (name: string): SettingRow | undefined => settings.find((row) => row.name === name);
  return named(text) ?? (text.startsWith("extra-") ? named(text.slice("extra-".length)) : undefined);
}

function explainUnknown(line: string, { options, settings }: OptionTable): string {
  const [first = "", second] = line.split(/[\s=]+/, 2);
  const known = options.find(({ name, aliases }) => name === first || aliases.includes(first));
  if (known?.verdict.kind === "refused") return `${known.name} is not allowed: ${known.verdict.reason}`;
  if (known !== undefined && second !== undefined && known.words.length > 0)
    return `${show(line)} is not allowed: write ${known.words.join(" and ")} on its own line, after ${first}`;
  // Nix accepts every setting as an option, too.
  const setting = settingNamed(first.replace(/^--(?:no-)?/, ""), settings);
  if (first.startsWith("--") && setting?.verdict.kind === "refused") return `${show(first)} is not allowed: ${setting.verdict.reason}`;
  if (first.startsWith("--") && setting !== undefined)
    return `${show(first)} is not allowed: write --option, ${setting.name} and the value, each on its own line`;
  const names = options.filter(({ verdict }) => verdict.kind === "accepted").map(({ name }) => name);
  return `${show(line)} is not allowed; allowed options are ${names.join(", ")}`;
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
