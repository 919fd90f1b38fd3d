import { afterAll, afterEach, beforeAll, jest } from "@jest/globals";

import { Trial, type Systems } from "../safety/trial.js";
import { play, recover } from "./cell.js";
import { cells, type Cell } from "./cells.js";
import { putHolds } from "./holds.js";
import { problemsOf } from "./judge.js";
import { oldSystem } from "./phases.js";
import { record } from "./record.js";

// Set by jest.faults.config.js, which writes the document in the end.
const isRecorded = Reflect.get(globalThis, "recordFaults") === true;

/** Cells, and what puts one on stage, all on one machine. */
export type Table = { readonly cells: readonly Cell[]; readonly problemsIn: (cell: Cell) => Promise<readonly string[]> };

/** Boots a machine for cells. */
export function useTable(isPlayed: (cell: Cell) => boolean): Table {
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
    cells: cells.filter(isPlayed),
    problemsIn: async (cell) => {
      last = cell;
      const seen = await play(trial, cell, old.current);
      const problems = problemsOf(seen);
      if (problems.length > 0) return [...problems, JSON.stringify(seen, undefined, 2)];
      if (isRecorded) record(cell, seen);
      return [];
    },
  };
}
