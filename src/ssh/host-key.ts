import { createHash } from "node:crypto";

/** A host key as a server offered it, unchecked. */
export type OfferedKey = {
  /** `host`, or `[host]:port` where the port is not 22: the first field of a known_hosts line. */
  readonly host: string;
  readonly type: string;
  readonly key: string;
};

/**
 * Reads the lines of `record-host-key.sh`; the last one is the key of the server that was refused.
 *
 *     [192.0.2.7]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…
 */
export function parseOfferedKeys(text: string): OfferedKey[] {
  return text
    .split("\n")
    .map((line) => /^(\S+) ([a-z0-9@.-]+) (AAAA[A-Za-z0-9+/]+=*)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ host: match[1] ?? "", type: match[2] ?? "", key: match[3] ?? "" }));
}

/** The fingerprint as `ssh-keygen -l` shows it: `SHA256:` and base64 without padding. */
export function fingerprint(key: OfferedKey): string {
  return `SHA256:${createHash("sha256").update(Buffer.from(key.key, "base64")).digest("base64").replace(/=+$/, "")}`;
}

/** The line that would let ssh accept the key. */
export function knownHostsLine(key: OfferedKey): string {
  return `${key.host} ${key.type} ${key.key}`;
}

/**
 * Checks the form of known_hosts lines (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), since ssh silently ignores a bad one.
 * Returns what is wrong with each bad line.
 */
export function knownHostsProblems(text: string): string[] {
  const problems: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const fields = line.trim().split(/\s+/);
    if (line.trim() === "" || line.trim().startsWith("#")) continue;
    if (/PRIVATE KEY/.test(line)) return [`line ${index + 1} is part of a private key`];
    const [, type, key] = fields[0]?.startsWith("@") === true ? fields.slice(1) : fields;
    if (type === undefined || key === undefined || !/^AAAA[A-Za-z0-9+/]+=*$/.test(key)) {
      problems.push(`line ${index + 1} is not a known_hosts line (host, key type and key, as printed by \`ssh-keyscan host\`)`);
    }
  }
  return problems;
}
