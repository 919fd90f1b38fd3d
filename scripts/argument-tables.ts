import type { OptionTable, Verdict } from "../src/domain/option-table.js";
import { archiveOptions } from "../src/nix/archive-options.js";
import { buildOptions } from "../src/nix/build-options.js";
import { settingTable } from "../src/nix/setting-table.js";
import { rebuildOptions } from "../src/nixos/rebuild-options.js";
import { table } from "./docs-tables.js";

/** The text of docs/arguments.md. */
export function argumentsPage(): string {
  return `# Arguments for Nix and nixos-rebuild

<!-- Written by npm run docs from src/nix/archive-options.ts, src/nixos/rebuild-options.ts, src/nix/build-options.ts and src/nix/setting-table.ts. -->

\`archive-args\` are passed to \`nix flake archive\` on the runner, \`rebuild-args\` to \`nixos-rebuild build\` on the machine, \`build-args\` to builds on the runner. Write one
argument per line; no shell splits or expands it. An option's value goes on the next line:

\`\`\`yaml
rebuild-args: |
  --show-trace
  --max-jobs
  4
\`\`\`

Only the options below are accepted, in exactly these spellings: \`--max-jobs=4\` and \`-j4\` are refused. Options that change
which flake, attribute, store, profile, channel or host is meant are refused, and so is every option that is not listed. All
problems are reported before any machine is contacted.

## archive-args

${optionTables(archiveOptions)}

## rebuild-args

\`--option\` can be given only once, because \`nixos-rebuild\` since NixOS 25.11 ignores all but the last.

${optionTables(rebuildOptions)}

## build-args

For systems that the runner builds: with \`build-on: runner\`, and by the action [build](build.md).

${optionTables(buildOptions)}

## Settings for --option

${tables(
  settingTable.map(({ name, verdict }) => ({ shown: code(name), verdict })),
  "Setting",
)}
`;
}

function optionTables({ options }: OptionTable): string {
  const rows = options.map(({ name, aliases, words, verdict }) => ({
    shown: [name, ...aliases].map((spelling) => code([spelling, ...words].join(" "))).join(", "),
    verdict,
  }));
  return tables(rows, "Option");
}

function tables(rows: readonly { shown: string; verdict: Verdict }[], kind: string): string {
  const good = rows.flatMap(({ shown, verdict }) => (verdict.kind === "accepted" ? [[shown, verdict.meaning]] : []));
  const bad = rows.flatMap(({ shown, verdict }) => (verdict.kind === "refused" ? [[shown, verdict.reason]] : []));
  return [ignored(table([`${kind}, accepted`, "Meaning"], good)), ignored(table([`${kind}, refused`, "Why, and what to use instead"], bad))].join("\n\n");
}

// The formatter would pad the columns to the longest cell.
function ignored(text: string): string {
  return `<!-- prettier-ignore-start -->\n\n${text}\n\n<!-- prettier-ignore-end -->`;
}

function code(text: string): string {
  return `\`${text}\``;
}
