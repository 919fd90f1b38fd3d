import { expect, test } from "@jest/globals";

import { useTable } from "./table.js";

// Faults of the machine, in every phase of a run.
const { cells, problemsIn } = useTable(["network-lost", "sshd", "nix-daemon", "run-full", "profiles-full", "reboot", "reboot-lost", "clock-machine"]);

test.each(cells)("$fault in $phase", async (cell) => {
  expect(await problemsIn(cell)).toEqual([]);
});
