import { describe, expect, test } from "@jest/globals";

import { ignoredSettings, settingWishes } from "../../../src/nix/tool-settings.js";

describe("a setting that the action does not have", () => {
  test.each<[object, string]>([
    [{ keys: ["smtp", "tls"] }, "deployment.keys smtp, tls are not uploaded; after a reboot /run/keys is empty, and services that need a key do not start"],
    [{ otherProfiles: ["hello"] }, "the profiles hello are not deployed; they stay as they are on the machine"],
    [{ machinesFile: "/x" }, "meta.machinesFile is not read; systems are built on the runner, and on the builders in its nix.conf"],
    [{ tempPath: "/home/me" }, "tempPath is not used; files of a run are in /run/nix-flake-deploy"],
    [{ imported: true }, "the modules that it imports are not read; deployment settings in them have no effect"],
    [{ unknown: ["a", "b"] }, "a, b is unknown to this version of the action, and has no effect"],
  ])("%j is listed with its consequence", (raw, sentence) => {
    expect(ignoredSettings(raw)).toEqual([sentence]);
  });

  test("is not listed where it is not set", () => {
    expect(ignoredSettings({ keys: [], otherProfiles: [], machinesFile: null, tempPath: null, imported: false, unknown: [] })).toEqual([]);
  });
});

describe("a setting for which there is an input", () => {
  test.each<[object, string, string[]]>([
    [{ autoRollback: false }, "rollback", ["false"]],
    [{ magicRollback: true }, "rollback", ["true"]],
    [{ confirmTimeout: 60 }, "confirm-timeout", ["60"]],
    [{ activationTimeout: 240 }, "activation-timeout", ["240"]],
    // A fast connection copies instead of substituting.
    [{ fastConnection: true }, "substitute-on-destination", ["false"]],
    [{ fastConnection: false }, "substitute-on-destination", ["true"]],
    [{ sudo: "doas -u" }, "elevate", ["doas", "auto"]],
    [{ sudo: "/run/wrappers/bin/sudo -H -u" }, "elevate", ["sudo", "auto"]],
    [{ sudo: "please -u" }, "elevate", []],
    [{ privilegeEscalationCommand: ["sudo", "-H", "--"] }, "elevate", ["sudo", "auto"]],
    [{ privilegeEscalationCommand: ["run0"] }, "elevate", ["run0"]],
    [{ privilegeEscalationCommand: [] }, "elevate", ["none"]],
    [{ interactiveSudo: true }, "elevate-password", ["set"]],
  ])("%j wishes %s to be one of %j", (raw, input, agrees) => {
    expect(settingWishes({ user: "deploy", ...raw })).toMatchObject([{ input, agrees }]);
  });

  test("says how to get what the flake says", () => {
    expect(settingWishes({ magicRollback: false, fastConnection: true, sudo: "doas -u" }).map(({ setting, advice }) => `${setting}: ${advice}`)).toEqual([
      "magicRollback = false: Set rollback: false",
      "fastConnection = true: Set substitute-on-destination: false",
      'sudo = "doas -u": Set elevate: doas',
    ]);
  });

  test("is of no interest where it is not set, or for becoming root as root", () => {
    expect(settingWishes({ autoRollback: null, confirmTimeout: null, sudo: null, interactiveSudo: false })).toEqual([]);
    expect(settingWishes({ user: "root", sudo: "please -u", interactiveSudo: true, privilegeEscalationCommand: ["please"] })).toEqual([]);
  });
});
