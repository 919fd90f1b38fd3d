import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import path from "node:path";

import { limitMemory } from "./memory-limit.js";
import { type CommandResult, environment as hostEnvironment, execute, until } from "./command.js";

export const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** By its path: the PATH of the program to run is not this host's. */
export const nsenter = "/usr/bin/nsenter";

/** A running systemd-nspawn, in a control group of its own. */
export class Container {
  readonly #nspawn: ChildProcess;
  readonly #console: string;
  #leader: number | undefined;

  private constructor(nspawn: ChildProcess, console: string) {
    this.#nspawn = nspawn;
    this.#console = console;
  }

  /** Starts systemd-nspawn with these arguments and waits for the first process inside. `memory`: MiB that all of it may use. */
  static async start(args: readonly string[], group: string, console: string, memory?: number): Promise<Container> {
    // Two machines in one control group would take each other's services for their own.
    mkdirSync(group, { recursive: true });
    const groups = memory === undefined ? [group] : [group, limitMemory(group, memory)];
    const output = openSync(console, "a");
    const nspawn = spawn(
      "/bin/sh",
      ["-c", `for group in ${groups.join(" ")}; do echo $$ > "$group/cgroup.procs"; done; exec systemd-nspawn "$@"`, "sh", ...args],
      {
        env: { ...hostEnvironment(), SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
        stdio: ["ignore", output, output],
        detached: true,
      },
    );
    closeSync(output);
    nspawn.unref();
    const container = new Container(nspawn, console);
    await until(`systemd-nspawn to start (see ${console})`, 20, () => container.#findLeader());
    return container;
  }

  get running(): boolean {
    return this.#nspawn.exitCode === null && this.#nspawn.signalCode === null;
  }

  /** Number of the first process inside, as this host counts. */
  get leader(): number {
    if (this.#leader === undefined || !this.running) throw new Error("the machine does not run");
    return this.#leader;
  }

  /** What the console has shown. */
  get console(): string {
    return readFileSync(this.#console, "utf8");
  }

  /** Arguments of nsenter that run a program inside. */
  enter(program: readonly string[]): string[] {
    return ["-t", String(this.leader), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--", ...program];
  }

  /** Runs a shell script inside as root, whatever its exit code. */
  async execute(script: string, options: { readonly stdin?: string; readonly timeout?: number } = {}): Promise<CommandResult> {
    const env = { PATH: searchPath, HOME: "/root", USER: "root", LANG: "C.UTF-8" };
    return await execute(nsenter, this.enter(["/bin/sh", "-c", script]), { ...options, env });
  }

  /** Ends everything inside at once, as a loss of power does. */
  async kill(): Promise<void> {
    if (!this.running) return;
    process.kill(this.leader, "SIGKILL");
    await this.ended(20);
  }

  /** Asks the systemd inside to shut down, and waits for it. */
  async powerOff(): Promise<void> {
    // SIGRTMIN+4, which Node cannot send: poweroff.target (systemd(1), SIGNALS).
    await execute("/bin/sh", ["-c", `kill -38 ${this.leader}`]);
    await this.ended(60);
  }

  async ended(seconds: number): Promise<void> {
    await until("systemd-nspawn to end", seconds, () => !this.running);
  }

  #findLeader(): boolean {
    const pid = this.#nspawn.pid;
    if (!this.running || pid === undefined) throw new Error(`systemd-nspawn ended:\n${this.console}`);
    const [child] = children(pid);
    // nspawn's own children before the machine's init carry its name.
    if (child === undefined || nameOf(child).includes("nspawn")) return false;
    this.#leader = child;
    return true;
  }
}

/** Numbers of the processes that a process has started. */
export function children(pid: number): number[] {
  try {
    return readFileSync(path.join("/proc", String(pid), "task", String(pid), "children"), "utf8")
      .split(" ")
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "nspawn";
  }
}
