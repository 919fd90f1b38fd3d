import { expect, test } from "@jest/globals";

import { InputError } from "../../../src/domain/errors.js";
import { parseSystems } from "../../../src/domain/given-systems.js";
import type { BuiltMachine } from "../../../src/domain/matrix.js";
import { parseTargetList } from "../../../src/domain/target-list.js";
import { nameTargets } from "../../../src/domain/target.js";
import { renderBuild } from "../../../src/github/build-outputs.js";
import { makeRequest, makeStorePath, type WrittenRequest } from "../domain/make.js";
import { thrown } from "../failure-of.js";

function machine(name: string, request: Partial<WrittenRequest> = {}): BuiltMachine {
  return { name, request: makeRequest({ host: name, configuration: name, ...request }), toplevel: makeStorePath(`nixos-system-${name}`) };
}

test.each([
  ["of one line each", [machine("web1"), machine("db1", { user: "deploy", port: 2222 })]],
  ["with names of their own", [machine("first", { configuration: "web" }), machine("second", { configuration: "web" })]],
  ["of a flake that says where they are built", [machine("web1", { flakeBuildOn: "target" }), machine("web2", { buildOn: "target" })]],
  ["with the name of a property of objects", [machine("__proto__", { configuration: "x" })]],
])("machines %s are the same to the main action, with their systems", (_, built) => {
  const { systems, targets, count } = renderBuild(built);
  const requests = nameTargets(parseTargetList(targets).requests, 22);
  expect(requests.map(({ name }) => name)).toEqual(built.map(({ name }) => name));
  expect(requests.map(({ buildOn, flakeBuildOn }) => [buildOn, flakeBuildOn])).toEqual(built.map(() => [undefined, undefined]));
  expect([...parseSystems(systems).systems]).toEqual(built.map(({ name, toplevel }) => [name, toplevel]));
  expect(count).toBe(String(built.length));
});

test("nothing that was built is no empty text, which would stand for every machine of a flake", () => {
  expect(renderBuild([])).toEqual({ systems: "{}", targets: "[]", count: "0" });
});

test("more than fits into the outputs of a job is refused", () => {
  const many = Array.from({ length: 4000 }, (_, index) => machine(`${"h".repeat(40)}${index}`));
  expect(thrown(InputError, () => renderBuild(many)).problems).toMatchObject([{ input: "select" }]);
});
