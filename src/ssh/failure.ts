import { DeployError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import { renderTarget, type Target } from "../domain/target.js";
import type { Topic } from "../domain/topic.js";
import { fingerprint, knownHostsLine, type OfferedKey } from "./host-key.js";

/** What ssh said when a connection could not be made, and the keys that were offered on the way. */
export type ConnectFailure = {
  readonly target: Target;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly offered: readonly OfferedKey[];
  /** False where an agent, or no authentication at all, takes the place of ssh-key. Default: true. */
  readonly withKey?: boolean | undefined;
  /** The runner is one of GitHub's own, which have no IPv6. */
  readonly githubHosted?: boolean | undefined;
  /** What the host's name resolves to on the runner, where that was looked up. */
  readonly addresses?: readonly string[] | undefined;
  readonly cause: unknown;
};

/** Renders a warning about an unknown host key that was accepted, and how to have it checked next time. */
export function acceptedKeyWarning(key: OfferedKey): string {
  return `the unknown host key of ${placeOf(key)} was accepted: ${key.type} ${fingerprint(key)}. Compare it with the fingerprint on the machine, then add this line to ssh-known-hosts and set ssh-strict to true: ${knownHostsLine(key)}`;
}

// The key may be that of a jump host.
function placeOf({ host }: OfferedKey): string {
  const [, name = host, port = "22"] = /^\[(.*)\]:(\d+)$/.exec(host) ?? [];
  return `${name} port ${port}`;
}

const unanswered = /timed out|No route to host|Network is unreachable|Host is unreachable|Host is down/i;

type Explanation = { readonly reason: string; readonly hint: string; readonly unreachable: boolean; readonly topic?: Topic };

/** Turns what ssh said into an error that names the host and the port, and says what to do. */
export function connectError(failure: ConnectFailure): DeployError {
  const { reason, hint, unreachable, topic } = explain(failure);
  const lines = lastLines(failure.stderr);
  return new DeployError({ phase: "connect", reason, hint, lines, exitCode: 255, unreachable, topic, cause: failure.cause });
}

function explain({ target, stderr, timedOut, offered, withKey = true, githubHosted = false, addresses = [] }: ConnectFailure): Explanation {
  // ssh names the place of its TCP connection, which is a jump host's where there is one.
  const [named, host = target.address, port = target.port] = /connect to host (\S+) port (\d+):/.exec(stderr) ?? [];
  const place = `${host} port ${port}`;
  const key = offered.at(-1);
  const keyPlace = key === undefined ? place : placeOf(key);
  const permanent = { unreachable: false };
  const passing = { unreachable: true };
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|host key .* has changed|REVOKED HOST KEY/i.test(stderr)) {
    return {
      reason: `the host key of ${keyPlace} does not match ssh-known-hosts${key === undefined ? "" : ` (offered: ${key.type} ${fingerprint(key)})`}`,
      hint:
        key === undefined
          ? "Find out why before you change ssh-known-hosts: another machine may be answering at this address"
          : `Either another machine is answering at this address, or the machine was reinstalled. Only if you know that it was reinstalled, replace the old line with this one: ${knownHostsLine(key)}`,
      topic: "host-key-changed",
      ...permanent,
    };
  }
  if (/Host key verification failed|No \S+ host key is known/i.test(stderr)) {
    const offeredText = key === undefined ? "" : ` (offered: ${key.type} ${fingerprint(key)})`;
    return {
      reason: `the host key of ${keyPlace} is unknown${offeredText}`,
      hint:
        key === undefined
          ? "Add the machine's host key to ssh-known-hosts"
          : `Compare the fingerprint with the one on the machine (\`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\`); if they match, add this line to ssh-known-hosts: ${knownHostsLine(key)}`,
      topic: "host-key-unknown",
      ...permanent,
    };
  }
  if (/Permission denied/i.test(stderr)) {
    const [, user = target.user, refusing = target.address] = /^(\S+)@(\S+): Permission denied/m.exec(stderr) ?? [];
    // ssh writes the name in small letters.
    const jump = refusing !== target.address.toLowerCase() && refusing !== target.address;
    if (!withKey) {
      return {
        reason: `${jump ? `the jump host ${refusing}` : place} does not accept the user ${user} with this ssh-auth`,
        hint: "With ssh-auth: agent, the agent must hold a key that the machine accepts; with ssh-auth: none, the server must allow logins without authentication",
        ...permanent,
      };
    }
    return {
      reason: `${jump ? `the jump host ${refusing}` : place} does not accept the ssh key for the user ${user}`,
      hint: `Add the public key of ssh-key to users.users.${user}.openssh.authorizedKeys.keys on ${jump ? refusing : "the machine"}, or connect as another user`,
      topic: "ssh-key-refused",
      ...permanent,
    };
  }
  if (/stdio forwarding failed/i.test(stderr)) {
    return { reason: `the jump host cannot reach ${target.address} port ${target.port}`, hint: "See the output of ssh below", ...passing };
  }
  if (/Bad configuration option|terminating, \d+ bad configuration|Bad .* argument|Unsupported option|garbage at end of line|missing argument/i.test(stderr)) {
    return {
      reason: "ssh rejected its configuration",
      hint: "Check the input ssh-config; the action needs OpenSSH 8.5 or newer on the runner",
      ...permanent,
    };
  }
  const unresolved = /Could not resolve hostname (\S+):/i.exec(stderr);
  if (unresolved !== null) {
    return {
      reason: `the host name ${unresolved[1]} cannot be resolved`,
      hint: "Check the spelling in targets and ssh-config, and that the runner can resolve the name (VPN, private DNS)",
      topic: "name-not-resolved",
      ...passing,
    };
  }
  if (/Connection refused/i.test(stderr)) {
    return { reason: `${place} refused the connection`, hint: "Check that sshd is running there and listens on this port", topic: "unreachable", ...passing };
  }
  const onlyIpv6 = host.includes(":") || (host === target.host && addresses.length > 0 && addresses.every((address) => address.includes(":")));
  if (githubHosted && named !== undefined && onlyIpv6 && unanswered.test(stderr)) {
    return {
      reason: `${place} cannot be reached from a GitHub-hosted runner: ${host.includes(":") ? "it is" : "its name resolves only to"} an IPv6 address, and these runners have no IPv6`,
      hint: "Use an IPv4 address, a jump host or VPN with IPv4 (ssh-config: ProxyJump), or a self-hosted runner",
      topic: "no-ipv6",
      ...permanent,
    };
  }
  if (timedOut || unanswered.test(stderr)) {
    return {
      reason: `${place} does not answer`,
      hint: "Check that the machine is on and that the runner can reach it (firewall, VPN); connect-timeout sets how long to wait",
      topic: "unreachable",
      ...passing,
    };
  }
  if (/no matching|Unable to negotiate/i.test(stderr)) {
    return {
      reason: `ssh and ${place} have no algorithm in common`,
      hint: "An old server may need an option such as HostKeyAlgorithms in ssh-config",
      ...permanent,
    };
  }
  return { reason: `ssh could not connect to ${renderTarget(target)}`, hint: "See the output of ssh below", ...passing };
}

const lostConnection =
  /Connection (?:to .* )?(?:closed|reset)|Broken pipe|not responding|Connection timed out|mux_client|Control socket|control socket|kex_exchange_identification|client_loop|Timeout, server/i;

/** Returns whether the output of ssh is about a lost connection rather than from the command. */
export function speaksOfLostConnection(stderr: string): boolean {
  return lostConnection.test(stderr);
}

/**
 * Returns whether a connection was refused a further session (MaxSessions in sshd_config). ssh then makes a connection of its own, and
 * Nix takes what that prints for the daemon's greeting: `protocol mismatch, got 'started`.
 */
export function speaksOfRefusedSession(stderr: string): boolean {
  return /mux_client_request_session: session request failed/.test(stderr);
}
