import { join } from "node:path";

import type { NamedTarget, Target, TargetDefaults } from "../domain/target.js";

/** How ssh is to behave for the whole run. */
export type SshSettings = {
  readonly strict: boolean;
  /** Seconds. */
  readonly connectTimeout: number;
  /** The user's own ssh_config lines. */
  readonly extra: string;
  /** Whether ssh compresses what goes to a target, unless the user's lines decide. Default: no. */
  readonly compression?: boolean;
  /** How ssh authenticates itself. */
  readonly authentication: Authentication;
};

/** The key of a run with or without a certificate, an agent by its socket, or nothing: the server asks for none. */
export type Authentication =
  | { readonly kind: "key"; readonly certificate: boolean }
  | { readonly kind: "agent"; readonly socket: string }
  | { readonly kind: "none" };

/** The files in the private directory of a run. */
export function identityFiles(directory: string): { key: string; certificate: string; knownHosts: string; recorder: string } {
  return {
    key: join(directory, "key"),
    certificate: join(directory, "key-cert.pub"),
    knownHosts: join(directory, "known_hosts"),
    recorder: join(directory, "record-host-key.sh"),
  };
}

/** The last line of the input in `known_hosts`: below it, ssh adds the keys that it accepts. */
export const endOfKnownHosts = "# Accepted in this run:";

/** What belongs to one target in the private directory of a run. */
export type TargetFiles = {
  readonly configuration: string;
  readonly socket: string;
  /** Of the master that takes the place of one at `socket`, and the other way round. */
  readonly otherSocket: string;
  readonly offeredKeys: string;
};

/** Names the files of the target with this number. Short, since a socket's path has 108 bytes on Linux. */
export function targetFiles(directory: string, index: number): TargetFiles {
  const file = (ending: string): string => join(directory, `${index}.${ending}`);
  return { configuration: file("conf"), socket: file("s"), otherSocket: file("t"), offeredKeys: file("keys") };
}

/**
 * The name of the target for ssh and Nix. It is the host itself, so that the user's own `Host` lines apply, except for hosts
 * that Nix does not accept in a store URL (IPv6) or treats specially (localhost).
 */
export function alias(target: Pick<Target, "host">, index: number): string {
  const plain = /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(target.host) && target.host.toLowerCase() !== "localhost";
  return plain ? target.host : `target-${index}`;
}

// A dead link is noticed after three unanswered questions.
const aliveInterval = 5;
const aliveCount = 3;
// Idle seconds after which a master ends on its own that the action could not end (kill -9 and no post step).
const masterIdle = 900;

/**
 * The ssh_config of a target whose address is known. ssh uses the first value it finds, so the action's own settings are first
 * and the user's lines last. The first block is for the target only, not for a jump host, which ssh reaches with the same file.
 */
export function renderConfiguration(target: Target, index: number, directory: string, settings: SshSettings): string {
  const name = alias(target, index);
  const names = [...new Set([name, target.host])];
  const hostName = (address: string): string => `  HostName ${address.replaceAll("%", "%%")}`;
  const renamed = target.address.toLowerCase() !== target.host.toLowerCase();
  return lines([
    `Host ${names.join(" ")}`,
    // A HostName of the user's own lines is left to them: `Match host` looks at what was found so far.
    ...(renamed ? [] : [hostName(target.address)]),
    `  Port ${target.port}`,
    `  User ${target.user}`,
    ...ownLines(target),
    ...mastersOf(targetFiles(directory, index)),
    // The user's lines do not know this name.
    ...(renamed && name !== target.host ? [`Host ${name}`, hostName(target.address)] : []),
    ...ownedSettings(index, directory, settings),
    ...extraLines(settings),
    // The scripts and their answers are a fifth then.
    ...(settings.compression === true ? [`Host ${names.join(" ")}`, "  Compression yes"] : []),
  ]);
}

/**
 * The ssh_config for locating a target: first the target's own settings, then those of the action, the user's lines, and the
 * defaults. `extraBegins` is the number of lines before the user's.
 */
export function renderQuestion(
  target: NamedTarget,
  index: number,
  directory: string,
  settings: SshSettings,
  defaults: TargetDefaults,
): { readonly text: string; readonly extraBegins: number } {
  const host = `Host ${target.host}`;
  const own = [
    host,
    ...(target.port === undefined ? [] : [`  Port ${target.port}`]),
    ...(target.user === undefined ? [] : [`  User ${target.user}`]),
    ...ownLines(target),
    ...mastersOf(targetFiles(directory, index)),
    ...ownedSettings(index, directory, settings),
  ];
  const extra = extraLines(settings);
  return { text: lines([...own, ...extra, host, `  Port ${defaults.port}`, `  User ${defaults.user}`]), extraBegins: own.length + 1 };
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}

function extraLines({ extra }: SshSettings): string[] {
  return extra === "" ? [] : ["# From the input ssh-config", extra];
}

function ownLines({ sshOptions = [] }: Pick<Target, "sshOptions">): string[] {
  return sshOptions.map((line) => `  ${line}`);
}

function mastersOf({ socket }: TargetFiles): string[] {
  return [`  ControlPath ${socket}`, `  ControlPersist ${masterIdle}`];
}

function authenticationLines(files: ReturnType<typeof identityFiles>, authentication: Authentication): string[] {
  switch (authentication.kind) {
    case "key":
      return [
        `  IdentityFile ${files.key}`,
        "  IdentitiesOnly yes",
        "  IdentityAgent none",
        `  CertificateFile ${authentication.certificate ? files.certificate : "none"}`,
        "  PubkeyAuthentication yes",
      ];
    case "agent":
      return ["  IdentityFile none", "  IdentitiesOnly no", `  IdentityAgent ${authentication.socket}`, "  CertificateFile none", "  PubkeyAuthentication yes"];
    case "none":
      return ["  IdentityFile none", "  IdentitiesOnly yes", "  IdentityAgent none", "  CertificateFile none", "  PubkeyAuthentication no"];
  }
}

/** Settings that the user's lines cannot change, for the target and its jump hosts. */
function ownedSettings(index: number, directory: string, settings: SshSettings): string[] {
  const files = identityFiles(directory);
  const { offeredKeys } = targetFiles(directory, index);
  return [
    "Host *",
    ...authenticationLines(files, settings.authentication),
    "  PKCS11Provider none",
    "  AddKeysToAgent no",
    `  UserKnownHostsFile ${files.knownHosts}`,
    "  GlobalKnownHostsFile /dev/null",
    `  StrictHostKeyChecking ${settings.strict ? "yes" : "accept-new"}`,
    "  UpdateHostKeys no",
    "  CheckHostIP no",
    "  NoHostAuthenticationForLocalhost no",
    "  VerifyHostKeyDNS no",
    "  HashKnownHosts no",
    `  KnownHostsCommand /bin/sh ${files.recorder} ${offeredKeys} %H %t %K`,
    "  BatchMode yes",
    "  PreferredAuthentications publickey",
    "  PasswordAuthentication no",
    "  KbdInteractiveAuthentication no",
    "  ForwardAgent no",
    "  ForwardX11 no",
    "  PermitLocalCommand no",
    "  RemoteCommand none",
    "  RequestTTY no",
    "  EscapeChar none",
    "  ControlMaster no",
    "  LogLevel ERROR",
    `  ConnectTimeout ${settings.connectTimeout}`,
    "  ConnectionAttempts 1",
    `  ServerAliveInterval ${aliveInterval}`,
    `  ServerAliveCountMax ${aliveCount}`,
    "  TCPKeepAlive yes",
  ];
}
