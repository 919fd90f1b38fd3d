import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { root } from "../../scripts/paths.js";
import { cells, keyOf } from "../fleet/faults/cells.js";
import { parseDocument, renderDocument, rowOf } from "../fleet/faults/document.js";
import { problemsOf, type Observation } from "../fleet/faults/judge.js";

const document = readFileSync(join(root, "docs/reliability.md"), "utf8");
const [old, built] = ["/nix/store/old", "/nix/store/new"];
const at = (path: string): Observation["systems"] => ({ current: path, profile: path, boot: path });

const well: Observation = {
  report: { status: "deployed", exit: 0, error: "", cancelled: false },
  old,
  new: built,
  systems: at(built),
  recorded: false,
  afterNextRun: undefined,
  newGenerations: 1,
  failedUnits: [],
  left: [],
  timers: [],
  leftAfterTimers: [],
  endedRoots: false,
  leftOnRunner: [],
};
const rolledBack: Observation = {
  ...well,
  report: { status: "rolled-back", exit: 1, error: "the health check failed", cancelled: false },
  systems: at(old),
  newGenerations: 0,
};

describe("docs/reliability.md", () => {
  test("has a row for each cell of the table, and no other, as npm run test:faults writes it", () => {
    expect(renderDocument(parseDocument(document))).toBe(document);
  });

  test("keeps the rows of the cells that a run did not have", () => {
    const [first, second] = cells.map(keyOf);
    if (first === undefined || second === undefined) throw new Error("no cells");
    const rows = parseDocument(document).set(first, rowOf(rolledBack));
    const kept = parseDocument(renderDocument(rows));
    expect([...kept.keys()].toSorted()).toEqual([...rows.keys()].toSorted());
    expect(kept.get(first)).toEqual({ reported: "`rolled-back`, exit code 1", machine: "old system", left: "nothing" });
    expect(kept.get(second)).toEqual(parseDocument(document).get(second));
  });
});

describe("a cell", () => {
  test.each<[string, Observation]>([
    ["a deployment", well],
    ["a deployment whose step was cancelled after it", { ...well, report: { status: "deployed", exit: 1, error: "", cancelled: true } }],
    ["a rollback", rolledBack],
    ["a run that was killed, and left what a timer removes", { ...rolledBack, report: undefined, left: ["/run/x"], timers: ["x-lease.service"] }],
    [
      "an interrupted last step that the next run settles",
      { ...well, report: undefined, systems: { current: old, profile: built, boot: old }, recorded: true, afterNextRun: at(built) },
    ],
  ])("is well after %s", (_, seen) => {
    expect(problemsOf(seen)).toEqual([]);
  });

  test.each<[string, Observation, string]>([
    ["green without the new system", { ...well, systems: at(old), newGenerations: 0 }, "the machine is not at the new system"],
    ["green with the old boot default", { ...well, systems: { ...at(built), boot: old } }, "the machine is not at the new system"],
    ["green with exit code 1", { ...well, report: { status: "deployed", exit: 1, error: "", cancelled: false } }, "and the exit code 1"],
    ["red with exit code 0", { ...rolledBack, report: { status: "failed", exit: 0, error: "why", cancelled: false } }, "and the exit code 0"],
    ["red without a reason", { ...rolledBack, report: { status: "failed", exit: 1, error: "", cancelled: false } }, "without a reason"],
    ["rolled-back on the new system", { ...rolledBack, systems: at(built) }, "the machine is not at the old system"],
    [
      "failed on the new system",
      { ...rolledBack, report: { status: "failed", exit: 1, error: "why", cancelled: false }, systems: at(built) },
      "is not at the old system",
    ],
    [
      "unknown, and not what it promises",
      { ...well, report: { status: "unknown", exit: 1, error: "Without confirmation the machine rolls back on its own", cancelled: false } },
      "and the machine is not at the old system",
    ],
    [
      "unknown without a word on the machine",
      { ...well, report: { status: "unknown", exit: 1, error: "why", cancelled: false } },
      "does not say what the machine does",
    ],
    ["rollback-failed without commands", { ...rolledBack, report: { status: "rollback-failed", exit: 1, error: "why", cancelled: false } }, "no commands"],
    ["between two systems", { ...well, report: undefined, systems: { ...at(old), current: built } }, "between two systems"],
    ["a rejected system that is a generation", { ...rolledBack, newGenerations: 1 }, "is a generation"],
    ["a failed unit", { ...well, failedUnits: ["bad.service"] }, "units are failed: bad.service"],
    ["leftovers without a timer", { ...rolledBack, report: undefined, left: ["/run/x"] }, "nothing on the machine will remove /run/x"],
    ["leftovers that a timer does not remove", { ...well, left: ["/run/x"], timers: ["t"], leftAfterTimers: ["/run/x"] }, "have left /run/x"],
    ["a key on the runner", { ...well, leftOnRunner: ["key"] }, "on the runner is left key"],
  ])("is not well with %s", (_, seen, problem) => {
    expect(problemsOf(seen).join("\n")).toContain(problem);
  });
});
