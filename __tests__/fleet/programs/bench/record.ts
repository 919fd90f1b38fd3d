import type { Usage } from "./usage.js";
import type { Passed } from "./wire.js";
import type { Work } from "./works.js";

/** The comparison that a run belongs to. */
export type Cell = {
  readonly work: Work;
  readonly hosts: number;
  /** Milliseconds. */
  readonly roundTrip: number;
};

/** One deployment by one contender. */
export type Run = Cell & { readonly contender: string; readonly seconds: number; readonly usage: Usage; readonly passed: readonly Passed[] };

/** The medians of the same deployments. */
export type Medians = {
  readonly runs: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly megabytes: number | undefined;
  /** Per host. */
  readonly kilobytes: number;
  readonly turns: number;
  readonly connections: number;
};

/** The middle of some numbers, or the mean of the two in the middle. Throws for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  if (low === undefined || high === undefined) throw new Error("no values");
  return (low + high) / 2;
}

/** The medians of a contender in a comparison; `undefined` where it did not take part. */
export function mediansOf(runs: readonly Run[], cell: Cell, contender: string): Medians | undefined {
  const same = runs.filter((run) => run.contender === contender && run.work === cell.work && run.hosts === cell.hosts && run.roundTrip === cell.roundTrip);
  if (same.length === 0) return undefined;
  const of = (pick: (run: Run) => number): number => median(same.map(pick));
  const perHost = (pick: (passed: Passed) => number): number => of((run) => run.passed.reduce((sum, passed) => sum + pick(passed), 0) / run.hosts);
  const memory = same.flatMap(({ usage }) => usage.megabytes ?? []);
  return {
    runs: same.length,
    seconds: of(({ seconds }) => seconds),
    cpuSeconds: of(({ usage }) => usage.cpuSeconds),
    megabytes: memory.length === 0 ? undefined : median(memory),
    kilobytes: perHost(({ bytesToMachine, bytesFromMachine }) => (bytesToMachine + bytesFromMachine) / 1000),
    turns: perHost(({ turns }) => turns),
    connections: perHost(({ connections }) => connections),
  };
}

/** The comparisons of some runs, in the order in which they began. */
export function cellsOf(runs: readonly Run[]): Cell[] {
  const cells = new Map(runs.map(({ work, hosts, roundTrip }) => [`${work} ${hosts} ${roundTrip}`, { work, hosts, roundTrip }]));
  return [...cells.values()].toSorted((one, other) => one.hosts - other.hosts || one.roundTrip - other.roundTrip);
}
