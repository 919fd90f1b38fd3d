import { describe, expect, test } from "@jest/globals";

import { hiveNode, nixos } from "../domain/make.js";
import { parseEntry } from "../../../src/nix/inventory-entry.js";

const deployRs = {
  kind: "deploy-rs",
  host: "web1.example.org",
  user: null,
  profileUser: "root",
  sshOptions: [],
  buildOnTarget: null,
  configured: true,
  system: "x86_64-linux",
  tags: [],
};
const hive = { kind: "hive", host: "web1", user: "root", port: null, buildOnTarget: false, sshOptions: [], system: null, tags: ["web"] };

function errorOf(raw: object): string {
  const entry = parseEntry("web1", raw);
  if (entry.kind !== "unusable") throw new Error(`it is ${entry.kind}`);
  expect(entry.error).toMatch(/^unsupported deployment settings in the flake: /);
  return entry.error.replace("unsupported deployment settings in the flake: ", "");
}

describe("a machine", () => {
  test("of deploy-rs", () => {
    expect(parseEntry("web1", { ...deployRs, user: "admin", sshOptions: ["-p", "2222"], buildOnTarget: true })).toEqual({
      kind: "machine",
      name: "web1",
      request: { host: "web1.example.org", user: "admin", port: 2222, configuration: nixos("web1") },
      system: "x86_64-linux",
      tags: [],
      buildOn: "target",
      ignored: [],
      wishes: [],
    });
  });

  test("of a hive is below its nodes", () => {
    expect(parseEntry("web1", { ...hive, port: 7 })).toEqual({
      kind: "machine",
      name: "web1",
      request: { host: "web1", user: "root", port: 7, configuration: hiveNode("web1") },
      system: undefined,
      tags: ["web"],
      buildOn: "runner",
      ignored: [],
      wishes: [],
    });
  });

  test("of deploy-rs gets the system in its profile, whatever the configuration of its name", () => {
    const request = { configuration: { kind: "profile", name: "web1" } };
    expect(parseEntry("web1", { ...deployRs, hasPath: true })).toMatchObject({ kind: "machine", request });
    expect(parseEntry("web1", { ...deployRs, hasPath: true, configured: false })).toMatchObject({ kind: "machine", request });
  });

  test("of colmena that replaces only what is known", () => {
    expect(parseEntry("web1", { ...hive, replaceUnknownProfiles: false })).toMatchObject({ request: { replaceUnknown: false }, ignored: [] });
    expect(parseEntry("web1", { ...hive, replaceUnknownProfiles: true })).toMatchObject({ request: { host: "web1", configuration: hiveNode("web1") } });
  });

  test("of which nobody asked for more than its place", () => {
    const { system, tags, ...place } = deployRs;
    expect([system, tags]).toEqual(["x86_64-linux", []]);
    expect(parseEntry("web1", place)).toMatchObject({ kind: "machine", system: undefined, tags: undefined });
  });

  test("with options of ssh, of which the flake's own user counts first", () => {
    const sshOptions = ["-p", "2222", "-l", "other", "-J", "bastion", "-A"];
    expect(parseEntry("web1", { ...deployRs, sshOptions })).toMatchObject({
      request: { user: "other", port: 2222, sshOptions: ["ProxyJump bastion"] },
      ignored: ["ForwardAgent has no effect; no agent is forwarded"],
    });
    expect(parseEntry("web1", { ...hive, port: 7, sshOptions })).toMatchObject({ request: { user: "root", port: 2222 } });
    expect(parseEntry("web1", { ...hive, port: 7, sshOptions: "-oCompression=yes" })).toMatchObject({ request: { port: 7, sshOptions: ["Compression yes"] } });
  });

  test.each([
    ["2001:db8::7", "2001:db8::7"],
    ["[2001:db8::7]", "2001:db8::7"],
  ])("at %s", (text, host) => {
    expect(parseEntry("web1", { ...deployRs, host: text })).toMatchObject({ request: { host } });
  });

  test("with settings that have no effect", () => {
    expect(parseEntry("web1", { ...deployRs, otherProfiles: ["hello"], confirmTimeout: 60 })).toMatchObject({
      ignored: [expect.stringContaining("the profiles hello")],
      wishes: [{ setting: "confirmTimeout = 60" }],
    });
  });

  test("that is none to deploy", () => {
    expect(parseEntry("web1", { kind: "other", reason: "it has no profile" })).toEqual({ kind: "other", name: "web1", reason: "it has no profile" });
  });
});

describe("what cannot be used is reported, with the tags that it has", () => {
  test("options of ssh that are not supported, all of them", () => {
    expect(errorOf({ ...deployRs, sshOptions: ["-v", "-p", "22", "-oProxyCommand=id"] })).toMatch(
      /^its ssh options: -v is not supported, only .*; ProxyCommand is not allowed: .*\. Put it into the input ssh-config$/,
    );
    expect(parseEntry("web1", { ...hive, sshOptions: ["-v"] })).toMatchObject({ kind: "unusable", tags: ["web"], topic: "ssh-options-unsupported" });
  });

  test.each<[string, object, string]>([
    ["a port that is none", { sshOptions: ["-p", "ssh"] }, "its ssh options: its port is not a number from 1 to 65535"],
    ["an option -p without its port", { sshOptions: ["-p"] }, "its ssh options: -p has no value"],
    ["an option that is no text", { sshOptions: ["-p", 22] }, "its ssh options contain 22, which is not a string"],
    ["a host that is missing", { host: null }, "it has no host"],
    ["a host that is no text", { host: { type: "set" } }, 'its host is not a string ({"type":"set"})'],
    ["a host that ssh would take for an option", { host: "-oProxyCommand=id" }, "its host starts with -, which ssh would read as an option"],
    ["a host that a shell would read", { host: "web1;id" }, "its host contains characters other than letters, digits and _ . -"],
    ["a user that is no text", { user: 7 }, "its user is not a string (7)"],
    ["a user that is no name", { user: "a b" }, "its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)"],
    [
      "a profile at another path",
      { profilePath: "/nix/var/nix/profiles/other" },
      "its profile named system has the profilePath /nix/var/nix/profiles/other, but that of a NixOS system is /nix/var/nix/profiles/system",
    ],
    [
      "settings of meta that only colmena evaluates",
      { kind: "raw-hive", metaSettings: ["nodeNixpkgs", "specialArgs"] },
      "only colmena evaluates meta.nodeNixpkgs and meta.specialArgs, so that nixosConfigurations.web1 may be another system. Add `colmenaHive = colmena.lib.makeHive self.outputs.colmena;` to the flake's outputs, as colmena's documentation describes",
    ],
    ["a profile of somebody else", { profileUser: "app" }, 'its profile named system belongs to the user "app", but a NixOS system must belong to root'],
    [
      "a node without a configuration",
      { configured: false },
      "nixosConfigurations.web1 is missing. Name the node after its configuration, or set the input targets (host#configuration)",
    ],
    [
      "a node of a hive that colmena has not evaluated",
      { kind: "raw-hive", configured: false },
      "nixosConfigurations.web1 is missing. Add `colmenaHive = colmena.lib.makeHive self.outputs.colmena;` to the flake's outputs, as colmena's documentation describes",
    ],
    [
      "a node whose modules may say more",
      { kind: "raw-hive", uncertain: true },
      "colmena.web1 imports modules, which only colmena can evaluate. Add `colmenaHive = colmena.lib.makeHive self.outputs.colmena;` to the flake's outputs, as colmena's documentation describes, or set deployment.targetHost next to the imports",
    ],
  ])("%s", (_, changed, message) => {
    expect(errorOf({ ...deployRs, ...changed })).toBe(message);
  });

  test("a port of colmena's that is none", () => {
    expect(errorOf({ ...hive, port: { type: "lambda" } })).toBe('its port is not a number ({"type":"lambda"})');
    expect(errorOf({ ...hive, port: 0 })).toBe("its port is not a number from 1 to 65535");
  });

  test("a name that logs cannot show", () => {
    expect(parseEntry("a\nb", hive)).toMatchObject({ kind: "unusable", error: expect.stringContaining("its configuration is not a valid attribute name") });
  });
});
