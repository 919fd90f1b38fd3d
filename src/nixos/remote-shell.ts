import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Writable } from "node:stream";

import { CommandError, type CommandFailure } from "../domain/errors.js";
import { KeptOutput } from "../process/kept-output.js";
import { quote } from "../process/run.js";
import type { Connection } from "../ssh/connection.js";
import { beginSeconds, longestAnswer, scriptSeconds, silentSeconds } from "./script-limits.js";

const scripts = {
  common: new URL("./remote/common.sh", import.meta.url),
  facts: new URL("./remote/facts.sh", import.meta.url),
  prepare: new URL("./remote/prepare.sh", import.meta.url),
  start: new URL("./remote/start.sh", import.meta.url),
  follow: new URL("./remote/follow.sh", import.meta.url),
  finish: new URL("./remote/finish.sh", import.meta.url),
  arm: new URL("./remote/arm.sh", import.meta.url),
  decide: new URL("./remote/decide.sh", import.meta.url),
  health: new URL("./remote/health.sh", import.meta.url),
  difference: new URL("./remote/difference.sh", import.meta.url),
  units: new URL("./remote/units.sh", import.meta.url),
  journal: new URL("./remote/journal.sh", import.meta.url),
  settle: new URL("./remote/settle.sh", import.meta.url),
  specialisation: new URL("./remote/specialisation.sh", import.meta.url),
  system: new URL("./remote/system.sh", import.meta.url),
  missing: new URL("./remote/missing.sh", import.meta.url),
  import: new URL("./remote/import.sh", import.meta.url),
  unpack: new URL("./remote/unpack.sh", import.meta.url),
  place: new URL("./remote/place.sh", import.meta.url),
  daemon: new URL("./remote/daemon.sh", import.meta.url),
  lease: new URL("./remote/lease.sh", import.meta.url),
  job: new URL("./remote/resident/job.sh", import.meta.url),
  switch: new URL("./remote/resident/switch.sh", import.meta.url),
  activate: new URL("./remote/resident/activate.sh", import.meta.url),
  last: new URL("./remote/resident/last.sh", import.meta.url),
  watchdog: new URL("./remote/resident/watchdog.sh", import.meta.url),
  expire: new URL("./remote/resident/expire.sh", import.meta.url),
} as const;

/** The scripts that are left on the machine for the time of the run, and run there without a connection. */
export type ResidentScript = "job" | "watchdog" | "switch" | "activate" | "last" | "expire";

const elevateScript = new URL("./elevate.sh", import.meta.url);

/** The scripts that are called on the machines, each a file of that name in `remote/`. */
export type ScriptName = Exclude<keyof typeof scripts, ResidentScript | "common">;

/** The text of a script that is left on the machine. */
export function residentScript(name: ResidentScript): string {
  return readFileSync(scripts[name], "utf8");
}

/** The text of a script with its arguments, to be left on the machine and run there as `sh FILE`. */
export function residentCall(script: ScriptName, args: readonly string[]): string {
  return [...definition(script, args), 'main "$@"', ""].join("\n");
}

/** A program that makes the scripts root and must not ask; `run0-with-manager` is a run0 that starts no user manager unless it is told to. */
export type PasswordlessProgram = "sudo" | "doas" | "run0" | "run0-with-manager";

/** How scripts become root: not at all, by a program that must not ask, or by sudo, which may ask for the password. */
export type Elevation =
  | { readonly kind: "none" }
  | { readonly kind: "passwordless"; readonly program: PasswordlessProgram }
  | { readonly kind: "password"; readonly password: string };

export type ScriptCall = {
  readonly script: ScriptName;
  readonly args: readonly string[];
  /** As root, elevated where the user is not root. */
  readonly privileged: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Seconds; without it those of `scriptSeconds`. */
  readonly timeout?: number | undefined;
  /** Takes what the script prints as it comes, no faster than the log is read; it is then not in the outcome. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  /** Writes what the script reads. It is called when the script has begun, since a shell may read ahead of it. */
  readonly input?: ((stdin: Writable) => Promise<void>) | undefined;
};

/** How a script ended: normally, or with the connection. `instead` is the output of a machine that did not start the script. */
export type ScriptOutcome =
  | { readonly kind: "ended"; readonly exitCode: number; readonly stdout: string; readonly stderr: string; readonly instead?: string | undefined }
  | { readonly kind: "lost"; readonly stderr: string; readonly cause: CommandError };

/**
 * Runs scripts on one machine. A script comes with its arguments on the standard input of `/bin/sh -s` and is a function that
 * the last lines call with an empty standard input, so that it depends neither on the user's login shell nor on what its
 * children read.
 */
export class RemoteShell {
  readonly #connection: Pick<Connection, "run">;
  readonly #elevation: Elevation;

  constructor(connection: Pick<Connection, "run">, elevation: Elevation) {
    this.#connection = connection;
    this.#elevation = elevation;
  }

  /** The same shell over another connection to the machine. */
  over(connection: Pick<Connection, "run">): RemoteShell {
    return new RemoteShell(connection, this.#elevation);
  }

  /**
   * Runs a script. Throws a `CommandError` when the call was aborted, took too long, was silent for too long or had too long an
   * answer, never for its exit code.
   */
  async run(call: ScriptCall): Promise<ScriptOutcome> {
    const nonce = randomBytes(8).toString("hex");
    const answer = new KeptOutput(longestAnswer);
    const own = new AbortController();
    let limit: CommandFailure | undefined;
    const stop = (failure: CommandFailure): void => {
      // ncc does not find the files of a module that has the operator ??= in it.
      if (limit === undefined) limit = failure;
      own.abort();
    };
    const late = setTimeout(() => stop({ kind: "timeout", seconds: beginSeconds }), beginSeconds * 1000);
    const payload = payloadCutter(`begin ${nonce}`);
    let stdin: Writable | undefined;
    let begun = false;
    let inputFailure: unknown;
    const onStdout = (chunk: Buffer): void => {
      const bytes = payload.push(chunk);
      if (bytes === undefined) return;
      clearTimeout(late);
      if (stdin !== undefined && call.input !== undefined && !begun) {
        begun = true;
        const open = stdin;
        void call.input(open).then(
          () => open.end(),
          (error: unknown) => {
            inputFailure = error;
            open.destroy();
          },
        );
      }
      if (call.onStdout !== undefined) call.onStdout(bytes);
      else {
        answer.push(bytes);
        if (answer.overflowed) stop({ kind: "output", bytes: longestAnswer });
      }
    };
    let stderr: string;
    let failure: CommandError | undefined;
    try {
      const elevation: Elevation = call.privileged ? this.#elevation : { kind: "none" };
      const command = remoteCommand(elevation);
      const reads = call.input !== undefined;
      const text = `${beforeProgram(elevation)}${program(call.script, call.args, nonce, reads)}`;
      const feed = reads ? (input: Writable): void => void (stdin = input) : undefined;
      const timeout = call.timeout ?? (call.script === "follow" ? undefined : scriptSeconds[call.script]);
      const silence = call.script === "follow" ? silentSeconds : undefined;
      const signal = call.signal === undefined ? own.signal : AbortSignal.any([call.signal, own.signal]);
      const shown = call.onStdout !== undefined;
      ({ stderr } = await this.#connection.run({ command, stdin: text, feed, onStdout, shown, signal, timeout, silence }));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (error.failure.kind === "aborted" && limit !== undefined && call.signal?.aborted !== true) throw withFailure(error, limit);
      if (isEnded(error)) throw error;
      failure = error;
      ({ stderr } = error);
    } finally {
      clearTimeout(late);
    }
    if (inputFailure !== undefined) throw inputFailure;
    const end = new RegExp(`^end ${nonce} (\\d{1,3})\\n?`, "m").exec(stderr);
    if (end !== null) return { kind: "ended", exitCode: Number(end[1]), stdout: answer.text(), stderr: stderr.slice(0, end.index) };
    // Without its last line the script did not run to its end: it was not started, or the connection was lost.
    const instead = payload.before();
    if (failure === undefined) return { kind: "ended", exitCode: 1, stdout: "", stderr, instead };
    const exitCode = failure.failure.kind === "exit" ? failure.failure.exitCode : 255;
    if (exitCode !== 255) return { kind: "ended", exitCode, stdout: "", stderr, instead };
    return { kind: "lost", stderr, cause: failure };
  }
}

// Reads a script from standard input up to a line "---" and runs it. `read` takes no byte more, under dash as under bash, so the
// script finds what follows. Without newlines and single quotes inside: the login shell may be fish or csh.
const scriptFirst = String.raw`/bin/sh -c 'eval "$(while IFS= read -r line && [ "$line" != --- ]; do printf "%s\n" "$line"; done)"'`;

const passwordless = {
  sudo: "sudo -n -- /bin/sh -s",
  doas: "doas -n -- /bin/sh -s",
  run0: "run0 --no-ask-password -- /bin/sh -s",
  "run0-with-manager": "run0 --no-ask-password --lightweight=no -- /bin/sh -s",
} as const;

/** The command for the login shell: one fixed line. As root, only `/bin/sh -s` runs, so that a rule can name it. */
export function remoteCommand(elevation: Elevation): string {
  switch (elevation.kind) {
    case "none":
      return "/bin/sh -s";
    case "passwordless":
      return passwordless[elevation.program];
    case "password":
      return scriptFirst;
  }
}

/** What precedes the script on standard input. The shell that becomes root reads none of it: see elevate.sh. */
export function beforeProgram(elevation: Elevation): string {
  return elevation.kind === "password" ? `${readFileSync(elevateScript, "utf8")}---\n${elevation.password}\n` : "";
}

/**
 * The script with its arguments, as `/bin/sh` reads it. With `reads`, it gets the rest of standard input: all of the program is then one
 * command, so that no shell has to read its next line behind that.
 */
export function program(script: ScriptName, args: readonly string[], nonce: string, reads = false): string {
  const call = [`echo 'begin ${nonce}'`, reads ? 'main "$@"' : 'main "$@" </dev/null', "code=$?", `echo "end ${nonce} $code" >&2`, 'exit "$code"'];
  return [...definition(script, args), ...(reads ? [`{ ${call.join("; ")}; }`] : call), ""].join("\n");
}

function definition(script: ScriptName, args: readonly string[]): string[] {
  return [`set -- ${args.map(quote).join(" ")}`, readFileSync(scripts.common, "utf8"), readFileSync(scripts[script], "utf8")];
}

/** Returns whether the action ended the script, so that neither its end nor the state of the connection is known. */
function isEnded({ failure }: CommandError): boolean {
  return failure.kind === "aborted" || failure.kind === "timeout" || failure.kind === "silent" || failure.kind === "output";
}

function withFailure({ command, stdout, stderr, cause }: CommandError, failure: CommandError["failure"]): CommandError {
  return new CommandError({ command, failure, stdout, stderr, cause });
}

// Bytes kept of what comes before the line that begins the script's output.
const keptBefore = 64 * 1024;

// The output of the login shell itself is before the line that begins the script's output. `push` returns nothing until then.
function payloadCutter(begin: string): { push: (chunk: Buffer) => Buffer | undefined; before: () => string | undefined } {
  const marker = Buffer.from(`${begin}\n`);
  const before = new KeptOutput(keptBefore);
  let end = Buffer.alloc(0);
  let begun = false;
  return {
    push: (chunk) => {
      if (begun) return chunk;
      before.push(chunk);
      // The line may come in pieces.
      const searched = Buffer.concat([end, chunk]);
      const position = searched.indexOf(marker);
      if (position === -1) {
        end = searched.subarray(-(marker.length - 1));
        return undefined;
      }
      begun = true;
      return searched.subarray(position + marker.length);
    },
    before: () => (begun ? undefined : before.text()),
  };
}
