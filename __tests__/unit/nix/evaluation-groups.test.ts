import { describe, expect, test } from "@jest/globals";

import { planEvaluation } from "../../../src/nix/evaluation-groups.js";

const gibibyte = 2 ** 30;
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `h${index}`);

describe("evaluations", () => {
  test.each<[string, number, number, number, number[], number]>([
    ["of forty machines share two cores evenly", 40, 2, 16, [6, 7, 7, 6, 7, 7], 2],
    ["of one machine are one", 1, 4, 16, [1], 1],
    ["of three machines on two cores are two groups", 3, 2, 16, [1, 2], 2],
    ["of forty machines fit into the memory of a hosted runner", 40, 4, 14, [5, 5, 5, 5, 5, 5, 5, 5], 4],
    ["with memory for two are two at a time", 5, 8, 1.2, [1, 1, 1, 1, 1], 2],
    ["without memory for two are one after the other", 3, 8, 0.5, [1, 1, 1], 1],
    ["of no machine are none", 0, 2, 16, [], 1],
  ])("%s", (_, count, cores, memory, sizes, parallel) => {
    const plan = planEvaluation(names(count), { cores, memory: memory * gibibyte });
    expect(plan.groups.map(({ length }) => length)).toEqual(sizes);
    expect(plan.parallel).toBe(parallel);
    expect(plan.groups.flat()).toEqual(names(count));
  });
});
