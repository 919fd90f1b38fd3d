import { cells, faultNames, keyOf, names, phaseNames } from "./cells.js";
import { isAt, type Observation } from "./judge.js";

// docs/reliability.md: what was seen of each cell, in the run that had it last.

const head = `# Reliability

What the action reports, what the machine is in the end, and what is left where something goes wrong in the middle of a run. Each row was seen on a real machine: a \`switch\` from one system to another was held in a phase, the fault was made there, and then everything went on. [Safety](safety.md) explains the protection, and has the tests whose controls show the damage without it.

\`npm run test:faults\` puts all cells on stage and writes this page; cells that have once found a fault of the action are in each run of the fleet tests. A cell fails if the report is not true, if the machine ends between its two systems, or if something stays that nothing removes.

- **Old system**, **new system**: the machine runs it, has it in its system profile, and boots it.
- **The machine removes them**: a timer on the machine removes the files of the run within an hour, without any runner.

`;

/** One row, as text of Markdown. */
export type Row = { readonly reported: string; readonly machine: string; readonly left: string };

/** Says what was seen of a cell. */
export function rowOf(seen: Observation): Row {
  const { report, systems, afterNextRun, left, leftOnRunner, recorded, endedRoots } = seen;
  const nameOf = (at: Observation["systems"]): string => (isAt(at, seen.old) ? "old system" : isAt(at, seen.new) ? "new system" : "between both");
  const parts = [
    ...(recorded ? ["the record of the last step, which the next run settles"] : []),
    ...(left.length > 0 ? ["files of the run; the machine removes them"] : []),
    ...(endedRoots ? ["links of roots that the restart has ended; the next run removes them"] : []),
    ...(leftOnRunner.length > 0 ? ["files on the runner"] : []),
  ];
  return {
    reported: report === undefined ? "nothing" : `\`${report.status}\`, exit code ${report.exit}`,
    machine: afterNextRun === undefined ? nameOf(systems) : `runs and boots the old system; after the next run: ${nameOf(afterNextRun)}`,
    left: parts.length === 0 ? "nothing" : parts.join("; "),
  };
}

/** Reads the rows of a document, by `keyOf` their cells. */
export function parseDocument(text: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  let fault = "";
  for (const line of text.split("\n")) {
    const heading = /^## (.*)$/.exec(line)?.[1];
    if (heading !== undefined) fault = heading;
    const [, phase, reported, machine, left] = line.split("|").map((cell) => cell.trim());
    if (phase === undefined || reported === undefined || machine === undefined || left === undefined || reported === notRun) continue;
    const cell = cells.find((each) => faultNames[each.fault] === fault && each.phase === phase);
    if (cell !== undefined) rows.set(keyOf(cell), { reported, machine, left });
  }
  return rows;
}

// Of a cell that no run has had yet.
const notRun = "not run yet";

/** Renders the document, with a row for each cell. */
export function renderDocument(rows: ReadonlyMap<string, Row>): string {
  const sections = names(faultNames).map((fault) => {
    const body = names(phaseNames).map((phase) => {
      const row = rows.get(keyOf({ fault, phase }));
      return row === undefined ? `| ${phase} | ${notRun} | | |` : `| ${phase} | ${row.reported} | ${row.machine} | ${row.left} |`;
    });
    const table = ["| Phase | Reported | The machine in the end | Left behind |", "| --- | --- | --- | --- |", ...body];
    return `## ${faultNames[fault]}\n\n<!-- prettier-ignore-start -->\n\n${table.join("\n")}\n\n<!-- prettier-ignore-end -->\n`;
  });
  const held = names(phaseNames).map((phase) => `| ${phase} | ${phaseNames[phase]} |`);
  const where = `## Phases\n\n<!-- prettier-ignore-start -->\n\n${["| Phase | What is held when the fault strikes |", "| --- | --- |", ...held].join("\n")}\n\n<!-- prettier-ignore-end -->\n`;
  return `${head}${[where, ...sections].join("\n")}`;
}
