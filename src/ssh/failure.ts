import { DeployError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import { displayTarget, type Target } from "../domain/target.js";
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

/** Shows a host key that was accepted although nobody knew it, and says how to have it checked the next time. */
export function acceptedKeyWarning(key: OfferedKey): string {
  return `the host key of ${placeOf(key)} was not known and has been accepted: ${key.type} ${fingerprint(key)}. Compare it on the machine itself, then add this line to ssh-known-hosts and set ssh-strict to true: ${knownHostsLine(key)}`;
}

// The key may be the one of a jump host.
function placeOf({ host }: OfferedKey): string {
  const [, name = host, port = "22"] = /^\[(.*)\]:(\d+)$/.exec(host) ?? [];
  return `${name} port ${port}`;
}

const unanswered = /timed out|No route to host|Network is unreachable|Host is unreachable|Host is down/i;

type Explanation = { readonly reason: string; readonly hint: string; readonly unreachable: boolean };

/** Turns what ssh said into an error that names the host and the port, and says what to do. */
export function connectError(failure: ConnectFailure): DeployError {
  const { reason, hint, unreachable } = explain(failure);
  const lines = lastLines(failure.stderr);
  return new DeployError({ phase: "connect", reason, hint, lines, exitCode: 255, unreachable, cause: failure.cause });
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
      reason: `the host key of ${keyPlace} is not the one in ssh-known-hosts${key === undefined ? "" : ` (offered: ${key.type} ${fingerprint(key)})`}`,
      hint:
        key === undefined
          ? "Find out why before you change ssh-known-hosts"
          : `Either another machine answers there, or it was installed anew. Only when you know it is the second, put this line in place of the old one: ${knownHostsLine(key)}`,
      ...permanent,
    };
  }
  if (/Host key verification failed|No \S+ host key is known/i.test(stderr)) {
    const offeredText = key === undefined ? "" : ` (offered: ${key.type} ${fingerprint(key)})`;
    return {
      reason: `the host key of ${keyPlace} is not known${offeredText}`,
      hint:
        key === undefined
          ? "Add the machine's line to ssh-known-hosts"
          : `Compare the fingerprint on the machine itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); when it is the same, add this line to ssh-known-hosts: ${knownHostsLine(key)}`,
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
        hint: "With ssh-auth: agent, the agent must hold a key that the machine accepts; with none, the server must ask for no authentication",
        ...permanent,
      };
    }
    return {
      reason: `${jump ? `the jump host ${refusing}` : place} does not accept the ssh key for the user ${user}`,
      hint: `Add the public half of ssh-key to users.users.${user}.openssh.authorizedKeys.keys on ${jump ? refusing : "the machine"}, or name another user`,
      ...permanent,
    };
  }
  if (/stdio forwarding failed/i.test(stderr)) {
    return { reason: `the jump host cannot reach ${target.address} port ${target.port}`, hint: "The lines below are ssh's own", ...passing };
  }
  if (/Bad configuration option|terminating, \d+ bad configuration|Bad .* argument|Unsupported option|garbage at end of line|missing argument/i.test(stderr)) {
    return {
      reason: "ssh does not accept the configuration",
      hint: "Look at the lines of the input ssh-config; this action needs OpenSSH 8.5 or newer on the runner",
      ...permanent,
    };
  }
  const unresolved = /Could not resolve hostname (\S+):/i.exec(stderr);
  if (unresolved !== null) {
    return {
      reason: `the name of ${unresolved[1]} cannot be resolved`,
      hint: "Look for a misspelling in targets (and ssh-config); can the runner see this name (VPN, private DNS)?",
      ...passing,
    };
  }
  if (/Connection refused/i.test(stderr)) {
    return { reason: `${place} refuses the connection`, hint: "Is sshd running there, and is this its port?", ...passing };
  }
  const onlyIpv6 = host.includes(":") || (host === target.host && addresses.length > 0 && addresses.every((address) => address.includes(":")));
  if (githubHosted && named !== undefined && onlyIpv6 && unanswered.test(stderr)) {
    return {
      reason: `${place} cannot be reached from a GitHub-hosted runner: ${host.includes(":") ? "it is" : "its name has only"} an IPv6 address, and these runners have no IPv6`,
      hint: "Use an IPv4 address or a name that has one, a jump host or VPN with IPv4 (ssh-config: ProxyJump), or a self-hosted runner",
      ...permanent,
    };
  }
  if (timedOut || unanswered.test(stderr)) {
    return {
      reason: `${place} does not answer`,
      hint: "Is the machine on, and can the runner reach it (firewall, VPN)? connect-timeout sets how long to wait",
      ...passing,
    };
  }
  if (/no matching|Unable to negotiate/i.test(stderr)) {
    return {
      reason: `ssh and ${place} have no algorithm in common`,
      hint: "An old server may need lines such as HostKeyAlgorithms in ssh-config",
      ...permanent,
    };
  }
  return { reason: `no ssh connection to ${displayTarget(target)}`, hint: "The lines below are ssh's own", ...passing };
}

const lostConnection =
  /Connection (?:to .* )?(?:closed|reset)|Broken pipe|not responding|Connection timed out|mux_client|Control socket|control socket|kex_exchange_identification|client_loop|Timeout, server/i;

/** Tells whether what ssh printed speaks of a lost connection rather than of the command. */
export function speaksOfLostConnection(stderr: string): boolean {
  return lostConnection.test(stderr);
}
