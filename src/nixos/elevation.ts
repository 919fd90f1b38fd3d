import { DeployError } from "../domain/errors.js";
import type { Topic } from "../domain/topic.js";
import type { Access } from "./facts.js";
import type { Elevation, PasswordlessProgram } from "./remote-shell.js";

/** Which program makes the scripts root on the machine. */
export const elevateModes = ["auto", "none", "sudo", "doas", "run0"] as const;

export type ElevateMode = (typeof elevateModes)[number];

export type AccessSettings = { readonly elevate: ElevateMode; readonly elevatePassword: string | undefined; readonly needsRoot: boolean };

/** Whether the scripts run as root, and what makes them so. */
export type Root = { readonly privileged: boolean; readonly elevation: Elevation };

/**
 * Decides how the scripts become root. A user who is root needs nothing; `auto` takes sudo, else doas, where one of them does not
 * ask, and sudo where there is a password for it. Throws a `DeployError` of the phase connect when the operation needs root, or a
 * program is named, and the user cannot become root.
 */
export function requireAccess(access: Access, { elevate, elevatePassword: password, needsRoot }: AccessSettings): Root {
  const { user, root, sudo, doas, run0 } = access;
  if (root) return { privileged: true, elevation: { kind: "none" } };
  const unprivileged: Root = { privileged: false, elevation: { kind: "none" } };
  const passwordless = (program: PasswordlessProgram): Root => ({ privileged: true, elevation: { kind: "passwordless", program } });
  const withSudo = (): Root | undefined => {
    if (sudo === "ready") return passwordless("sudo");
    return sudo === "refused" && password !== undefined ? { privileged: true, elevation: { kind: "password", password } } : undefined;
  };
  switch (elevate) {
    case "none":
      if (!needsRoot) return unprivileged;
      throw refused(`${user} is not root, and the input elevate is none`, "Set elevate to auto, or connect as root");
    case "sudo":
      return withSudo() ?? noSudo(access, elevate);
    case "doas":
      if (doas === "ready") return passwordless("doas");
      if (doas === "missing") throw missing(user, "doas");
      throw refused(
        `doas on the machine refuses ${user} without a password`,
        `Add this rule to doas.conf on the machine (on NixOS: security.doas.extraConfig), or connect as root: ${doasRule(user)}`,
      );
    case "run0":
      // Running it shows whether polkit allows it.
      if (run0 !== "missing") return passwordless(run0 === "lightweight" ? "run0-with-manager" : "run0");
      throw missing(user, "run0 (systemd 256 or newer)");
    case "auto":
      if (sudo !== "ready" && doas === "ready") return passwordless("doas");
      return withSudo() ?? (needsRoot ? noSudo(access, elevate) : unprivileged);
  }
}

/** The rule of doas.conf(5) that the scripts need. */
function doasRule(user: string): string {
  return `permit nopass ${user} as root cmd /bin/sh args -s`;
}

function noSudo({ user, sudo, sudoSays = "", doas }: Access, elevate: ElevateMode): never {
  if (sudo === "missing") throw missing(user, doas === "missing" && elevate === "auto" ? "sudo or doas" : "sudo");
  if (wantsTerminal(sudoSays)) throw terminalError(user, [sudoSays]);
  const rule = `${user} ALL=(root) NOPASSWD: /bin/sh -s`;
  throw refused(
    `sudo on the machine refuses ${user} without a password`,
    `Add this sudoers rule on the machine (on NixOS: security.sudo.extraRules), set elevate-password, or connect as root: ${rule}`,
    "sudo-refuses",
  );
}

/** Returns whether sudo refuses because the session has no terminal (`requiretty`); those of a deployment have none. */
export function wantsTerminal(stderr: string): boolean {
  return /sudo: .*(?:must have a tty|a terminal is required to run)/.test(stderr);
}

/** The error for a sudo that requires a terminal. */
export function terminalError(user: string, lines: readonly string[]): DeployError {
  return new DeployError({
    phase: "connect",
    reason: `sudo on the machine requires a terminal for ${user}, which a deployment does not have`,
    hint: `Add \`Defaults:${user} !requiretty\` to sudoers on the machine (on NixOS: security.sudo.extraConfig), or connect as root`,
    topic: "sudo-terminal",
    lines,
    exitCode: 1,
  });
}

function missing(user: string, program: string): DeployError {
  return refused(`${user} is not root, and the machine has no ${program}`, "Connect as root, or set elevate to a program that the machine has");
}

function refused(reason: string, hint: string, topic?: Topic): DeployError {
  return new DeployError({ phase: "connect", reason, hint, topic, exitCode: 1 });
}
