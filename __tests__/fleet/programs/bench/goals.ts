import type { ColdStart } from "./cold-start.js";
import { mediansOf, type Cell, type Run } from "./record.js";

/** A goal, as a number that is to be at most another one. */
export type Goal = { readonly name: string; readonly most: number; readonly measured: number };

type Ratio = {
  readonly name: string;
  readonly cell: Cell;
  readonly of: string;
  readonly to: string;
  readonly what: "seconds" | "kilobytes";
  readonly most: number;
};

const cell = (work: Cell["work"], hosts: number, roundTrip: number): Cell => ({ work, hosts, roundTrip });

const ours = "this action";

const ratios: readonly Ratio[] = [
  ...[0, 80].flatMap((roundTrip): Ratio[] => [
    {
      name: `1 host, ${roundTrip} ms, nothing: seconds to those of the recipe`,
      cell: cell("nothing", 1, roundTrip),
      of: ours,
      to: "recipe",
      what: "seconds",
      most: 1,
    },
    {
      name: `1 host, ${roundTrip} ms, change: seconds to those of the recipe`,
      cell: cell("change", 1, roundTrip),
      of: ours,
      to: "recipe",
      what: "seconds",
      most: roundTrip === 0 ? 1.3 : 1.5,
    },
    {
      name: `1 host, ${roundTrip} ms, change with \`rollback: false\`: seconds to those of the recipe`,
      cell: cell("change", 1, roundTrip),
      of: "rollback: false",
      to: "recipe",
      what: "seconds",
      most: 1,
    },
    {
      name: `16 hosts, ${roundTrip} ms, change: seconds to those of xargs`,
      cell: cell("change", 16, roundTrip),
      of: ours,
      to: "xargs -P 10",
      what: "seconds",
      most: 1,
    },
    {
      name: `16 hosts, ${roundTrip} ms, nothing: seconds to those of xargs`,
      cell: cell("nothing", 16, roundTrip),
      of: ours,
      to: "xargs -P 10",
      what: "seconds",
      most: 1,
    },
  ]),
  { name: "16 hosts, 80 ms, change: seconds to those of the recipe", cell: cell("change", 16, 80), of: ours, to: "recipe", what: "seconds", most: 1 / 8 },
  { name: "1 host, change: bytes to those of the recipe", cell: cell("change", 1, 0), of: ours, to: "recipe", what: "kilobytes", most: 1.2 },
  { name: "1 host, source tree: bytes to those of the recipe", cell: cell("source tree", 1, 0), of: ours, to: "recipe", what: "kilobytes", most: 1 / 3 },
  { name: "1 host, closure: bytes to those of `nix copy`", cell: cell("closure", 1, 0), of: ours, to: "nix copy", what: "kilobytes", most: 1 / 2 },
];

/** The goals that these runs can judge. */
export function goals(runs: readonly Run[], { firstProgram, emptyProgram }: ColdStart): Goal[] {
  const compared = ratios.flatMap((goal): Goal[] => {
    const [one, other] = [mediansOf(runs, goal.cell, goal.of), mediansOf(runs, goal.cell, goal.to)];
    return one === undefined || other === undefined ? [] : [{ name: goal.name, most: goal.most, measured: one[goal.what] / other[goal.what] }];
  });
  const start = { name: "Start of the first program: milliseconds to those of an empty program of Node", most: 1.5, measured: firstProgram / emptyProgram };
  return [...compared, ...(["change", "nothing"] as const).flatMap((work) => perFurtherHost(runs, work)), start];
}

/** What each further host costs the runner: the difference between one host and the most hosts that were measured. */
function perFurtherHost(runs: readonly Run[], work: Cell["work"]): Goal[] {
  const hosts = Math.max(...runs.filter((run) => run.work === work && run.roundTrip === 0).map((run) => run.hosts));
  const [single, many] = [mediansOf(runs, cell(work, 1, 0), ours), mediansOf(runs, cell(work, hosts, 0), ours)];
  if (single === undefined || many === undefined || hosts < 2) return [];
  const name = (what: string): string => `${what} of the runner per further host, ${work} (1 and ${hosts} hosts)`;
  const cpu = { name: name("CPU seconds"), most: 0.15, measured: (many.cpuSeconds - single.cpuSeconds) / (hosts - 1) };
  if (single.megabytes === undefined || many.megabytes === undefined) return [cpu];
  return [cpu, { name: name("MB"), most: 8, measured: (many.megabytes - single.megabytes) / (hosts - 1) }];
}
