import { describe, expect, test } from "@jest/globals";

import { FakeMachine, newSystem, oldSystem } from "./fake-machine.js";
import { machineContract } from "./machine-contract.js";

describe("the fake machine", () => {
  const machine = new FakeMachine();

  test.each(machineContract)("$title", async ({ holds }) => {
    await expect(holds(() => ({ machine, old: oldSystem, built: newSystem }))).resolves.toBeUndefined();
  });
});
