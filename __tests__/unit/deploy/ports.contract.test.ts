import { describe, expect, test } from "@jest/globals";

import { makeSentFlake } from "../domain/make.js";
import { FakeMachine, newSystem, oldSystem } from "./fake-machine.js";
import { machineContract } from "./machine-contract.js";

describe("the fake machine", () => {
  const machine = new FakeMachine();

  test.each(machineContract)("$title", async ({ holds }) => {
    await expect(holds(() => ({ machine, old: oldSystem, sent: makeSentFlake(), configuration: "web1", built: newSystem }))).resolves.toBeUndefined();
  });
});
