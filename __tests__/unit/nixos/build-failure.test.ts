import { describe, expect, test } from "@jest/globals";

import { buildError, isMissingConfiguration } from "../../../src/nixos/build-failure.js";

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
