import { describe, expect, test } from "@jest/globals";

import { phases } from "../../../src/domain/phase.js";
import { reconnectTimeout } from "../../../src/nixos/reconnect-timeout.js";

const limits = { activation: 600, confirm: 30, settle: 5, healthCheck: 60, lock: 300 };

describe("the reconnect timeout", () => {
  test("outlasts the watchdog in every phase in which it may roll back", () => {
    const timeout = reconnectTimeout(30, { rollback: true, limits });
    // The watchdog acts that many seconds after the connection was lost at the latest.
    expect(timeout("activate")).toBeGreaterThan(30 + limits.activation + limits.confirm);
    for (const phase of ["confirm", "rollback"] as const) expect(timeout(phase)).toBeGreaterThan(30 + limits.confirm + limits.settle + limits.healthCheck);
  });

  test("does not wait for a watchdog before the activation, or without one", () => {
    const timeout = reconnectTimeout(30, { rollback: true, limits });
    const without = reconnectTimeout(30, { rollback: false, limits });
    for (const phase of ["connect", "copy", "build"] as const) expect(timeout(phase)).toBe(without(phase));
    expect(new Set(phases.map(without)).size).toBe(1);
    expect(without("activate")).toBeGreaterThan(30);
    expect(without("activate")).toBeLessThan(timeout("activate"));
  });
});
