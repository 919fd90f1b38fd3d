import { DeployError } from "../domain/errors.js";
import type { Access } from "./facts.js";
import type { Sudo } from "./remote-shell.js";

/** Whether commands on the machine run under sudo. */
export type SudoMode = "auto" | "true" | "false";

export type AccessSettings = { readonly sudo: SudoMode; readonly sudoPassword: string | undefined; readonly needsRoot: boolean };

/** Whether the scripts run as root, and whether sudo makes them so. */
export type Root = { readonly privileged: boolean; readonly sudo: Sudo };

/**
 * Decides how the scripts become root. Throws a `DeployError` of the phase connect when the operation needs root and the user
 * cannot become it.
 */
export function requireAccess({ user, root, sudo, sudoSays = "" }: Access, settings: AccessSettings): Root {
  const wanted = settings.sudo === "true" || (settings.sudo === "auto" && !root);
  if (!wanted) {
    if (root || !settings.needsRoot) return { privileged: root, sudo: { kind: "none" } };
    throw refused(`${user} is not root, and the input sudo is false`, "Set sudo to auto, or connect as root");
  }
  if (root || sudo === "ready") return { privileged: true, sudo: { kind: "free" } };
  if (sudo === "refused" && settings.sudoPassword !== undefined) return { privileged: true, sudo: { kind: "password", password: settings.sudoPassword } };
  if (!settings.needsRoot && settings.sudo === "auto") return { privileged: false, sudo: { kind: "none" } };
  if (sudo === "refused" && wantsTerminal(sudoSays)) throw terminalError(user, [sudoSays]);
  if (sudo === "missing") throw refused(`${user} is not root, and there is no sudo on the machine`, "Connect as root");
  const rule = `${user} ALL=(root) NOPASSWD: /bin/sh -s`;
  throw refused(
    `sudo on the machine refuses ${user} without a password`,
    `Add this line to its sudoers (on NixOS: security.sudo.extraRules), give its password as sudo-password, or connect as root: ${rule}`,
  );
}

/** Tells whether sudo refuses because the session has no terminal (`requiretty`), which none of a deployment has. */
export function wantsTerminal(stderr: string): boolean {
  return /sudo: .*(?:must have a tty|a terminal is required to run)/.test(stderr);
}

/** The error for a sudo that wants a terminal. */
export function terminalError(user: string, lines: readonly string[]): DeployError {
  return new DeployError({
    phase: "connect",
    reason: `sudo on the machine wants a terminal for ${user}, and a deployment has none`,
    hint: `Add \`Defaults:${user} !requiretty\` to its sudoers (on NixOS: security.sudo.extraConfig), or connect as root`,
    lines,
    exitCode: 1,
  });
}

function refused(reason: string, hint: string): DeployError {
  return new DeployError({ phase: "connect", reason, hint, exitCode: 1 });
}
