import { buildPlaces, type Place } from "./build-place.js";
import { checkConfiguration, nameOfConfiguration, ownHostname, parseConfiguration, type Configuration } from "./configuration.js";

/** Where to ssh, and what to deploy there. */
export type Target = {
  /** The name of the machine in logs, annotations and results. */
  readonly name: string;
  readonly user: string;
  /** DNS name, IPv4 address, or IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Where ssh connects to: the host, or the `HostName` that the input `ssh-config` gives it. */
  readonly address: string;
  /** The jump hosts or the proxy on the way, as `ssh-config` names them; `undefined` for a direct connection. */
  readonly via: string | undefined;
  readonly configuration: Configuration;
  /** Lines of ssh_config(5) for this target alone; they count before those of the input `ssh-config`. */
  readonly sshOptions?: readonly string[] | undefined;
  /** False: the new system may only replace one that the runner's store has. */
  readonly replaceUnknown?: boolean | undefined;
};

/** A target before the defaults for user, port and name are filled in. */
export type TargetRequest = {
  readonly host: string;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly configuration: Configuration;
  readonly name?: string | undefined;
  /** Where the system is built, whatever the inputs say. */
  readonly buildOn?: Place | undefined;
  /** What the flake says about that, for a target that was taken from one; it counts after the inputs. */
  readonly flakeBuildOn?: Place | undefined;
  /** Lines of ssh_config(5), which `parseSshOptions` has accepted. */
  readonly sshOptions?: readonly string[] | undefined;
  readonly replaceUnknown?: boolean | undefined;
};

export const acceptedTarget = "[user@]host[:port][#configuration], with an IPv6 address in brackets";

/** Renders the target: `user@host`, with `:port` where it is not 22. */
export function renderTarget(target: Target): string {
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${target.user}@${host}${target.port === 22 ? "" : `:${target.port}`}`;
}

/**
 * Parses `[user@]host[:port][#configuration]`. Throws an `Error` whose message says what is wrong, without the text itself.
 * The host is checked here because ssh obeys shell characters in a `HostName` of its configuration.
 */
export function parseTarget(text: string): TargetRequest {
  refuseUrl(text);
  if (text.includes(",")) throw new Error("contains a comma; write one target per line");
  const hash = text.indexOf("#");
  const place = hash === -1 ? text : text.slice(0, hash);
  const configuration = hash === -1 ? ownHostname : parseConfiguration(text.slice(hash + 1));
  const at = place.lastIndexOf("@");
  const user = at === -1 ? undefined : place.slice(0, at);
  const { host, port } = splitPort(place.slice(at + 1));
  return checkTarget({ host, user, port, configuration });
}

/** Checks the parts of a target. Throws an `Error` whose message names the part and what is accepted. */
export function checkTarget(request: TargetRequest): TargetRequest {
  const { host, user, port, configuration, name } = request;
  checkHost(host);
  if (user !== undefined) checkUser(user);
  if (port !== undefined) checkPort(port);
  checkConfiguration(configuration);
  if (name !== undefined && !/^[^\s\p{C}][^\p{C}]{0,99}$/u.test(name)) {
    throw new Error("its name is empty, longer than 100 characters, or contains control characters");
  }
  return request;
}

/** Parses where a system is built. Throws an `Error` that says what is accepted. */
export function parsePlace(text: string, field: "build-on" | "flake-build-on"): Place {
  const place = buildPlaces.find((known) => known === text);
  if (place === undefined) throw new Error(`its ${field} is not one of ${buildPlaces.join(", ")}`);
  return place;
}

/** Checks the name of a remote user. Throws an `Error` that says what is accepted. */
export function checkUser(user: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,255}$/.test(user)) {
    throw new Error("its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)");
  }
}

/** Checks a port. Throws an `Error` that says what is accepted. */
export function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error("its port is not a number from 1 to 65535");
}

/** Checks a host. Throws an `Error` that says what is accepted. */
export function checkHost(host: string): void {
  if (host === "") throw new Error("its host is empty");
  refuseUrl(host);
  if (host.startsWith("-")) throw new Error("its host starts with -, which ssh would read as an option");
  if (/[\s\p{C}]/u.test(host)) throw new Error("its host contains white space or control characters");
  if (host.includes(":")) {
    if (!/^[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?$/.test(host)) throw new Error("its host is not an IPv6 address");
    return;
  }
  if (!/^[A-Za-z0-9_.-]{1,253}$/.test(host)) {
    throw new Error("its host contains characters other than letters, digits and _ . -");
  }
}

function refuseUrl(text: string): void {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme !== undefined) throw new Error(`is a URL; write it without ${scheme}`);
}

function splitPort(text: string): { host: string; port: number | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) {
    const host = bracketed[1] ?? "";
    if (!host.includes(":")) throw new Error("only an IPv6 address may be in brackets");
    return { host, port: parsePort(bracketed[2]) };
  }
  if (text.includes("[") || text.includes("]")) throw new Error("its brackets must enclose the whole host");
  const colon = text.indexOf(":");
  if (colon === -1) return { host: text, port: undefined };
  if (text.indexOf(":", colon + 1) !== -1) throw new Error("an IPv6 address must be in brackets, for example [2001:db8::7]:2222");
  return { host: text.slice(0, colon), port: parsePort(text.slice(colon + 1)) };
}

function parsePort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
}

/** The name of a target where no other has the same: its own, else its configuration, else its host. */
export function wishedName({ name, configuration, host }: TargetRequest): string {
  return name ?? nameOfConfiguration(configuration) ?? host;
}

/** A target with its name, whose user and port may be left to ssh-config and the defaults. */
export type NamedTarget = Pick<Target, "name" | "host" | "configuration"> & {
  readonly user: string | undefined;
  readonly port: number | undefined;
  readonly buildOn?: Place | undefined;
  readonly flakeBuildOn?: Place | undefined;
  readonly sshOptions?: readonly string[] | undefined;
  readonly replaceUnknown?: boolean | undefined;
};

/** A target that ssh cannot be pointed at, because of what it says itself. */
export type RefusedTarget = { readonly name: string; readonly problem: string };

/** User and port of targets for which nothing else gives one. */
export type TargetDefaults = { readonly user: string; readonly port: number };

/**
 * Gives each target a name: its own, else its configuration, else its host; where two would have the same, host and port
 * instead. Throws an `Error` when two would still have the same.
 */
export function nameTargets(requests: readonly TargetRequest[], defaultPort: number): NamedTarget[] {
  const wishes = requests.map(wishedName);
  const counts = new Map<string, number>();
  for (const wish of wishes) counts.set(wish, (counts.get(wish) ?? 0) + 1);
  const targets = requests.map((request, index) => {
    const wish = wishes[index] ?? request.host;
    const port = request.port ?? defaultPort;
    return named(request, counts.get(wish) === 1 ? wish : `${request.host}${port === 22 ? "" : `:${port}`}`);
  });
  const names = new Set<string>();
  for (const { name } of targets) {
    if (names.has(name)) throw new Error(`two targets are named ${name}; give each a unique name`);
    names.add(name);
  }
  return targets;
}

/** The target of that name. */
export function named({ host, user, port, configuration, buildOn, flakeBuildOn, sshOptions, replaceUnknown }: TargetRequest, name: string): NamedTarget {
  return { name, host, user, port, configuration, buildOn, flakeBuildOn, sshOptions, replaceUnknown };
}

/** Fills in user and port of a target for which ssh-config sets none. */
export function withDefaults({ name, user, host, port, configuration, sshOptions = [], replaceUnknown }: NamedTarget, defaults: TargetDefaults): Target {
  return {
    name,
    user: user ?? defaults.user,
    host,
    port: port ?? defaults.port,
    address: lineValue(sshOptions, "HostName") ?? host,
    via: lineValue(sshOptions, "ProxyJump"),
    configuration,
    ...(sshOptions.length === 0 ? {} : { sshOptions }),
    ...(replaceUnknown === undefined ? {} : { replaceUnknown }),
  };
}

function lineValue(lines: readonly string[], keyword: string): string | undefined {
  return lines.find((line) => line.startsWith(`${keyword} `))?.slice(keyword.length + 1);
}

/** Renders where a connection ends. The same address behind two jump hosts may be two machines. */
export function placeOf({ address, port, via }: Pick<Target, "address" | "port" | "via">): string {
  return `${address.toLowerCase()} port ${port}${via === undefined ? "" : ` via ${via}`}`;
}

/** Throws an `Error` that names an address that two of the targets have. */
export function requireDistinctPlaces(targets: readonly Target[]): void {
  const places = new Set<string>();
  for (const place of targets.map(placeOf)) {
    if (places.has(place)) throw new Error(`${place} is listed twice; one run can deploy only one configuration per machine`);
    places.add(place);
  }
}

/** Names the targets and fills in user and port. Throws an `Error` as `requireDistinctPlaces` and `nameTargets` do. */
export function completeTargets(requests: readonly TargetRequest[], defaults: TargetDefaults): Target[] {
  requireDistinctPlaces(requests.map((request) => withDefaults(named(request, wishedName(request)), defaults)));
  return nameTargets(requests, defaults.port).map((target) => withDefaults(target, defaults));
}
