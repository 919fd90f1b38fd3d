import { expect, test } from "@jest/globals";

import { useTable } from "./table.js";

// Faults of the runner and of the network, in every phase of a run.
const { cells, problemsIn } = useTable(["kill", "interrupt", "interrupt-twice", "terminate", "runner-temp-full", "clock-runner", "network-5s"]);

test.each(cells)("$fault in $phase", async (cell) => {
  expect(await problemsIn(cell)).toEqual([]);
});
