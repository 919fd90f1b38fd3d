import { describe, expect, test } from "@jest/globals";

import type { ActivationFailure } from "../../../src/deploy/ports.js";
import { activationFailure, buildError, isMissingConfiguration } from "../../../src/nixos/rebuild-failure.js";

const drv = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-nixos-system-web1.drv";

describe("buildError", () => {
  const errorOf = (text: string, exitCode = 1, known?: readonly string[]): ReturnType<typeof buildError> =>
    buildError({ exitCode, configuration: "web1", lines: ["building the system configuration...", ...text.split("\n")] }, known);

  const missing = `error: flake 'path:/nix/store/x-source' does not provide attribute 'packages.x86_64-linux.nixosConfigurations."web1".config.system.build.toplevel', 'legacyPackages.x86_64-linux.nixosConfigurations."web1".config.system.build.toplevel' or 'nixosConfigurations."web1".config.system.build.toplevel'`;

  test("names the configurations that there are", () => {
    expect(errorOf(missing, 1, ["db1", "web2"])).toMatchObject({
      phase: "build",
      exitCode: 1,
      reason: "the flake has no nixosConfigurations.web1; it has db1, web2",
      hint: "Write the configuration behind the target: host#configuration",
    });
  });

  test("says that there are none, or nothing where that cannot be told", () => {
    expect(errorOf(missing, 1, []).reason).toBe("the flake has no nixosConfigurations.web1; it has none");
    expect(errorOf(missing).reason).toBe("the flake has no nixosConfigurations.web1");
  });

  test("does not say that of a configuration that is there and lacks something else", () => {
    expect(errorOf(missing, 1, ["web1"]).reason).toBe("the configuration web1 does not evaluate (exit code 1)");
  });

  test.each([
    ["error: writing to file: No space left on device", 1, "no space is left on the machine to build web1"],
    [
      `error: builder for '${drv}' failed with exit code 1;\n       last 1 log lines:\n       > cp: No space left on device`,
      1,
      "no space is left on the machine to build web1",
    ],
    ["error: cannot connect to socket at '/nix/var/nix/daemon-socket/socket': Connection refused", 1, "the machine's Nix does not work (exit code 1)"],
    [`error: builder for '${drv}' failed with exit code 1;`, 1, "the system of web1 does not build (exit code 1)"],
    [`error: Cannot build '${drv}'.\n       Reason: builder failed with exit code 1.`, 1, "the system of web1 does not build (exit code 1)"],
    [`error: 1 dependencies of derivation '${drv}' failed to build`, 1, "the system of web1 does not build (exit code 1)"],
    [`error: hash mismatch in fixed-output derivation '${drv}':`, 102, "the system of web1 does not build (exit code 102)"],
    ["error: unable to download 'https://cache.nixos.org/x.narinfo': Couldn't resolve host name (6)", 1, "the system of web1 does not build (exit code 1)"],
    ["/run/current-system/sw/bin/nixos-rebuild: line 1: 77 Killed nix build", 137, "the build of web1 was killed (exit code 137)"],
    ["error: out of memory", 1, "the build of web1 was killed (exit code 1)"],
    // The two implementations, with an option that they do not know.
    ["/run/current-system/sw/bin/nixos-rebuild: unknown option `--no-such'", 1, "nixos-rebuild on the machine does not know an argument (exit code 1)"],
    ["nixos-rebuild: error: unrecognized arguments: --no-such", 2, "nixos-rebuild on the machine does not know an argument (exit code 2)"],
    [
      "error:\n       … while evaluating the attribute 'config.system.build.toplevel'\n       error: undefined variable 'pkgz'\n       at /nix/store/x-source/flake.nix:7:5:",
      1,
      "the configuration web1 does not evaluate (exit code 1)",
    ],
    ["error: syntax error, unexpected end of file", 1, "the configuration web1 does not evaluate (exit code 1)"],
    [
      "error:\n       Failed assertions:\n       - The ‘fileSystems’ option does not specify your root file system.",
      1,
      "the configuration web1 does not evaluate (exit code 1)",
    ],
  ])("%j (%d): %s", (text, exitCode, reason) => {
    const error = errorOf(text, exitCode);
    expect(error).toMatchObject({ phase: "build", reason, exitCode });
    expect(error.hint).not.toBe("");
    expect(error.lines).toContain(text.split("\n")[0]);
  });
});

describe("isMissingConfiguration", () => {
  const told = (configuration: string, ...lines: readonly string[]): boolean => isMissingConfiguration({ configuration, lines });

  test("hears it from Nix", () => {
    expect(told("web1", "error: attribute 'web1' missing")).toBe(true);
    expect(told("a.b", `error: attribute '"a.b"' missing`)).toBe(true);
    expect(told("web1", "error: flake 'path:/x' does not provide attribute 'nixosConfigurations.\"web1\"'")).toBe(true);
  });

  test("does not hear it of another attribute", () => {
    expect(told("web1", "error: attribute 'web11' missing")).toBe(false);
    expect(told("a.b", "error: attribute 'axb' missing")).toBe(false);
    expect(told("web1", "error: flake 'path:/x' does not provide attribute 'packages.x86_64-linux.default'")).toBe(false);
    expect(told("web1")).toBe(false);
  });

  test("takes a name with characters of a regular expression", () => {
    for (const name of ["a+b", "a'b", "a.b"]) expect(told(name, `error: attribute '"${name}"' missing`)).toBe(true);
  });
});

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
