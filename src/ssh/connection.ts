import { lookup } from "node:dns/promises";
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { CommandError } from "../domain/errors.js";
import type { Target } from "../domain/target.js";
import { run, type Command, type Finished, type RunOptions } from "../process/run.js";
import { masterCommand, reasonCommand, sessionCommand, type MasterFiles } from "./commands.js";
import { alias, endOfKnownHosts, identityFiles, renderConfiguration, targetFiles, type SshSettings, type TargetFiles } from "./configuration.js";
import { connectError } from "./failure.js";
import { knownHostsLine, parseOfferedKeys, type OfferedKey } from "./host-key.js";
import { askMaster } from "./master-socket.js";

/** What to run on the machine: a command for the user's login shell, and what it reads. */
export type RemoteCommand = Pick<
  RunOptions,
  "stdin" | "feed" | "timeout" | "silence" | "signal" | "onStart" | "onStdout" | "shown" | "onStderr" | "onStderrLine"
> & {
  readonly command: string;
};

/** A connection that another one is to replace. */
export type FormerConnection = {
  readonly run: (command: RemoteCommand) => Promise<Finished>;
  /** Never throws. */
  readonly close: () => Promise<void>;
};

// The host key, the authentication and a jump host come after the TCP connection, which ConnectTimeout alone bounds.
const authenticationSeconds = 20;
const controlMilliseconds = 2000;
// A machine that comes back is noticed soon: the kernel's own tries become rarer and rarer.
const againSeconds = 5;

/**
 * The ssh connection to one target: a master in the background that everything else goes through, Nix included. It is
 * started first because an ssh that Nix itself starts as a master makes `nix flake archive` hang (NixOS/nix#10645).
 */
export class Connection {
  readonly target: Target;
  readonly #name: string;
  readonly #files: TargetFiles;
  readonly #knownHosts: string;
  readonly #key: string;
  readonly #connectTimeout: number;
  readonly #told = new Set<string>();
  #socket: string;
  #server: OfferedKey | undefined;
  #era = 0;

  constructor(target: Target, index: number, directory: string, connectTimeout: number) {
    this.target = target;
    this.#name = alias(target, index);
    this.#files = targetFiles(directory, index);
    this.#knownHosts = identityFiles(directory).knownHosts;
    this.#key = identityFiles(directory).key;
    this.#connectTimeout = connectTimeout;
    this.#socket = this.#files.socket;
  }

  /** The store URL of the machine. User, port and address are in the ssh configuration. */
  get store(): string {
    return `ssh-ng://${this.#name}`;
  }

  /** What Nix needs in its environment to use this connection. The path holds no white space: older Nix splits there. */
  get environment(): Readonly<Record<string, string>> {
    return { NIX_SSHOPTS: `-F ${this.#files.configuration}` };
  }

  /** Another number whenever another master takes over: what was begun before does not go over the present connection. */
  get era(): number {
    return this.#era;
  }

  /** Starts the master, or does nothing where it runs. Throws a `DeployError` of the phase connect. */
  async open(signal: AbortSignal | undefined, connectTimeout = this.#connectTimeout): Promise<void> {
    if (await this.isOpen()) return;
    this.#era += 1;
    // The socket of a master that died would make a new one refuse to listen.
    rmSync(this.#socket, { force: true });
    rmSync(this.#files.offeredKeys, { force: true });
    await this.#connect(masterCommand(this.#current, this.target, connectTimeout), { signal, stderrFile: `${this.#socket}.err` });
  }

  /** Ends the master and starts a new one, so that what follows goes over a fresh TCP connection. Throws as `open`. */
  async reopen(signal: AbortSignal | undefined): Promise<void> {
    await this.close();
    await this.open(signal, Math.min(this.#connectTimeout, againSeconds));
  }

  /** Sets the master aside, so that `reopen` starts another one while this one can still be used. Nix uses neither any more. */
  setAside(): FormerConnection {
    const files = this.#current;
    this.#era += 1;
    this.#server = this.offeredKeys().at(-1);
    rmSync(this.#files.offeredKeys, { force: true });
    this.#socket = files.socket === this.#files.socket ? this.#files.otherSocket : this.#files.socket;
    return {
      run: async ({ command, ...options }) => await run(sessionCommand(files, this.target, command), options),
      close: async () => await this.#end(files),
    };
  }

  /** Returns whether sshd of the machine has answered since a master was set aside: it has offered the key that was trusted before. */
  hasAnswered(): boolean {
    const server = this.#server;
    return server !== undefined && this.offeredKeys().some((key) => knownHostsLine(key) === knownHostsLine(server));
  }

  /** Returns whether the master runs; only the local socket is queried. */
  async isOpen(): Promise<boolean> {
    return existsSync(this.#socket) && (await askMaster(this.#socket, "check", controlMilliseconds));
  }

  /** Runs a command on the machine through the master. Throws a `CommandError`; exit code 255 may be ssh's own. */
  async run({ command, ...options }: RemoteCommand): Promise<Finished> {
    return await run(sessionCommand(this.#current, this.target, command), options);
  }

  /** Ends the master, if there is one. Never throws. */
  async close(): Promise<void> {
    this.#era += 1;
    await this.#end(this.#current);
  }

  async #end({ socket }: MasterFiles): Promise<void> {
    if (!existsSync(socket)) return;
    // Without an answer, nothing can use it any more.
    await askMaster(socket, "exit", controlMilliseconds);
    // A master that ends removes it a moment later.
    rmSync(socket, { force: true });
  }

  get #current(): MasterFiles {
    const { configuration, socket } = this.#files;
    return { configuration, socket: this.#socket, configured: this.#socket === socket };
  }

  /** The host keys that were offered since the master was started, that of the last server at the end. */
  offeredKeys(): OfferedKey[] {
    return existsSync(this.#files.offeredKeys) ? parseOfferedKeys(readFileSync(this.#files.offeredKeys, "utf8")) : [];
  }

  /** The host keys that ssh has accepted on the way to the target although they were unknown, each returned once. */
  acceptedKeys(): OfferedKey[] {
    const added = new Set(readFileSync(this.#knownHosts, "utf8").split(`${endOfKnownHosts}\n`).at(-1)?.split("\n"));
    return this.offeredKeys().filter((key) => {
      const line = knownHostsLine(key);
      if (!added.has(line) || this.#told.has(line)) return false;
      this.#told.add(line);
      return true;
    });
  }

  // A master says nothing of its jump hosts: with ControlPersist, ssh sends their errors to /dev/null (ssh_proxy_connect).
  async #reason({ signal }: RunOptions): Promise<string> {
    try {
      await run(reasonCommand(this.#files, this.target), { signal, timeout: this.#connectTimeout + authenticationSeconds });
    } catch (error) {
      if (error instanceof CommandError && error.failure.kind !== "aborted") return error.stderr;
      throw error;
    }
    return "";
  }

  async #connect(command: Command, options: RunOptions): Promise<void> {
    try {
      await run(command, { ...options, timeout: this.#connectTimeout + authenticationSeconds });
    } catch (error) {
      if (!(error instanceof CommandError) || error.failure.kind === "aborted") throw error;
      const timedOut = error.failure.kind === "timeout";
      const stderr = error.stderr.trim() === "" && !timedOut ? await this.#reason(options) : error.stderr;
      const githubHosted = process.env["RUNNER_ENVIRONMENT"] === "github-hosted";
      const addresses = githubHosted ? await addressesOf(this.target.host) : [];
      throw connectError({
        target: this.target,
        stderr,
        timedOut,
        offered: this.offeredKeys(),
        withKey: existsSync(this.#key),
        githubHosted,
        addresses,
        cause: error,
      });
    }
  }
}

/** Writes one ssh configuration per target into the private directory of a run. Returns the connections that use them, in the order of the targets. */
export function connectionsTo(targets: readonly Target[], directory: string, settings: SshSettings): Connection[] {
  return targets.map((target, index) => {
    writeFileSync(targetFiles(directory, index).configuration, renderConfiguration(target, index, directory, settings), { mode: 0o600 });
    return new Connection(target, index, directory, settings.connectTimeout);
  });
}

async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}

/** Ends every ssh master whose socket is left in the private directory of a run. Never throws for one that is gone already. */
export async function endMasters(directory: string): Promise<void> {
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const sockets = readdirSync(directory).filter((name) => /^\d+\.[st]$/.test(name));
  await Promise.all(sockets.map(async (name) => await askMaster(join(directory, name), "exit", controlMilliseconds)));
}
