import { expect, test } from "@jest/globals";

import { changesMachine, changesRunningSystem, changesSystemProfile, operations } from "../../../src/domain/operation.js";

test.each([
  ["the machine", changesMachine, ["switch", "boot", "test", "rollback"]],
  ["what runs now", changesRunningSystem, ["switch", "test", "rollback"]],
  ["what it boots next", changesSystemProfile, ["switch", "boot", "rollback"]],
])("the operations that change %s", (_, changes, expected) => {
  expect(operations.filter((operation) => changes(operation))).toEqual(expected);
});
