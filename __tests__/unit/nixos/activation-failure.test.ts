import { describe, expect, test } from "@jest/globals";

import type { ActivationFailure } from "../../../src/deploy/ports.js";
import { activationFailure } from "../../../src/nixos/activation-failure.js";

describe("activationFailure", () => {
  // The bash implementation says 1 for every failure of switch-to-configuration; ng passes the code on.
  const bash = "warning: error(s) occurred while switching to the new configuration";
  const ng = (code: number): string =>
    `Command 'systemd-run -E LOCALE_ARCHIVE --wait /nix/store/x/bin/switch-to-configuration switch' returned non-zero exit status ${code}.`;
  const init =
    "Warning: the new NixOS configuration has an 'init' that is incompatible with the current configuration. The new configuration won't take effect until you reboot the system.";
  const units = "warning: the following units failed: web.service, db.service";
  const script = "Activation script snippet 'users' failed (1)";

  test.each<[ActivationFailure["kind"], number, readonly string[]]>([
    ["reboot", 1, [init, bash]],
    ["reboot", 100, [init, ng(100)]],
    ["reboot", 100, [ng(100)]],
    ["inhibited", 1, ["Switch inhibitors:", "There are changes to critical components of the system:", bash]],
    ["inhibited", 1, ["Pre-switch checks failed", bash]],
    ["inhibited", 1, ["Pre-switch check 'switchInhibitors' failed", ng(1)]],
    ["inhibited", 1, ["Switching into this system is not recommended.", ng(1)]],
    ["no-space", 1, ["cp: error writing '/boot/kernel': No space left on device", bash]],
    ["units", 1, [units, bash]],
    ["units", 4, [units, ng(4)]],
    ["units", 4, [ng(4)]],
    // A failed activation script and failed units together are 4.
    ["units", 4, [script, units, ng(4)]],
    ["activation-script", 2, [script, ng(2)]],
    ["activation-script", 1, [script, bash]],
    ["activation-script", 1, ["Failed to run activate script", bash]],
    ["killed", 255, []],
    ["killed", 137, []],
    ["other", 1, [bash]],
    ["other", 1, ["Could not acquire lock", bash]],
    ["other", 3, []],
  ])("tells %s by %d and %j", (kind, exitCode, lines) => {
    const failure = activationFailure({ exitCode, lines });
    expect(failure.kind).toBe(kind);
    expect(failure.reason).toContain(`(exit code ${exitCode})`);
    expect(failure.hint).not.toBe("");
  });

  test("each kind has a reason of its own", () => {
    const codes = [
      { exitCode: 100 },
      { exitCode: 4 },
      { exitCode: 2 },
      { exitCode: 255 },
      { exitCode: 1 },
      { exitCode: 1, lines: ["No space left on device"] },
    ];
    const reasons = codes.map(({ exitCode, lines = [] }) => activationFailure({ exitCode, lines }).reason);
    expect(new Set(reasons).size).toBe(reasons.length);
  });
});
