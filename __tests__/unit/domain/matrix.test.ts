import { describe, expect, test } from "@jest/globals";

import { field } from "../../../scripts/fields.js";
import { InputError } from "../../../src/domain/errors.js";
import { renderMatrix, targetLine, targetsText, type MatrixMachine } from "../../../src/domain/matrix.js";
import { parseTargetList } from "../../../src/domain/target-list.js";
import { completeTargets, type TargetRequest } from "../../../src/domain/target.js";
import { thrown } from "../failure-of.js";

function machine(name: string, request: Partial<TargetRequest> = {}): MatrixMachine {
  return { name, request: { host: name, configuration: name, ...request }, system: "x86_64-linux", tags: [] };
}

function machines(count: number): MatrixMachine[] {
  return Array.from({ length: count }, (_, index) => machine(`h${index}`));
}

function include(count: number, shards: number | undefined): unknown[] {
  const jobs = field(JSON.parse(renderMatrix(machines(count), shards).matrix), "include");
  if (!Array.isArray(jobs)) throw new Error("the matrix has no include");
  return jobs;
}

describe("targets", () => {
  test.each<[string, TargetRequest]>([
    ["web1", { host: "web1" }],
    ["root@web1:2222#web", { host: "web1", user: "root", port: 2222, configuration: "web" }],
    ["[2001:db8::7]:22#db", { host: "2001:db8::7", port: 22, configuration: "db" }],
    ["a@b@[::1]#colmenaHive.nodes.x", { host: "::1", user: "a@b", configuration: "colmenaHive.nodes.x" }],
  ])("are lines: %s", (line, request) => {
    expect(targetLine(request)).toBe(line);
  });

  test.each<[string, readonly MatrixMachine[]]>([
    ["of a plain list", [machine("web1"), machine("db1", { host: "2001:db8::7", user: "deploy", port: 2222 })]],
    ["that begins with an IPv6 address", [machine("db1", { host: "2001:db8::7" }), machine("web1")]],
    ["of a hive", [machine("web1", { configuration: "colmenaHive.nodes.web1" })]],
    ["without a configuration", [machine("web1", { configuration: undefined })]],
    ["with names of their own", [machine("The first", { host: "web1", configuration: "web1" }), machine("web2")]],
    ["with one configuration for two", [machine("a", { configuration: "web" }), machine("b", { configuration: "web" })]],
  ])("%s are read by the main action as the same machines", (_, list) => {
    const { requests, problems } = parseTargetList(targetsText(list));
    expect(problems).toEqual([]);
    const defaults = { user: "root", port: 22 };
    expect(completeTargets(requests, defaults)).toEqual(
      list.map(({ name, request }) => ({ ...defaults, address: request.host, via: undefined, configuration: undefined, ...defined(request), name })),
    );
  });

  function defined(request: TargetRequest): object {
    return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
  }
});

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

  test("without a machine are none, and the targets not an empty text", () => {
    expect(renderMatrix([], undefined)).toEqual({ matrix: '{"include":[]}', targets: "[]", count: "0", hosts: "[]" });
  });
});
