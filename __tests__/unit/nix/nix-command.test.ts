import { describe, expect, test } from "@jest/globals";

import { CommandError, InputError, RunnerError } from "../../../src/domain/errors.js";
import { archiveOnRunner, configurationNames } from "../../../src/nix/flake.js";
import { runNix } from "../../../src/nix/nix-command.js";
import { makeStorePath, narHash, source } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix, withProgram } from "./fake-nix.js";

const directory = temporaryDirectory();
const options = { cwd: directory, signal: undefined, onLine: (): void => undefined };

/** A nix that fails with this text. */
function failing(stderr: string): string {
  return `cat >&2 <<'END'\n${stderr}\nEND\nexit 1`;
}

describe("a runner's nix that does not work", () => {
  test("is reported as missing, with the step to add", async () => {
    const error = await withNix(directory, undefined, async () => await rejection(RunnerError, runNix(["--version"])));
    expect(error.message).toBe("nix was not found on this runner. Add this step before the deployment: - uses: cachix/install-nix-action@v31");
    expect(error.cause).toBeInstanceOf(CommandError);
  });

  test.each([
    "error: experimental Nix feature 'nix-command' is disabled; add '--extra-experimental-features nix-command' to enable it",
    "error: experimental Nix feature 'flakes' is disabled; use '--extra-experimental-features flakes' to override",
    "error: 'flake' is not a recognised command",
  ])("is reported to have flakes switched off: %s", async (stderr) => {
    const error = await withNix(directory, failing(stderr), async () => await rejection(RunnerError, runNix(["flake", "metadata"])));
    expect(error.message).toMatch(/^flakes are disabled in nix on this runner .+: - uses: cachix\/install-nix-action@v31; or set NIX_CONFIG: /);
  });

  test("is left to speak for itself otherwise", async () => {
    const error = await withNix(
      directory,
      failing("error: cannot connect to socket"),
      async () => await rejection(CommandError, runNix(["flake", "metadata"])),
    );
    expect(error.stderr).toContain("cannot connect to socket");
  });
});

describe("a flake that cannot be had", () => {
  const problemOf = async (stderr: string): Promise<string> => {
    const error = await withNix(directory, failing(stderr), async () => await rejection(InputError, archiveOnRunner("./nixos", options)));
    return error.problems.map(({ input, problem, advice }) => `${input}: ${problem}. ${advice}`).join("\n");
  };

  test("for a missing lock file says what to do", async () => {
    const problem = await problemOf("error: flake 'git+file:///srv/flake' requires lock file changes but they're not allowed due to '--no-update-lock-file'");
    expect(problem).toMatch(
      /^flake: flake\.lock of \.\/nixos is missing, incomplete or not tracked by Git\. Run `nix flake lock`, commit flake\.lock and deploy again/,
    );
  });

  test.each([
    "error: could not find a flake.nix file",
    "error: source tree referenced by 'path:/srv/x?dir=nixos' does not contain a '/nixos/flake.nix' file",
    "error: path '/srv/x' is not part of a flake (neither it nor its parent directories contain a 'flake.nix' file)",
    "error: path '/srv/x/flake.nix' does not exist",
  ])("for a missing flake.nix says so: %s", async (stderr) => {
    expect(await problemOf(stderr)).toMatch(
      /^flake: flake\.nix was not found at \.\/nixos\. Use a directory .+ Check that an actions\/checkout step runs before this one$/,
    );
  });

  test("for untracked files says so", async () => {
    const stderr =
      'error: Path \'nixos/flake.nix\' in the repository "/srv/x" is not tracked by Git.\n\nTo make it visible to Nix, run:\n\ngit -C "/srv/x" add "nixos/flake.nix"\nerror: path \'/srv/x/flake.nix\' does not exist';
    expect(await problemOf(stderr)).toContain("flake.nix at ./nixos is not tracked by Git, so Nix ignores it. Run `git add` on it and commit it");
  });

  test("for another reason is reported in Nix's words", async () => {
    const stderr = "error: cannot decode response from GitHub API";
    const error = await withNix(directory, failing(stderr), async () => await rejection(CommandError, archiveOnRunner("github:org/repo", options)));
    expect(error.message).toMatch(/^exit code 1: nix flake archive --json --no-update-lock-file github:org\/repo$/);
  });
});

describe("a flake in the runner's store", () => {
  const input = makeStorePath("nixpkgs");
  const metadata = { path: source, resolved: { type: "git", dir: "nixos" }, locked: { type: "git" }, revision: "4f1c", revCount: 7, locks: { version: 7 } };
  const printed = (parts: object): string => `echo "$*" >&2
case $2 in
  metadata) echo '${JSON.stringify({ ...metadata, ...parts })}' ;;
  archive) echo '${JSON.stringify({ path: source, inputs: { nixpkgs: { path: input, inputs: {} } } })}' ;;
  *) echo '["db1","web1",7]' ;;
esac`;
  // Of an empty string.
  const store = `echo sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73`;

  const archived = (reference: string): string => `flake archive --json --no-update-lock-file ${reference}`;
  test.each(["./nixos", "git+ssh://example.org/x?dir=nixos"])("is archived by the user's own reference, and its identity read: %s", async (reference) => {
    const lines: string[] = [];
    const { flake, locks, resolved } = await withNix(
      directory,
      printed({}),
      async () =>
        await withProgram(directory, "nix-store", store, async () => await archiveOnRunner(reference, { ...options, onLine: (line) => lines.push(line) })),
    );
    expect(flake).toEqual({
      source,
      subdirectory: "nixos",
      revision: "4f1c",
      revisionCount: 7,
      lastModified: undefined,
      narHash,
      inputs: [input],
      dirty: false,
    });
    expect(locks).toEqual({ version: 7 });
    expect(resolved).toEqual({ type: "git", dir: "nixos" });
    // The second question says the same, and is not shown.
    expect(lines).toEqual([archived(reference)]);
  });

  test("whose files change while it is read is refused", async () => {
    const error = await withNix(
      directory,
      printed({ path: makeStorePath("other") }),
      async () => await rejection(InputError, archiveOnRunner("./nixos", options)),
    );
    expect(error.problems).toEqual([{ input: "flake", problem: expect.stringContaining("the files of ./nixos changed while the flake was being read") }]);
  });

  test("lists the names of its configurations", async () => {
    expect(await withNix(directory, printed({}), async () => await configurationNames(`path:${source}`, { signal: undefined }))).toEqual(["db1", "web1"]);
  });
});
