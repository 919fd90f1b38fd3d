import { describe, expect, test } from "@jest/globals";

import {
  attributeOf,
  isProfile,
  nameOfConfiguration,
  outputOf,
  needsHive,
  ownHostname,
  parseConfiguration,
  type Configuration,
} from "../../../src/domain/configuration.js";
import { checkTarget, parseTarget } from "../../../src/domain/target.js";
import { hiveNode, makeRequest, nixos } from "./make.js";

describe("a configuration", () => {
  test.each<[string, Configuration]>([
    ["web1", nixos("web1")],
    ["nixosConfigurations.web1", nixos("web1")],
    ["nixosConfigurations.a.b", nixos("a.b")],
    ['nixosConfigurations."a.b"', nixos("a.b")],
    ["nixosConfigurationsX", nixos("nixosConfigurationsX")],
    ["colmenaHive.nodes.web1", hiveNode("web1")],
    ["colmenaHive.nodes.", nixos("colmenaHive.nodes.")],
    ["deploy.nodes.web1", { kind: "profile", name: "web1" }],
    ["deploy.nodes.", nixos("deploy.nodes.")],
  ])("%s is read in both forms of a target", (written, configuration) => {
    expect(parseTarget(`root@web1#${written}`).configuration).toEqual(configuration);
    expect(checkTarget(makeRequest({ host: "web1", configuration: written })).configuration).toEqual(configuration);
    expect(parseConfiguration(attributeOf(configuration) ?? "")).toEqual(configuration);
  });

  test.each(["", "-x", "a b", "a#b", "colmenaHive.nodes.a b"])("is not %j", (written) => {
    expect(() => parseConfiguration(written)).toThrow("its configuration is not a valid attribute name");
  });

  test("that is the machine's own hostname has neither an attribute nor a name", () => {
    expect([attributeOf(ownHostname), nameOfConfiguration(ownHostname)]).toEqual([undefined, undefined]);
  });

  test("is below nixosConfigurations, unless it says where it is", () => {
    expect(["web1", "colmenaHive.nodes.web1", "deploy.nodes.web1"].map(outputOf)).toEqual([
      "nixosConfigurations.web1",
      "colmenaHive.nodes.web1",
      "deploy.nodes.web1",
    ]);
  });

  test("is a profile only as a node of deploy-rs", () => {
    expect(["deploy.nodes.web1", "web1", "colmenaHive.nodes.web1", undefined].map(isProfile)).toEqual([true, false, false, false]);
  });

  test("of a hive is named without the hive, and needs it", () => {
    expect(nameOfConfiguration(hiveNode("web1"))).toBe("web1");
    expect(needsHive([{ configuration: nixos("a") }, { configuration: ownHostname }])).toBe(false);
    expect(needsHive([{ configuration: nixos("a") }, { configuration: hiveNode("web1") }])).toBe(true);
  });
});
