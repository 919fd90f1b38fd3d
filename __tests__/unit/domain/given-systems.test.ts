import { describe, expect, test } from "@jest/globals";

import { acceptedSystems, parseSystems } from "../../../src/domain/given-systems.js";
import { makeStorePath } from "./make.js";

const system = makeStorePath("nixos-system-web1-26.05");

describe("systems as JSON", () => {
  test("have the name of their machine, whatever it is", () => {
    const list = parseSystems(JSON.stringify({ web1: system, "The first": system }).replace("{", `{"__proto__":"${system}",`));
    expect(list.problems).toEqual([]);
    expect([...list.systems]).toEqual([
      ["__proto__", system],
      ["web1", system],
      ["The first", system],
    ]);
    expect(list.names).toEqual(["__proto__", "web1", "The first"]);
  });

  test.each<[unknown, string]>([
    [`${system}/bin/sh`, `"${system}/bin/sh"`],
    [`${system}.drv`, `"${system}.drv"`],
    ["./result", '"./result"'],
    [[system], `["${system}"]`],
    [null, "null"],
  ])("are store paths, and no derivations: %j", (path, shown) => {
    const list = parseSystems(JSON.stringify({ web1: path, web2: system }));
    expect(list.problems).toEqual([`"web1" has ${shown}, which is not the store path of a built system; expected /nix/store/HASH-NAME`]);
    expect(list.names).toEqual(["web1", "web2"]);
  });

  test.each(["[]", `"${system}"`, "7", "null"])("are an object: %s", (text) => {
    expect(parseSystems(text).problems).toEqual([`is not a JSON object; expected ${acceptedSystems}`]);
  });

  test("are JSON", () => {
    expect(parseSystems(`web1=${system}`).problems).toEqual([expect.stringMatching(/^is not valid JSON \(.*\); expected a JSON object such as /)]);
  });
});
