import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { check, environment } from "./command.js";

const programs: Readonly<Record<string, string>> = {
  debootstrap: "/usr/sbin/debootstrap",
  "systemd-container": "/usr/bin/systemd-nspawn",
  iproute2: "/usr/sbin/ip",
  "openssh-client": "/usr/bin/ssh-keygen",
  "util-linux": "/usr/bin/nsenter",
  git: "/usr/bin/git",
  // So that debootstrap can check signatures on a host that is not Debian.
  "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
};

/** Where root file systems and running fleets are kept, outside the checkout. */
export const cache = process.env["NIX_FLAKE_DEPLOY_FLEET_CACHE"] ?? "/var/cache/nix-flake-deploy-fleet";

/** Throws unless this process is root on a host with the packages of a fleet, which it installs when they are missing. */
export async function prepareHost(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("A fleet needs root: machines are booted, mounted and connected. Run this with sudo.");
  process.env["PATH"] = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  mkdirSync(cache, { recursive: true });
  const missing = Object.entries(programs).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
  if (missing.length === 0) return;
  console.error(`fleet: installing ${missing.join(", ")} on this host`);
  const env = { ...environment(), DEBIAN_FRONTEND: "noninteractive" };
  await check("apt-get", ["update", "-q"], { env, timeout: 300 });
  await check("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...missing], { env, timeout: 600 });
}

/**
 * The Debian mirror of this host's apt, as it stands in `sources.list` or in a deb822 file; nothing on a host of another
 * distribution, whose mirror has no Debian.
 */
export function debianMirror(): string | undefined {
  const release = readFileSync("/etc/os-release", "utf8");
  if (!/^ID="?debian"?$/m.test(release)) return undefined;
  const codename = /^VERSION_CODENAME="?(\w+)"?$/m.exec(release)?.[1] ?? "sid";
  for (const file of aptSources()) {
    const text = readFileSync(file, "utf8");
    for (const stanza of file.endsWith(".sources") ? text.split(/\n\s*\n/) : text.split("\n")) {
      const uri = file.endsWith(".sources") ? deb822(stanza, codename) : oneLine(stanza, codename);
      if (uri !== undefined) return uri;
    }
  }
  return undefined;
}

function aptSources(): string[] {
  const directory = "/etc/apt/sources.list.d";
  const files = existsSync(directory) ? readdirSync(directory).map((name) => path.join(directory, name)) : [];
  return ["/etc/apt/sources.list", ...files].filter((file) => /\.(list|sources)$/.test(file) && existsSync(file));
}

// Types: deb / URIs: http://mirror/debian / Suites: bookworm bookworm-updates
function deb822(stanza: string, codename: string): string | undefined {
  const field = (name: string): string[] => new RegExp(`^${name}:\\s*(.*)$`, "im").exec(stanza)?.[1]?.split(/\s+/) ?? [];
  return field("Types").includes("deb") && field("Suites").includes(codename) ? field("URIs")[0] : undefined;
}

// deb [signed-by=…] http://mirror/debian bookworm main
function oneLine(line: string, codename: string): string | undefined {
  const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
  return match?.[2] === codename ? match[1] : undefined;
}
