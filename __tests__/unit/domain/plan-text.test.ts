import { describe, expect, test } from "@jest/globals";

import { renderPlanLines } from "../../../src/domain/plan-text.js";
import type { UnitPlan } from "../../../src/domain/unit-plan.js";

const nothing: UnitPlan = { source: "unit-files", stop: [], start: [], restart: [], reload: [], again: [], keep: [], reexecutes: false, inhibitors: [] };

describe("a plan in the log", () => {
  test.each<[string, UnitPlan | undefined, readonly string[]]>([
    ["is nothing where it is unknown", undefined, []],
    ["is nothing where no unit is touched", nothing, []],
    [
      "has a line for each action",
      {
        ...nothing,
        stop: ["a.service"],
        restart: ["b.service", "c.service"],
        reload: ["d.service"],
        start: ["e.service"],
        again: ["f.service"],
        keep: ["g.service"],
      },
      [
        "units:",
        "  would stop: a.service",
        "  would restart: b.service, c.service",
        "  would reload: d.service",
        "  would start: e.service",
        "  would run again: f.service",
        "  would not restart despite changes: g.service",
      ],
    ],
    ["tells that systemd is re-executed", { ...nothing, reexecutes: true }, ["units:", "  systemd would be re-executed"]],
    [
      "tells what inhibits the switch, and what to do",
      { ...nothing, inhibitors: ["systemd: 260 -> 261"] },
      ["switch inhibitor: systemd: 260 -> 261: switch and test would be refused; use operation: boot, then reboot the machine"],
    ],
  ])("%s", (_, plan, lines) => {
    expect(renderPlanLines(plan)).toEqual(lines);
  });

  test("names 20 units of a kind, and counts the rest", () => {
    const units = Array.from({ length: 25 }, (_, index) => `u${index}.service`);
    expect(renderPlanLines({ ...nothing, stop: units })[1]).toMatch(/u19\.service and 5 more$/);
  });
});
