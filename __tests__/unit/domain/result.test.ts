import { describe, expect, test } from "@jest/globals";

import { isFailure, statuses, worstStatus } from "../../../src/domain/result.js";
import { makeResult } from "./make.js";

describe("worstStatus", () => {
  test("is unchanged where there is no host", () => {
    expect(worstStatus([])).toBe("unchanged");
  });

  test("goes from best to worst, whatever the order of the hosts", () => {
    for (const [index, status] of statuses.entries()) {
      const upToHere = statuses.slice(0, index + 1).map((each) => makeResult({ status: each }));
      expect(worstStatus(upToHere)).toBe(status);
      expect(worstStatus(upToHere.toReversed())).toBe(status);
    }
  });
});

test("a failure is every status in which the machine did not reach the requested state", () => {
  expect(statuses.filter((status) => isFailure(status))).toEqual(["rolled-back", "failed", "unknown", "rollback-failed"]);
});

test("a failure is worse than everything that is none", () => {
  const kinds = statuses.map((status) => isFailure(status));
  expect(kinds).toEqual(kinds.toSorted((a, b) => Number(a) - Number(b)));
});
