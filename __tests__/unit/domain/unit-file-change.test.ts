import { describe, expect, test } from "@jest/globals";

import { judgeChanges } from "../../../src/domain/unit-file-change.js";
import type { UnitFileChange } from "../../../src/domain/unit-facts.js";

/** `added Unit Key` is a key, `added Unit` a section. */
function change(text: string): UnitFileChange {
  const [what = "", section = "", key] = text.split(" ");
  if (what !== "added" && what !== "removed" && what !== "changed") throw new Error(`no change: ${text}`);
  return { change: what, section, key };
}

describe("the changes of a unit's file", () => {
  test.each<["equal" | "reload" | "restart", readonly string[]]>([
    ["equal", []],
    ...[
      "Description",
      "Documentation",
      "OnFailure",
      "OnSuccess",
      "OnFailureJobMode",
      "IgnoreOnIsolate",
      "StopWhenUnneeded",
      "RefuseManualStart",
      "RefuseManualStop",
      "AllowIsolate",
      "CollectMode",
      "SourcePath",
    ].flatMap((key): ["equal", string[]][] => ["added", "removed", "changed"].map((what) => ["equal", [`${what} Unit ${key}`]])),
    ["reload", ["changed Unit X-Reload-Triggers"]],
    ["reload", ["added Unit X-Reload-Triggers", "changed Unit Description"]],
    ["equal", ["removed Unit X-Reload-Triggers"]],
    ["reload", ["changed Service ExecReload"]],
    ["reload", ["added Service ExecReload"]],
    ["equal", ["removed Service ExecReload"]],
    ["reload", ["changed Mount Options"]],
    ["restart", ["added Mount Options"]],
    ["restart", ["removed Mount Options"]],
    ["restart", ["changed Mount What"]],
    ["restart", ["changed Unit After"]],
    ["restart", ["added Unit X-Restart-Triggers"]],
    ["restart", ["changed Unit X-Reload-Triggers", "changed Unit X-Restart-Triggers"]],
    ["restart", ["changed Service ExecStart"]],
    ["restart", ["added Service Environment"]],
    ["restart", ["removed Service Environment"]],
    ["restart", ["added Service ExecReload", "added Service Environment"]],
    ["restart", ["changed Service ExecReload", "changed Service ExecStart"]],
    ["restart", ["changed Timer OnCalendar"]],
    // A [Description] of [Service] is not that of [Unit].
    ["restart", ["changed Service Description"]],
    ["equal", ["added Unit", "added Unit Description"]],
    ["reload", ["added Unit", "added Unit X-Reload-Triggers"]],
    ["restart", ["added Unit", "added Unit After"]],
    ["equal", ["removed Unit", "removed Unit Description"]],
    ["restart", ["removed Unit", "removed Unit After"]],
    ["reload", ["added Service", "added Service ExecReload"]],
    ["restart", ["added Service", "added Service ExecStart"]],
    ["restart", ["added Service"]],
    ["equal", ["removed Service", "removed Service ExecReload"]],
    ["restart", ["removed Service", "removed Service ExecStart"]],
    ["restart", ["removed Socket"]],
    ["restart", ["added Socket"]],
    ["restart", ["added Unit", "added Unit Description", "added Service", "added Service ExecReload"]],
  ])("mean %s: %j", (verdict, changes) => {
    expect(judgeChanges(changes.map(change))).toBe(verdict);
  });
});
