import { describe, expect, test } from "@jest/globals";

import { field } from "../../../src/domain/json.js";
import { InputError } from "../../../src/domain/errors.js";
import type { MatrixMachine } from "../../../src/domain/matrix.js";
import { renderMatrix } from "../../../src/github/matrix-outputs.js";
import { makeRequest, type WrittenRequest } from "../domain/make.js";
import { thrown } from "../failure-of.js";

function machine(name: string, request: Partial<WrittenRequest> = {}): MatrixMachine {
  return { name, request: makeRequest({ host: name, configuration: name, ...request }), system: "x86_64-linux", tags: [] };
}

function machines(count: number): MatrixMachine[] {
  return Array.from({ length: count }, (_, index) => machine(`h${index}`));
}

function include(count: number, shards: number | undefined): unknown[] {
  const jobs = field(JSON.parse(renderMatrix(machines(count), shards).matrix), "include");
  if (!Array.isArray(jobs)) throw new Error("the matrix has no include");
  return jobs;
}

describe("jobs", () => {
  test("are one a machine", () => {
    const { matrix, ...others } = renderMatrix(
      [
        { ...machine("web1"), tags: ["web"] },
        { ...machine("db1", { configuration: undefined }), system: undefined },
      ],
      undefined,
    );
    expect(JSON.parse(matrix)).toEqual({
      include: [
        { name: "web1", target: "web1#web1", configuration: "web1", system: "x86_64-linux", tags: ["web"] },
        { name: "db1", target: "db1", configuration: "", system: "", tags: [] },
      ],
    });
    expect(others).toEqual({ targets: "web1#web1\ndb1", count: "2", hosts: '["web1","db1"]' });
  });

  test.each([
    [10, 3, [4, 3, 3]],
    [8, 2, [4, 4]],
    [3, 8, [1, 1, 1]],
    [600, 256, [...Array<number>(88).fill(3), ...Array<number>(168).fill(2)]],
    [0, 4, []],
  ])("of %i machines in %i shards", (count, shards, sizes) => {
    const jobs = include(count, shards);
    expect(jobs).toHaveLength(sizes.length);
    const all = jobs.flatMap((job, index) => {
      expect([field(job, "name"), field(job, "hosts", "length")]).toEqual([`${index + 1} of ${sizes.length}`, sizes[index]]);
      return String(field(job, "targets")).split("\n");
    });
    expect(all).toEqual(machines(count).map(({ name }) => `${name}#${name}`));
  });

  test("are at most 256", () => {
    expect(include(256, undefined)).toHaveLength(256);
    expect(thrown(InputError, () => renderMatrix(machines(257), undefined)).problems).toEqual([
      {
        input: "shards",
        problem: "is empty, but 257 hosts exceed the 256 jobs that GitHub allows per matrix; set it to the number of jobs to split them across",
        topic: "too-many-jobs",
      },
    ]);
  });

  test("are no more than fit into the outputs", () => {
    expect(thrown(InputError, () => renderMatrix(machines(20_000), 8)).problems).toEqual([
      { input: "select", problem: "selects 20000 hosts, more than fit into the outputs of one job (1 MB); select fewer" },
    ]);
  });

  test("without a machine are none, and the targets not an empty string", () => {
    expect(renderMatrix([], undefined)).toEqual({ matrix: '{"include":[]}', targets: "[]", count: "0", hosts: "[]" });
  });
});
