import { expect, test } from "@jest/globals";

import { isOfRunner } from "./cells.js";
import { useTable } from "./table.js";

// Faults of the machine, in every phase of a run: npm run test:faults.
const { cells, problemsIn } = useTable((cell) => !isOfRunner(cell));

test.each(cells)("$fault in $phase", async (cell) => {
  expect(await problemsIn(cell)).toEqual([]);
});
