import { lastLines } from "../domain/lines.js";
import type { CommandError, DeployErrorParts } from "../domain/errors.js";
import type { Topic } from "../domain/topic.js";

/** The state of the machine's nix-daemon: `ok` or Nix's error, and the setting allowed-users; empty where unknown. */
export type DaemonState = { readonly daemon: string; readonly allowedUsers: string };

/**
 * Returns whether to query the machine for the state of its nix-daemon. One that closes the connection before Nix's greeting gives
 * `cannot open connection to remote store '…': error: write of 16 bytes: Broken pipe`, as a lost connection does.
 */
export function speaksOfDaemon(stderr: string): boolean {
  return /Nix daemon disconnected unexpectedly|cannot connect to socket|data from daemon socket|cannot open connection to remote store/.test(stderr);
}

/** What is known of something that did not arrive on a machine. */
export type SendContext = {
  /** What was sent: `the flake`. */
  readonly what: string;
  /** The connection went away. */
  readonly lost: boolean;
  /** The ssh user. */
  readonly user: string;
  /** What the machine said of its nix-daemon where it was asked. */
  readonly state?: DaemonState | undefined;
};

/** Explains why a flake or a system did not arrive on a machine. */
export function explainSendFailure(error: CommandError, { what, lost, user, state }: SendContext): DeployErrorParts {
  const lines = lastLines(error.stderr);
  const exitCode = error.failure.kind === "exit" ? error.failure.exitCode : undefined;
  const parts = (reason: string, hint?: string, topic?: Topic): DeployErrorParts => ({ phase: "copy", reason, hint, lines, exitCode, topic, cause: error });
  if (lost) return { ...parts(`the connection was lost while ${what} was being copied`), unreachable: true, exitCode: 255 };
  const words = /protocol mismatch, got ['"]([^'"\n]*)/.exec(error.stderr)?.[1];
  if (words !== undefined) {
    return parts(
      `the login shell of ${user} on the machine prints to standard output, which breaks Nix's protocol: ${JSON.stringify(printableWords(words))}`,
      "Make its startup files (.bashrc, .zshenv, config.fish) print nothing in non-interactive sessions, or print to standard error",
      "shell-output",
    );
  }
  const daemon = state === undefined ? undefined : explainDaemon(state, user);
  if (daemon !== undefined) return parts(daemon.reason, daemon.hint, daemon.topic);
  if (/No space left on device|disk is full/i.test(error.stderr))
    return parts(`no space is left on the machine for ${what}`, "Free space with `nix-collect-garbage -d` on the machine", "no-space");
  if (/lacks a (?:valid )?signature|lacks a signature by a trusted key/i.test(error.stderr)) {
    return parts(
      "the machine does not accept a store path without a trusted signature",
      `Sign the paths with a key of its nix.settings.trusted-public-keys, or set check-sigs to false and have its Nix trust ${user} (nix.settings.trusted-users), or build there (build-on: target)`,
      "signature-missing",
    );
  }
  if (/nix-daemon: (?:command )?not found|nix-daemon: No such file/i.test(error.stderr)) {
    return parts(
      "nix-daemon is not in the PATH of a non-interactive ssh session on the machine",
      "Check that the machine runs NixOS and that the shell's startup files keep /run/current-system/sw/bin in PATH",
      "nix-daemon-path",
    );
  }
  if (/unrecognised flag|unrecognized flag|requires at least Nix/i.test(error.stderr))
    return parts("nix on the runner does not support an argument", "Check archive-args; check-sigs: false needs Nix 2.30 or newer on the runner");
  return parts(`${what} could not be copied`, "See the output of Nix below");
}

// The bytes of the protocol that follow the text are not shown.
function printableWords(words: string): string {
  return words.replaceAll(/[^\P{C}\t].*/gsu, "").trim();
}

type Explanation = { readonly reason: string; readonly hint: string; readonly topic: Topic };

function explainDaemon({ daemon, allowedUsers }: DaemonState, user: string): Explanation | undefined {
  if (/cannot connect to socket/.test(daemon))
    return {
      reason: `nix-daemon does not answer on the machine (${daemon})`,
      hint: "Start it with `systemctl start nix-daemon.socket` on the machine; its journal shows why it stopped",
      topic: "nix-daemon",
    };
  const closed = /Connection reset|disconnected unexpectedly|end-of-file|Broken pipe/i.test(daemon);
  if (closed && allowedUsers !== "" && !allowedUsers.split(" ").some((allowed) => allowed === "*" || allowed === user)) {
    return {
      reason: `Nix on the machine refuses ${user}, who is not in its allowed-users (${allowedUsers})`,
      hint: `Add ${user} to nix.settings.allowed-users on the machine, or connect as an allowed user`,
      topic: "nix-user-refused",
    };
  }
  if (closed)
    return {
      reason: `nix-daemon on the machine closed the connection of ${user} (${daemon})`,
      hint: "`journalctl -u nix-daemon` on the machine shows why",
      topic: "nix-daemon",
    };
  return undefined;
}
