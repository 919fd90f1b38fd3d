import { existsSync, writeFileSync } from "node:fs";

import { check } from "./command.js";

/** A fleet's own bridge. Nothing of it is routed anywhere. */
export type Network = {
  readonly bridge: string;
  /** This host's addresses on it. */
  readonly ipv4: string;
  readonly ipv6: string;
  readonly address: (host: number) => { readonly ipv4: string; readonly ipv6: string };
  /** Takes the cable out of a machine's port. */
  readonly cut: (port: string) => Promise<void>;
  readonly restore: (port: string) => Promise<void>;
  /** Removes the port of a machine that has lost its power: its unfinished connections hold it for a while. */
  readonly removePort: (port: string) => Promise<void>;
  /** Limits what a machine receives, in kilobits a second; without a rate, lifts the limit. */
  readonly limit: (port: string, kilobits?: number) => Promise<void>;
};

/** Makes the bridge of a fleet, with private IPv4 and unique local IPv6 addresses that hold the fleet's number. */
export async function createNetwork(bridge: string, number: number): Promise<Network> {
  const v4 = (host: number): string => `10.213.${number}.${host}`;
  const v6 = (host: number): string => `fd6e:6664:${(0x100 + number).toString(16)}::${host.toString(16)}`;
  await ip("link", "add", bridge, "type", "bridge");
  await ip("addr", "add", `${v4(1)}/24`, "dev", bridge);
  // A host may have it off by default, as Docker's have.
  const disabled = `/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`;
  if (existsSync(disabled)) writeFileSync(disabled, "0");
  await ip("-6", "addr", "add", `${v6(1)}/64`, "dev", bridge, "nodad");
  await ip("link", "set", bridge, "up");
  return {
    bridge,
    ipv4: v4(1),
    ipv6: v6(1),
    address: (host) => ({ ipv4: v4(host), ipv6: v6(host) }),
    cut: async (port) => await ip("link", "set", port, "down"),
    restore: async (port) => await ip("link", "set", port, "up"),
    removePort: async (port) => {
      if (existsSync(`/sys/class/net/${port}`)) await ip("link", "delete", port);
    },
    limit: async (port, kilobits) => {
      if (kilobits === undefined) await check("tc", ["qdisc", "del", "dev", port, "root"]);
      else await check("tc", ["qdisc", "replace", "dev", port, "root", "tbf", "rate", `${kilobits}kbit`, "burst", "32kb", "latency", "400ms"]);
    },
  };
}

async function ip(...args: string[]): Promise<void> {
  await check("ip", args);
}
