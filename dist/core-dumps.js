const late = (name) => {
  let loaded;
  return new Proxy({}, { get: (_, key) => (loaded ??= process.getBuiltinModule(name))[key] });
};
/******/ // The require scope
/******/ var __nccwpck_require__ = {};
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/************************************************************************/
var __webpack_exports__ = {};

// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  v: () => (/* binding */ preventCoreDumps)
});

;// CONCATENATED MODULE: ./out/src/domain/bytes.js
const units = ["KiB", "MiB", "GiB", "TiB"];
/** A number of bytes, 0 or more, for people: `512 B`, `1.5 KiB`, `16.0 MiB`. */
function renderBytes(bytes) {
    let amount = bytes;
    let shown = "B";
    for (const unit of units) {
        if (amount < 1024)
            break;
        amount /= 1024;
        shown = unit;
    }
    return shown === "B" ? `${amount} B` : `${amount.toFixed(1)} ${shown}`;
}
;// CONCATENATED MODULE: ./out/src/domain/lines.js
/** As many lines of a command's output as an error message shows. */
const shownLines = 20;
/** The last lines of a command's output without blank ones, by default 20. */
function lastLines(text, most = shownLines) {
    return text
        .split(/\r?\n/)
        .filter((line) => line.trim() !== "")
        .slice(-most);
}
;// CONCATENATED MODULE: ./out/src/domain/failure.js

/** A failure of these parts; of the lines, the last 20 are kept. */
function makeFailure(parts) {
    const { phase, reason, hint, outcome, lines = [], exitCode, causes = [], topic } = parts;
    return { phase, reason, hint, outcome, lines: lines.slice(-shownLines), exitCode, causes, topic };
}
/** The sentences of a failure: its reason, what to do next, the state of the machine. */
function failureSentences({ reason, hint, outcome }) {
    return [reason, hint, outcome].filter((sentence) => sentence !== undefined);
}
/** Renders a failure: its sentences in one line, then its lines, indented. */
function renderFailure(failure) {
    return [failureSentences(failure).join(". "), ...renderFailureLines(failure)].join("\n");
}
/** Renders the lines of a failure, indented. */
function renderFailureLines({ lines }) {
    return lines.map((line) => `  ${line}`);
}
;// CONCATENATED MODULE: ./out/src/domain/errors.js


/** All bad inputs of a run in one error. */
class InputError extends Error {
    name = "InputError";
    problems;
    constructor(problems) {
        const heading = problems.length === 1 ? "An input is invalid" : `${problems.length} inputs are invalid`;
        super([
            `${heading}; no host was changed:`,
            ...problems.map(({ input, problem, advice }) => `  ${input}: ${problem}${advice === undefined ? "" : `. ${advice}`}`),
        ].join("\n"));
        this.problems = problems;
    }
}
/** Something that every run needs is missing on the runner. The message says what to add to the workflow. */
class RunnerError extends Error {
    name = "RunnerError";
    topic;
    constructor(message, { topic, ...options }) {
        super(message, options);
        this.topic = topic;
    }
}
/** A command that could not be started, failed, or was terminated. */
class CommandError extends Error {
    name = "CommandError";
    /** The command, ready to paste into a shell. */
    command;
    failure;
    stdout;
    stderr;
    constructor(parts) {
        super(`${describe(parts.failure)}: ${parts.command}`, { cause: parts.cause });
        this.command = parts.command;
        this.failure = parts.failure;
        this.stdout = parts.stdout;
        this.stderr = parts.stderr;
    }
}
/** A flake that does not evaluate on the runner. The message holds Nix's own and the place in the flake, and no command line. */
class EvaluationError extends CommandError {
    /** Nix's message and its place, at most 20 lines. */
    lines;
    constructor(reference, lines, cause) {
        super({ command: `nix eval ${reference}`, failure: cause.failure, stdout: "", stderr: lines.join("\n"), cause });
        this.message = [`The flake ${reference} does not evaluate:`, ...lines.map((line) => `  ${line}`)].join("\n");
        this.lines = lines;
    }
}
/** An answer of a machine that no machine gives that works as it should. The message is one sentence without a full stop. */
class AnswerError extends (/* unused pure expression or super */ null && (Error)) {
    name = "AnswerError";
}
/** The flake of a run could not be fetched, so that no machine can be deployed. The message is one sentence without a full stop. */
class NoFlakeError extends (/* unused pure expression or super */ null && (Error)) {
    name = "NoFlakeError";
}
/** The entries of docs/troubleshooting.md about what ended a run, each once. */
function topicsOf(problem) {
    if (problem instanceof InputError)
        return [...new Set(problem.problems.flatMap(({ topic }) => topic ?? []))];
    if (problem instanceof RunnerError)
        return [problem.topic];
    return problem instanceof EvaluationError ? ["evaluation-failed"] : [];
}
/** The message of anything thrown, also of an error of another realm. */
function messageOf(error) {
    return typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error);
}
/** What ended a run, in one line without a full stop at the end. */
function briefReason(problem) {
    if (problem instanceof InputError)
        return problem.problems.map((bad) => `${bad.input}: ${bad.problem}`).join("; ");
    if (problem instanceof EvaluationError)
        return (problem.lines[0] ?? "the flake does not evaluate").replace(/^error: /, "the flake does not evaluate: ");
    if (problem instanceof CommandError)
        return (problem.stderr
            .split("\n")
            .findLast((line) => /^\s*error: \S/.test(line))
            ?.trim() ?? problem.message.slice(0, 200));
    return messageOf(problem).split("\n")[0] ?? "";
}
function describe(failure) {
    switch (failure.kind) {
        case "exit":
            return `exit code ${failure.exitCode}`;
        case "signal":
            return `terminated by ${failure.signal}`;
        case "timeout":
            return `timed out after ${failure.seconds} s`;
        case "silent":
            return `no output for ${failure.seconds} s`;
        case "output":
            return `printed more than ${renderBytes(failure.bytes)}`;
        case "aborted":
            return "aborted";
        case "spawn":
            return failure.code === "ENOENT" ? "command not found" : `could not be started (${failure.code})`;
    }
}
/** A failure of one host, thrown; its message is the reason alone. */
class DeployError extends Error {
    name = "DeployError";
    failure;
    unreachable;
    constructor({ unreachable, cause, ...parts }) {
        super(parts.reason, { cause });
        this.failure = makeFailure(parts);
        this.unreachable = unreachable ?? false;
    }
    get phase() {
        return this.failure.phase;
    }
    get reason() {
        return this.failure.reason;
    }
    get hint() {
        return this.failure.hint;
    }
    get lines() {
        return this.failure.lines;
    }
    get exitCode() {
        return this.failure.exitCode;
    }
}
;// CONCATENATED MODULE: external "node:child_process"
const external_node_child_process_namespaceObject = late("node:child_process");
;// CONCATENATED MODULE: external "node:fs"
const external_node_fs_namespaceObject = late("node:fs");
;// CONCATENATED MODULE: ./out/src/process/environment.js
// What the runner gives to the action alone: the inputs (the key among them), what the main step leaves for the post step, tokens
// for the runner's own services, and the files by which a step sets outputs and the environment of later steps.
const withheld = /^(?:INPUT_|STATE_|ACTIONS_)|^GITHUB_(?:OUTPUT|STATE|ENV|PATH|STEP_SUMMARY)$/i;
/** Removes from an environment what child processes must not see. */
function childEnvironment(environment) {
    const kept = {};
    for (const [name, value] of Object.entries(environment))
        if (value !== undefined && !withheld.test(name))
            kept[name] = value;
    return kept;
}
;// CONCATENATED MODULE: ./out/src/process/kept-output.js
/** What is kept of an output: all of it, or its end once it is longer than the limit. */
class KeptOutput {
    #limit;
    #bytes = Buffer.alloc(0);
    #length = 0;
    #overflowed = false;
    /** `limit` is in bytes; at most twice as many are in memory. */
    constructor(limit) {
        this.#limit = limit;
    }
    /** Something of the beginning is missing. */
    get overflowed() {
        return this.#overflowed;
    }
    // One growing buffer and not a list of chunks: output in very small pieces would take many times its size.
    push(chunk) {
        const end = chunk.length > this.#limit ? chunk.subarray(-this.#limit) : chunk;
        if (end !== chunk || this.#length + end.length > 2 * this.#limit)
            this.#keepEnd(Math.max(0, this.#limit - end.length));
        if (this.#length + end.length > this.#bytes.length) {
            const grown = Buffer.allocUnsafe(Math.min(2 * this.#limit, 4096 + 2 * (this.#length + end.length)));
            this.#bytes.copy(grown, 0, 0, this.#length);
            this.#bytes = grown;
        }
        end.copy(this.#bytes, this.#length);
        this.#length += end.length;
        if (this.#length > this.#limit)
            this.#overflowed = true;
    }
    text() {
        return this.#bytes.toString("utf8", Math.max(0, this.#length - this.#limit), this.#length);
    }
    #keepEnd(bytes) {
        const begin = Math.max(0, this.#length - bytes);
        this.#bytes.copyWithin(0, begin, this.#length);
        this.#length -= begin;
        this.#overflowed = true;
    }
}
;// CONCATENATED MODULE: external "node:string_decoder"
const external_node_string_decoder_namespaceObject = late("node:string_decoder");
;// CONCATENATED MODULE: ./out/src/process/lines.js

// A line without an end must not fill the memory: progress bars and binary output have such lines.
const longestLine = 16_384;
/** Creates a cutter that passes each line, without its line ending, to `onLine`. */
function lineCutter(onLine) {
    const decoder = new external_node_string_decoder_namespaceObject.StringDecoder("utf8");
    let rest = "";
    const give = (line) => {
        for (let begin = 0; begin === 0 || begin < line.length; begin += longestLine)
            onLine(line.slice(begin, begin + longestLine));
    };
    const cut = () => {
        while (rest.length > longestLine) {
            onLine(rest.slice(0, longestLine));
            rest = rest.slice(longestLine);
        }
    };
    const take = (text) => {
        if (!/[\r\n]/.test(text) && !rest.endsWith("\r")) {
            rest += text;
            cut();
            return;
        }
        // A CR at the very end may be the first half of CRLF: it waits for what comes next.
        const parts = (rest + text).split(/\r\n|\n|\r(?!$)/);
        rest = parts.pop() ?? "";
        for (const part of parts)
            give(part);
        cut();
    };
    return {
        push: (chunk) => {
            take(decoder.write(chunk));
        },
        end: () => {
            take(decoder.end());
            const last = rest.endsWith("\r") ? rest.slice(0, -1) : rest;
            rest = "";
            if (last !== "")
                onLine(last);
        },
    };
}
;// CONCATENATED MODULE: ./out/src/process/pace.js
/**
 * Holds sources up while the reader of the log is slower than they are. Node queues without a limit what a pipe does not take, and
 * an output of more than 2 GiB in that queue is lost (ENOBUFS).
 */
class Pace {
    #log;
    #waiting = new Set();
    constructor(log) {
        this.#log = log;
    }
    /** Pauses a source until the log has been taken. */
    hold(source) {
        // False as well for a log that nobody reads any more.
        if (!this.#log.writableNeedDrain || source.isPaused())
            return;
        source.pause();
        this.#waiting.add(source);
        if (this.#waiting.size > 1)
            return;
        for (const event of ["drain", "error", "close"])
            this.#log.once(event, this.#release);
    }
    #release = () => {
        for (const event of ["drain", "error", "close"])
            this.#log.off(event, this.#release);
        const waiting = [...this.#waiting];
        this.#waiting.clear();
        for (const source of waiting)
            source.resume();
    };
}
/** The pace of the step's log. */
const logPace = new Pace(process.stdout);
;// CONCATENATED MODULE: ./out/src/process/run.js







const keptStdout = 32 * 1024 * 1024;
// The cause is at the end of a long output.
const keptStderr = 2 * 1024 * 1024;
// Between SIGTERM and SIGKILL. GitHub's runner kills the action itself 10 s after a cancellation.
const graceMilliseconds = 1500;
/**
 * Runs a program in a process group of its own and waits for its end. A time-out, a silence, an output that is too long and an abort
 * end the whole group. Throws a `CommandError` unless the exit code is 0.
 */
async function run(command, options = {}) {
    const mostStdout = options.mostStdout ?? keptStdout;
    const stdout = new KeptOutput(mostStdout);
    const stderr = new KeptOutput(keptStderr);
    const fail = (failure, cause) => new CommandError({ command: pasteable(command), failure, stdout: stdout.text(), stderr: stderr.text(), cause });
    if (options.signal?.aborted === true)
        throw fail({ kind: "aborted" });
    const stderrLines = options.onStderrLine === undefined ? undefined : lineCutter(options.onStderrLine);
    const ended = await new Promise((resolve, reject) => {
        const file = options.stderrFile === undefined ? undefined : (0,external_node_fs_namespaceObject.openSync)(options.stderrFile, "w", 0o600);
        const child = (0,external_node_child_process_namespaceObject.spawn)(command.file, command.args, {
            cwd: options.cwd,
            env: { ...childEnvironment(process.env), ...options.env },
            stdio: file === undefined ? ["pipe", "pipe", "pipe"] : ["ignore", "ignore", file],
            detached: true,
        });
        if (file !== undefined)
            (0,external_node_fs_namespaceObject.closeSync)(file);
        const isHeld = () => child.stdout?.isPaused() === true || child.stderr?.isPaused() === true;
        if (child.pid !== undefined)
            options.onStart?.(child.pid, isHeld);
        let stopped;
        const stop = (failure) => {
            stopped ??= failure;
            endGroup(child);
        };
        const onAbort = () => {
            stop({ kind: "aborted" });
        };
        const seconds = options.timeout ?? 0;
        const timer = seconds > 0 ? setTimeout(() => stop({ kind: "timeout", seconds }), seconds * 1000) : undefined;
        options.signal?.addEventListener("abort", onAbort, { once: true });
        const silence = options.silence ?? 0;
        const onSilence = () => {
            // What is held up here is not silent.
            if (isHeld())
                watch?.refresh();
            else
                stop({ kind: "silent", seconds: silence });
        };
        const watch = silence > 0 ? setTimeout(onSilence, silence * 1000) : undefined;
        const settle = () => {
            clearTimeout(timer);
            clearTimeout(watch);
            options.signal?.removeEventListener("abort", onAbort);
        };
        child.once("error", (error) => {
            settle();
            reject(fail({ kind: "spawn", code: error.code ?? error.message }, error));
        });
        const { stdout: out, stderr: err } = child;
        out?.on("data", (chunk) => {
            watch?.refresh();
            if (options.stdoutTo !== undefined)
                return;
            if (options.onStdout === undefined)
                stdout.push(chunk);
            else
                options.onStdout(chunk);
            if (stdout.overflowed)
                stop({ kind: "output", bytes: mostStdout });
            if (typeof options.shown === "function" ? options.shown() : options.shown === true)
                logPace.hold(out);
        });
        if (options.stdoutTo !== undefined)
            out?.pipe(options.stdoutTo, { end: false });
        err?.on("data", (chunk) => {
            watch?.refresh();
            stderr.push(chunk);
            options.onStderr?.(chunk);
            stderrLines?.push(chunk);
            if (stderrLines !== undefined)
                logPace.hold(err);
        });
        // A program that ends without reading its input closes the pipe; its exit code is more informative than EPIPE.
        child.stdin?.on("error", () => undefined);
        if (options.feed === undefined || child.stdin === null)
            child.stdin?.end(options.stdin ?? "");
        else {
            child.stdin.write(options.stdin ?? "");
            options.feed(child.stdin);
        }
        child.once("exit", () => {
            if (stopped === undefined)
                return;
            // Don't wait for processes that hold the pipes: grandchildren, or, outside the group, the ssh master, to which ssh passes its
            // pipes and which closes them when the command on the machine ends.
            killGroup(child, "SIGKILL");
            child.stdout?.destroy();
            child.stderr?.destroy();
        });
        child.once("close", (exitCode, signal) => {
            settle();
            if (options.stderrFile !== undefined)
                stderr.push((0,external_node_fs_namespaceObject.readFileSync)(options.stderrFile));
            resolve({ exitCode, signal, stopped });
        });
    });
    stderrLines?.end();
    if (ended.stopped !== undefined)
        throw fail(ended.stopped);
    if (ended.signal !== null)
        throw fail({ kind: "signal", signal: ended.signal });
    if (ended.exitCode !== 0)
        throw fail({ kind: "exit", exitCode: ended.exitCode ?? -1 });
    return { stdout: stdout.text(), stderr: stderr.text() };
}
/** The command, ready to paste into a POSIX shell. */
function pasteable(command) {
    return [command.file, ...command.args].map(quote).join(" ");
}
/** Quotes one word for a POSIX shell (POSIX.1-2017, Shell Command Language 2.2.2). */
function quote(word) {
    return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw `'\''`)}'`;
}
function endGroup(child) {
    if (child.exitCode !== null || child.signalCode !== null)
        return;
    killGroup(child, "SIGTERM");
    setTimeout(() => killGroup(child, "SIGKILL"), graceMilliseconds).unref();
}
function killGroup(child, signal) {
    if (child.pid === undefined)
        return;
    try {
        process.kill(-child.pid, signal);
    }
    catch {
        // The group has ended already.
    }
}
;// CONCATENATED MODULE: ./out/src/process/core-dumps.js


/**
 * Switches core dumps off for this process and its children: they could hold the ssh key. Node cannot set limits itself, so this
 * needs prlimit(1) of util-linux; without it nothing changes.
 */
async function preventCoreDumps() {
    try {
        await run({ file: "prlimit", args: ["--pid", String(process.pid), "--core=0:0"] }, { timeout: 5 });
    }
    catch (error) {
        if (!(error instanceof CommandError))
            throw error;
    }
}
var __webpack_exports__preventCoreDumps = __webpack_exports__.v;
export { __webpack_exports__preventCoreDumps as preventCoreDumps };
