import { describe, expect, test } from "@jest/globals";

import type { ActivationCause } from "../../../src/domain/activation-cause.js";
import { SwitchOutputReader } from "../../../src/nixos/switch-output.js";

function causesOf(...lines: readonly string[]): ActivationCause[] {
  const reader = new SwitchOutputReader();
  for (const line of lines) reader.read(line);
  return reader.causes();
}

describe("what switch-to-configuration names", () => {
  test.each<[string, readonly string[], readonly ActivationCause[]]>([
    ["another switch", ["Could not acquire lock"], [{ kind: "locked" }]],
    ["a machine without /etc/NIXOS", ["This is not a NixOS installation!"], [{ kind: "not-nixos" }]],
    ["a profile that nix-env did not set", ["error: opening file: Read-only", "nix-flake-deploy: the system profile could not be set"], [{ kind: "profile" }]],
    [
      "a boot loader and a full disk",
      ["cp: error writing 'k': No space left on device", "Failed to install bootloader"],
      [{ kind: "no-space" }, { kind: "boot-loader" }],
    ],
    ["a user who left", ["Error: Failed to get GID for deploy", "", "Caused by:"], [{ kind: "user-left" }]],
    [
      "a user who left, and a unit that failed when the switch was run again",
      [
        "Error: Failed to get GID for deploy",
        "nix-flake-deploy: a user logged out during the switch; running switch-to-configuration again",
        "warning: the following units failed: a.service",
      ],
      [{ kind: "unit", unit: "a.service", what: "failed" }],
    ],
    ["logind", ["Unable to list users with logind: Connection refused"], [{ kind: "logind" }]],
    ["another init, with straight quotes", ["Warning: the new NixOS configuration has an 'init' that is"], [{ kind: "other-init" }]],
    ["the activation script alone", ["Failed to run activate script"], [{ kind: "activation-script" }]],
    ["a snippet with a quote", ["Activation script snippet 'it's' failed (127)"], [{ kind: "snippet", snippet: "it's", exitCode: 127 }]],
    ["a unit that is not there", ["Failed to start web.service: Unit web.service not found."], [{ kind: "unit", unit: "web.service", what: "start" }]],
    ["a mount that does not stop", ["Failed to stop mnt-data.mount"], [{ kind: "unit", unit: "mnt-data.mount", what: "stop" }]],
    [
      "the target that starts early units again",
      ["Failed to restart sysinit-reactivation.target"],
      [{ kind: "unit", unit: "sysinit-reactivation.target", what: "restart" }],
    ],
    [
      "several units",
      ["warning: the following units failed: a.service, b@x.service"],
      [
        { kind: "unit", unit: "a.service", what: "failed" },
        { kind: "unit", unit: "b@x.service", what: "failed" },
      ],
    ],
    ["a check of the configuration's own", ["Pre-switch check 'disk' failed", "Pre-switch checks failed"], [{ kind: "pre-switch-check", check: "disk" }]],
  ])("%s", (_, lines, expected) => {
    expect(causesOf(...lines)).toEqual(expected);
  });

  test.each([
    ["a passing inhibitor", ["Checking switch inhibitors... done", "Not checking switch inhibitors (action = boot)"]],
    [
      "a unit's journal, in the status of another",
      ["Nov 26 00:15:52 h1 systemd[1]: Failed to start bad.service - a service.", "Nov  6 00:15:52 h1 x[1]: No space left on device"],
    ],
    [
      "systemd-run of nixos-rebuild",
      ["Failed to start transient service unit: Unit nixos-rebuild-switch-to-configuration.service was already loaded or has a fragment file."],
    ],
    ["nothing", []],
  ])("is nothing: %s", (_, lines) => {
    expect(causesOf(...lines)).toEqual([]);
  });
});

describe("the part of a user", () => {
  const begin = "reloading user units for alice...";
  const end = "warning: user activation for alice failed";

  test.each([
    [
      "in the words of 2026",
      [
        "Failed to start user unit agent.service",
        "warning: the following user units failed: agent.service",
        "See `systemctl --user status agent.service` for details.",
      ],
    ],
    ["in those of before", ["warning: the following units failed: agent.service", "See `systemctl --user status agent.service` for details."]],
    ["with a reason", ["Failed to reload user unit agent.service: Unit agent.service not found."]],
  ])("names the user and no unit of the system, %s", (_, lines) => {
    expect(causesOf(begin, ...lines, end)).toEqual([{ kind: "user", user: "alice", units: ["agent.service"], late: false }]);
  });

  test("is the manager of the user, which the system's units end with", () => {
    expect(
      causesOf("Failed to start user@1001.service", "warning: the following units failed: bad.service, user@1001.service, user-runtime-dir@1001.service"),
    ).toEqual([
      { kind: "unit", unit: "bad.service", what: "failed" },
      { kind: "user", user: "UID 1001", units: ["user@1001.service", "user-runtime-dir@1001.service"], late: false },
    ]);
  });

  test("of home-manager and the like is one of the user", () => {
    const line = "Failed to restart nixos-activation.service: Unit nixos-activation.service not found.";
    expect(causesOf(begin, line, end)).toEqual([{ kind: "user", user: "alice", units: ["nixos-activation.service"], late: false }]);
  });

  test("that fails without a word of switch-to-configuration is named by the machine", () => {
    const line = "nix-flake-deploy: nixos-activation.service of alice failed";
    expect(causesOf(begin, line)).toEqual([{ kind: "user", user: "alice", units: ["nixos-activation.service"], late: false }]);
  });

  test("that was ended is late", () => {
    const late = "nix-flake-deploy: the user activation for alice timed out after 60 s and was terminated";
    expect(causesOf(begin, late, end)).toEqual([{ kind: "user", user: "alice", units: [], late: true }]);
  });

  test("is apart from the units of the system, also where it is printed just before", () => {
    expect(causesOf(begin, end, "warning: the following units failed: web.service", "× web.service")).toEqual([
      { kind: "unit", unit: "web.service", what: "failed" },
      { kind: "user", user: "alice", units: [], late: false },
    ]);
  });
});
