import { describe, expect, test } from "@jest/globals";

import { PhaseClock } from "../../../src/deploy/phase-clock.js";

describe("the clock of the phases", () => {
  test("ends a phase where the next begins, and leaves out what lies between", () => {
    let now = 100;
    const clock = new PhaseClock(() => now);
    const at = (milliseconds: number, act: () => void): void => {
      now = milliseconds;
      act();
    };
    at(100, () => clock.begin("connect"));
    at(1234, () => clock.begin("copy"));
    at(2000, () => clock.pause());
    at(2500, () => clock.pause());
    at(9000, () => clock.begin("activate"));
    at(9100, () => clock.begin("activate"));
    now = 9505;
    expect(clock.spans()).toEqual([
      { phase: "connect", begin: 0.1, end: 1.23 },
      { phase: "copy", begin: 1.23, end: 2 },
      { phase: "activate", begin: 9, end: 9.51 },
    ]);
    // What goes on is not ended by looking at it.
    now = 10_000;
    expect(clock.spans().at(-1)).toEqual({ phase: "activate", begin: 9, end: 10 });
  });

  test("has no spans before anything has begun", () => {
    expect(new PhaseClock().spans()).toEqual([]);
  });
});
