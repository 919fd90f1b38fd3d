import { describe, expect, test } from "@jest/globals";

import { renderFailure } from "../../../src/domain/failure.js";
import { BuildLogReader } from "../../../src/nix/build-log.js";
import { buildError, fileNotFound, isMissingConfiguration } from "../../../src/nixos/build-failure.js";
import { recording } from "../nix/recording.js";

function failureOf(text: string, exitCode = 1): Parameters<typeof buildError>[0] {
  const lines = ["building the system configuration...", ...text.split("\n")];
  const reader = new BuildLogReader();
  for (const line of lines) reader.read(line);
  return { exitCode, configuration: "web1", lines: lines.slice(-200), failures: reader.failures };
}

const drv = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-nixos-system-web1.drv";

describe("buildError", () => {
  const errorOf = (text: string, exitCode = 1, known?: readonly string[]): ReturnType<typeof buildError> =>
    buildError(failureOf(text, exitCode), known === undefined ? {} : { configurations: known });

  const missing = `error: flake 'path:/nix/store/x-source' does not provide attribute 'packages.x86_64-linux.nixosConfigurations."web1".config.system.build.toplevel', 'legacyPackages.x86_64-linux.nixosConfigurations."web1".config.system.build.toplevel' or 'nixosConfigurations."web1".config.system.build.toplevel'`;

  test("names the configurations that there are", () => {
    expect(errorOf(missing, 1, ["db1", "web2"])).toMatchObject({
      phase: "build",
      exitCode: 1,
      reason: "the flake has no nixosConfigurations.web1; it defines db1, web2",
      hint: "Add the configuration to the target: host#configuration",
    });
  });

  test("says that there are none, or nothing if that cannot be determined", () => {
    expect(errorOf(missing, 1, []).reason).toBe("the flake has no nixosConfigurations.web1; it defines none");
    expect(errorOf(missing).reason).toBe("the flake has no nixosConfigurations.web1");
  });

  test("does not say that of a configuration that is there and lacks something else", () => {
    expect(errorOf(missing, 1, ["web1"]).reason).toBe("the configuration web1 does not evaluate (exit code 1)");
  });

  const name = "nixos-system-web1";
  test.each([
    ["error: writing to file: No space left on device", 1, "no space is left on the machine to build web1"],
    [
      `error: builder for '${drv}' failed with exit code 1;\n       last 1 log lines:\n       > cp: No space left on device`,
      1,
      "no space is left on the machine to build web1",
    ],
    [
      "error: cannot connect to socket at '/nix/var/nix/daemon-socket/socket': Connection refused",
      1,
      "nix-daemon does not answer on the machine (exit code 1)",
    ],
    // Nix 2.34 and 2.26, as a user who is not in allowed-users.
    [
      "error:\n       … while fetching the input 'path:/w/deep'\n\n       error: cannot open connection to remote store 'daemon': error: read of 32768 bytes: Connection reset by peer",
      1,
      "nix-daemon on the machine closed the connection (exit code 1)",
    ],
    [
      "error: cannot open connection to remote store 'daemon': error: reading from file: Connection reset by peer",
      1,
      "nix-daemon on the machine closed the connection (exit code 1)",
    ],
    ["error: unable to load seccomp BPF program", 1, "Nix on the machine cannot set up its build sandbox (exit code 1)"],
    // A home that is read-only: Nix 2.34 without and with a cache, and 2.8.
    [
      `error:\n       … while fetching the input 'path:/w/deep'\n\n       error: creating directory "/home/deploy/.cache/nix": Read-only file system`,
      1,
      "Nix on the machine cannot write to its cache /home/deploy/.cache/nix (exit code 1)",
    ],
    [
      "error: executing SQLite statement 'pragma synchronous = off': unable to open database file, unable to open database file (in '/root/.cache/nix/fetcher-cache-v4.sqlite')",
      1,
      "Nix on the machine cannot write to its cache /root/.cache/nix/fetcher-cache-v4.sqlite (exit code 1)",
    ],
    [
      "error: creating directory '/home/deploy/.cache': Read-only file system",
      1,
      "Nix on the machine cannot write to its cache /home/deploy/.cache (exit code 1)",
    ],
    [`error: builder for '${drv}' failed with exit code 1;`, 1, `the build of web1 failed (exit code 1): ${name}: builder failed with exit code 1`],
    [
      `error: Cannot build '${drv}'.\n       Reason: builder failed with exit code 1.`,
      1,
      `the build of web1 failed (exit code 1): ${name}: builder failed with exit code 1`,
    ],
    [`error: 1 dependencies of derivation '${drv}' failed to build`, 1, "the build of web1 failed (exit code 1)"],
    [
      `error: hash mismatch in fixed-output derivation '${drv}':`,
      102,
      `the build of web1 failed (exit code 102): ${name}: hash mismatch of a fixed-output derivation`,
    ],
    ["error: unable to download 'https://cache.nixos.org/x.narinfo': Couldn't resolve host name (6)", 1, "the build of web1 failed (exit code 1)"],
    // The kernel has killed nix: under bash, and under Python.
    ["/run/current-system/sw/bin/nixos-rebuild: line 1: 77 Killed nix build", 137, "the evaluation or build of web1 was killed (exit code 137)"],
    ["Command '['nix', 'build']' died with <Signals.SIGKILL: 9>.", 1, "the evaluation or build of web1 was killed (exit code 1)"],
    ["error: out of memory", 1, "the evaluation or build of web1 ran out of memory (exit code 1)"],
    // Nix 2.8, with lock files of 2.34.
    ...[
      `lockfile contains mutable lock '{"path":"./inside","type":"path"}'`,
      "unsupported tarball input attribute 'lastModified'",
      `cannot fetch unsupported input '{"narHash":"sha256-QqY=","type":"file","url":"file:///w/file"}'`,
    ].map((line): [string, number, string] => [
      `error: ${line}\n(use '--show-trace' to show detailed location information)`,
      1,
      `the configuration web1 does not evaluate (exit code 1): Nix on the machine cannot read an entry of flake.lock: ${line}`,
    ]),
    // The two implementations, with an option that they do not know.
    ["/run/current-system/sw/bin/nixos-rebuild: unknown option `--no-such'", 1, "nixos-rebuild on the machine does not support an argument (exit code 1)"],
    ["nixos-rebuild: error: unrecognized arguments: --no-such", 2, "nixos-rebuild on the machine does not support an argument (exit code 2)"],
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
    // The name of an option is no sign of a killed process.
    ["error: The option `services.Killed.enable' does not exist", 1, "the configuration web1 does not evaluate (exit code 1)"],
  ])("%j (%d): %s", (text, exitCode, reason) => {
    const error = errorOf(text, exitCode);
    expect(error).toMatchObject({ phase: "build", reason, exitCode });
    expect(error.hint).not.toBe("");
  });

  test("reports a real NixOS whose first download fails by that download, in no more than 20 lines", () => {
    const error = buildError(failureOf(recording("build-fails-deep.log")));
    expect(renderFailure(error.failure)).toBe(
      [
        "the build of web1 failed (exit code 1): bash-5.2.tar.gz: builder failed with exit code 1; 11 other derivations depend on it and could not be built. Nothing has changed on the machine. The end of the build log is below; run the command under it on the machine to see all of it",
        "  > error:",
        `  >        … writing file "/nix/store/v28dv6l0qk3j382kp40bksa1v6h7dx9p-bash-5.2.tar.gz"`,
        "  >        error: unable to download 'https://ftpmirror.gnu.org/bash/bash-5.2.tar.gz': Could not resolve hostname (6) Could not resolve host: ftpmirror.gnu.org",
        "  nix log /nix/store/5jrd75v747s76s16zxk59384xfcjqn58-bash-5.2.tar.gz.drv",
      ].join("\n"),
    );
  });

  test("shows the cause where thousands of lines have come after it", () => {
    const dependents = Array.from(
      { length: 2000 },
      (_, index) => `error: 1 dependencies of derivation '/nix/store/${String(index).padStart(32, "0")}-d.drv' failed to build`,
    );
    const error = errorOf([recording("build-fails-2.26.3.log").trimEnd(), ...dependents].join("\n"));
    expect(error.reason).toBe(
      "the build of web1 failed (exit code 1): bad: builder failed with exit code 3; 2002 other derivations depend on it and could not be built",
    );
    expect(error.lines.at(-2)).toBe("> boom");
  });

  test.each(["2.34.8", "2.26.3", "2.8.0"])("says how much memory was available before a builder was killed (Nix %s)", (version) => {
    const error = buildError(failureOf(recording(`build-killed-${version}.log`)), { memoryKibibytes: 700_000 });
    expect(error.reason).toContain("killed: builder failed due to signal 9 (Killed)");
    expect(error.hint).toContain("683.6 MiB were available before the build)");
  });

  test.each(["2.34.8", "2.26.3", "2.8.0"])("explains that dirtyShortRev cannot travel (Nix %s)", (version) => {
    const error = errorOf(recording(`evaluation-dirty-rev-${version}.log`));
    expect(error.reason).toContain("self.dirtyShortRev is not available there");
    expect(error.hint).toContain('`self.shortRev or self.dirtyShortRev or "dirty"`');
    expect(error.lines.slice(0, 2)).toEqual(["error: attribute 'dirtyShortRev' missing", "at flake.nix:11:24:"]);
  });

  test.each(["2.34.8", "2.26.3", "2.8.0"])("names a file that is not in Git, where that is known (Nix %s)", (version) => {
    const failure = failureOf(recording(`evaluation-file-missing-${version}.log`));
    expect(fileNotFound(failure)).toBe("x.nix");
    const error = buildError(failure, { untrackedFile: "x.nix" });
    expect(error.reason).toContain("x.nix exists on the runner but is not tracked by Git");
    expect(error.hint).toBe("Run `git add x.nix`, commit it, and deploy again");
    expect(buildError(failure).reason).toBe("the configuration web1 does not evaluate (exit code 1)");
  });
});

test("an entry of flake.lock that the machine cannot read names the machine's Nix", () => {
  const error = buildError(failureOf("error: lock file contains mutable lock 'path:./x'"), { nix: "nix (Lix, like Nix) 2.95.3" });
  expect(error.reason).toContain("Nix on the machine (nix (Lix, like Nix) 2.95.3) cannot read an entry of flake.lock");
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
