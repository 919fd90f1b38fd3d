import { lastLines } from "../domain/lines.js";
import type { CommandError, DeployErrorParts } from "../domain/errors.js";

/** What the machine says of its nix-daemon: `ok` or Nix's error, and the setting allowed-users; empty where it cannot be told. */
export type DaemonState = { readonly daemon: string; readonly allowedUsers: string };

/**
 * Tells whether it is worth asking the machine for the state of its nix-daemon. One that hangs up before Nix has said anything ends in
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
  const parts = (reason: string, hint?: string): DeployErrorParts => ({ phase: "copy", reason, hint, lines, exitCode, cause: error });
  if (lost) return { ...parts(`the connection was lost while ${what} was sent`), unreachable: true, exitCode: 255 };
  const words = /protocol mismatch, got ['"]([^'"\n]*)/.exec(error.stderr)?.[1];
  if (words !== undefined) {
    return parts(
      `the login shell of ${user} on the machine prints on standard output before Nix can speak: ${JSON.stringify(printableWords(words))}`,
      "Let its start-up files (.bashrc, .zshenv, config.fish) print nothing in a session that is not interactive, or print on standard error",
    );
  }
  const daemon = state === undefined ? undefined : explainDaemon(state, user);
  if (daemon !== undefined) return parts(daemon.reason, daemon.hint);
  if (/No space left on device|disk is full/i.test(error.stderr))
    return parts(`no space is left on the machine for ${what}`, "Free some with `nix-collect-garbage -d` on the machine");
  if (/lacks a (?:valid )?signature|lacks a signature by a trusted key/i.test(error.stderr)) {
    return parts(
      "the machine does not accept a store path without a trusted signature",
      `Sign the paths with a key of its nix.settings.trusted-public-keys, or set check-sigs to false and have its Nix trust ${user} (nix.settings.trusted-users), or build there (build-on: target)`,
    );
  }
  if (/nix-daemon: (?:command )?not found|nix-daemon: No such file/i.test(error.stderr)) {
    return parts(
      "nix-daemon is not in the PATH of a non-interactive ssh session on the machine",
      "Is it NixOS, and does the user's shell start-up keep /run/current-system/sw/bin in PATH?",
    );
  }
  if (/unrecognised flag|unrecognized flag|requires at least Nix/i.test(error.stderr))
    return parts("nix on the runner does not know an argument", "Look at archive-args; check-sigs: false needs Nix 2.30 on the runner");
  return parts(`${what} could not be sent`, "The lines below are Nix's own");
}

// Of the protocol's own bytes, which come behind the words, nothing is shown.
function printableWords(words: string): string {
  return words.replaceAll(/[^\P{C}\t].*/gsu, "").trim();
}

function explainDaemon({ daemon, allowedUsers }: DaemonState, user: string): { readonly reason: string; readonly hint: string } | undefined {
  if (/cannot connect to socket/.test(daemon))
    return {
      reason: `nix-daemon does not answer on the machine (${daemon})`,
      hint: "Start it there: `systemctl start nix-daemon.socket`; its journal says why it stopped",
    };
  const closed = /Connection reset|disconnected unexpectedly|end-of-file|Broken pipe/i.test(daemon);
  if (closed && allowedUsers !== "" && !allowedUsers.split(" ").some((allowed) => allowed === "*" || allowed === user)) {
    return {
      reason: `Nix on the machine refuses ${user}, which is not among its allowed-users (${allowedUsers})`,
      hint: `Add ${user} to nix.settings.allowed-users of the machine, or connect as a user who is`,
    };
  }
  if (closed)
    return { reason: `nix-daemon on the machine closes the connection of ${user} (${daemon})`, hint: "`journalctl -u nix-daemon` on the machine says why" };
  return undefined;
}
