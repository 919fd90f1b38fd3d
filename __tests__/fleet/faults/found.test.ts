import { expect, test } from "@jest/globals";

import { hasFound } from "./cells.js";
import { useTable } from "./table.js";

// The cells that have found a fault of the action.
const { cells, problemsIn } = useTable(hasFound);

test.each(cells)("$fault in $phase", async (cell) => {
  expect(await problemsIn(cell)).toEqual([]);
});
