import { describe, expect, test } from "@jest/globals";

import type { CopyProgress } from "../../../src/domain/copy-progress.js";
import { CommandError } from "../../../src/domain/errors.js";
import { archiveArguments, sendFlake, type SendOptions } from "../../../src/nix/send.js";
import { explainSendFailure, speaksOfDaemon } from "../../../src/nix/send-failure.js";
import { StartGate } from "../../../src/process/start-gate.js";
import { makeSentFlake, makeStorePath, outer, source } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix } from "./fake-nix.js";

const directory = temporaryDirectory();

function makeOptions(overrides: Partial<SendOptions> = {}): SendOptions {
  return {
    store: "ssh-ng://web1",
    environment: { NIX_SSHOPTS: "-F /tmp/x/0.conf" },
    checkSignatures: true,
    extraArgs: [],
    signal: undefined,
    starts: new StartGate(1, 5000),
    onLine: () => undefined,
    onBegin: () => undefined,
    ...overrides,
  };
}

describe("archiveArguments", () => {
  const plain = ["flake", "archive", "--json", "--no-update-lock-file"];
  test.each<[string, Partial<SendOptions>, readonly string[]]>([
    ["a machine", {}, [...plain, "--to", "ssh-ng://web1", `path:${outer}`]],
    ["unsigned paths", { checkSignatures: false }, [...plain, "--no-check-sigs", "--to", "ssh-ng://web1", `path:${outer}`]],
    ["more arguments", { extraArgs: ["--option", "a b"] }, [...plain, "--to", "ssh-ng://web1", "--option", "a b", `path:${outer}`]],
  ])("for %s", (_, overrides, expected) => {
    expect(archiveArguments(makeSentFlake(), makeOptions(overrides))).toEqual(expected);
  });

  test("never lets the flake change the settings of Nix", () => {
    expect(archiveArguments(makeSentFlake(), makeOptions())).not.toContain("--accept-flake-config");
  });
});

describe("sendFlake", () => {
  const printing = (path: string, exitCode = 0): string => `echo "$NIX_SSHOPTS" >&2; echo '{"path":"${path}","inputs":{}}'; exit ${exitCode}`;

  test("returns what has arrived, over the ssh of the run", async () => {
    const lines: string[] = [];
    const sent = await withNix(directory, printing(outer), async () => await sendFlake(makeSentFlake(), makeOptions({ onLine: (line) => lines.push(line) })));
    expect(sent).toEqual({ paths: 0, expectedPaths: 0, bytes: undefined });
    expect(lines).toEqual(["-F /tmp/x/0.conf"]);
  });

  test("reports the progress of the copy", async () => {
    const seen: CopyProgress[] = [];
    let progress: (() => CopyProgress) | undefined;
    const script = `echo "copying 2 paths..." >&2; echo "copying path '${source}' to 'ssh-ng://web1'..." >&2; sleep 0.2; echo go >&2; sleep 0.2; ${printing(outer)}`;
    const sent = await withNix(
      directory,
      script,
      async () =>
        await sendFlake(
          makeSentFlake(),
          makeOptions({ onBegin: (tell) => (progress = tell), onLine: (line) => line === "go" && progress && seen.push(progress()) }),
        ),
    );
    expect(seen).toEqual([{ paths: 1, expectedPaths: 2, bytes: expect.any(Number) }]);
    expect(sent).toMatchObject({ paths: 1, expectedPaths: 2 });
  });

  test("does not trust a path that Nix prints while it fails", async () => {
    const error = await withNix(directory, printing(outer, 1), async () => await rejection(CommandError, sendFlake(makeSentFlake(), makeOptions())));
    expect(error.failure).toEqual({ kind: "exit", exitCode: 1 });
  });

  test("does not take another path for the flake", async () => {
    const other = makeStorePath("other");
    const error = await withNix(directory, printing(other), async () => await rejection(Error, sendFlake(makeSentFlake(), makeOptions())));
    expect(error.message).toBe(`nix flake archive sent ${other} where ${outer} was expected`);
  });

  test("does not take anything else for a path", async () => {
    const error = await withNix(directory, "echo '{}'", async () => await rejection(Error, sendFlake(makeSentFlake(), makeOptions())));
    expect(error.message).toContain("not a Nix store");
  });
});

describe("explainSendFailure", () => {
  const failed = (stderr: string): CommandError =>
    new CommandError({ command: "nix flake archive", failure: { kind: "exit", exitCode: 1 }, stdout: "", stderr });

  test.each([
    ["error: writing to file: No space left on device", "no space is left on the machine for the flake"],
    ["error: committing transaction: database or disk is full", "no space is left on the machine for the flake"],
    [
      `error: cannot add path '${source}' because it lacks a signature by a trusted key`,
      "the machine does not accept a store path without a trusted signature",
    ],
    [`error: path '${source}' lacks a valid signature`, "the machine does not accept a store path without a trusted signature"],
    [
      "bash: line 1: nix-daemon: command not found\nerror: cannot open connection to remote store",
      "nix-daemon is not in the PATH of a non-interactive ssh session on the machine",
    ],
    ["sh: 1: nix-daemon: not found", "nix-daemon is not in the PATH of a non-interactive ssh session on the machine"],
    ["error: unrecognised flag '--no-check-sigs'", "nix on the runner does not support an argument"],
    ["error: something else", "the flake could not be copied"],
  ])("%j: %s", (stderr, reason) => {
    const error = failed(stderr);
    const parts = explainSendFailure(error, { what: "the flake", lost: false, user: "deploy" });
    expect(parts).toMatchObject({ phase: "copy", reason, exitCode: 1, lines: stderr.split("\n"), cause: error });
    expect(parts.unreachable).toBeUndefined();
    expect(parts.hint).not.toBe("");
  });

  // Nix 2.34 to 2.34, and from 2.26 on with bytes of the protocol behind the words.
  test.each([
    "error: interrupted by the user\nerror: cannot open connection to remote store 'ssh-ng://deploy@10.213.0.10': error: protocol mismatch, got 'Welcome to the machine'",
    "error: cannot open connection to remote store 'ssh-ng://root@10.213.0.11': error: protocol mismatch, got 'Welcome to the machine\n\u0000\u0000oixd\u0000'",
  ])("the messages of a login shell are named: %j", (stderr) => {
    expect(explainSendFailure(failed(stderr), { what: "the flake", lost: false, user: "deploy" })).toMatchObject({
      reason: `the login shell of deploy on the machine prints to standard output, which breaks Nix's protocol: "Welcome to the machine"`,
      hint: expect.stringContaining(".bashrc"),
    });
  });

  // Nix 2.34 says nothing but this of a daemon that is down and of a user who is not let in; 2.8 a little more.
  const disconnected =
    "error: cannot open connection to remote store 'ssh-ng://deploy@10.213.0.10': error: Nix daemon disconnected unexpectedly (maybe it crashed?)";
  const down = "cannot connect to socket at '/nix/var/nix/daemon-socket/socket': Connection refused";
  test.each([
    [{ daemon: down, allowedUsers: "*" }, `nix-daemon does not answer on the machine (${down})`],
    [
      { daemon: "reading from file: Connection reset by peer", allowedUsers: "root @wheel" },
      "Nix on the machine refuses deploy, who is not in its allowed-users (root @wheel)",
    ],
    [
      { daemon: "reading from file: Connection reset by peer", allowedUsers: "*" },
      "nix-daemon on the machine closed the connection of deploy (reading from file: Connection reset by peer)",
    ],
    [{ daemon: "ok", allowedUsers: "*" }, "the flake could not be copied"],
    [{ daemon: "", allowedUsers: "" }, "the flake could not be copied"],
  ])("what the machine says of its daemon is the reason: %j", (state, reason) => {
    expect(explainSendFailure(failed(disconnected), { what: "the flake", lost: false, user: "deploy", state }).reason).toBe(reason);
  });

  test.each([
    [disconnected, true],
    [`error: ${down}`, true],
    ["error: splicing data from daemon socket to stdout: Connection reset by peer", true],
    ["error: cannot open connection to remote store 'ssh-ng://middle': error: write of 16 bytes: Broken pipe", true],
    ["error: writing to file: No space left on device", false],
  ])("the daemon of the machine is queried only if Nix mentions it: %j", (stderr, asked) => {
    expect(speaksOfDaemon(stderr)).toBe(asked);
  });

  test("a lost connection is worth another try", () => {
    expect(explainSendFailure(failed("error: unexpected end-of-file"), { what: "the flake", lost: true, user: "deploy" })).toMatchObject({
      phase: "copy",
      reason: "the connection was lost while the flake was being copied",
      unreachable: true,
      exitCode: 255,
    });
  });
});
