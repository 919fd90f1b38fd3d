import { CommandError, DeployError } from "../domain/errors.js";
import type { MachineFacts } from "../deploy/ports.js";
import { lastLines } from "../domain/lines.js";
import type { Connection } from "../ssh/connection.js";
import { lineCutter } from "../process/lines.js";
import { requireAccess, terminalError, wantsTerminal, type AccessSettings } from "./elevation.js";
import { machineFacts, type Needs } from "./facts.js";
import { RemoteShell, type ScriptCall, type ScriptOutcome } from "./remote-shell.js";
import { explainLimit } from "./unanswered.js";

/**
 * A machine that has been asked what it is, and how its scripts run: `privileged` as root, which with `root` the ssh user is. `prepared`:
 * the run has its files on the machine.
 */
export type Entry = {
  readonly facts: MachineFacts;
  readonly shell: RemoteShell;
  readonly privileged: boolean;
  readonly root: boolean;
  readonly prepared: boolean;
};

/** What root is to prepare in the first script: the arguments of `prepare.sh`. `onRooted` is called when the machine keeps the paths. */
export type FirstPreparation = { readonly args: readonly string[]; readonly onRooted: () => void };

/**
 * Queries a connected machine for its facts, and finds out how scripts become root. Throws a `DeployError` of the
 * phase connect. What could not be prepared is no error here.
 */
export async function enter(connection: Connection, settings: AccessSettings & Needs, signal: AbortSignal, preparing?: FirstPreparation): Promise<Entry> {
  const shell = RemoteShell.standing(connection);
  try {
    return await query(shell, connection, settings, signal, preparing);
  } catch (error) {
    shell.close();
    throw error;
  }
}

async function query(
  own: RemoteShell,
  connection: Connection,
  settings: AccessSettings & Needs,
  signal: AbortSignal,
  preparing: FirstPreparation | undefined,
): Promise<Entry> {
  const outcome = await ask(own, firstCall(preparing), signal);
  if (outcome.kind === "lost") {
    throw new DeployError({
      phase: "connect",
      reason: "the connection dropped immediately",
      lines: lastLines(outcome.stderr),
      exitCode: 255,
      unreachable: true,
      cause: outcome.cause,
    });
  }
  const { user } = connection.target;
  if (outcome.exitCode !== 0) {
    if (outcome.instead !== undefined) throw notRun(outcome, user);
    throw new DeployError({
      phase: "connect",
      reason: `the machine could not be queried (exit code ${outcome.exitCode})`,
      hint: `The login shell of ${user} on the machine must be able to run \`/bin/sh -s\``,
      topic: "command-not-run",
      lines: lastLines(outcome.stderr),
      exitCode: outcome.exitCode,
    });
  }
  const { facts, access, inflates, prepared } = machineFacts(outcome.stdout, settings);
  const { privileged, elevation } = requireAccess(access, settings);
  const shell = own.elevated(elevation, inflates);
  if (elevation.kind === "password") await tryElevation(shell, signal, (stderr) => passwordError(user, stderr));
  if (elevation.kind === "passwordless" && elevation.program.startsWith("run0")) await tryElevation(shell, signal, (stderr) => run0Error(user, stderr));
  return { facts, shell, privileged, root: access.root, prepared };
}

function firstCall(preparing: FirstPreparation | undefined): ScriptCall {
  if (preparing === undefined) return { script: "facts", args: [], privileged: false };
  const { args, onRooted } = preparing;
  const cutter = lineCutter((line) => {
    if (line === "rooted=yes") onRooted();
  });
  return { script: "enter", args, privileged: false, onOutput: (chunk) => cutter.push(chunk) };
}

async function ask(shell: RemoteShell, call: ScriptCall, signal: AbortSignal): Promise<ScriptOutcome> {
  try {
    return await shell.run({ ...call, signal });
  } catch (error) {
    const explained = error instanceof CommandError ? explainLimit(error, "connect") : undefined;
    if (explained === undefined) throw error;
    // It has answered ssh: trying again would take as long, and it is not a machine that is off.
    throw new DeployError({ ...explained.failure, unreachable: false, cause: error });
  }
}

/** A machine on which the login shell, or sshd, did not run the command that it was sent. */
function notRun({ instead = "", stderr, exitCode }: Extract<ScriptOutcome, { kind: "ended" }>, user: string): DeployError {
  const answer = lastLines(instead);
  const told = { phase: "connect", lines: [...answer, ...lastLines(stderr)], exitCode, topic: "command-not-run" } as const;
  if (/This account is (?:currently )?not available/i.test(instead + stderr))
    return new DeployError({
      ...told,
      reason: `the login shell of ${user} on the machine refuses logins`,
      hint: `Set users.users.${user}.shell to a shell, or use another ssh user`,
    });
  if (answer.length > 0) {
    return new DeployError({
      ...told,
      reason: `the machine did not run the action's command as ${user}, but answered ${JSON.stringify(answer.join(" ").slice(0, 100))}`,
      hint: `Check whether the key is restricted to one command (command=… in authorized_keys of ${user}, or ForceCommand in sshd_config), and deploy with a key without this restriction`,
    });
  }
  return new DeployError({
    ...told,
    reason: `the machine did not run the action's command as ${user} (exit code ${exitCode})`,
    hint: `The login shell of the user must be able to run \`/bin/sh -s\`, and the key must not be restricted to one command (command=… in authorized_keys, ForceCommand in sshd_config)`,
  });
}

async function tryElevation(shell: RemoteShell, signal: AbortSignal, explain: (stderr: string) => DeployError): Promise<void> {
  const outcome = await ask(shell, { script: "facts", args: [], privileged: true }, signal);
  if (outcome.kind === "lost" || outcome.exitCode !== 0) throw explain(outcome.stderr);
}

function passwordError(user: string, stderr: string): DeployError {
  if (wantsTerminal(stderr)) return terminalError(user, lastLines(stderr));
  return new DeployError({
    phase: "connect",
    reason: "sudo on the machine rejected elevate-password",
    hint: `Try \`sudo -k -S /bin/sh -s\` as ${user} on the machine; sudoers must allow this command without a terminal`,
    topic: "sudo-password",
    lines: lastLines(stderr),
    exitCode: 1,
  });
}

function run0Error(user: string, stderr: string): DeployError {
  return new DeployError({
    phase: "connect",
    reason: `run0 on the machine refuses ${user} without a password`,
    hint: `Polkit on the machine must allow org.freedesktop.systemd1.manage-units for ${user} (on NixOS: security.polkit.extraConfig), or connect as root`,
    lines: lastLines(stderr),
    exitCode: 1,
  });
}
