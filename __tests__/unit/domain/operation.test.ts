import { expect, test } from "@jest/globals";

import * as operation from "../../../src/domain/operation.js";

const { operations } = operation;

test.each([
  ["change the machine", operation.changesMachine, ["switch", "boot", "test", "rollback"]],
  ["change what runs now", operation.changesRunningSystem, ["switch", "test", "rollback"]],
  ["change what it boots next", operation.changesSystemProfile, ["switch", "boot", "rollback"]],
  ["install boot loader entries", operation.changesBootLoader, ["switch", "boot", "rollback"]],
  ["need a flake", operation.needsFlake, ["switch", "boot", "test", "dry-activate", "build"]],
  ["need root", operation.needsRoot, ["switch", "boot", "test", "dry-activate", "rollback"]],
  ["only report units", operation.plansUnits, ["dry-activate", "build"]],
  ["can end in a specialisation", operation.canEnterSpecialisation, ["switch", "test", "dry-activate", "build", "rollback"]],
])("the operations that %s", (_, asks, expected) => {
  expect(operations.filter((each) => asks(each))).toEqual(expected);
});

test("each runs switch-to-configuration with its own word, a rollback with `switch` and a build not at all", () => {
  expect(operations.map((each) => [each, operation.switchAction(each)])).toEqual([
    ["switch", "switch"],
    ["boot", "boot"],
    ["test", "test"],
    ["dry-activate", "dry-activate"],
    ["build", undefined],
    ["rollback", "switch"],
  ]);
});
