import { join } from "node:path";

import type { Target } from "../domain/target.js";

/** How ssh is to behave for the whole run. */
export type SshSettings = {
  readonly strict: boolean;
  /** Seconds. */
  readonly connectTimeout: number;
  /** The user's own ssh_config lines. */
  readonly extra: string;
};

/** What stands where in the private directory of a run. */
export function identityFiles(directory: string): { key: string; knownHosts: string; recorder: string } {
  return { key: join(directory, "key"), knownHosts: join(directory, "known_hosts"), recorder: join(directory, "record-host-key.sh") };
}

/** Ends what the workflow has given in `known_hosts`: below it, ssh adds the keys that it accepts by itself. */
export const endOfKnownHosts = "# Accepted in this run:";

/** What belongs to one target in the private directory of a run. */
export type TargetFiles = { readonly configuration: string; readonly socket: string; readonly offeredKeys: string };

/** Names the files of the target with this number. Short, since a socket's path has 108 bytes on Linux. */
export function targetFiles(directory: string, index: number): TargetFiles {
  return { configuration: join(directory, `${index}.conf`), socket: join(directory, `${index}.s`), offeredKeys: join(directory, `${index}.keys`) };
}

/**
 * The name under which ssh and Nix are told of the target. It is the host itself, so that the user's own `Host` lines apply,
 * but for what Nix cannot take in a store's address (IPv6) or treats in its own way (localhost).
 */
export function alias(target: Target, index: number): string {
  const plain = /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(target.host) && target.host.toLowerCase() !== "localhost";
  return plain ? target.host : `target-${index}`;
}

// A dead link is noticed after three unanswered questions.
const aliveInterval = 5;
const aliveCount = 3;
// Idle seconds after which a master that nobody ended (kill -9 and no post step) ends by itself.
const masterIdle = 900;

/**
 * The ssh_config of one target. ssh takes the first value it finds, so what must not be changed stands first and the user's
 * lines last. What stands in the first block is for the target alone and not for a jump host on the way, which ssh reaches
 * with the same file.
 */
export function renderConfiguration(target: Target, index: number, directory: string, settings: SshSettings): string {
  const files = identityFiles(directory);
  const own = targetFiles(directory, index);
  const names = [...new Set([alias(target, index), target.host])];
  const block = [
    `Host ${names.join(" ")}`,
    `  HostName ${target.host.replaceAll("%", "%%")}`,
    `  Port ${target.port}`,
    `  User ${target.user}`,
    `  ControlPath ${own.socket}`,
    `  ControlPersist ${masterIdle}`,
    "Host *",
    `  IdentityFile ${files.key}`,
    "  IdentitiesOnly yes",
    "  IdentityAgent none",
    "  CertificateFile none",
    `  UserKnownHostsFile ${files.knownHosts}`,
    "  GlobalKnownHostsFile /dev/null",
    `  StrictHostKeyChecking ${settings.strict ? "yes" : "accept-new"}`,
    "  UpdateHostKeys no",
    "  CheckHostIP no",
    "  VerifyHostKeyDNS no",
    "  HashKnownHosts no",
    `  KnownHostsCommand /bin/sh ${files.recorder} ${own.offeredKeys} %H %t %K`,
    "  BatchMode yes",
    "  PreferredAuthentications publickey",
    "  PasswordAuthentication no",
    "  KbdInteractiveAuthentication no",
    "  ForwardAgent no",
    "  ForwardX11 no",
    "  PermitLocalCommand no",
    "  RequestTTY no",
    "  EscapeChar none",
    "  ControlMaster no",
    "  LogLevel ERROR",
    `  ConnectTimeout ${settings.connectTimeout}`,
    `  ServerAliveInterval ${aliveInterval}`,
    `  ServerAliveCountMax ${aliveCount}`,
    "  TCPKeepAlive yes",
  ];
  return `${block.join("\n")}\n${settings.extra === "" ? "" : `# The workflow's own lines\n${settings.extra}\n`}`;
}
