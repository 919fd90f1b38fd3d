import type { Topic } from "../domain/topic.js";
import { readOpensshKey } from "./openssh-key.js";

/** A private key in the form that ssh reads, or what is wrong with the text. */
export type ParsedKey =
  | { readonly kind: "key"; readonly text: string; readonly encrypted: boolean }
  | { readonly kind: "unusable"; readonly problem: string; readonly topic?: Topic | undefined };

const begin = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----/;
const foreign: readonly (readonly [RegExp, string])[] = [
  [/^PuTTY-User-Key-File-/, "is a PuTTY key; convert it to an OpenSSH key with `puttygen key.ppk -O private-openssh-new -o key`"],
  [/^-----BEGIN PGP /, "is a PGP key, not an ssh key"],
  [/^AGE-SECRET-KEY-/, "is an age key, not an ssh key"],
  [/^-----BEGIN CERTIFICATE-----/, "is an X.509 certificate, not a private ssh key"],
];
const publicKey = /^(?:(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ AAAA|---- BEGIN SSH2 PUBLIC KEY ----|-----BEGIN (?:RSA )?PUBLIC KEY-----)/;

/**
 * Reads a private key as people paste it: with CRLF, without its last newline, or as base64 of the whole file.
 * Distinguishes errors that ssh reports alike as "error in libcrypto". `writeIdentity` checks the content of the key.
 */
export function parseKey(pasted: string): ParsedKey {
  const text = normalise(pasted);
  if (text === "")
    return unusable(
      "is empty. A secret that does not exist, or that this event cannot read (a pull request from a fork), is passed as an empty string",
      "ssh-key-empty",
    );
  for (const [pattern, problem] of foreign) if (pattern.test(text)) return unusable(problem);
  if (/^[\w-]+-cert-v01@openssh\.com /.test(text))
    return unusable("is an ssh certificate; set ssh-certificate to the certificate, and ssh-key to its private key");
  if (publicKey.test(text)) return unusable("is a public key (a .pub file); set it to the private key", "ssh-key-public");
  const head = begin.exec(text);
  if (head === null) {
    const base64 = decodeBase64(text);
    if (base64 !== undefined) return parseKey(base64);
    if (/-----END [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) return unusable("is truncated: its first line (-----BEGIN …-----) is missing", "ssh-key-damaged");
    return unusable("is not a private ssh key: the line -----BEGIN … PRIVATE KEY----- is missing");
  }
  const label = head[1] ?? "";
  const end = `-----END ${label}-----`;
  if (!text.includes(end)) return unusable(`is truncated: its last line (${end}) is missing`, "ssh-key-damaged");
  const whole = text.slice(head.index, text.indexOf(end) + end.length);
  const body = whole.slice(head[0].length, -end.length);
  if (!body.startsWith("\n") || !body.endsWith("\n")) {
    return unusable(
      "has lost its line breaks (replaced by spaces, as after an unquoted `echo $KEY`); store the file unchanged or base64-encoded",
      "ssh-key-damaged",
    );
  }
  const key = `${whole}\n`;
  if (label !== "OPENSSH PRIVATE KEY") return { kind: "key", text: key, encrypted: /ENCRYPTED/.test(`${label}${body}`) };
  const parts = readOpensshKey(body);
  return parts === undefined
    ? unusable("is truncated or damaged: its content is incomplete", "ssh-key-damaged")
    : { kind: "key", text: key, encrypted: parts.cipher !== "none" };
}

// A mask for a short last line would hide much of the log.
const shortestMask = 16;

/** The lines of a private key that hold secret content, for the log to be masked with. */
export function secretLines(key: string): string[] {
  return key.split("\n").filter((line) => line.length >= shortestMask && !line.startsWith("-----") && !line.includes(": "));
}

function unusable(problem: string, topic?: Topic): ParsedKey {
  return { kind: "unusable", problem, topic };
}

function normalise(text: string): string {
  return text
    .replace(/^\uFEFF/, "")
    .replaceAll(/\r\n?/g, "\n")
    .split("\n")
    .map((line) => line.trim())
    .join("\n")
    .trim();
}

function decodeBase64(text: string): string | undefined {
  const packed = text.replaceAll(/\s/g, "");
  if (packed.length < 64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return undefined;
  const decoded = Buffer.from(packed, "base64").toString("latin1");
  const known = [/-----BEGIN /, publicKey, ...foreign.map(([pattern]) => pattern)];
  return known.some((pattern) => pattern.test(decoded)) ? decoded : undefined;
}
