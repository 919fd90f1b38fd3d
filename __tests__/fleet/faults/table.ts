import { afterAll, afterEach, beforeAll, jest } from "@jest/globals";

import { Trial, type Systems } from "../safety/trial.js";
import { play, recover } from "./cell.js";
import { cells, isInEachRun, type Cell, type FaultName } from "./cells.js";
import { putHolds } from "./holds.js";
import { problemsOf } from "./judge.js";
import { oldSystem } from "./phases.js";
import { record } from "./record.js";

// Set by jest.faults.config.js. Without it, only the cells that have found a fault of the action are put on stage.
const everyCell = Reflect.get(globalThis, "everyFault") === true;

/** The cells of these faults, and what puts one on stage, all on one machine. */
export type Table = { readonly cells: readonly Cell[]; readonly problemsIn: (cell: Cell) => Promise<readonly string[]> };

/** Boots a machine for the cells of these faults that this run has. */
export function useTable(faults: readonly FaultName[]): Table {
  jest.setTimeout(240_000);
  const trial = new Trial();
  let old: Systems;
  let last: Cell | undefined;
  beforeAll(async () => {
    await trial.start(["web1"]);
    await putHolds(trial.machine());
    old = await trial.settle(oldSystem);
  });
  afterEach(async () => {
    if (last !== undefined) await recover(trial, last, old);
  });
  afterAll(async () => {
    await trial.stop();
  });
  return {
    cells: cells.filter((cell) => faults.includes(cell.fault) && (everyCell || isInEachRun(cell))),
    problemsIn: async (cell) => {
      last = cell;
      const seen = await play(trial, cell, old.current);
      const problems = problemsOf(seen);
      if (problems.length > 0) return [...problems, JSON.stringify(seen, undefined, 2)];
      if (everyCell) record(cell, seen);
      return [];
    },
  };
}
