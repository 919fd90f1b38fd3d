import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { RunnerError } from "../../../src/domain/errors.js";
import { makeIdentityDirectory, removeIdentityDirectory, writeIdentity, type Identity } from "../../../src/ssh/identity.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { makeKey } from "./keys.js";

const root = temporaryDirectory();
const plain = makeKey();
const passphrase = 'pass phrase $(id) "quoted"';
const encrypted = makeKey({ passphrase });

function makeIdentity(overrides: Partial<Identity> = {}): Identity {
  return {
    key: plain.secret,
    passphrase: undefined,
    knownHosts: "web1 ssh-ed25519 AAAA",
    ...overrides,
  };
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

/** A stand-in for ssh-keygen in front of the PATH that notes its arguments and goes on to the real one. */
async function watched<T>(work: () => Promise<T>): Promise<{ result: T; calls: string }> {
  const bin = join(root, "bin");
  const notes = join(root, "calls");
  mkdirSync(bin, { recursive: true });
  writeFileSync(notes, "");
  writeFileSync(join(bin, "ssh-keygen"), `#!/bin/sh\nprintf '%s\\n' "$0" "$@" >>${notes}\nPATH=\${PATH#${bin}:} exec ssh-keygen "$@"\n`);
  chmodSync(join(bin, "ssh-keygen"), 0o755);
  const path = process.env["PATH"];
  process.env["PATH"] = `${bin}:${path}`;
  try {
    return { result: await work(), calls: readFileSync(notes, "utf8") };
  } finally {
    process.env["PATH"] = path;
  }
}

describe("the directory", () => {
  test("is made below RUNNER_TEMP, for its owner alone", () => {
    const directory = makeIdentityDirectory(root);
    expect(directory).toMatch(new RegExp(`^${root}/nix-flake-deploy-[A-Za-z0-9]{6}$`));
    expect(modeOf(directory)).toBe(0o700);
    removeIdentityDirectory(directory);
  });

  test.each([
    ["holds white space", "a b"],
    ["holds what ssh expands", "a%h"],
    ["is too long for a socket", "x".repeat(90)],
  ])("is made elsewhere where RUNNER_TEMP %s", (_, name) => {
    const unusable = join(root, name);
    mkdirSync(unusable);
    const directory = makeIdentityDirectory(unusable);
    expect(directory.startsWith(join(tmpdir(), "nix-flake-deploy-"))).toBe(true);
    removeIdentityDirectory(directory);
  });

  test("is made elsewhere where there is no RUNNER_TEMP", () => {
    const directory = makeIdentityDirectory(undefined);
    expect(directory.startsWith(join(tmpdir(), "nix-flake-deploy-"))).toBe(true);
    removeIdentityDirectory(directory);
  });
});

describe("what is written into it", () => {
  test("is readable for its owner alone, and ssh takes the key", async () => {
    const directory = makeIdentityDirectory(root);
    expect(await writeIdentity(directory, makeIdentity())).toEqual({ kind: "key", publicKey: plain.public.trim() });
    expect(readdirSync(directory).toSorted()).toEqual(["key", "known_hosts", "record-host-key.sh"]);
    for (const name of readdirSync(directory)) expect([name, modeOf(join(directory, name))]).toEqual([name, 0o600]);
    expect(readFileSync(join(directory, "known_hosts"), "utf8")).toBe("web1 ssh-ed25519 AAAA\n# Accepted in this run:\n");
  });

  test.each([
    ["an Ed25519 key", plain, /^$/],
    ["another key", makeKey({ type: "ecdsa" }), /ssh-keygen\n-y\n/],
  ])("%s is checked", async (_, key, program) => {
    const { result, calls } = await watched(async () => await writeIdentity(makeIdentityDirectory(root), makeIdentity({ key: key.secret })));
    expect(result).toEqual({ kind: "key", publicKey: key.public.trim() });
    expect(calls).toMatch(program);
  });

  test("is no key where ssh authenticates without one, and a certificate beside one", async () => {
    const without = makeIdentityDirectory(root);
    expect(await writeIdentity(without, makeIdentity({ key: undefined }))).toEqual({ kind: "none" });
    expect(readdirSync(without).toSorted()).toEqual(["known_hosts", "record-host-key.sh"]);
    const directory = makeIdentityDirectory(root);
    await writeIdentity(directory, makeIdentity({ certificate: "ssh-ed25519-cert-v01@openssh.com AAAA" }));
    expect(readFileSync(join(directory, "key-cert.pub"), "utf8")).toBe("ssh-ed25519-cert-v01@openssh.com AAAA\n");
  });

  test("an encrypted key is decrypted, its passphrase in no argument and in no file", async () => {
    const directory = makeIdentityDirectory(root);
    const { result, calls } = await watched(async () => await writeIdentity(directory, makeIdentity({ key: encrypted.secret, passphrase })));
    expect(result).toEqual({ kind: "key", publicKey: encrypted.public.trim() });
    expect(calls).toContain("ssh-keygen\n-q\n-p\n");
    expect(calls).not.toContain("pass phrase");
    for (const name of readdirSync(directory)) expect(readFileSync(join(directory, name), "utf8")).not.toContain("pass phrase");
    expect(existsSync(join(directory, "askpass.sh"))).toBe(false);
    expect(modeOf(join(directory, "key"))).toBe(0o600);
  });

  test.each([
    ["PEM", makeKey({ type: "rsa", form: "PEM", passphrase: "x".repeat(200) }), "x".repeat(200)],
    ["PKCS8", makeKey({ type: "rsa", form: "PKCS8", passphrase: "pässword " }), "pässword "],
  ])("an encrypted key in the form of %s is decrypted as well", async (_, key, word) => {
    const check = await writeIdentity(makeIdentityDirectory(root), makeIdentity({ key: key.secret, passphrase: word }));
    expect(check.kind === "key" ? check.publicKey.split(" ")[1] : check).toBe(key.public.split(" ")[1]);
  });

  test("a wrong passphrase is reported", async () => {
    const directory = makeIdentityDirectory(root);
    expect(await writeIdentity(directory, makeIdentity({ key: encrypted.secret, passphrase: "wrong one" }))).toEqual({
      kind: "unusable",
      problem: "is encrypted, and ssh-key-passphrase does not match",
      topic: "ssh-key-encrypted",
    });
    expect(existsSync(join(directory, "askpass.sh"))).toBe(false);
  });

  test("a damaged key is reported, without the path and the key", async () => {
    const pem = makeKey({ type: "rsa", form: "PEM" }).secret;
    const directory = makeIdentityDirectory(root);
    const check = await writeIdentity(directory, makeIdentity({ key: pem.replace(/\n[^\n]+\n-----END/, "\n-----END") }));
    expect(check).toMatchObject({ kind: "unusable" });
    const problem = check.kind === "unusable" ? check.problem : "";
    expect(problem).toMatch(/^is damaged: ssh-keygen cannot read it \(.+\)$/);
    expect(problem).not.toContain(directory);
  });

  test("a damaged key with a passphrase is distinguished from a wrong passphrase", async () => {
    const lines = encrypted.secret.trim().split("\n");
    const key = [...lines.slice(0, 2), ...lines.slice(4)].join("\n");
    const check = await writeIdentity(makeIdentityDirectory(root), makeIdentity({ key: `${key}\n`, passphrase }));
    expect(check.kind === "unusable" ? check.problem : "").toMatch(/^cannot be decrypted \(.+\)$/);
  });

  test("a runner without ssh-keygen is reported with what to install", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = join(root, "nowhere");
    try {
      const error = await rejection(RunnerError, writeIdentity(makeIdentityDirectory(root), makeIdentity({ key: makeKey({ type: "rsa" }).secret })));
      expect(error.message).toMatch(/^ssh-keygen was not found on this runner\. Install the OpenSSH client before this step, for example: - run: /);
    } finally {
      process.env["PATH"] = path;
    }
  });
});

describe("removal", () => {
  test("takes the directory with all that is in it, twice without harm", async () => {
    const directory = makeIdentityDirectory(root);
    await writeIdentity(directory, makeIdentity());
    removeIdentityDirectory(directory);
    expect(existsSync(directory)).toBe(false);
    expect(() => removeIdentityDirectory(directory)).not.toThrow();
  });

  test.each([
    ["", "it was not created by this action"],
    ["/", "it was not created by this action"],
    ["nix-flake-deploy-abcdef", "it was not created by this action"],
    ["/root/.ssh", "it was not created by this action"],
    ["nix-flake-deploy-abcdef/..", "it was not created by this action"],
    ["/tmp/nix-flake-deploy-abcdef/", "it was not created by this action"],
    ["/tmp/../tmp/nix-flake-deploy-abcdef", "it was not created by this action"],
    ["/tmp/nix-flake-deploy-abcdef/key", "it was not created by this action"],
    ["/tmp/nix-flake-deploy-abcdefg", "it was not created by this action"],
    ["/tmp/nix-flake-deploy-abcdef\n", "it was not created by this action"],
  ])("refuses %j", (path, reason) => {
    expect(() => removeIdentityDirectory(path)).toThrow(new Error(`refusing to remove ${JSON.stringify(path)}: ${reason}`));
  });

  test("refuses a link, and leaves what it points to", () => {
    const precious = join(root, "precious");
    mkdirSync(precious);
    writeFileSync(join(precious, "file"), "");
    const link = join(root, "nix-flake-deploy-aaaaaa");
    symlinkSync(precious, link);
    expect(() => removeIdentityDirectory(link)).toThrow("it is a link, not a directory, or owned by another user");
    expect(() => removeIdentityDirectory(`${link}/`)).toThrow("it was not created by this action");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(existsSync(join(precious, "file"))).toBe(true);
  });

  test("refuses a file", () => {
    const file = join(root, "nix-flake-deploy-bbbbbb");
    writeFileSync(file, "");
    expect(() => removeIdentityDirectory(file)).toThrow("it is a link, not a directory, or owned by another user");
    expect(existsSync(file)).toBe(true);
  });
});
