import { describe, expect, test } from "@jest/globals";

import { endedLine, runningHostsText, workLine, type HostPlace } from "../../../src/report/progress.js";

function place(overrides: Partial<HostPlace> = {}): HostPlace {
  return { name: "web1", phase: "build", seconds: 12, over: false, copied: undefined, ...overrides };
}

describe("the lines of progress", () => {
  test("name an ended phase with its time and what came of it", () => {
    expect(endedLine(place(), undefined)).toBe("web1: built in 12 s");
    expect(endedLine(place({ phase: "copy" }), "3 paths")).toBe("web1: copied in 12 s (3 paths)");
  });

  test("group the hosts at work by their phase, at most five by name", () => {
    const copied = { paths: 1, expectedPaths: 3, bytes: undefined };
    const building = Array.from({ length: 7 }, (_, index) => place({ name: `b${index}`, seconds: 70 }));
    expect(workLine([...building, place({ phase: "copy", copied }), place({ name: "idle", over: true })], 80)).toBe(
      "running for 1 min 20 s: copying web1 (12 s, path 1 of 3); building b0 (1 min 10 s), b1 (1 min 10 s), b2 (1 min 10 s), b3 (1 min 10 s), b4 (1 min 10 s) and 2 more",
    );
  });

  test("are none where no host is in a phase", () => {
    expect(workLine([place({ over: true })], 80)).toBeUndefined();
    expect(runningHostsText([])).toBe("No host was in progress.");
  });
});
