import { spawn } from "node:child_process";

export type CommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type CommandOptions = {
  readonly stdin?: string | undefined;
  readonly cwd?: string | undefined;
  /** The whole environment. Default: that of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Seconds after which the command is killed. Default: 120. */
  readonly timeout?: number | undefined;
};

/** Runs a program and waits for it, whatever its exit code; 128 and the signal's number when a signal ended it. */
export async function execute(program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? environment(),
      stdio: ["pipe", "pipe", "pipe"],
      timeout: (options.timeout ?? 120) * 1000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => {});
    child.stdin.end(options.stdin ?? "");
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? (signal === "SIGKILL" ? 137 : 143), stdout, stderr }));
  });
}

/** Runs a program and returns its standard output. Throws with the end of its output unless it exits with 0. */
export async function check(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await execute(program, args, options);
  if (result.code !== 0) {
    const lines = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-20).join("\n");
    throw new Error(`${program} ${args.join(" ")} exited with ${result.code}:\n${lines}`);
  }
  return result.stdout;
}

/** Waits until a condition holds, asking every 40 ms. Throws with what was waited for after so many seconds. */
export async function until(what: string, seconds: number, condition: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** The environment of this process, where every variable has a value. */
export function environment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
