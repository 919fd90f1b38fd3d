import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { parseKey, secretLines } from "../../../src/ssh/key.js";
import { temporaryDirectory } from "../temporary.js";
import { makeKey } from "./keys.js";

const directory = temporaryDirectory();
const ed25519 = makeKey();
const encrypted = makeKey({ passphrase: "secret" });
const rsaPem = makeKey({ type: "rsa", form: "PEM" });

/** The public half that the real ssh-keygen derives from what was read. */
function publicHalf(pasted: string): string {
  const reading = parseKey(pasted);
  if (reading.kind !== "key") throw new Error(reading.problem);
  const file = join(directory, "key");
  writeFileSync(file, reading.text, { mode: 0o600 });
  return execFileSync("ssh-keygen", ["-y", "-P", "", "-f", file], { encoding: "utf8" }).split(" ").slice(0, 2).join(" ").trim();
}

function halves(text: string): string {
  return text.split(" ").slice(0, 2).join(" ").trim();
}

describe("a key that ssh reads afterwards", () => {
  test.each([
    ["ed25519", ed25519],
    ["rsa", makeKey({ type: "rsa" })],
    ["ecdsa", makeKey({ type: "ecdsa" })],
    ["rsa in PEM", rsaPem],
    ["ecdsa in PEM", makeKey({ type: "ecdsa", form: "PEM" })],
    ["rsa in PKCS8", makeKey({ type: "rsa", form: "PKCS8" })],
    ["ecdsa in PKCS8", makeKey({ type: "ecdsa", form: "PKCS8" })],
  ])("is %s", (_, key) => {
    expect(parseKey(key.secret)).toMatchObject({ kind: "key", encrypted: false });
    expect(publicHalf(key.secret)).toBe(halves(key.public));
  });

  test.each<[string, (secret: string) => string]>([
    ["with CRLF", (secret) => secret.replaceAll("\n", "\r\n")],
    ["with CR", (secret) => secret.replaceAll("\n", "\r")],
    ["without its last newline", (secret) => secret.trimEnd()],
    ["with CRLF and without its last newline", (secret) => secret.trimEnd().replaceAll("\n", "\r\n")],
    ["with more empty lines around it", (secret) => `\n\n${secret}\n\n`],
    ["indented, as in a workflow file", (secret) => secret.replaceAll(/^/gm, "    ")],
    ["with a byte order mark", (secret) => `\uFEFF${secret}`],
    ["with a line of its own before", (secret) => `the deploy key\n${secret}`],
    ["as base64 of the file", (secret) => Buffer.from(secret).toString("base64")],
    ["as base64 in lines", (secret) => Buffer.from(secret).toString("base64").replaceAll(/.{76}/g, "$&\n")],
    ["as base64 of the file with CRLF", (secret) => Buffer.from(secret.replaceAll("\n", "\r\n")).toString("base64")],
  ])("comes %s", (_, paste) => {
    for (const key of [ed25519, rsaPem]) expect(publicHalf(paste(key.secret))).toBe(halves(key.public));
  });
});

describe("an encrypted key", () => {
  test.each([
    ["OpenSSH", encrypted],
    ["PEM", makeKey({ type: "rsa", form: "PEM", passphrase: "secret" })],
    ["PKCS8", makeKey({ type: "rsa", form: "PKCS8", passphrase: "secret" })],
  ])("is reported as such in the form of %s", (_, key) => {
    expect(parseKey(key.secret)).toMatchObject({ kind: "key", encrypted: true });
    expect(parseKey(Buffer.from(key.secret).toString("base64"))).toMatchObject({ kind: "key", encrypted: true });
  });
});

describe("a text that is no usable key", () => {
  const lines = ed25519.secret.trimEnd().split("\n");
  const first = lines[0] ?? "";
  const last = lines.at(-1) ?? "";
  const certificate = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29t user";
  const blanks = "has lost its line breaks (replaced by spaces, as after an unquoted `echo $KEY`); store the file unchanged or base64-encoded";
  const ppk = "is a PuTTY key; convert it to an OpenSSH key with `puttygen key.ppk -O private-openssh-new -o key`";
  const publicHalfProblem = "is a public key (a .pub file); set it to the private key";
  const damaged = "is truncated or damaged: its content is incomplete";
  const nothing = "is not a private ssh key: the line -----BEGIN … PRIVATE KEY----- is missing";

  test.each([
    ["an empty text", "", "is empty. A secret that does not exist, or that this event cannot read (a pull request from a fork), is passed as an empty string"],
    [
      "white space",
      " \r\n\t\n",
      "is empty. A secret that does not exist, or that this event cannot read (a pull request from a fork), is passed as an empty string",
    ],
    ["a public key", ed25519.public, publicHalfProblem],
    ["an RSA public key", makeKey({ type: "rsa" }).public, publicHalfProblem],
    ["an ECDSA public key", makeKey({ type: "ecdsa" }).public, publicHalfProblem],
    ["a public key of a token", "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t", publicHalfProblem],
    ["a public key of RFC 4716", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", publicHalfProblem],
    ["a public key in PEM", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", publicHalfProblem],
    [
      "base64 of a public key in PEM",
      Buffer.from(`-----BEGIN PUBLIC KEY-----\n${"MIIB".repeat(20)}\n-----END PUBLIC KEY-----`).toString("base64"),
      publicHalfProblem,
    ],
    ["base64 of a public key", Buffer.from(ed25519.public).toString("base64"), publicHalfProblem],
    ["base64 of a PuTTY key", Buffer.from(`PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n${"AAAA".repeat(20)}`).toString("base64"), ppk],
    ["an ssh certificate", certificate, "is an ssh certificate; set ssh-certificate to the certificate, and ssh-key to its private key"],
    ["a PuTTY key", "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\n", ppk],
    ["a PGP key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ\n-----END PGP PRIVATE KEY BLOCK-----", "is a PGP key, not an ssh key"],
    ["an age key", "AGE-SECRET-KEY-1QQQQ", "is an age key, not an ssh key"],
    ["an X.509 certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "is an X.509 certificate, not a private ssh key"],
    ["a key without its first line", lines.slice(1).join("\n"), "is truncated: its first line (-----BEGIN …-----) is missing"],
    ["a key without its last line", lines.slice(0, -1).join("\n"), "is truncated: its last line (-----END OPENSSH PRIVATE KEY-----) is missing"],
    ["a PEM key without its last line", rsaPem.secret.slice(0, 400), "is truncated: its last line (-----END RSA PRIVATE KEY-----) is missing"],
    ["a key without a line in its middle", [first, ...lines.slice(1, -2), last].join("\n"), damaged],
    ["a key without its first line of content", [first, ...lines.slice(2)].join("\n"), damaged],
    ["a key without content", `${first}\n${last}\n`, damaged],
    ["a key with blanks for newlines", lines.join(" "), blanks],
    ["a PEM key with blanks for newlines", rsaPem.secret.trim().replaceAll("\n", " "), blanks],
    ["a key with \\n for newlines", lines.join(String.raw`\n`), blanks],
    ["some word", "hunter2", nothing],
    ["a path", "~/.ssh/id_ed25519", nothing],
    ["other base64", Buffer.from("x".repeat(100)).toString("base64"), nothing],
  ])("is %s", (_, text, problem) => {
    expect(parseKey(text)).toMatchObject({ kind: "unusable", problem });
  });

  test("is never shown", () => {
    const parts = Array.from({ length: 60 }, (_, index) => ed25519.secret.slice(0, 5 * index));
    const problems = parts.map((part) => parseKey(part)).map((reading) => (reading.kind === "unusable" ? reading.problem : reading.text));
    for (const line of lines.slice(1, -1)) expect(problems.join("\n")).not.toContain(line.slice(0, 8));
  });
});

describe("secretLines", () => {
  test.each([ed25519.secret, encrypted.secret, rsaPem.secret])("are the lines of the body, long enough to mask", (secret) => {
    const body = secret.split("\n").filter((line) => !line.startsWith("-----") && line.length >= 16);
    expect(secretLines(secret)).toEqual(body);
    expect(body.join("").length).toBeGreaterThan(200);
  });

  test("leave out what is no secret", () => {
    expect(secretLines("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nabcd==\n")).toEqual([]);
  });
});
