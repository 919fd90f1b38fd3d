import { expect, test } from "@jest/globals";

import { isOfRunner } from "./cells.js";
import { useTable } from "./table.js";

// Faults of the runner and of its network, in every phase of a run: npm run test:faults.
const { cells, problemsIn } = useTable(isOfRunner);

test.each(cells)("$fault in $phase", async (cell) => {
  expect(await problemsIn(cell)).toEqual([]);
});
