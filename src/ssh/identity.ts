import { chmodSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

import { CommandError, RunnerError } from "../domain/errors.js";
import { installSteps } from "../domain/install-steps.js";
import { lastLines } from "../domain/lines.js";
import type { Topic } from "../domain/topic.js";
import { run } from "../process/run.js";
import { endOfKnownHosts, identityFiles } from "./configuration.js";
import { ed25519PublicKey, readOpensshKey } from "./openssh-key.js";

const prefix = "nix-flake-deploy-";
// mkdtemp adds six characters. A socket's path may have 107 bytes, of which ssh wants 17 for the name it listens under at
// first, and "/9999.s" is ours.
const longestParent = 107 - 17 - "/9999.s".length - prefix.length - 6 - 1;

/**
 * Makes the private directory (mode 700) of a run below `RUNNER_TEMP`, and nothing in it. Where that path is too long for a
 * socket or holds what ssh and Nix would split or expand, it is made below the system's directory for temporary files.
 */
export function makeIdentityDirectory(runnerTemp: string | undefined): string {
  const usable = runnerTemp !== undefined && Buffer.byteLength(runnerTemp) <= longestParent && /^\/[\w/.@+,:=-]*$/.test(runnerTemp);
  return mkdtempSync(join(usable ? runnerTemp : tmpdir(), prefix));
}

/** What is written into the private directory. */
export type Identity = {
  /** A private key that `parseKey` has accepted; `undefined` where ssh authenticates without one. */
  readonly key: string | undefined;
  /** The user certificate for it, one line. */
  readonly certificate?: string | undefined;
  readonly passphrase: string | undefined;
  readonly knownHosts: string;
};

/** Writes key and known hosts; an encrypted key is decrypted in place. */
export async function writeIdentity(directory: string, identity: Identity): Promise<KeyCheck> {
  const files = identityFiles(directory);
  const write = (path: string, text: string): void => {
    writeFileSync(path, text, { mode: 0o600 });
  };
  write(files.knownHosts, `${identity.knownHosts.trimEnd()}\n${endOfKnownHosts}\n`);
  write(files.recorder, readFileSync(new URL("./record-host-key.sh", import.meta.url), "utf8"));
  if (identity.key === undefined) return { kind: "none" };
  if (identity.certificate !== undefined) write(files.certificate, `${identity.certificate}\n`);
  write(files.key, identity.key);
  if (identity.passphrase !== undefined) {
    const problem = await decrypt(directory, files.key, identity.passphrase);
    if (problem !== undefined) return { kind: "unusable", problem, topic: "ssh-key-encrypted" };
  }
  const publicKey = publicKeyOf(writtenKey(directory));
  return publicKey === undefined ? await askForPublicKey(files.key) : { kind: "key", publicKey };
}

/** The key as ssh reads it: after `writeIdentity`, the decrypted one. */
export function writtenKey(directory: string): string {
  return readFileSync(identityFiles(directory).key, "utf8");
}

/** The public key, or why the key cannot be used; or no key. */
export type KeyCheck =
  | { readonly kind: "none" }
  | { readonly kind: "key"; readonly publicKey: string }
  | { readonly kind: "unusable"; readonly problem: string; readonly topic: Topic };

// Of the most common kind of key, without the time that a program takes.
function publicKeyOf(key: string): string | undefined {
  const body = /^-----BEGIN OPENSSH PRIVATE KEY-----\n([^-]*)-----END/.exec(key)?.[1];
  const parts = body === undefined ? undefined : readOpensshKey(body);
  return parts && ed25519PublicKey(parts);
}

async function askForPublicKey(path: string): Promise<KeyCheck> {
  try {
    const { stdout } = await run({ file: "ssh-keygen", args: ["-y", "-P", "", "-f", path] }, { timeout: 20 });
    return { kind: "key", publicKey: stdout.trim() };
  } catch (error) {
    throwIfMissing(error);
    if (!(error instanceof CommandError)) throw error;
    return { kind: "unusable", problem: `is damaged: ssh-keygen cannot read it (${lastLine(error.stderr, path)})`, topic: "ssh-key-damaged" };
  }
}

// ssh-keygen asks a program for the old passphrase, which hands on its standard input: on a command line or in an environment,
// others could see it.
async function decrypt(directory: string, path: string, passphrase: string): Promise<string | undefined> {
  const askpass = join(directory, "askpass.sh");
  writeFileSync(askpass, "#!/bin/sh\nexec cat\n", { mode: 0o700 });
  chmodSync(askpass, 0o700);
  const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
  try {
    await run({ file: "ssh-keygen", args: ["-q", "-p", "-N", "", "-f", path] }, { env, stdin: `${passphrase}\n`, timeout: 60 });
    return undefined;
  } catch (error) {
    throwIfMissing(error);
    if (!(error instanceof CommandError)) throw error;
    if (/ssh_askpass: exec\(.*\): Permission denied/.test(error.stderr)) {
      throw new RunnerError(
        `decrypting ssh-key needs a temporary directory in which programs can be run, but running one in ${dirname(directory)} was denied (is it mounted noexec?). Use a key without a passphrase, or set RUNNER_TEMP to another directory`,
        { cause: error, topic: "ssh-key-encrypted" },
      );
    }
    if (/incorrect passphrase/i.test(error.stderr)) return "is encrypted, and ssh-key-passphrase does not match";
    return `cannot be decrypted (${lastLine(error.stderr, path)})`;
  } finally {
    rmSync(askpass, { force: true });
  }
}

function throwIfMissing(error: unknown): void {
  if (error instanceof CommandError && error.failure.kind === "spawn") {
    throw new RunnerError(`ssh-keygen was not found on this runner. Install the OpenSSH client before this step, for example: ${installSteps["ssh-keygen"]}`, {
      cause: error,
      topic: "programs-missing",
    });
  }
}

function lastLine(stderr: string, path: string): string {
  return (lastLines(stderr, 1)[0] ?? "").trim().replaceAll(path, "key");
}

/**
 * Removes the private directory of a run, and does nothing where it is gone. Throws an `Error` and removes nothing when the
 * path is not a directory that this action has made: another name, a link, or another owner.
 */
export function removeIdentityDirectory(path: string): void {
  if (!/^nix-flake-deploy-[A-Za-z0-9]{6}$/.test(basename(path)) || path !== resolve(path)) {
    throw new Error(`refusing to remove ${JSON.stringify(path)}: it was not created by this action`);
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`refusing to remove ${JSON.stringify(path)}: it is a link, not a directory, or owned by another user`);
  }
  rmSync(path, { recursive: true, force: true });
}
