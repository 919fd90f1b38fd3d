import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";

import { checkout } from "./checkout.js";
import { check, type CommandResult, until } from "./command.js";
import { Container } from "./container.js";
import { keepRoot, mountDisk, mountSmallNix, resetRoot } from "./disk.js";
import { switchProgram } from "./flake.js";
import { leastRights, writeMachineFiles } from "./machine-files.js";
import type { Network } from "./network.js";
import { type NixStandIn, putNix } from "./nix.js";
import type { Suite } from "./root-file-system.js";
import { createSshKey, type SshKey } from "./ssh-key.js";

/** What a machine is like. */
export type MachineSpec = {
  readonly name: string;
  /** Default: `forky`. */
  readonly suite?: Suite;
  /** A stand-in in place of the suite's own Nix, for `nix`; `nix-daemon`, `nix-store` and the like stay. */
  readonly nix?: NixStandIn;
  /** Which implementation of nixos-rebuild it has. Default: `ng`. */
  readonly rebuild?: "bash" | "ng" | "none";
  /** Default: 22. */
  readonly sshPort?: number;
  /** Rights of the user `deploy`, as sudoers lines. Default: the rule of docs/how-it-works.md, and nothing more. */
  readonly sudoers?: string;
  /** Size of `/nix` in MiB, so that it can be full. Default: as large as memory. */
  readonly nixSize?: number;
  /** Size of the whole disk in MiB, `/nix` and `/boot` included, so that it can be full. */
  readonly rootSize?: number;
  /** Whether its root file system is in memory: after a restart only `/nix` and `/boot` are what they were. */
  readonly rootInMemory?: boolean;
  /** Whether its first system is in the system profile, as after an installation. Default: false, the first deploy ever. */
  readonly systemProfile?: boolean;
  /** Further lines of nix.conf. */
  readonly nixConf?: string;
  /** MiB of memory that all of the machine may use, its disk included. Default: no limit. */
  readonly memory?: number;
};

/** A generation of the system profile. */
export type Generation = { readonly number: number; readonly path: string; readonly current: boolean };

/** What the rig must tell a machine of its place. */
export type MachinePlace = {
  readonly directory: string;
  readonly group: string;
  /** Unique on this host, of at most 11 characters; the name of its port on the bridge is `vb-` and this. */
  readonly id: string;
  readonly host: number;
  readonly network: Network;
  readonly rootFileSystem: string;
  readonly authorizedKeys: string;
};

/** A booted machine: its own systemd, sshd, Nix, disk and addresses. */
export class Machine {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly sshPort: number;
  /** Directory of this host where the machine's disk is seen. */
  readonly root: string;
  /** Port on the bridge. */
  readonly port: string;

  readonly #spec: MachineSpec;
  readonly #place: MachinePlace;
  #container: Container | undefined;
  #hostKey: SshKey;
  #logStart = 0;

  private constructor(spec: MachineSpec, place: MachinePlace, root: string, hostKey: SshKey) {
    this.#spec = spec;
    this.#place = place;
    this.#hostKey = hostKey;
    this.name = spec.name;
    this.root = root;
    this.sshPort = spec.sshPort ?? 22;
    this.port = `vb-${place.id}`;
    ({ ipv4: this.ipv4, ipv6: this.ipv6 } = place.network.address(place.host));
  }

  /** Makes the machine's disk; it does not boot yet. */
  static async create(spec: MachineSpec, place: MachinePlace): Promise<Machine> {
    mkdirSync(place.directory, { recursive: true });
    const [root, hostKey] = await Promise.all([
      mountDisk(place.rootFileSystem, place.directory, spec.rootSize),
      createSshKey({ comment: `root@${spec.name}` }),
    ]);
    if (spec.nix !== undefined) putNix(root, spec.nix, spec.suite);
    if (spec.nixSize !== undefined) await mountSmallNix(root, spec.nixSize);
    const machine = new Machine(spec, place, root, hostKey);
    writeMachineFiles(root, {
      name: spec.name,
      addresses: { ipv4: machine.ipv4, ipv6: machine.ipv6 },
      rebuild: spec.rebuild ?? "ng",
      sshPort: machine.sshPort,
      authorizedKeys: place.authorizedKeys,
      hostKey,
      sudoers: spec.sudoers ?? leastRights,
      nixConf: spec.nixConf ?? "",
      penalties: spec.suite !== "bookworm",
    });
    if (spec.rootInMemory === true) await keepRoot(place.directory);
    return machine;
  }

  get running(): boolean {
    return this.#container?.running ?? false;
  }

  /** What the machine's console has shown since it was made. */
  get console(): string {
    return readFileSync(this.#consoleFile, "utf8");
  }

  get #consoleFile(): string {
    return path.join(this.#place.directory, "console");
  }

  /**
   * Boots the machine from its disk and waits until sshd listens and the network is up. Without `wait` it returns as soon as
   * the machine runs: a system that breaks the network would never be waited out.
   */
  async boot(options: { readonly wait?: boolean } = {}): Promise<void> {
    if (this.running) throw new Error(`${this.name} runs already`);
    await this.#place.network.removePort(this.port);
    if (this.#spec.rootInMemory === true && this.#container !== undefined) await resetRoot(this.#place.rootFileSystem, this.#place.directory);
    const args = [
      "-D",
      this.root,
      "--boot",
      `--network-bridge=${this.#place.network.bridge}`,
      `--machine=${this.#place.id}`,
      "--register=no",
      "--keep-unit",
      "--console=passive",
      "--kill-signal=SIGRTMIN+3",
    ];
    this.#container = await Container.start(args, this.#place.group, this.#consoleFile, this.#spec.memory);
    if (options.wait === false) return;
    await until(`${this.name} to boot`, 60, async () => (await this.exec("systemctl is-system-running")).stdout.trim().match(/^(running|degraded)$/) !== null);
    await until(`sshd of ${this.name}`, 20, async () => (await this.exec(`ss -Hltn sport = :${this.sshPort}`)).stdout !== "");
    await until(`the network of ${this.name}`, 20, async () => await this.answers());
    this.forgetHandshakes();
  }

  /** Installs the first system, as an installer does: it runs and boots, and is in the profile where the spec says so. */
  async install(): Promise<void> {
    const { code, stderr } = await this.exec(
      `set -e
      dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
      cat > nixos.tar; tar xf nixos.tar
      system=$(nix-build --no-out-link -E '((import ./nixos/system.nix {}) { hostName = "${this.name}"; text = "as installed"; switchProgram = "${switchProgram()}"; }).config.system.build.toplevel')
      [ "${this.#spec.systemProfile === true ? 1 : ""}" = "" ] || nix-env -p /nix/var/nix/profiles/system --set "$system"
      mkdir -p /boot; echo "$system" > /boot/default
      /usr/local/lib/boot-system`,
      { stdin: await nixosArchive() },
    );
    if (code !== 0) throw new Error(`the first system of ${this.name} could not be installed: ${stderr}`);
  }

  /** Runs a shell script on the machine as root, not through ssh, whatever its exit code. */
  async exec(script: string, options: { readonly stdin?: string; readonly timeout?: number } = {}): Promise<CommandResult> {
    if (this.#container === undefined) throw new Error(`${this.name} has not booted`);
    return await this.#container.execute(script, options);
  }

  /** Runs a shell script as `exec` does and returns what it prints. Throws unless it exits with 0. */
  async output(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.exec(script);
    if (code !== 0) throw new Error(`on ${this.name}, ${script} exited with ${code}: ${stderr}`);
    return stdout.trim();
  }

  /** Whether the network answers, by a refused connection to a port where nobody listens. sshd does not notice. */
  async answers(address = this.ipv4, milliseconds = 300): Promise<boolean> {
    return await new Promise((resolve) => {
      const socket = connect({ host: address, port: 1, timeout: milliseconds });
      const end = (answer: boolean): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.on("error", (error: NodeJS.ErrnoException) => end(error.code === "ECONNREFUSED"));
      socket.on("timeout", () => end(false));
      socket.on("connect", () => end(true));
    });
  }

  /** Toplevel of the running system. */
  async currentSystem(): Promise<string> {
    return await this.output("readlink -f /run/current-system");
  }

  /** Toplevel that was booted. */
  async bootedSystem(): Promise<string> {
    return await this.output("readlink -f /run/booted-system");
  }

  /** Toplevel of the boot loader's default entry. */
  async bootEntry(): Promise<string> {
    return await this.output("cat /boot/default");
  }

  /** Toplevel of the system profile, or nothing before the first deploy. */
  async systemProfile(): Promise<string | undefined> {
    return (await this.output("if [ -e /nix/var/nix/profiles/system ]; then readlink -f /nix/var/nix/profiles/system; fi")) || undefined;
  }

  async generations(): Promise<Generation[]> {
    const text = await this.output(
      'cd /nix/var/nix/profiles; for l in system-*-link; do if [ -L "$l" ]; then echo "$l $(readlink "$l") $(readlink system)"; fi; done',
    );
    const generations = text.split("\n").flatMap((line) => {
      const [link = "", target = "", current] = line.split(" ");
      const number = Number(/^system-(\d+)-link$/.exec(link)?.[1]);
      return Number.isNaN(number) ? [] : [{ number, path: target, current: link === current }];
    });
    return generations.toSorted((one, other) => one.number - other.number);
  }

  /** Bytes that the machine has received over the network since it booted. */
  receivedBytes(): number {
    return Number(readFileSync(`/sys/class/net/${this.port}/statistics/tx_bytes`, "utf8"));
  }

  /** What sshd has logged since the machine booted or `forgetHandshakes`: TCP connections and accepted keys. */
  handshakes(): { readonly connections: number; readonly accepted: number; readonly lines: readonly string[] } {
    const lines = this.#sshLog().slice(this.#logStart).split("\n");
    const count = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
    return { connections: count(/^Connection from /), accepted: count(/^Accepted publickey /), lines };
  }

  forgetHandshakes(): void {
    this.#logStart = this.#sshLog().length;
  }

  #sshLog(): string {
    const file = path.join(this.root, "var/log/sshd.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** What a run of the action has left on the machine: files, roots, units and processes with its name. */
  async leftovers(): Promise<string[]> {
    const text = await this.output(
      `find /run /tmp /var/tmp /nix/var/nix/gcroots /etc/systemd /var/lib /root /home -xdev -name '*nix-flake-deploy*' 2>/dev/null
      find /run/user -name '*nix-flake-deploy*' 2>/dev/null
      systemctl list-units --all --plain --no-legend --no-pager 'nix-flake-deploy*' | cut -d ' ' -f 1
      systemctl list-timers --all --plain --no-legend --no-pager 'nix-flake-deploy*'
      for p in /proc/[0-9]*; do if [ "$p" != "/proc/$$" ]; then tr '\\0' ' ' < "$p/cmdline" 2>/dev/null | grep -F nix-flake-deploy | grep -vF 'find /run'; fi; done; true`,
    );
    return [...new Set(text.split("\n").filter((line) => line.trim() !== ""))].toSorted();
  }

  /** Loses its power: nothing is stopped, nothing is written. */
  async crash(): Promise<void> {
    await this.#container?.kill();
  }

  /** Shuts down in order. */
  async powerOff(): Promise<void> {
    if (!this.running || this.#container === undefined) return;
    await this.#container.powerOff();
  }

  /** Takes the machine off the network. */
  async cutOff(): Promise<void> {
    await this.#place.network.cut(this.port);
  }

  /** Puts it on the network again, and waits a little until it answers, if it still can. */
  async restore(): Promise<void> {
    await this.#place.network.restore(this.port);
    await until("an answer", 3, async () => await this.answers()).catch(() => {});
  }

  /** Limits what the machine receives, in kilobits a second; without a rate, lifts the limit. */
  async limit(kilobits?: number): Promise<void> {
    await this.#place.network.limit(this.port, kilobits);
  }

  /** Lines of known_hosts: its name and both addresses. */
  hostKeyLine(): string {
    const [type, key] = this.#hostKey.public.split(" ");
    const hosts = [this.name, this.ipv4, this.ipv6].map((host) => (this.sshPort === 22 ? host : `[${host}]:${this.sshPort}`));
    return `${hosts.join(",")} ${type} ${key}\n`;
  }

  /** Gives the machine another host key, as a reinstallation does. Returns the former line of known_hosts. */
  async replaceHostKey(): Promise<string> {
    const former = this.hostKeyLine();
    this.#hostKey = await createSshKey({ comment: `root@${this.name}` });
    const file = path.join(this.root, "etc/ssh/ssh_host_ed25519_key");
    writeFileSync(file, this.#hostKey.secret);
    chmodSync(file, 0o600);
    writeFileSync(`${file}.pub`, this.#hostKey.public);
    if (this.running) await this.output("systemctl restart ssh");
    return former;
  }

  /** Lets one more key in, for root and every other user. */
  authorize(publicKey: string): void {
    for (const home of ["root", "home/deploy", "home/nosudo", "home/pwsudo"]) {
      appendFileSync(path.join(this.root, home, ".ssh/authorized_keys"), publicKey);
    }
  }

  /** Replaces the rights of the user `deploy`. */
  setSudoers(text: string): void {
    const file = path.join(this.root, "etc/sudoers.d/deploy");
    writeFileSync(file, text);
    chmodSync(file, 0o440);
  }
}

async function nixosArchive(): Promise<string> {
  return await check("tar", ["c", "-C", path.join(checkout, "examples/flake"), "nixos"]);
}
