import { describe, expect, test } from "@jest/globals";

import type { Way } from "../../../src/domain/build-place.js";
import { isEvaluatedHere, withConfiguration, withProfiles } from "../../../src/machines/evaluated-here.js";
import type { MadeSystems, WantedSystem } from "../../../src/machines/ports.js";
import { makeStorePath, makeTarget, nixos } from "../domain/make.js";

const wanted = (configuration: string, way: Way): ReadonlyMap<string, WantedSystem> => new Map([["web1", { name: "web1", configuration, way }]]);
const made = (configuration: string | undefined): MadeSystems => ({
  systems: new Map([["deploy.nodes.web1", { derivation: makeStorePath("x.drv"), toplevel: makeStorePath("x"), configuration }]]),
  failed: new Map(),
});

test("a profile is evaluated on the runner also where its machine builds it", () => {
  expect(isEvaluatedHere({ configuration: "deploy.nodes.web1", way: "rebuilt-there" })).toBe(true);
  expect(isEvaluatedHere({ configuration: "web1", way: "rebuilt-there" })).toBe(false);
  expect(isEvaluatedHere({ configuration: "deploy.nodes.web1", way: "built-before" })).toBe(false);
  expect(isEvaluatedHere({ configuration: undefined, way: "built-here" })).toBe(true);
});

describe("a profile with the system of the configuration of its name", () => {
  test("is rebuilt by its machine as that configuration", () => {
    const all = wanted("deploy.nodes.web1", "rebuilt-there");
    expect(withProfiles(all, made("web1"))).toEqual(all);
    expect(withConfiguration(makeTarget({ configuration: { kind: "profile", name: "web1" } }), all, made("web1")).configuration).toEqual(nixos("web1"));
  });
});

describe("a profile with another system", () => {
  test("is built by its machine from the derivation, never as the configuration of its name", () => {
    const target = makeTarget({ configuration: { kind: "profile", name: "web1" } });
    const all = wanted("deploy.nodes.web1", "rebuilt-there");
    expect(withProfiles(all, made(undefined)).get("web1")).toMatchObject({ way: "realised-there", configuration: "deploy.nodes.web1" });
    expect(withConfiguration(target, all, made(undefined))).toBe(target);
  });

  test("is built where it was to be built otherwise", () => {
    const all = wanted("deploy.nodes.web1", "built-here");
    expect(withProfiles(all, made(undefined))).toEqual(all);
  });
});

test("other systems are left as they are", () => {
  const all = wanted("web1", "rebuilt-there");
  expect(withProfiles(all, undefined)).toEqual(all);
  const target = makeTarget();
  expect(withConfiguration(target, all, undefined)).toBe(target);
});
