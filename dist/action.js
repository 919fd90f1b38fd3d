const late = (name) => {
  let loaded;
  return new Proxy({}, { get: (_, key) => (loaded ??= process.getBuiltinModule(name))[key] });
};
/******/ var __webpack_modules__ = ({});
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		// no module.id needed
/******/ 		// no module.loaded needed
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId](module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
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
/******/ /* webpack/runtime/make namespace object */
/******/ (() => {
/******/ 	// define __esModule on exports
/******/ 	__nccwpck_require__.r = (exports) => {
/******/ 		if(typeof Symbol !== 'undefined' && Symbol.toStringTag) {
/******/ 			Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
/******/ 		}
/******/ 		Object.defineProperty(exports, '__esModule', { value: true });
/******/ 	};
/******/ })();
/******/ 
/************************************************************************/
var __webpack_exports__ = {};

// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  jq: () => (/* reexport */ build_run),
  gg: () => (/* reexport */ deploy_run),
  UP: () => (/* reexport */ matrix_run),
  bE: () => (/* reexport */ post_run),
  ni: () => (/* reexport */ start)
});

// NAMESPACE OBJECT: ./node_modules/@actions/core/lib/platform.js
var platform_namespaceObject = {};
__nccwpck_require__.r(platform_namespaceObject);
__nccwpck_require__.d(platform_namespaceObject, {
  arch: () => (arch),
  getDetails: () => (getDetails),
  isLinux: () => (isLinux),
  isMacOS: () => (isMacOS),
  isWindows: () => (isWindows),
  platform: () => (platform)
});

// NAMESPACE OBJECT: ./node_modules/@actions/core/lib/core.js
var core_namespaceObject = {};
__nccwpck_require__.r(core_namespaceObject);
__nccwpck_require__.d(core_namespaceObject, {
  ExitCode: () => (ExitCode),
  addPath: () => (addPath),
  debug: () => (debug),
  endGroup: () => (endGroup),
  error: () => (error),
  exportVariable: () => (exportVariable),
  getBooleanInput: () => (getBooleanInput),
  getIDToken: () => (getIDToken),
  getInput: () => (getInput),
  getMultilineInput: () => (getMultilineInput),
  getState: () => (getState),
  group: () => (group),
  info: () => (info),
  isDebug: () => (isDebug),
  markdownSummary: () => (markdownSummary),
  notice: () => (notice),
  platform: () => (platform_namespaceObject),
  saveState: () => (saveState),
  setCommandEcho: () => (setCommandEcho),
  setFailed: () => (setFailed),
  setOutput: () => (setOutput),
  setSecret: () => (setSecret),
  startGroup: () => (startGroup),
  summary: () => (summary),
  toPlatformPath: () => (toPlatformPath),
  toPosixPath: () => (toPosixPath),
  toWin32Path: () => (toWin32Path),
  warning: () => (warning)
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
function failure_makeFailure(parts) {
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
class AnswerError extends Error {
    name = "AnswerError";
}
/** The flake of a run could not be fetched, so that no machine can be deployed. The message is one sentence without a full stop. */
class NoFlakeError extends Error {
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
        this.failure = failure_makeFailure(parts);
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
;// CONCATENATED MODULE: external "os"
const external_os_namespaceObject = late("os");
;// CONCATENATED MODULE: ./node_modules/@actions/core/lib/utils.js
// We use any as a valid input type
/* eslint-disable @typescript-eslint/no-explicit-any */
/**
 * Sanitizes an input into a string so it can be passed into issueCommand safely
 * @param input input to sanitize into a string
 */
function toCommandValue(input) {
    if (input === null || input === undefined) {
        return '';
    }
    else if (typeof input === 'string' || input instanceof String) {
        return input;
    }
    return JSON.stringify(input);
}
/**
 *
 * @param annotationProperties
 * @returns The command properties to send with the actual annotation command
 * See IssueCommandProperties: https://github.com/actions/runner/blob/main/src/Runner.Worker/ActionCommandManager.cs#L646
 */
function toCommandProperties(annotationProperties) {
    if (!Object.keys(annotationProperties).length) {
        return {};
    }
    return {
        title: annotationProperties.title,
        file: annotationProperties.file,
        line: annotationProperties.startLine,
        endLine: annotationProperties.endLine,
        col: annotationProperties.startColumn,
        endColumn: annotationProperties.endColumn
    };
}
;// CONCATENATED MODULE: ./node_modules/@actions/core/lib/command.js


/**
 * Issues a command to the GitHub Actions runner
 *
 * @param command - The command name to issue
 * @param properties - Additional properties for the command (key-value pairs)
 * @param message - The message to include with the command
 * @remarks
 * This function outputs a specially formatted string to stdout that the Actions
 * runner interprets as a command. These commands can control workflow behavior,
 * set outputs, create annotations, mask values, and more.
 *
 * Command Format:
 *   ::name key=value,key=value::message
 *
 * @example
 * ```typescript
 * // Issue a warning annotation
 * issueCommand('warning', {}, 'This is a warning message');
 * // Output: ::warning::This is a warning message
 *
 * // Set an environment variable
 * issueCommand('set-env', { name: 'MY_VAR' }, 'some value');
 * // Output: ::set-env name=MY_VAR::some value
 *
 * // Add a secret mask
 * issueCommand('add-mask', {}, 'secretValue123');
 * // Output: ::add-mask::secretValue123
 * ```
 *
 * @internal
 * This is an internal utility function that powers the public API functions
 * such as setSecret, warning, error, and exportVariable.
 */
function issueCommand(command, properties, message) {
    const cmd = new Command(command, properties, message);
    process.stdout.write(cmd.toString() + external_os_namespaceObject.EOL);
}
function issue(name, message = '') {
    issueCommand(name, {}, message);
}
const CMD_STRING = '::';
class Command {
    constructor(command, properties, message) {
        if (!command) {
            command = 'missing.command';
        }
        this.command = command;
        this.properties = properties;
        this.message = message;
    }
    toString() {
        let cmdStr = CMD_STRING + this.command;
        if (this.properties && Object.keys(this.properties).length > 0) {
            cmdStr += ' ';
            let first = true;
            for (const key in this.properties) {
                if (this.properties.hasOwnProperty(key)) {
                    const val = this.properties[key];
                    if (val) {
                        if (first) {
                            first = false;
                        }
                        else {
                            cmdStr += ',';
                        }
                        cmdStr += `${key}=${escapeProperty(val)}`;
                    }
                }
            }
        }
        cmdStr += `${CMD_STRING}${escapeData(this.message)}`;
        return cmdStr;
    }
}
function escapeData(s) {
    return toCommandValue(s)
        .replace(/%/g, '%25')
        .replace(/\r/g, '%0D')
        .replace(/\n/g, '%0A');
}
function escapeProperty(s) {
    return toCommandValue(s)
        .replace(/%/g, '%25')
        .replace(/\r/g, '%0D')
        .replace(/\n/g, '%0A')
        .replace(/:/g, '%3A')
        .replace(/,/g, '%2C');
}
;// CONCATENATED MODULE: external "crypto"
const external_crypto_namespaceObject = late("crypto");
;// CONCATENATED MODULE: external "fs"
const external_fs_namespaceObject = late("fs");
;// CONCATENATED MODULE: ./node_modules/@actions/core/lib/file-command.js
// For internal use, subject to change.
// We use any as a valid input type
/* eslint-disable @typescript-eslint/no-explicit-any */




function issueFileCommand(command, message) {
    const filePath = process.env[`GITHUB_${command}`];
    if (!filePath) {
        throw new Error(`Unable to find environment variable for file command ${command}`);
    }
    if (!external_fs_namespaceObject.existsSync(filePath)) {
        throw new Error(`Missing file at path: ${filePath}`);
    }
    external_fs_namespaceObject.appendFileSync(filePath, `${toCommandValue(message)}${external_os_namespaceObject.EOL}`, {
        encoding: 'utf8'
    });
}
function prepareKeyValueMessage(key, value) {
    const delimiter = `ghadelimiter_${external_crypto_namespaceObject.randomUUID()}`;
    const convertedValue = toCommandValue(value);
    // These should realistically never happen, but just in case someone finds a
    // way to exploit uuid generation let's not allow keys or values that contain
    // the delimiter.
    if (key.includes(delimiter)) {
        throw new Error(`Unexpected input: name should not contain the delimiter "${delimiter}"`);
    }
    if (convertedValue.includes(delimiter)) {
        throw new Error(`Unexpected input: value should not contain the delimiter "${delimiter}"`);
    }
    return `${key}<<${delimiter}${external_os_namespaceObject.EOL}${convertedValue}${external_os_namespaceObject.EOL}${delimiter}`;
}
;// CONCATENATED MODULE: external "path"
const external_path_namespaceObject = late("path");
;// CONCATENATED MODULE: ./stand-ins/http-client/index.js
// @actions/core wants an HTTP client for OpenID Connect tokens alone. This action asks for none.
class HttpClient {
  constructor() {
    throw new Error(
      "This action contains no HTTP client, so that the code that holds deploy keys cannot send them anywhere; OpenID Connect tokens are not available.",
    );
  }
}

;// CONCATENATED MODULE: ./stand-ins/http-client/auth.js
class BearerCredentialHandler {}

;// CONCATENATED MODULE: ./node_modules/@actions/core/lib/oidc-utils.js
var __awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};



class OidcClient {
    static createHttpClient(allowRetry = true, maxRetry = 10) {
        const requestOptions = {
            allowRetries: allowRetry,
            maxRetries: maxRetry
        };
        return new HttpClient('actions/oidc-client', [new BearerCredentialHandler(OidcClient.getRequestToken())], requestOptions);
    }
    static getRequestToken() {
        const token = process.env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
        if (!token) {
            throw new Error('Unable to get ACTIONS_ID_TOKEN_REQUEST_TOKEN env variable');
        }
        return token;
    }
    static getIDTokenUrl() {
        const runtimeUrl = process.env['ACTIONS_ID_TOKEN_REQUEST_URL'];
        if (!runtimeUrl) {
            throw new Error('Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable');
        }
        return runtimeUrl;
    }
    static getCall(id_token_url) {
        return __awaiter(this, void 0, void 0, function* () {
            var _a;
            const httpclient = OidcClient.createHttpClient();
            const res = yield httpclient
                .getJson(id_token_url)
                .catch(error => {
                throw new Error(`Failed to get ID Token. \n 
        Error Code : ${error.statusCode}\n 
        Error Message: ${error.message}`);
            });
            const id_token = (_a = res.result) === null || _a === void 0 ? void 0 : _a.value;
            if (!id_token) {
                throw new Error('Response json body do not have ID Token field');
            }
            return id_token;
        });
    }
    static getIDToken(audience) {
        return __awaiter(this, void 0, void 0, function* () {
            try {
                // New ID Token is requested from action service
                let id_token_url = OidcClient.getIDTokenUrl();
                if (audience) {
                    const encodedAudience = encodeURIComponent(audience);
                    id_token_url = `${id_token_url}&audience=${encodedAudience}`;
                }
                debug(`ID token url is ${id_token_url}`);
                const id_token = yield OidcClient.getCall(id_token_url);
                setSecret(id_token);
                return id_token;
            }
            catch (error) {
                throw new Error(`Error message: ${error.message}`);
            }
        });
    }
}
;// CONCATENATED MODULE: ./node_modules/@actions/core/lib/summary.js
var summary_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};


const { access, appendFile, writeFile } = external_fs_namespaceObject.promises;
const SUMMARY_ENV_VAR = 'GITHUB_STEP_SUMMARY';
const SUMMARY_DOCS_URL = 'https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-job-summary';
class Summary {
    constructor() {
        this._buffer = '';
    }
    /**
     * Finds the summary file path from the environment, rejects if env var is not found or file does not exist
     * Also checks r/w permissions.
     *
     * @returns step summary file path
     */
    filePath() {
        return summary_awaiter(this, void 0, void 0, function* () {
            if (this._filePath) {
                return this._filePath;
            }
            const pathFromEnv = process.env[SUMMARY_ENV_VAR];
            if (!pathFromEnv) {
                throw new Error(`Unable to find environment variable for $${SUMMARY_ENV_VAR}. Check if your runtime environment supports job summaries.`);
            }
            try {
                yield access(pathFromEnv, external_fs_namespaceObject.constants.R_OK | external_fs_namespaceObject.constants.W_OK);
            }
            catch (_a) {
                throw new Error(`Unable to access summary file: '${pathFromEnv}'. Check if the file has correct read/write permissions.`);
            }
            this._filePath = pathFromEnv;
            return this._filePath;
        });
    }
    /**
     * Wraps content in an HTML tag, adding any HTML attributes
     *
     * @param {string} tag HTML tag to wrap
     * @param {string | null} content content within the tag
     * @param {[attribute: string]: string} attrs key-value list of HTML attributes to add
     *
     * @returns {string} content wrapped in HTML element
     */
    wrap(tag, content, attrs = {}) {
        const htmlAttrs = Object.entries(attrs)
            .map(([key, value]) => ` ${key}="${value}"`)
            .join('');
        if (!content) {
            return `<${tag}${htmlAttrs}>`;
        }
        return `<${tag}${htmlAttrs}>${content}</${tag}>`;
    }
    /**
     * Writes text in the buffer to the summary buffer file and empties buffer. Will append by default.
     *
     * @param {SummaryWriteOptions} [options] (optional) options for write operation
     *
     * @returns {Promise<Summary>} summary instance
     */
    write(options) {
        return summary_awaiter(this, void 0, void 0, function* () {
            const overwrite = !!(options === null || options === void 0 ? void 0 : options.overwrite);
            const filePath = yield this.filePath();
            const writeFunc = overwrite ? writeFile : appendFile;
            yield writeFunc(filePath, this._buffer, { encoding: 'utf8' });
            return this.emptyBuffer();
        });
    }
    /**
     * Clears the summary buffer and wipes the summary file
     *
     * @returns {Summary} summary instance
     */
    clear() {
        return summary_awaiter(this, void 0, void 0, function* () {
            return this.emptyBuffer().write({ overwrite: true });
        });
    }
    /**
     * Returns the current summary buffer as a string
     *
     * @returns {string} string of summary buffer
     */
    stringify() {
        return this._buffer;
    }
    /**
     * If the summary buffer is empty
     *
     * @returns {boolen} true if the buffer is empty
     */
    isEmptyBuffer() {
        return this._buffer.length === 0;
    }
    /**
     * Resets the summary buffer without writing to summary file
     *
     * @returns {Summary} summary instance
     */
    emptyBuffer() {
        this._buffer = '';
        return this;
    }
    /**
     * Adds raw text to the summary buffer
     *
     * @param {string} text content to add
     * @param {boolean} [addEOL=false] (optional) append an EOL to the raw text (default: false)
     *
     * @returns {Summary} summary instance
     */
    addRaw(text, addEOL = false) {
        this._buffer += text;
        return addEOL ? this.addEOL() : this;
    }
    /**
     * Adds the operating system-specific end-of-line marker to the buffer
     *
     * @returns {Summary} summary instance
     */
    addEOL() {
        return this.addRaw(external_os_namespaceObject.EOL);
    }
    /**
     * Adds an HTML codeblock to the summary buffer
     *
     * @param {string} code content to render within fenced code block
     * @param {string} lang (optional) language to syntax highlight code
     *
     * @returns {Summary} summary instance
     */
    addCodeBlock(code, lang) {
        const attrs = Object.assign({}, (lang && { lang }));
        const element = this.wrap('pre', this.wrap('code', code), attrs);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML list to the summary buffer
     *
     * @param {string[]} items list of items to render
     * @param {boolean} [ordered=false] (optional) if the rendered list should be ordered or not (default: false)
     *
     * @returns {Summary} summary instance
     */
    addList(items, ordered = false) {
        const tag = ordered ? 'ol' : 'ul';
        const listItems = items.map(item => this.wrap('li', item)).join('');
        const element = this.wrap(tag, listItems);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML table to the summary buffer
     *
     * @param {SummaryTableCell[]} rows table rows
     *
     * @returns {Summary} summary instance
     */
    addTable(rows) {
        const tableBody = rows
            .map(row => {
            const cells = row
                .map(cell => {
                if (typeof cell === 'string') {
                    return this.wrap('td', cell);
                }
                const { header, data, colspan, rowspan } = cell;
                const tag = header ? 'th' : 'td';
                const attrs = Object.assign(Object.assign({}, (colspan && { colspan })), (rowspan && { rowspan }));
                return this.wrap(tag, data, attrs);
            })
                .join('');
            return this.wrap('tr', cells);
        })
            .join('');
        const element = this.wrap('table', tableBody);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds a collapsable HTML details element to the summary buffer
     *
     * @param {string} label text for the closed state
     * @param {string} content collapsable content
     *
     * @returns {Summary} summary instance
     */
    addDetails(label, content) {
        const element = this.wrap('details', this.wrap('summary', label) + content);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML image tag to the summary buffer
     *
     * @param {string} src path to the image you to embed
     * @param {string} alt text description of the image
     * @param {SummaryImageOptions} options (optional) addition image attributes
     *
     * @returns {Summary} summary instance
     */
    addImage(src, alt, options) {
        const { width, height } = options || {};
        const attrs = Object.assign(Object.assign({}, (width && { width })), (height && { height }));
        const element = this.wrap('img', null, Object.assign({ src, alt }, attrs));
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML section heading element
     *
     * @param {string} text heading text
     * @param {number | string} [level=1] (optional) the heading level, default: 1
     *
     * @returns {Summary} summary instance
     */
    addHeading(text, level) {
        const tag = `h${level}`;
        const allowedTag = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].includes(tag)
            ? tag
            : 'h1';
        const element = this.wrap(allowedTag, text);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML thematic break (<hr>) to the summary buffer
     *
     * @returns {Summary} summary instance
     */
    addSeparator() {
        const element = this.wrap('hr', null);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML line break (<br>) to the summary buffer
     *
     * @returns {Summary} summary instance
     */
    addBreak() {
        const element = this.wrap('br', null);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML blockquote to the summary buffer
     *
     * @param {string} text quote text
     * @param {string} cite (optional) citation url
     *
     * @returns {Summary} summary instance
     */
    addQuote(text, cite) {
        const attrs = Object.assign({}, (cite && { cite }));
        const element = this.wrap('blockquote', text, attrs);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML anchor tag to the summary buffer
     *
     * @param {string} text link text/content
     * @param {string} href hyperlink
     *
     * @returns {Summary} summary instance
     */
    addLink(text, href) {
        const element = this.wrap('a', text, { href });
        return this.addRaw(element).addEOL();
    }
}
const _summary = new Summary();
/**
 * @deprecated use `core.summary`
 */
const markdownSummary = _summary;
const summary = _summary;
;// CONCATENATED MODULE: ./node_modules/@actions/core/lib/path-utils.js

/**
 * toPosixPath converts the given path to the posix form. On Windows, \\ will be
 * replaced with /.
 *
 * @param pth. Path to transform.
 * @return string Posix path.
 */
function toPosixPath(pth) {
    return pth.replace(/[\\]/g, '/');
}
/**
 * toWin32Path converts the given path to the win32 form. On Linux, / will be
 * replaced with \\.
 *
 * @param pth. Path to transform.
 * @return string Win32 path.
 */
function toWin32Path(pth) {
    return pth.replace(/[/]/g, '\\');
}
/**
 * toPlatformPath converts the given path to a platform-specific path. It does
 * this by replacing instances of / and \ with the platform-specific path
 * separator.
 *
 * @param pth The path to platformize.
 * @return string The platform-specific path.
 */
function toPlatformPath(pth) {
    return pth.replace(/[/\\]/g, external_path_namespaceObject.sep);
}
;// CONCATENATED MODULE: external "string_decoder"
const external_string_decoder_namespaceObject = late("string_decoder");
;// CONCATENATED MODULE: external "events"
const external_events_namespaceObject = late("events");
;// CONCATENATED MODULE: external "child_process"
const external_child_process_namespaceObject = late("child_process");
;// CONCATENATED MODULE: external "assert"
const external_assert_namespaceObject = late("assert");
;// CONCATENATED MODULE: ./node_modules/@actions/io/lib/io-util.js
var io_util_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};


const { chmod, copyFile, lstat, mkdir, open: io_util_open, readdir, rename, rm, rmdir, stat, symlink, unlink } = external_fs_namespaceObject.promises;
// export const {open} = 'fs'
const IS_WINDOWS = process.platform === 'win32';
/**
 * Custom implementation of readlink to ensure Windows junctions
 * maintain trailing backslash for backward compatibility with Node.js < 24
 *
 * In Node.js 20, Windows junctions (directory symlinks) always returned paths
 * with trailing backslashes. Node.js 24 removed this behavior, which breaks
 * code that relied on this format for path operations.
 *
 * This implementation restores the Node 20 behavior by adding a trailing
 * backslash to all junction results on Windows.
 */
function readlink(fsPath) {
    return io_util_awaiter(this, void 0, void 0, function* () {
        const result = yield fs.promises.readlink(fsPath);
        // On Windows, restore Node 20 behavior: add trailing backslash to all results
        // since junctions on Windows are always directory links
        if (IS_WINDOWS && !result.endsWith('\\')) {
            return `${result}\\`;
        }
        return result;
    });
}
// See https://github.com/nodejs/node/blob/d0153aee367422d0858105abec186da4dff0a0c5/deps/uv/include/uv/win.h#L691
const UV_FS_O_EXLOCK = 0x10000000;
const READONLY = external_fs_namespaceObject.constants.O_RDONLY;
function exists(fsPath) {
    return io_util_awaiter(this, void 0, void 0, function* () {
        try {
            yield stat(fsPath);
        }
        catch (err) {
            if (err.code === 'ENOENT') {
                return false;
            }
            throw err;
        }
        return true;
    });
}
function isDirectory(fsPath_1) {
    return io_util_awaiter(this, arguments, void 0, function* (fsPath, useStat = false) {
        const stats = useStat ? yield stat(fsPath) : yield lstat(fsPath);
        return stats.isDirectory();
    });
}
/**
 * On OSX/Linux, true if path starts with '/'. On Windows, true for paths like:
 * \, \hello, \\hello\share, C:, and C:\hello (and corresponding alternate separator cases).
 */
function isRooted(p) {
    p = normalizeSeparators(p);
    if (!p) {
        throw new Error('isRooted() parameter "p" cannot be empty');
    }
    if (IS_WINDOWS) {
        return (p.startsWith('\\') || /^[A-Z]:/i.test(p) // e.g. \ or \hello or \\hello
        ); // e.g. C: or C:\hello
    }
    return p.startsWith('/');
}
/**
 * Best effort attempt to determine whether a file exists and is executable.
 * @param filePath    file path to check
 * @param extensions  additional file extensions to try
 * @return if file exists and is executable, returns the file path. otherwise empty string.
 */
function tryGetExecutablePath(filePath, extensions) {
    return io_util_awaiter(this, void 0, void 0, function* () {
        let stats = undefined;
        try {
            // test file exists
            stats = yield stat(filePath);
        }
        catch (err) {
            if (err.code !== 'ENOENT') {
                // eslint-disable-next-line no-console
                console.log(`Unexpected error attempting to determine if executable file exists '${filePath}': ${err}`);
            }
        }
        if (stats && stats.isFile()) {
            if (IS_WINDOWS) {
                // on Windows, test for valid extension
                const upperExt = external_path_namespaceObject.extname(filePath).toUpperCase();
                if (extensions.some(validExt => validExt.toUpperCase() === upperExt)) {
                    return filePath;
                }
            }
            else {
                if (isUnixExecutable(stats)) {
                    return filePath;
                }
            }
        }
        // try each extension
        const originalFilePath = filePath;
        for (const extension of extensions) {
            filePath = originalFilePath + extension;
            stats = undefined;
            try {
                stats = yield stat(filePath);
            }
            catch (err) {
                if (err.code !== 'ENOENT') {
                    // eslint-disable-next-line no-console
                    console.log(`Unexpected error attempting to determine if executable file exists '${filePath}': ${err}`);
                }
            }
            if (stats && stats.isFile()) {
                if (IS_WINDOWS) {
                    // preserve the case of the actual file (since an extension was appended)
                    try {
                        const directory = external_path_namespaceObject.dirname(filePath);
                        const upperName = external_path_namespaceObject.basename(filePath).toUpperCase();
                        for (const actualName of yield readdir(directory)) {
                            if (upperName === actualName.toUpperCase()) {
                                filePath = external_path_namespaceObject.join(directory, actualName);
                                break;
                            }
                        }
                    }
                    catch (err) {
                        // eslint-disable-next-line no-console
                        console.log(`Unexpected error attempting to determine the actual case of the file '${filePath}': ${err}`);
                    }
                    return filePath;
                }
                else {
                    if (isUnixExecutable(stats)) {
                        return filePath;
                    }
                }
            }
        }
        return '';
    });
}
function normalizeSeparators(p) {
    p = p || '';
    if (IS_WINDOWS) {
        // convert slashes on Windows
        p = p.replace(/\//g, '\\');
        // remove redundant slashes
        return p.replace(/\\\\+/g, '\\');
    }
    // remove redundant slashes
    return p.replace(/\/\/+/g, '/');
}
// on Mac/Linux, test the execute bit
//     R   W  X  R  W X R W X
//   256 128 64 32 16 8 4 2 1
function isUnixExecutable(stats) {
    return ((stats.mode & 1) > 0 ||
        ((stats.mode & 8) > 0 &&
            process.getgid !== undefined &&
            stats.gid === process.getgid()) ||
        ((stats.mode & 64) > 0 &&
            process.getuid !== undefined &&
            stats.uid === process.getuid()));
}
// Get the path of cmd.exe in windows
function getCmdPath() {
    var _a;
    return (_a = process.env['COMSPEC']) !== null && _a !== void 0 ? _a : `cmd.exe`;
}
;// CONCATENATED MODULE: ./node_modules/@actions/io/lib/io.js
var io_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};



/**
 * Copies a file or folder.
 * Based off of shelljs - https://github.com/shelljs/shelljs/blob/9237f66c52e5daa40458f94f9565e18e8132f5a6/src/cp.js
 *
 * @param     source    source path
 * @param     dest      destination path
 * @param     options   optional. See CopyOptions.
 */
function cp(source_1, dest_1) {
    return io_awaiter(this, arguments, void 0, function* (source, dest, options = {}) {
        const { force, recursive, copySourceDirectory } = readCopyOptions(options);
        const destStat = (yield ioUtil.exists(dest)) ? yield ioUtil.stat(dest) : null;
        // Dest is an existing file, but not forcing
        if (destStat && destStat.isFile() && !force) {
            return;
        }
        // If dest is an existing directory, should copy inside.
        const newDest = destStat && destStat.isDirectory() && copySourceDirectory
            ? path.join(dest, path.basename(source))
            : dest;
        if (!(yield ioUtil.exists(source))) {
            throw new Error(`no such file or directory: ${source}`);
        }
        const sourceStat = yield ioUtil.stat(source);
        if (sourceStat.isDirectory()) {
            if (!recursive) {
                throw new Error(`Failed to copy. ${source} is a directory, but tried to copy without recursive flag.`);
            }
            else {
                yield cpDirRecursive(source, newDest, 0, force);
            }
        }
        else {
            if (path.relative(source, newDest) === '') {
                // a file cannot be copied to itself
                throw new Error(`'${newDest}' and '${source}' are the same file`);
            }
            yield io_copyFile(source, newDest, force);
        }
    });
}
/**
 * Moves a path.
 *
 * @param     source    source path
 * @param     dest      destination path
 * @param     options   optional. See MoveOptions.
 */
function mv(source_1, dest_1) {
    return io_awaiter(this, arguments, void 0, function* (source, dest, options = {}) {
        if (yield ioUtil.exists(dest)) {
            let destExists = true;
            if (yield ioUtil.isDirectory(dest)) {
                // If dest is directory copy src into dest
                dest = path.join(dest, path.basename(source));
                destExists = yield ioUtil.exists(dest);
            }
            if (destExists) {
                if (options.force == null || options.force) {
                    yield rmRF(dest);
                }
                else {
                    throw new Error('Destination already exists');
                }
            }
        }
        yield mkdirP(path.dirname(dest));
        yield ioUtil.rename(source, dest);
    });
}
/**
 * Remove a path recursively with force
 *
 * @param inputPath path to remove
 */
function rmRF(inputPath) {
    return io_awaiter(this, void 0, void 0, function* () {
        if (ioUtil.IS_WINDOWS) {
            // Check for invalid characters
            // https://docs.microsoft.com/en-us/windows/win32/fileio/naming-a-file
            if (/[*"<>|]/.test(inputPath)) {
                throw new Error('File path must not contain `*`, `"`, `<`, `>` or `|` on Windows');
            }
        }
        try {
            // note if path does not exist, error is silent
            yield ioUtil.rm(inputPath, {
                force: true,
                maxRetries: 3,
                recursive: true,
                retryDelay: 300
            });
        }
        catch (err) {
            throw new Error(`File was unable to be removed ${err}`);
        }
    });
}
/**
 * Make a directory.  Creates the full path with folders in between
 * Will throw if it fails
 *
 * @param   fsPath        path to create
 * @returns Promise<void>
 */
function mkdirP(fsPath) {
    return io_awaiter(this, void 0, void 0, function* () {
        ok(fsPath, 'a path argument must be provided');
        yield ioUtil.mkdir(fsPath, { recursive: true });
    });
}
/**
 * Returns path of a tool had the tool actually been invoked.  Resolves via paths.
 * If you check and the tool does not exist, it will throw.
 *
 * @param     tool              name of the tool
 * @param     check             whether to check if tool exists
 * @returns   Promise<string>   path to tool
 */
function which(tool, check) {
    return io_awaiter(this, void 0, void 0, function* () {
        if (!tool) {
            throw new Error("parameter 'tool' is required");
        }
        // recursive when check=true
        if (check) {
            const result = yield which(tool, false);
            if (!result) {
                if (IS_WINDOWS) {
                    throw new Error(`Unable to locate executable file: ${tool}. Please verify either the file path exists or the file can be found within a directory specified by the PATH environment variable. Also verify the file has a valid extension for an executable file.`);
                }
                else {
                    throw new Error(`Unable to locate executable file: ${tool}. Please verify either the file path exists or the file can be found within a directory specified by the PATH environment variable. Also check the file mode to verify the file is executable.`);
                }
            }
            return result;
        }
        const matches = yield findInPath(tool);
        if (matches && matches.length > 0) {
            return matches[0];
        }
        return '';
    });
}
/**
 * Returns a list of all occurrences of the given tool on the system path.
 *
 * @returns   Promise<string[]>  the paths of the tool
 */
function findInPath(tool) {
    return io_awaiter(this, void 0, void 0, function* () {
        if (!tool) {
            throw new Error("parameter 'tool' is required");
        }
        // build the list of extensions to try
        const extensions = [];
        if (IS_WINDOWS && process.env['PATHEXT']) {
            for (const extension of process.env['PATHEXT'].split(external_path_namespaceObject.delimiter)) {
                if (extension) {
                    extensions.push(extension);
                }
            }
        }
        // if it's rooted, return it if exists. otherwise return empty.
        if (isRooted(tool)) {
            const filePath = yield tryGetExecutablePath(tool, extensions);
            if (filePath) {
                return [filePath];
            }
            return [];
        }
        // if any path separators, return empty
        if (tool.includes(external_path_namespaceObject.sep)) {
            return [];
        }
        // build the list of directories
        //
        // Note, technically "where" checks the current directory on Windows. From a toolkit perspective,
        // it feels like we should not do this. Checking the current directory seems like more of a use
        // case of a shell, and the which() function exposed by the toolkit should strive for consistency
        // across platforms.
        const directories = [];
        if (process.env.PATH) {
            for (const p of process.env.PATH.split(external_path_namespaceObject.delimiter)) {
                if (p) {
                    directories.push(p);
                }
            }
        }
        // find all matches
        const matches = [];
        for (const directory of directories) {
            const filePath = yield tryGetExecutablePath(external_path_namespaceObject.join(directory, tool), extensions);
            if (filePath) {
                matches.push(filePath);
            }
        }
        return matches;
    });
}
function readCopyOptions(options) {
    const force = options.force == null ? true : options.force;
    const recursive = Boolean(options.recursive);
    const copySourceDirectory = options.copySourceDirectory == null
        ? true
        : Boolean(options.copySourceDirectory);
    return { force, recursive, copySourceDirectory };
}
function cpDirRecursive(sourceDir, destDir, currentDepth, force) {
    return io_awaiter(this, void 0, void 0, function* () {
        // Ensure there is not a run away recursive copy
        if (currentDepth >= 255)
            return;
        currentDepth++;
        yield mkdirP(destDir);
        const files = yield ioUtil.readdir(sourceDir);
        for (const fileName of files) {
            const srcFile = `${sourceDir}/${fileName}`;
            const destFile = `${destDir}/${fileName}`;
            const srcFileStat = yield ioUtil.lstat(srcFile);
            if (srcFileStat.isDirectory()) {
                // Recurse
                yield cpDirRecursive(srcFile, destFile, currentDepth, force);
            }
            else {
                yield io_copyFile(srcFile, destFile, force);
            }
        }
        // Change the mode for the newly created directory
        yield ioUtil.chmod(destDir, (yield ioUtil.stat(sourceDir)).mode);
    });
}
// Buffered file copy
function io_copyFile(srcFile, destFile, force) {
    return io_awaiter(this, void 0, void 0, function* () {
        if ((yield ioUtil.lstat(srcFile)).isSymbolicLink()) {
            // unlink/re-link it
            try {
                yield ioUtil.lstat(destFile);
                yield ioUtil.unlink(destFile);
            }
            catch (e) {
                // Try to override file permission
                if (e.code === 'EPERM') {
                    yield ioUtil.chmod(destFile, '0666');
                    yield ioUtil.unlink(destFile);
                }
                // other errors = it doesn't exist, no work to do
            }
            // Copy over symlink
            const symlinkFull = yield ioUtil.readlink(srcFile);
            yield ioUtil.symlink(symlinkFull, destFile, ioUtil.IS_WINDOWS ? 'junction' : null);
        }
        else if (!(yield ioUtil.exists(destFile)) || force) {
            yield ioUtil.copyFile(srcFile, destFile);
        }
    });
}
;// CONCATENATED MODULE: external "timers"
const external_timers_namespaceObject = late("timers");
;// CONCATENATED MODULE: ./node_modules/@actions/exec/lib/toolrunner.js
var toolrunner_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};







/* eslint-disable @typescript-eslint/unbound-method */
const toolrunner_IS_WINDOWS = process.platform === 'win32';
/*
 * Class for running command line tools. Handles quoting and arg parsing in a platform agnostic way.
 */
class ToolRunner extends external_events_namespaceObject.EventEmitter {
    constructor(toolPath, args, options) {
        super();
        if (!toolPath) {
            throw new Error("Parameter 'toolPath' cannot be null or empty.");
        }
        this.toolPath = toolPath;
        this.args = args || [];
        this.options = options || {};
    }
    _debug(message) {
        if (this.options.listeners && this.options.listeners.debug) {
            this.options.listeners.debug(message);
        }
    }
    _getCommandString(options, noPrefix) {
        const toolPath = this._getSpawnFileName();
        const args = this._getSpawnArgs(options);
        let cmd = noPrefix ? '' : '[command]'; // omit prefix when piped to a second tool
        if (toolrunner_IS_WINDOWS) {
            // Windows + cmd file
            if (this._isCmdFile()) {
                cmd += toolPath;
                for (const a of args) {
                    cmd += ` ${a}`;
                }
            }
            // Windows + verbatim
            else if (options.windowsVerbatimArguments) {
                cmd += `"${toolPath}"`;
                for (const a of args) {
                    cmd += ` ${a}`;
                }
            }
            // Windows (regular)
            else {
                cmd += this._windowsQuoteCmdArg(toolPath);
                for (const a of args) {
                    cmd += ` ${this._windowsQuoteCmdArg(a)}`;
                }
            }
        }
        else {
            // OSX/Linux - this can likely be improved with some form of quoting.
            // creating processes on Unix is fundamentally different than Windows.
            // on Unix, execvp() takes an arg array.
            cmd += toolPath;
            for (const a of args) {
                cmd += ` ${a}`;
            }
        }
        return cmd;
    }
    _processLineBuffer(data, strBuffer, onLine) {
        try {
            let s = strBuffer + data.toString();
            let n = s.indexOf(external_os_namespaceObject.EOL);
            while (n > -1) {
                const line = s.substring(0, n);
                onLine(line);
                // the rest of the string ...
                s = s.substring(n + external_os_namespaceObject.EOL.length);
                n = s.indexOf(external_os_namespaceObject.EOL);
            }
            return s;
        }
        catch (err) {
            // streaming lines to console is best effort.  Don't fail a build.
            this._debug(`error processing line. Failed with error ${err}`);
            return '';
        }
    }
    _getSpawnFileName() {
        if (toolrunner_IS_WINDOWS) {
            if (this._isCmdFile()) {
                return process.env['COMSPEC'] || 'cmd.exe';
            }
        }
        return this.toolPath;
    }
    _getSpawnArgs(options) {
        if (toolrunner_IS_WINDOWS) {
            if (this._isCmdFile()) {
                let argline = `/D /S /C "${this._windowsQuoteCmdArg(this.toolPath)}`;
                for (const a of this.args) {
                    argline += ' ';
                    argline += options.windowsVerbatimArguments
                        ? a
                        : this._windowsQuoteCmdArg(a);
                }
                argline += '"';
                return [argline];
            }
        }
        return this.args;
    }
    _endsWith(str, end) {
        return str.endsWith(end);
    }
    _isCmdFile() {
        const upperToolPath = this.toolPath.toUpperCase();
        return (this._endsWith(upperToolPath, '.CMD') ||
            this._endsWith(upperToolPath, '.BAT'));
    }
    _windowsQuoteCmdArg(arg) {
        // for .exe, apply the normal quoting rules that libuv applies
        if (!this._isCmdFile()) {
            return this._uvQuoteCmdArg(arg);
        }
        // otherwise apply quoting rules specific to the cmd.exe command line parser.
        // the libuv rules are generic and are not designed specifically for cmd.exe
        // command line parser.
        //
        // for a detailed description of the cmd.exe command line parser, refer to
        // http://stackoverflow.com/questions/4094699/how-does-the-windows-command-interpreter-cmd-exe-parse-scripts/7970912#7970912
        // need quotes for empty arg
        if (!arg) {
            return '""';
        }
        // determine whether the arg needs to be quoted
        const cmdSpecialChars = [
            ' ',
            '\t',
            '&',
            '(',
            ')',
            '[',
            ']',
            '{',
            '}',
            '^',
            '=',
            ';',
            '!',
            "'",
            '+',
            ',',
            '`',
            '~',
            '|',
            '<',
            '>',
            '"'
        ];
        let needsQuotes = false;
        for (const char of arg) {
            if (cmdSpecialChars.some(x => x === char)) {
                needsQuotes = true;
                break;
            }
        }
        // short-circuit if quotes not needed
        if (!needsQuotes) {
            return arg;
        }
        // the following quoting rules are very similar to the rules that by libuv applies.
        //
        // 1) wrap the string in quotes
        //
        // 2) double-up quotes - i.e. " => ""
        //
        //    this is different from the libuv quoting rules. libuv replaces " with \", which unfortunately
        //    doesn't work well with a cmd.exe command line.
        //
        //    note, replacing " with "" also works well if the arg is passed to a downstream .NET console app.
        //    for example, the command line:
        //          foo.exe "myarg:""my val"""
        //    is parsed by a .NET console app into an arg array:
        //          [ "myarg:\"my val\"" ]
        //    which is the same end result when applying libuv quoting rules. although the actual
        //    command line from libuv quoting rules would look like:
        //          foo.exe "myarg:\"my val\""
        //
        // 3) double-up slashes that precede a quote,
        //    e.g.  hello \world    => "hello \world"
        //          hello\"world    => "hello\\""world"
        //          hello\\"world   => "hello\\\\""world"
        //          hello world\    => "hello world\\"
        //
        //    technically this is not required for a cmd.exe command line, or the batch argument parser.
        //    the reasons for including this as a .cmd quoting rule are:
        //
        //    a) this is optimized for the scenario where the argument is passed from the .cmd file to an
        //       external program. many programs (e.g. .NET console apps) rely on the slash-doubling rule.
        //
        //    b) it's what we've been doing previously (by deferring to node default behavior) and we
        //       haven't heard any complaints about that aspect.
        //
        // note, a weakness of the quoting rules chosen here, is that % is not escaped. in fact, % cannot be
        // escaped when used on the command line directly - even though within a .cmd file % can be escaped
        // by using %%.
        //
        // the saving grace is, on the command line, %var% is left as-is if var is not defined. this contrasts
        // the line parsing rules within a .cmd file, where if var is not defined it is replaced with nothing.
        //
        // one option that was explored was replacing % with ^% - i.e. %var% => ^%var^%. this hack would
        // often work, since it is unlikely that var^ would exist, and the ^ character is removed when the
        // variable is used. the problem, however, is that ^ is not removed when %* is used to pass the args
        // to an external program.
        //
        // an unexplored potential solution for the % escaping problem, is to create a wrapper .cmd file.
        // % can be escaped within a .cmd file.
        let reverse = '"';
        let quoteHit = true;
        for (let i = arg.length; i > 0; i--) {
            // walk the string in reverse
            reverse += arg[i - 1];
            if (quoteHit && arg[i - 1] === '\\') {
                reverse += '\\'; // double the slash
            }
            else if (arg[i - 1] === '"') {
                quoteHit = true;
                reverse += '"'; // double the quote
            }
            else {
                quoteHit = false;
            }
        }
        reverse += '"';
        return reverse.split('').reverse().join('');
    }
    _uvQuoteCmdArg(arg) {
        // Tool runner wraps child_process.spawn() and needs to apply the same quoting as
        // Node in certain cases where the undocumented spawn option windowsVerbatimArguments
        // is used.
        //
        // Since this function is a port of quote_cmd_arg from Node 4.x (technically, lib UV,
        // see https://github.com/nodejs/node/blob/v4.x/deps/uv/src/win/process.c for details),
        // pasting copyright notice from Node within this function:
        //
        //      Copyright Joyent, Inc. and other Node contributors. All rights reserved.
        //
        //      Permission is hereby granted, free of charge, to any person obtaining a copy
        //      of this software and associated documentation files (the "Software"), to
        //      deal in the Software without restriction, including without limitation the
        //      rights to use, copy, modify, merge, publish, distribute, sublicense, and/or
        //      sell copies of the Software, and to permit persons to whom the Software is
        //      furnished to do so, subject to the following conditions:
        //
        //      The above copyright notice and this permission notice shall be included in
        //      all copies or substantial portions of the Software.
        //
        //      THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
        //      IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
        //      FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
        //      AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
        //      LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING
        //      FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
        //      IN THE SOFTWARE.
        if (!arg) {
            // Need double quotation for empty argument
            return '""';
        }
        if (!arg.includes(' ') && !arg.includes('\t') && !arg.includes('"')) {
            // No quotation needed
            return arg;
        }
        if (!arg.includes('"') && !arg.includes('\\')) {
            // No embedded double quotes or backslashes, so I can just wrap
            // quote marks around the whole thing.
            return `"${arg}"`;
        }
        // Expected input/output:
        //   input : hello"world
        //   output: "hello\"world"
        //   input : hello""world
        //   output: "hello\"\"world"
        //   input : hello\world
        //   output: hello\world
        //   input : hello\\world
        //   output: hello\\world
        //   input : hello\"world
        //   output: "hello\\\"world"
        //   input : hello\\"world
        //   output: "hello\\\\\"world"
        //   input : hello world\
        //   output: "hello world\\" - note the comment in libuv actually reads "hello world\"
        //                             but it appears the comment is wrong, it should be "hello world\\"
        let reverse = '"';
        let quoteHit = true;
        for (let i = arg.length; i > 0; i--) {
            // walk the string in reverse
            reverse += arg[i - 1];
            if (quoteHit && arg[i - 1] === '\\') {
                reverse += '\\';
            }
            else if (arg[i - 1] === '"') {
                quoteHit = true;
                reverse += '\\';
            }
            else {
                quoteHit = false;
            }
        }
        reverse += '"';
        return reverse.split('').reverse().join('');
    }
    _cloneExecOptions(options) {
        options = options || {};
        const result = {
            cwd: options.cwd || process.cwd(),
            env: options.env || process.env,
            silent: options.silent || false,
            windowsVerbatimArguments: options.windowsVerbatimArguments || false,
            failOnStdErr: options.failOnStdErr || false,
            ignoreReturnCode: options.ignoreReturnCode || false,
            delay: options.delay || 10000
        };
        result.outStream = options.outStream || process.stdout;
        result.errStream = options.errStream || process.stderr;
        return result;
    }
    _getSpawnOptions(options, toolPath) {
        options = options || {};
        const result = {};
        result.cwd = options.cwd;
        result.env = options.env;
        result['windowsVerbatimArguments'] =
            options.windowsVerbatimArguments || this._isCmdFile();
        if (options.windowsVerbatimArguments) {
            result.argv0 = `"${toolPath}"`;
        }
        return result;
    }
    /**
     * Exec a tool.
     * Output will be streamed to the live console.
     * Returns promise with return code
     *
     * @param     tool     path to tool to exec
     * @param     options  optional exec options.  See ExecOptions
     * @returns   number
     */
    exec() {
        return toolrunner_awaiter(this, void 0, void 0, function* () {
            // root the tool path if it is unrooted and contains relative pathing
            if (!isRooted(this.toolPath) &&
                (this.toolPath.includes('/') ||
                    (toolrunner_IS_WINDOWS && this.toolPath.includes('\\')))) {
                // prefer options.cwd if it is specified, however options.cwd may also need to be rooted
                this.toolPath = external_path_namespaceObject.resolve(process.cwd(), this.options.cwd || process.cwd(), this.toolPath);
            }
            // if the tool is only a file name, then resolve it from the PATH
            // otherwise verify it exists (add extension on Windows if necessary)
            this.toolPath = yield which(this.toolPath, true);
            return new Promise((resolve, reject) => toolrunner_awaiter(this, void 0, void 0, function* () {
                this._debug(`exec tool: ${this.toolPath}`);
                this._debug('arguments:');
                for (const arg of this.args) {
                    this._debug(`   ${arg}`);
                }
                const optionsNonNull = this._cloneExecOptions(this.options);
                if (!optionsNonNull.silent && optionsNonNull.outStream) {
                    optionsNonNull.outStream.write(this._getCommandString(optionsNonNull) + external_os_namespaceObject.EOL);
                }
                const state = new ExecState(optionsNonNull, this.toolPath);
                state.on('debug', (message) => {
                    this._debug(message);
                });
                if (this.options.cwd && !(yield exists(this.options.cwd))) {
                    return reject(new Error(`The cwd: ${this.options.cwd} does not exist!`));
                }
                const fileName = this._getSpawnFileName();
                const cp = external_child_process_namespaceObject.spawn(fileName, this._getSpawnArgs(optionsNonNull), this._getSpawnOptions(this.options, fileName));
                let stdbuffer = '';
                if (cp.stdout) {
                    cp.stdout.on('data', (data) => {
                        if (this.options.listeners && this.options.listeners.stdout) {
                            this.options.listeners.stdout(data);
                        }
                        if (!optionsNonNull.silent && optionsNonNull.outStream) {
                            optionsNonNull.outStream.write(data);
                        }
                        stdbuffer = this._processLineBuffer(data, stdbuffer, (line) => {
                            if (this.options.listeners && this.options.listeners.stdline) {
                                this.options.listeners.stdline(line);
                            }
                        });
                    });
                }
                let errbuffer = '';
                if (cp.stderr) {
                    cp.stderr.on('data', (data) => {
                        state.processStderr = true;
                        if (this.options.listeners && this.options.listeners.stderr) {
                            this.options.listeners.stderr(data);
                        }
                        if (!optionsNonNull.silent &&
                            optionsNonNull.errStream &&
                            optionsNonNull.outStream) {
                            const s = optionsNonNull.failOnStdErr
                                ? optionsNonNull.errStream
                                : optionsNonNull.outStream;
                            s.write(data);
                        }
                        errbuffer = this._processLineBuffer(data, errbuffer, (line) => {
                            if (this.options.listeners && this.options.listeners.errline) {
                                this.options.listeners.errline(line);
                            }
                        });
                    });
                }
                cp.on('error', (err) => {
                    state.processError = err.message;
                    state.processExited = true;
                    state.processClosed = true;
                    state.CheckComplete();
                });
                cp.on('exit', (code) => {
                    state.processExitCode = code;
                    state.processExited = true;
                    this._debug(`Exit code ${code} received from tool '${this.toolPath}'`);
                    state.CheckComplete();
                });
                cp.on('close', (code) => {
                    state.processExitCode = code;
                    state.processExited = true;
                    state.processClosed = true;
                    this._debug(`STDIO streams have closed for tool '${this.toolPath}'`);
                    state.CheckComplete();
                });
                state.on('done', (error, exitCode) => {
                    if (stdbuffer.length > 0) {
                        this.emit('stdline', stdbuffer);
                    }
                    if (errbuffer.length > 0) {
                        this.emit('errline', errbuffer);
                    }
                    cp.removeAllListeners();
                    if (error) {
                        reject(error);
                    }
                    else {
                        resolve(exitCode);
                    }
                });
                if (this.options.input) {
                    if (!cp.stdin) {
                        throw new Error('child process missing stdin');
                    }
                    cp.stdin.end(this.options.input);
                }
            }));
        });
    }
}
/**
 * Convert an arg string to an array of args. Handles escaping
 *
 * @param    argString   string of arguments
 * @returns  string[]    array of arguments
 */
function argStringToArray(argString) {
    const args = [];
    let inQuotes = false;
    let escaped = false;
    let arg = '';
    function append(c) {
        // we only escape double quotes.
        if (escaped && c !== '"') {
            arg += '\\';
        }
        arg += c;
        escaped = false;
    }
    for (let i = 0; i < argString.length; i++) {
        const c = argString.charAt(i);
        if (c === '"') {
            if (!escaped) {
                inQuotes = !inQuotes;
            }
            else {
                append(c);
            }
            continue;
        }
        if (c === '\\' && escaped) {
            append(c);
            continue;
        }
        if (c === '\\' && inQuotes) {
            escaped = true;
            continue;
        }
        if (c === ' ' && !inQuotes) {
            if (arg.length > 0) {
                args.push(arg);
                arg = '';
            }
            continue;
        }
        append(c);
    }
    if (arg.length > 0) {
        args.push(arg.trim());
    }
    return args;
}
class ExecState extends external_events_namespaceObject.EventEmitter {
    constructor(options, toolPath) {
        super();
        this.processClosed = false; // tracks whether the process has exited and stdio is closed
        this.processError = '';
        this.processExitCode = 0;
        this.processExited = false; // tracks whether the process has exited
        this.processStderr = false; // tracks whether stderr was written to
        this.delay = 10000; // 10 seconds
        this.done = false;
        this.timeout = null;
        if (!toolPath) {
            throw new Error('toolPath must not be empty');
        }
        this.options = options;
        this.toolPath = toolPath;
        if (options.delay) {
            this.delay = options.delay;
        }
    }
    CheckComplete() {
        if (this.done) {
            return;
        }
        if (this.processClosed) {
            this._setResult();
        }
        else if (this.processExited) {
            this.timeout = (0,external_timers_namespaceObject.setTimeout)(ExecState.HandleTimeout, this.delay, this);
        }
    }
    _debug(message) {
        this.emit('debug', message);
    }
    _setResult() {
        // determine whether there is an error
        let error;
        if (this.processExited) {
            if (this.processError) {
                error = new Error(`There was an error when attempting to execute the process '${this.toolPath}'. This may indicate the process failed to start. Error: ${this.processError}`);
            }
            else if (this.processExitCode !== 0 && !this.options.ignoreReturnCode) {
                error = new Error(`The process '${this.toolPath}' failed with exit code ${this.processExitCode}`);
            }
            else if (this.processStderr && this.options.failOnStdErr) {
                error = new Error(`The process '${this.toolPath}' failed because one or more lines were written to the STDERR stream`);
            }
        }
        // clear the timeout
        if (this.timeout) {
            clearTimeout(this.timeout);
            this.timeout = null;
        }
        this.done = true;
        this.emit('done', error, this.processExitCode);
    }
    static HandleTimeout(state) {
        if (state.done) {
            return;
        }
        if (!state.processClosed && state.processExited) {
            const message = `The STDIO streams did not close within ${state.delay / 1000} seconds of the exit event from process '${state.toolPath}'. This may indicate a child process inherited the STDIO streams and has not yet exited.`;
            state._debug(message);
        }
        state._setResult();
    }
}
;// CONCATENATED MODULE: ./node_modules/@actions/exec/lib/exec.js
var exec_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};


/**
 * Exec a command.
 * Output will be streamed to the live console.
 * Returns promise with return code
 *
 * @param     commandLine        command to execute (can include additional args). Must be correctly escaped.
 * @param     args               optional arguments for tool. Escaping is handled by the lib.
 * @param     options            optional exec options.  See ExecOptions
 * @returns   Promise<number>    exit code
 */
function exec(commandLine, args, options) {
    return exec_awaiter(this, void 0, void 0, function* () {
        const commandArgs = argStringToArray(commandLine);
        if (commandArgs.length === 0) {
            throw new Error(`Parameter 'commandLine' cannot be null or empty.`);
        }
        // Path to tool to execute should be first arg
        const toolPath = commandArgs[0];
        args = commandArgs.slice(1).concat(args || []);
        const runner = new ToolRunner(toolPath, args, options);
        return runner.exec();
    });
}
/**
 * Exec a command and get the output.
 * Output will be streamed to the live console.
 * Returns promise with the exit code and collected stdout and stderr
 *
 * @param     commandLine           command to execute (can include additional args). Must be correctly escaped.
 * @param     args                  optional arguments for tool. Escaping is handled by the lib.
 * @param     options               optional exec options.  See ExecOptions
 * @returns   Promise<ExecOutput>   exit code, stdout, and stderr
 */
function getExecOutput(commandLine, args, options) {
    return exec_awaiter(this, void 0, void 0, function* () {
        var _a, _b;
        let stdout = '';
        let stderr = '';
        //Using string decoder covers the case where a mult-byte character is split
        const stdoutDecoder = new external_string_decoder_namespaceObject.StringDecoder('utf8');
        const stderrDecoder = new external_string_decoder_namespaceObject.StringDecoder('utf8');
        const originalStdoutListener = (_a = options === null || options === void 0 ? void 0 : options.listeners) === null || _a === void 0 ? void 0 : _a.stdout;
        const originalStdErrListener = (_b = options === null || options === void 0 ? void 0 : options.listeners) === null || _b === void 0 ? void 0 : _b.stderr;
        const stdErrListener = (data) => {
            stderr += stderrDecoder.write(data);
            if (originalStdErrListener) {
                originalStdErrListener(data);
            }
        };
        const stdOutListener = (data) => {
            stdout += stdoutDecoder.write(data);
            if (originalStdoutListener) {
                originalStdoutListener(data);
            }
        };
        const listeners = Object.assign(Object.assign({}, options === null || options === void 0 ? void 0 : options.listeners), { stdout: stdOutListener, stderr: stdErrListener });
        const exitCode = yield exec(commandLine, args, Object.assign(Object.assign({}, options), { listeners }));
        //flush any remaining characters
        stdout += stdoutDecoder.end();
        stderr += stderrDecoder.end();
        return {
            exitCode,
            stdout,
            stderr
        };
    });
}
;// CONCATENATED MODULE: ./node_modules/@actions/core/lib/platform.js
var platform_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};


const getWindowsInfo = () => platform_awaiter(void 0, void 0, void 0, function* () {
    const { stdout: version } = yield getExecOutput('powershell -command "(Get-CimInstance -ClassName Win32_OperatingSystem).Version"', undefined, {
        silent: true
    });
    const { stdout: name } = yield getExecOutput('powershell -command "(Get-CimInstance -ClassName Win32_OperatingSystem).Caption"', undefined, {
        silent: true
    });
    return {
        name: name.trim(),
        version: version.trim()
    };
});
const getMacOsInfo = () => platform_awaiter(void 0, void 0, void 0, function* () {
    var _a, _b, _c, _d;
    const { stdout } = yield getExecOutput('sw_vers', undefined, {
        silent: true
    });
    const version = (_b = (_a = stdout.match(/ProductVersion:\s*(.+)/)) === null || _a === void 0 ? void 0 : _a[1]) !== null && _b !== void 0 ? _b : '';
    const name = (_d = (_c = stdout.match(/ProductName:\s*(.+)/)) === null || _c === void 0 ? void 0 : _c[1]) !== null && _d !== void 0 ? _d : '';
    return {
        name,
        version
    };
});
const getLinuxInfo = () => platform_awaiter(void 0, void 0, void 0, function* () {
    const { stdout } = yield getExecOutput('lsb_release', ['-i', '-r', '-s'], {
        silent: true
    });
    const [name, version] = stdout.trim().split('\n');
    return {
        name,
        version
    };
});
const platform = external_os_namespaceObject.platform();
const arch = external_os_namespaceObject.arch();
const isWindows = platform === 'win32';
const isMacOS = platform === 'darwin';
const isLinux = platform === 'linux';
function getDetails() {
    return platform_awaiter(this, void 0, void 0, function* () {
        return Object.assign(Object.assign({}, (yield (isWindows
            ? getWindowsInfo()
            : isMacOS
                ? getMacOsInfo()
                : getLinuxInfo()))), { platform,
            arch,
            isWindows,
            isMacOS,
            isLinux });
    });
}
;// CONCATENATED MODULE: ./node_modules/@actions/core/lib/core.js
var core_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};






/**
 * The code to exit an action
 */
var ExitCode;
(function (ExitCode) {
    /**
     * A code indicating that the action was successful
     */
    ExitCode[ExitCode["Success"] = 0] = "Success";
    /**
     * A code indicating that the action was a failure
     */
    ExitCode[ExitCode["Failure"] = 1] = "Failure";
})(ExitCode || (ExitCode = {}));
//-----------------------------------------------------------------------
// Variables
//-----------------------------------------------------------------------
/**
 * Sets env variable for this action and future actions in the job
 * @param name the name of the variable to set
 * @param val the value of the variable. Non-string values will be converted to a string via JSON.stringify
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function exportVariable(name, val) {
    const convertedVal = toCommandValue(val);
    process.env[name] = convertedVal;
    const filePath = process.env['GITHUB_ENV'] || '';
    if (filePath) {
        return issueFileCommand('ENV', prepareKeyValueMessage(name, val));
    }
    issueCommand('set-env', { name }, convertedVal);
}
/**
 * Registers a secret which will get masked from logs
 *
 * @param secret - Value of the secret to be masked
 * @remarks
 * This function instructs the Actions runner to mask the specified value in any
 * logs produced during the workflow run. Once registered, the secret value will
 * be replaced with asterisks (***) whenever it appears in console output, logs,
 * or error messages.
 *
 * This is useful for protecting sensitive information such as:
 * - API keys
 * - Access tokens
 * - Authentication credentials
 * - URL parameters containing signatures (SAS tokens)
 *
 * Note that masking only affects future logs; any previous appearances of the
 * secret in logs before calling this function will remain unmasked.
 *
 * @example
 * ```typescript
 * // Register an API token as a secret
 * const apiToken = "abc123xyz456";
 * setSecret(apiToken);
 *
 * // Now any logs containing this value will show *** instead
 * console.log(`Using token: ${apiToken}`); // Outputs: "Using token: ***"
 * ```
 */
function setSecret(secret) {
    issueCommand('add-mask', {}, secret);
}
/**
 * Prepends inputPath to the PATH (for this action and future actions)
 * @param inputPath
 */
function addPath(inputPath) {
    const filePath = process.env['GITHUB_PATH'] || '';
    if (filePath) {
        issueFileCommand('PATH', inputPath);
    }
    else {
        issueCommand('add-path', {}, inputPath);
    }
    process.env['PATH'] = `${inputPath}${external_path_namespaceObject.delimiter}${process.env['PATH']}`;
}
/**
 * Gets the value of an input.
 * Unless trimWhitespace is set to false in InputOptions, the value is also trimmed.
 * Returns an empty string if the value is not defined.
 *
 * @param     name     name of the input to get
 * @param     options  optional. See InputOptions.
 * @returns   string
 */
function getInput(name, options) {
    const val = process.env[`INPUT_${name.replace(/ /g, '_').toUpperCase()}`] || '';
    if (options && options.required && !val) {
        throw new Error(`Input required and not supplied: ${name}`);
    }
    if (options && options.trimWhitespace === false) {
        return val;
    }
    return val.trim();
}
/**
 * Gets the values of an multiline input.  Each value is also trimmed.
 *
 * @param     name     name of the input to get
 * @param     options  optional. See InputOptions.
 * @returns   string[]
 *
 */
function getMultilineInput(name, options) {
    const inputs = getInput(name, options)
        .split('\n')
        .filter(x => x !== '');
    if (options && options.trimWhitespace === false) {
        return inputs;
    }
    return inputs.map(input => input.trim());
}
/**
 * Gets the input value of the boolean type in the YAML 1.2 "core schema" specification.
 * Support boolean input list: `true | True | TRUE | false | False | FALSE` .
 * The return value is also in boolean type.
 * ref: https://yaml.org/spec/1.2/spec.html#id2804923
 *
 * @param     name     name of the input to get
 * @param     options  optional. See InputOptions.
 * @returns   boolean
 */
function getBooleanInput(name, options) {
    const trueValue = ['true', 'True', 'TRUE'];
    const falseValue = ['false', 'False', 'FALSE'];
    const val = getInput(name, options);
    if (trueValue.includes(val))
        return true;
    if (falseValue.includes(val))
        return false;
    throw new TypeError(`Input does not meet YAML 1.2 "Core Schema" specification: ${name}\n` +
        `Support boolean input list: \`true | True | TRUE | false | False | FALSE\``);
}
/**
 * Sets the value of an output.
 *
 * @param     name     name of the output to set
 * @param     value    value to store. Non-string values will be converted to a string via JSON.stringify
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function setOutput(name, value) {
    const filePath = process.env['GITHUB_OUTPUT'] || '';
    if (filePath) {
        return issueFileCommand('OUTPUT', prepareKeyValueMessage(name, value));
    }
    process.stdout.write(external_os_namespaceObject.EOL);
    issueCommand('set-output', { name }, toCommandValue(value));
}
/**
 * Enables or disables the echoing of commands into stdout for the rest of the step.
 * Echoing is disabled by default if ACTIONS_STEP_DEBUG is not set.
 *
 */
function setCommandEcho(enabled) {
    issue('echo', enabled ? 'on' : 'off');
}
//-----------------------------------------------------------------------
// Results
//-----------------------------------------------------------------------
/**
 * Sets the action status to failed.
 * When the action exits it will be with an exit code of 1
 * @param message add error issue message
 */
function setFailed(message) {
    process.exitCode = ExitCode.Failure;
    error(message);
}
//-----------------------------------------------------------------------
// Logging Commands
//-----------------------------------------------------------------------
/**
 * Gets whether Actions Step Debug is on or not
 */
function isDebug() {
    return process.env['RUNNER_DEBUG'] === '1';
}
/**
 * Writes debug message to user log
 * @param message debug message
 */
function debug(message) {
    issueCommand('debug', {}, message);
}
/**
 * Adds an error issue
 * @param message error issue message. Errors will be converted to string via toString()
 * @param properties optional properties to add to the annotation.
 */
function error(message, properties = {}) {
    issueCommand('error', toCommandProperties(properties), message instanceof Error ? message.toString() : message);
}
/**
 * Adds a warning issue
 * @param message warning issue message. Errors will be converted to string via toString()
 * @param properties optional properties to add to the annotation.
 */
function warning(message, properties = {}) {
    issueCommand('warning', toCommandProperties(properties), message instanceof Error ? message.toString() : message);
}
/**
 * Adds a notice issue
 * @param message notice issue message. Errors will be converted to string via toString()
 * @param properties optional properties to add to the annotation.
 */
function notice(message, properties = {}) {
    issueCommand('notice', toCommandProperties(properties), message instanceof Error ? message.toString() : message);
}
/**
 * Writes info to log with console.log.
 * @param message info message
 */
function info(message) {
    process.stdout.write(message + external_os_namespaceObject.EOL);
}
/**
 * Begin an output group.
 *
 * Output until the next `groupEnd` will be foldable in this group
 *
 * @param name The name of the output group
 */
function startGroup(name) {
    issue('group', name);
}
/**
 * End an output group.
 */
function endGroup() {
    issue('endgroup');
}
/**
 * Wrap an asynchronous function call in a group.
 *
 * Returns the same type as the function itself.
 *
 * @param name The name of the group
 * @param fn The function to wrap in the group
 */
function group(name, fn) {
    return core_awaiter(this, void 0, void 0, function* () {
        startGroup(name);
        let result;
        try {
            result = yield fn();
        }
        finally {
            endGroup();
        }
        return result;
    });
}
//-----------------------------------------------------------------------
// Wrapper action state
//-----------------------------------------------------------------------
/**
 * Saves state for current action, the state can only be retrieved by this action's post job execution.
 *
 * @param     name     name of the state to store
 * @param     value    value to store. Non-string values will be converted to a string via JSON.stringify
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function saveState(name, value) {
    const filePath = process.env['GITHUB_STATE'] || '';
    if (filePath) {
        return issueFileCommand('STATE', prepareKeyValueMessage(name, value));
    }
    issueCommand('save-state', { name }, toCommandValue(value));
}
/**
 * Gets the value of an state set by this action's main execution.
 *
 * @param     name     name of the state to get
 * @returns   string
 */
function getState(name) {
    return process.env[`STATE_${name}`] || '';
}
function getIDToken(aud) {
    return core_awaiter(this, void 0, void 0, function* () {
        return yield OidcClient.getIDToken(aud);
    });
}
/**
 * Summary exports
 */

/**
 * @deprecated use core.summary
 */

/**
 * Path exports
 */

/**
 * Platform utilities exports
 */

;// CONCATENATED MODULE: ./out/src/github/action-input.js

/** The text of an input as the workflow sets it, empty where it sets none. */
function readInput(name) {
    return getInput(name, { trimWhitespace: false });
}
/** Makes the runner mask the text in logs. */
function maskSecret(secret) {
    setSecret(secret);
}
;// CONCATENATED MODULE: ./out/src/domain/configuration.js
const ownHostname = { kind: "hostname" };
// Under this name, the outer flake has a node of the hive among its nixosConfigurations.
const hive = "colmenaHive.nodes.";
const profile = "deploy.nodes.";
/**
 * Parses `NAME`, `nixosConfigurations.NAME`, `nixosConfigurations."NAME"`, as one types it after `nix build .#`, and
 * `colmenaHive.nodes.NAME` or `deploy.nodes.NAME`. Throws an `Error` that says what is accepted.
 */
function parseConfiguration(text) {
    const [, quoted, plain] = /^nixosConfigurations\.(?:"(.+)"|(.+))$/.exec(text) ?? [];
    const attribute = quoted ?? plain ?? text;
    const after = (prefix) => attribute.startsWith(prefix) && attribute.length > prefix.length ? attribute.slice(prefix.length) : undefined;
    const [node, ofDeploy] = [after(hive), after(profile)];
    if (node !== undefined)
        return checkConfiguration({ kind: "hive", name: node });
    return checkConfiguration(ofDeploy === undefined ? { kind: "nixos", name: attribute } : { kind: "profile", name: ofDeploy });
}
// Characters. It becomes one argument of nixos-rebuild; a file or unit of a machine has no longer name either.
const longestName = 255;
/** Checks the name of a configuration. Throws an `Error` that says what is accepted. */
function checkConfiguration(configuration) {
    if ((nameOfConfiguration(configuration)?.length ?? 0) > longestName)
        throw new Error(`its configuration is longer than ${longestName} characters`);
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.+'-]*$/.test(attributeOf(configuration) ?? "hostname")) {
        throw new Error("its configuration is not a valid attribute name (letters, digits and _ . + ' -, without quotes)");
    }
    return configuration;
}
/** The attribute under the outer flake's `nixosConfigurations`, as a target names it; `undefined` where only the machine knows its hostname. */
function attributeOf(configuration) {
    switch (configuration.kind) {
        case "nixos":
            return configuration.name;
        case "hive":
            return `${hive}${configuration.name}`;
        case "profile":
            return `${profile}${configuration.name}`;
        case "hostname":
            return undefined;
    }
}
/** Where a flake has what an attribute names, as `attributeOf` renders it: below `nixosConfigurations`, unless it says where. */
function outputOf(attribute) {
    return attribute.startsWith(hive) || attribute.startsWith(profile) ? attribute : `nixosConfigurations.${attribute}`;
}
/** Returns whether an attribute, as `attributeOf` renders it, is a profile: only its evaluation tells which system that is. */
function isProfile(attribute) {
    return attribute?.startsWith(profile) === true;
}
/** The name without where it is; `undefined` where only the machine knows its hostname. */
function nameOfConfiguration(configuration) {
    return configuration.kind === "hostname" ? undefined : configuration.name;
}
/** Returns whether one of the machines has its configuration in colmena's hive. */
function needsHive(machines) {
    return machines.some(({ configuration }) => configuration.kind === "hive");
}
;// CONCATENATED MODULE: ./out/src/domain/build-place.js
/** Where a system is evaluated or built: what the flake says, else the machine itself; the machine itself; the runner. */
const buildPlaces = ["auto", "target", "runner"];
/**
 * Decides how a machine gets its system. `own` is what its entry in `targets` says, which counts before the input; `flake` what the
 * flake says, which counts after it.
 */
function wayOf({ buildOn, evaluateOn }, own, flake) {
    const place = [own, buildOn, flake].find((said) => said !== undefined && said !== "auto");
    if (place === "runner")
        return "built-here";
    return evaluateOn === "runner" ? "realised-there" : "rebuilt-there";
}
/** Tells whether the runner evaluates the system, and so has to know the name of its configuration. */
function evaluatesHere(way) {
    return evaluated[way];
}
const evaluated = {
    "rebuilt-there": false,
    "realised-there": true,
    "built-here": true,
    "built-before": false,
};
;// CONCATENATED MODULE: ./out/src/domain/target.js


const acceptedTarget = "[user@]host[:port][#configuration], with an IPv6 address in brackets";
/** Renders the target: `user@host`, with `:port` where it is not 22. */
function renderTarget(target) {
    const host = target.host.includes(":") ? `[${target.host}]` : target.host;
    return `${target.user}@${host}${target.port === 22 ? "" : `:${target.port}`}`;
}
/**
 * Parses `[user@]host[:port][#configuration]`. Throws an `Error` whose message says what is wrong, without the text itself.
 * The host is checked here because ssh obeys shell characters in a `HostName` of its configuration.
 */
function parseTarget(text) {
    refuseUrl(text);
    if (text.includes(","))
        throw new Error("contains a comma; write one target per line");
    const hash = text.indexOf("#");
    const place = hash === -1 ? text : text.slice(0, hash);
    const configuration = hash === -1 ? ownHostname : parseConfiguration(text.slice(hash + 1));
    const at = place.lastIndexOf("@");
    const user = at === -1 ? undefined : place.slice(0, at);
    const { host, port } = splitPort(place.slice(at + 1));
    return checkTarget({ host, user, port, configuration });
}
/** Checks the parts of a target. Throws an `Error` whose message names the part and what is accepted. */
function checkTarget(request) {
    const { host, user, port, configuration, name } = request;
    checkHost(host);
    if (user !== undefined)
        checkUser(user);
    if (port !== undefined)
        checkPort(port);
    checkConfiguration(configuration);
    if (name !== undefined && !/^[^\s\p{C}][^\p{C}]{0,99}$/u.test(name)) {
        throw new Error("its name is empty, longer than 100 characters, or contains control characters");
    }
    return request;
}
/** Parses where a system is built. Throws an `Error` that says what is accepted. */
function parsePlace(text, field) {
    const place = buildPlaces.find((known) => known === text);
    if (place === undefined)
        throw new Error(`its ${field} is not one of ${buildPlaces.join(", ")}`);
    return place;
}
/** Checks the name of a remote user. Throws an `Error` that says what is accepted. */
function checkUser(user) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,255}$/.test(user)) {
        throw new Error("its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)");
    }
}
/** Checks a port. Throws an `Error` that says what is accepted. */
function checkPort(port) {
    if (!Number.isInteger(port) || port < 1 || port > 65535)
        throw new Error("its port is not a number from 1 to 65535");
}
/** Checks a host. Throws an `Error` that says what is accepted. */
function checkHost(host) {
    if (host === "")
        throw new Error("its host is empty");
    refuseUrl(host);
    if (host.startsWith("-"))
        throw new Error("its host starts with -, which ssh would read as an option");
    if (/[\s\p{C}]/u.test(host))
        throw new Error("its host contains white space or control characters");
    if (host.includes(":")) {
        if (!/^[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?$/.test(host))
            throw new Error("its host is not an IPv6 address");
        return;
    }
    if (!/^[A-Za-z0-9_.-]{1,253}$/.test(host)) {
        throw new Error("its host contains characters other than letters, digits and _ . -");
    }
}
function refuseUrl(text) {
    const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
    if (scheme !== undefined)
        throw new Error(`is a URL; write it without ${scheme}`);
}
function splitPort(text) {
    const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
    if (bracketed !== null) {
        const host = bracketed[1] ?? "";
        if (!host.includes(":"))
            throw new Error("only an IPv6 address may be in brackets");
        return { host, port: parsePort(bracketed[2]) };
    }
    if (text.includes("[") || text.includes("]"))
        throw new Error("its brackets must enclose the whole host");
    const colon = text.indexOf(":");
    if (colon === -1)
        return { host: text, port: undefined };
    if (text.indexOf(":", colon + 1) !== -1)
        throw new Error("an IPv6 address must be in brackets, for example [2001:db8::7]:2222");
    return { host: text.slice(0, colon), port: parsePort(text.slice(colon + 1)) };
}
function parsePort(text) {
    if (text === undefined)
        return undefined;
    return /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
}
/** The name of a target where no other has the same: its own, else its configuration, else its host. */
function wishedName({ name, configuration, host }) {
    return name ?? nameOfConfiguration(configuration) ?? host;
}
/**
 * Gives each target a name: its own, else its configuration, else its host; where two would have the same, host and port
 * instead. Throws an `Error` when two would still have the same.
 */
function nameTargets(requests, defaultPort) {
    const wishes = requests.map(wishedName);
    const counts = new Map();
    for (const wish of wishes)
        counts.set(wish, (counts.get(wish) ?? 0) + 1);
    const targets = requests.map((request, index) => {
        const wish = wishes[index] ?? request.host;
        const port = request.port ?? defaultPort;
        return named(request, counts.get(wish) === 1 ? wish : `${request.host}${port === 22 ? "" : `:${port}`}`);
    });
    const names = new Set();
    for (const { name } of targets) {
        if (names.has(name))
            throw new Error(`two targets are named ${name}; give each a unique name`);
        names.add(name);
    }
    return targets;
}
/** The target of that name. */
function named({ host, user, port, configuration, buildOn, flakeBuildOn, sshOptions, replaceUnknown }, name) {
    return { name, host, user, port, configuration, buildOn, flakeBuildOn, sshOptions, replaceUnknown };
}
/** Fills in user and port of a target for which ssh-config sets none. */
function withDefaults({ name, user, host, port, configuration, sshOptions = [], replaceUnknown }, defaults) {
    return {
        name,
        user: user ?? defaults.user,
        host,
        port: port ?? defaults.port,
        address: lineValue(sshOptions, "HostName") ?? host,
        via: lineValue(sshOptions, "ProxyJump"),
        configuration,
        ...(sshOptions.length === 0 ? {} : { sshOptions }),
        ...(replaceUnknown === undefined ? {} : { replaceUnknown }),
    };
}
function lineValue(lines, keyword) {
    return lines.find((line) => line.startsWith(`${keyword} `))?.slice(keyword.length + 1);
}
/** Renders where a connection ends. The same address behind two jump hosts may be two machines. */
function placeOf({ address, port, via }) {
    return `${address.toLowerCase()} port ${port}${via === undefined ? "" : ` via ${via}`}`;
}
/** Throws an `Error` that names an address that two of the targets have. */
function requireDistinctPlaces(targets) {
    const places = new Set();
    for (const place of targets.map(placeOf)) {
        if (places.has(place))
            throw new Error(`${place} is listed twice; one run can deploy only one configuration per machine`);
        places.add(place);
    }
}
/** Names the targets and fills in user and port. Throws an `Error` as `requireDistinctPlaces` and `nameTargets` do. */
function completeTargets(requests, defaults) {
    requireDistinctPlaces(requests.map((request) => withDefaults(named(request, wishedName(request)), defaults)));
    return nameTargets(requests, defaults.port).map((target) => withDefaults(target, defaults));
}
;// CONCATENATED MODULE: ./out/src/domain/matrix.js


/** Renders the machines for the input `targets`: one per line, or JSON where a line cannot express a name, a place to build or options of ssh. */
function targetsText(machines) {
    const plain = machines.every(({ name, request: { buildOn, flakeBuildOn, sshOptions, replaceUnknown, ...place } }) => wishedName({ ...place, name: undefined }) === name && [buildOn, flakeBuildOn, sshOptions, replaceUnknown].every((said) => said === undefined));
    if (plain)
        return machines.map(({ request }) => targetLine(request)).join("\n");
    return JSON.stringify(machines.map(({ name, request: { buildOn, flakeBuildOn, sshOptions, replaceUnknown, configuration, ...place } }) => ({
        ...place,
        configuration: attributeOf(configuration),
        name,
        "build-on": buildOn,
        "flake-build-on": flakeBuildOn,
        "ssh-options": sshOptions,
        "replace-unknown-profiles": replaceUnknown,
    })));
}
/** The target as a line: `[user@]host[:port][#configuration]`. */
function targetLine({ user, host, port, configuration }) {
    const attribute = attributeOf(configuration);
    const place = host.includes(":") ? `[${host}]` : host;
    return `${user === undefined ? "" : `${user}@`}${place}${port === undefined ? "" : `:${port}`}${attribute === undefined ? "" : `#${attribute}`}`;
}
;// CONCATENATED MODULE: ./out/src/github/limits.js
// What GitHub accepts. https://docs.github.com/en/actions/reference/limits
/** Jobs of a matrix in one workflow run. */
const jobsOfMatrix = 256;
/** Characters of the outputs of one step: half of the 1 MB, counted as UTF-16, that a job may have. */
const charactersOfOutputs = 500_000;
/** Annotations of one kind that the page of a run shows for a step, without the one that GitHub makes of the step's own failure. */
const annotationsOfStep = 9;
/** The page of a workflow run. GitHub refuses a summary above 1,048,576 bytes a step as a whole. */
const jobSummary = { bytes: 1_000_000, name: "summary (1 MiB)" };
/** A comment on an issue or pull request, which has at most 65,536 characters; some are left for text added by the workflow. */
const comment = { bytes: 64_000, name: "comment (65,536 characters)" };
;// CONCATENATED MODULE: ./out/src/github/machine-outputs.js




/** The machines for the input `targets`: not an empty text where there are none, which would stand for every machine of the flake. */
function targetsOutput(machines) {
    return machines.length === 0 ? "[]" : targetsText(machines);
}
/** Returns the outputs about so many machines. Throws an `InputError` for more than fit into the outputs of a job. */
function fittingOutputs(outputs, machines) {
    if (Object.values(outputs).join("").length > charactersOfOutputs) {
        throw new InputError([{ input: "select", problem: `selects ${machines} hosts, more than fit into the outputs of one job (1 MB); select fewer` }]);
    }
    return outputs;
}
/** Sets every output. */
function setMachineOutputs(outputs) {
    for (const [name, value] of Object.entries(outputs))
        setOutput(name, value);
}
;// CONCATENATED MODULE: ./out/src/github/build-outputs.js

/** Renders the outputs for the systems that were built, and no others. Throws an `InputError` for more than fit into the outputs of a job. */
function renderBuild(built) {
    const outputs = {
        systems: JSON.stringify(Object.fromEntries(built.map(({ name, toplevel }) => [name, toplevel]))),
        // Where the flake would have them built does not matter any more.
        targets: targetsOutput(built.map(({ name, request }) => ({ name, request: { ...request, buildOn: undefined, flakeBuildOn: undefined } }))),
        count: String(built.length),
    };
    return fittingOutputs(outputs, built.length);
}
;// CONCATENATED MODULE: external "node:os"
const external_node_os_namespaceObject = late("node:os");
;// CONCATENATED MODULE: ./out/src/github/runner-temp.js

/** The directory for files of this job, which the runner clears; the system's own where the runner names none. */
function runnerTemp() {
    return process.env["RUNNER_TEMP"] || (0,external_node_os_namespaceObject.tmpdir)();
}
;// CONCATENATED MODULE: ./out/src/domain/option-table.js
/** Makes a row of an option that is accepted. */
function accepted(name, meaning, words = [], aliases = []) {
    return { name, aliases, words, verdict: { kind: "accepted", meaning } };
}
/** Makes a row of an option that is refused. */
function refused(name, reason, words = [], aliases = []) {
    return { name, aliases, words, verdict: { kind: "refused", reason } };
}
/**
 * Checks arguments, one per line, against a table. Only exact names count: the forms `--name=value`, `-j4` and abbreviations are
 * refused, because the programs do not agree on them. Returns a message for every problem; none where all are accepted.
 */
function checkArguments(lines, table) {
    const problems = [];
    const seen = new Set();
    for (let index = 0; index < lines.length;) {
        const line = lines[index] ?? "";
        const row = table.options.find(({ name, aliases }) => name === line || aliases.includes(line));
        if (row === undefined) {
            problems.push(explainUnknown(line, table));
            index += 1;
            continue;
        }
        const words = lines.slice(index + 1, index + 1 + row.words.length);
        // The value of a refused option may be missing.
        const taken = row.verdict.kind === "refused" ? words.filter((word) => !word.startsWith("-")) : words;
        index += 1 + taken.length;
        problems.push(...checkOption(row, words, table));
        if (table.lastWins.includes(row.name) && seen.has(row.name))
            problems.push(`${row.name} is given more than once, but ${table.program} uses only the last one`);
        seen.add(row.name);
    }
    return [...new Set(problems)];
}
function checkOption({ name, words, verdict }, given, table) {
    if (verdict.kind === "refused")
        return [`${name} is not allowed: ${verdict.reason}`];
    if (given.length < words.length)
        return [`${name} needs ${words.join(" and ")}, each on its own line`];
    const option = given.find((word) => word.startsWith("-"));
    if (option !== undefined)
        return [`${name} needs ${words.join(" and ")}, but ${show(option)} starts with - and would be read as an option`];
    return name === "--option" ? checkSetting(given[0] ?? "", table) : [];
}
function checkSetting(setting, { settings }) {
    const row = settingNamed(setting, settings);
    if (row?.verdict.kind === "refused")
        return [`--option ${setting} is not allowed: ${row.verdict.reason}`];
    // extra-NAME only exists for settings that are lists.
    if (row?.name === setting)
        return [];
    const names = settings.filter(({ verdict }) => verdict.kind === "accepted").map(({ name }) => name);
    return [`--option ${show(setting)} is not allowed; allowed settings are ${names.join(", ")}`];
}
function settingNamed(text, settings) {
    const named = (name) => settings.find((row) => row.name === name);
    return named(text) ?? (text.startsWith("extra-") ? named(text.slice("extra-".length)) : undefined);
}
function explainUnknown(line, { options, settings }) {
    const [first = "", second] = line.split(/[\s=]+/, 2);
    const known = options.find(({ name, aliases }) => name === first || aliases.includes(first));
    if (known?.verdict.kind === "refused")
        return `${known.name} is not allowed: ${known.verdict.reason}`;
    if (known !== undefined && second !== undefined && known.words.length > 0)
        return `${show(line)} is not allowed: write ${known.words.join(" and ")} on its own line, after ${first}`;
    // Nix accepts every setting as an option, too.
    const setting = settingNamed(first.replace(/^--(?:no-)?/, ""), settings);
    if (first.startsWith("--") && setting?.verdict.kind === "refused")
        return `${show(first)} is not allowed: ${setting.verdict.reason}`;
    if (first.startsWith("--") && setting !== undefined)
        return `${show(first)} is not allowed: write --option, ${setting.name} and the value, each on its own line`;
    const names = options.filter(({ verdict }) => verdict.kind === "accepted").map(({ name }) => name);
    return `${show(line)} is not allowed; allowed options are ${names.join(", ")}`;
}
function show(text) {
    return JSON.stringify(text.slice(0, 100));
}
;// CONCATENATED MODULE: ./out/src/nix/setting-table.js
const accept = (name, meaning) => ({ name, verdict: { kind: "accepted", meaning } });
const refuse = (reason, ...names) => names.map((name) => ({ name, verdict: { kind: "refused", reason } }));
const source = "it changes where store paths come from, and a substituter can declare itself trusted; set it in nix.conf, on NixOS with nix.settings";
const trust = "it changes what is trusted; set it in nix.conf, on NixOS with nix.settings";
const sandbox = "it changes what builds can access, and so what they build; set it in nix.conf, on NixOS with nix.settings";
const evaluation = "it changes what the flake evaluates to, so that the same commit gives another system; put it into the flake instead";
const secret = "every user can read command lines; put secrets into nix.conf, or into a file that it includes";
const program = "it names a program or a library that Nix runs; set it in nix.conf, on NixOS with nix.settings";
const setting_table_platform = "it changes what is built, and for which platform; set it in the flake's configuration";
/**
 * The settings that `--option` may set: those that change how Nix works, but not what it builds or trusts. All others are
 * refused, common ones with a reason. Names are from nix.conf(5) of Nix 2.8 to 2.35.
 */
const settingTable = [
    accept("always-allow-substitutes", "`true`: also substitute derivations that prefer a local build"),
    accept("builders-use-substitutes", "`true`: remote builders download dependencies from substituters themselves"),
    accept("connect-timeout", "seconds to wait for a connection to a substituter"),
    accept("cores", "processor cores that one build may use"),
    accept("download-attempts", "how often a download is tried"),
    accept("download-buffer-size", "bytes of the buffer for downloads"),
    accept("download-speed", "KiB per second that a download may take"),
    accept("eval-cache", "`false`: evaluate again even if the same commit was evaluated before"),
    accept("extra-experimental-features", "features that the flake needs, for example `pipe-operators`"),
    accept("fallback", "`true`: build what cannot be downloaded"),
    accept("http2", "`false`: download with HTTP/1.1"),
    accept("http-connections", "number of connections for downloads"),
    accept("keep-failed", "`true`: keep the directory of a failed build"),
    accept("keep-going", "`true`: continue with other builds after one has failed"),
    accept("log-lines", "lines of a failed build's log that are shown"),
    accept("max-build-log-size", "bytes of output after which a build is terminated"),
    accept("max-call-depth", "depth of function calls in an evaluation"),
    accept("max-jobs", "number of builds at a time"),
    accept("max-silent-time", "seconds without output after which a build is terminated"),
    accept("max-substitution-jobs", "number of downloads at a time"),
    accept("narinfo-cache-negative-ttl", "seconds for which a missing path is not looked up again"),
    accept("narinfo-cache-positive-ttl", "seconds for which a found path is not looked up again"),
    accept("show-trace", "`true`: show the whole trace of an evaluation error"),
    accept("stalled-download-timeout", "seconds without data after which a download is tried again"),
    accept("substitute", "`false`: build everything"),
    accept("timeout", "seconds after which a build is terminated"),
    accept("user-agent-suffix", "text added to the user agent in requests to substituters"),
    accept("warn-dirty", "`false`: do not warn about a dirty Git tree"),
    ...refuse("it lets a flake change the settings of Nix; put the settings that you trust into nix.conf instead", "accept-flake-config"),
    ...refuse("it would replace the features that the action needs; use extra-experimental-features", "experimental-features"),
    ...refuse("the action sets the store", "store"),
    ...refuse(source, "substituters", "trusted-substituters", "binary-caches", "hashed-mirrors", "ssh-substituters"),
    ...refuse(trust, "require-sigs", "trusted-public-keys", "binary-cache-public-keys", "trusted-users", "allowed-users", "secret-key-files", "ssl-cert-file"),
    ...refuse(sandbox, "sandbox", "build-use-sandbox", "sandbox-paths", "sandbox-fallback", "filter-syscalls", "allow-new-privileges", "impure-env"),
    ...refuse(sandbox, "build-users-group", "auto-allocate-uids", "build-dir", "sandbox-dev-shm-size", "sandbox-build-dir"),
    ...refuse(evaluation, "pure-eval", "restrict-eval", "allowed-uris", "nix-path", "flake-registry", "use-registries", "allow-import-from-derivation"),
    ...refuse(evaluation, "allow-unsafe-native-code-during-evaluation", "lazy-trees", "tarball-ttl"),
    ...refuse(secret, "access-tokens", "netrc-file"),
    ...refuse(program, "post-build-hook", "pre-build-hook", "diff-hook", "run-diff-hook", "build-hook", "plugin-files"),
    ...refuse(setting_table_platform, "system", "eval-system", "extra-platforms", "system-features"),
    ...refuse("use the option --builders", "builders"),
    ...refuse("the action parses the output of Nix", "log-format", "json-log-path"),
];
;// CONCATENATED MODULE: ./out/src/nix/build-options.js


const own = "it is set by the action";
const store = "the action decides which store is meant";
const expression = "the systems are attributes of the flake; write what they need into the flake";
const nothing = "nothing would be built";
const build_options_evaluation = "it is for evaluation; build-args are for builds alone";
/** The options of builds on the runner, from the manual page of `nix-store --realise` (2.8 to 2.35): what `build-args` may hold. */
const buildOptions = {
    program: "nix-store",
    lastWins: [],
    settings: settingTable,
    options: [
        accepted("--builders", "remote machines that build, as in nix.conf(5)", ["BUILDERS"]),
        accepted("--cores", "processor cores that one build may use", ["NUMBER"]),
        accepted("--fallback", "build what cannot be downloaded"),
        accepted("--keep-failed", "keep the directory of a failed build", [], ["-K"]),
        accepted("--max-jobs", "number of builds at a time", ["NUMBER"], ["-j"]),
        accepted("--max-silent-time", "seconds without output after which a build is ended", ["SECONDS"]),
        accepted("--option", "change a setting of Nix (below)", ["NAME", "VALUE"]),
        accepted("--quiet", "print less"),
        accepted("--repair", "repair files that are damaged in the runner's store"),
        accepted("--timeout", "seconds after which a build is ended", ["SECONDS"]),
        accepted("--verbose", "print more; each `v` is one level", [], ["-v", "-vv", "-vvv", "-vvvv", "-vvvvv"]),
        refused("--keep-going", own, [], ["-k"]),
        refused("--no-build-output", own, [], ["-Q"]),
        refused("--print-build-logs", "the end of the log of each failed build is shown; `nix log` on the runner prints all of it", [], ["-L"]),
        refused("--add-root", "nothing collects garbage on the runner while the action runs", ["PATH"], ["--indirect"]),
        refused("--store", store, ["STORE"]),
        refused("--eval-store", store, ["STORE"]),
        refused("--dry-run", `${nothing}; use operation: build or dry-activate`),
        refused("--check", "it only builds again what is there, and compares"),
        refused("--ignore-unknown", "every system must be built"),
        refused("--serve", store),
        refused("--impure", "the same commit must give the same system everywhere"),
        refused("--include", expression, ["PATH"], ["-I"]),
        refused("--arg", expression, ["NAME", "EXPRESSION"]),
        refused("--argstr", expression, ["NAME", "TEXT"]),
        refused("--show-trace", build_options_evaluation),
        refused("--accept-flake-config", "it lets a flake change the settings of Nix; write the settings that you trust into nix.conf instead"),
        refused("--log-format", "the action reads what Nix prints", ["FORMAT"]),
        refused("--json", own),
        refused("--help", nothing, [], ["-h", "--version"]),
    ],
};
;// CONCATENATED MODULE: ./out/src/domain/listed.js
/** Names in a sentence, at most `most` of them: `web1, web2 and 3 more`. */
function listed(names, most) {
    const more = names.length - most;
    return more > 0 ? `${names.slice(0, most).join(", ")} ${andMore(more)}` : names.join(", ");
}
/** At most `most` lines, then one for the rest: `and 3 more`, followed by `what` if given. */
function listedLines(lines, most, what = "") {
    const more = lines.length - most;
    return more > 0 ? [...lines.slice(0, most), andMore(more, what)] : [...lines];
}
/** Says how many are not listed: `and 3 more packages`. */
function andMore(count, what = "") {
    return `and ${count} more${what === "" ? "" : ` ${what}`}`;
}
;// CONCATENATED MODULE: ./out/src/domain/selection.js

const acceptedSelection = "comma-separated globs over names and @tags, for example web1,edge-*,@canary,!web2 (! leaves out, * matches anything, ? one character, [abc] and [!a-z] one character of a set)";
// Characters: Nix gets the globs in one argument, of which Linux takes 128 KiB.
const longestSelection = 30_000;
/**
 * Parses a selection in the syntax of colmena's `--on` (src/nix/node_filter.rs there): globs, separated by commas, white space
 * around them; one that begins with `@` matches tags, and one with `!` leaves out. An empty text has no rules. Throws an `Error` that says what is wrong.
 */
function parseSelection(text) {
    const trimmed = text.trim();
    if (trimmed === "")
        return [];
    if (trimmed.length > longestSelection)
        throw new Error(`is longer than ${longestSelection} characters`);
    return trimmed.split(",").map((part) => {
        const rule = part.trim();
        const leavesOut = rule.startsWith("!");
        const positive = leavesOut ? rule.slice(1).trim() : rule;
        const isTag = positive.startsWith("@");
        const glob = isTag ? positive.slice(1) : positive;
        if (glob === "")
            throw new Error("contains an empty pattern");
        return { kind: isTag ? "tag" : "name", leavesOut, text: rule, expression: expressionOf(glob) };
    });
}
/** Returns whether the selection depends on tags. */
function looksAtTags(selection) {
    return selection.some(({ kind }) => kind === "tag");
}
/** Returns whether the selection chooses an item by its whole name, not by a pattern. */
function isNamed(name, selection) {
    return selection.some(({ kind, leavesOut, text }) => kind === "name" && !leavesOut && text === name);
}
/**
 * Returns the chosen items, and the rules that match nothing. An item whose tags are unknown is chosen by any rule for tags, so
 * that it is not skipped silently.
 */
function selection_select(items, selection, look) {
    if (selection.length === 0)
        return { chosen: [...items], unmatched: [] };
    const seen = items.map((item) => ({ item, ...look(item) }));
    const choosing = selection.filter(({ leavesOut }) => !leavesOut);
    const isChosen = (one) => choosing.length === 0 || choosing.some((rule) => isMatch(rule, one) || (rule.kind === "tag" && one.tags === undefined));
    const isLeftOut = (one) => selection.some((rule) => rule.leavesOut && isMatch(rule, one));
    return {
        chosen: seen.flatMap((one) => (isChosen(one) && !isLeftOut(one) ? [one.item] : [])),
        unmatched: selection.filter((rule) => !seen.some((one) => isMatch(rule, one))).map((rule) => rule.text),
    };
}
/** Says that a selection leaves nothing. */
function nothingLeftProblem(selection) {
    return `${selection.map(({ text }) => text).join(",")} leaves no machine`;
}
/** Renders which rules match nothing, and what is available. */
function unmatchedProblem(unmatched, available) {
    return `${unmatched.join(", ")} matches no host; available: ${available.length === 0 ? "none" : listed(available, mostNames)}`;
}
const mostNames = 50;
function isMatch({ kind, expression }, { names, tags }) {
    const pattern = new RegExp(`^(?:${expression})$`, "su");
    return (kind === "tag" ? (tags ?? []) : names).some((text) => pattern.test(text));
}
// A set contains only characters that need no escape in either kind of regular expression.
const pieces = /\*+|\?|\[(!?)([A-Za-z0-9_.@ -]+)\]|[^*?[\]]+|[[\]]/g;
function expressionOf(glob) {
    return glob.replaceAll(pieces, (piece, not, set) => {
        if (piece.startsWith("*"))
            return ".*";
        if (piece === "?")
            return ".";
        if (set !== undefined)
            return `[${not === "!" ? "^" : ""}${checkedSet(set)}]`;
        if (piece === "[" || piece === "]")
            throw new Error(`contains an invalid set in ${glob}: brackets may enclose only letters, digits and _ . @ -`);
        return piece.replaceAll(/[\\^$.|+(){}]/g, String.raw `\$&`);
    });
}
// A range that runs backwards is an error in both kinds.
function checkedSet(set) {
    for (const [range, from, to] of set.matchAll(/(.)-(.)/g)) {
        if ((from ?? "") > (to ?? ""))
            throw new Error(`contains the reversed range ${range}`);
    }
    return set;
}
;// CONCATENATED MODULE: ./out/src/domain/inventory.js





// Made where names are sorted for the first time: it takes 15 ms, a third of the start of Node.
let collator;
/**
 * Chooses from an inventory, in the order of the names. Throws an `InputError` when there is no machine at all, or when a part
 * of the selection matches none.
 */
function chooseMachines({ names, entries }, selection) {
    if (names.length === 0) {
        const sources = "deploy.nodes (deploy-rs), colmenaHive (colmena) or nixosConfigurations";
        throw new InputError([
            { input: "targets", problem: `is empty, and the flake defines no hosts; set targets, or use a flake with ${sources}`, topic: "no-machines" },
        ]);
    }
    const others = entries.filter((entry) => entry.kind === "other");
    const refused = others.filter(({ name }) => isNamed(name, selection)).map(({ name, reason }) => `${name} (${reason})`);
    if (refused.length > 0)
        throw new InputError([{ input: "select", problem: `names hosts that cannot be deployed: ${refused.join(", ")}`, topic: "no-machines" }]);
    const { chosen } = selection_select(entries.toSorted(byName), selection, selectable);
    // A name also counts as matched when the machine is unusable or was not evaluated.
    const known = new Map(entries.map((entry) => [entry.name, entry]));
    const { chosen: expected, unmatched } = selection_select(names, selection, (name) => selectable(known.get(name) ?? { name, kind: "other", reason: "" }));
    if (unmatched.length > 0)
        throw new InputError([{ input: "select", problem: unmatchedProblem(unmatched, availableNames(names, entries, selection)), topic: "selection-unmatched" }]);
    if (expected.length === 0)
        throw new InputError([{ input: "select", problem: nothingLeftProblem(selection) }]);
    // Nix has compared the names too: a machine on which both disagree would be skipped silently.
    const missed = expected.filter((name) => !known.has(name));
    if (missed.length > 0)
        throw new Error(`${missed.join(", ")} matched the selection but were not evaluated`);
    const machines = chosen.filter((entry) => entry.kind === "machine");
    const unusable = chosen.filter((entry) => entry.kind === "unusable");
    const leftOut = chosen.filter((entry) => entry.kind === "other");
    if (machines.length + unusable.length === 0) {
        const reasons = leftOut.map(({ name, reason }) => `${name}: ${reason}`);
        throw new InputError([
            { input: "targets", problem: `is empty, and no host of the flake can be deployed over ssh (${reasons.join("; ")})`, topic: "no-machines" },
        ]);
    }
    return { machines, unusable, others: leftOut };
}
/** Throws an `InputError` where the flake forbids deploying all machines and nothing is selected. */
function requireSelection({ needsSelection = false }, selection) {
    if (!needsSelection || selection.length > 0)
        return;
    const problem = "is empty, and the flake forbids deploying all hosts at once (meta.allowApplyAll = false); select hosts by name or tag, or all of them with *";
    throw new InputError([{ input: "select", problem, topic: "apply-all-forbidden" }]);
}
/** Makes machines unusable for the settings that the flake has for them: what is wrong, by name. */
function excludeMachines(choice, problems, topic) {
    const excluded = choice.machines.flatMap(({ name, tags }) => {
        const problem = problems.get(name);
        return problem === undefined ? [] : [{ kind: "unusable", name, error: unsupported(problem), tags, topic }];
    });
    const unusable = [...choice.unusable, ...excluded].toSorted(byName);
    return { ...choice, machines: choice.machines.filter(({ name }) => !problems.has(name)), unusable };
}
/** Says that the flake's settings for a machine cannot be used. */
function unsupported(problem) {
    return `unsupported deployment settings in the flake: ${problem}`;
}
/** Makes machines in the same place unusable. `placeOf` gives the place of a machine as a message names it. */
function separateSamePlace(choice, placeOf) {
    const places = new Map();
    for (const machine of choice.machines)
        places.set(placeOf(machine), [...(places.get(placeOf(machine)) ?? []), machine.name]);
    const machines = [];
    const unusable = [...choice.unusable];
    for (const machine of choice.machines) {
        const place = placeOf(machine);
        const names = places.get(place) ?? [];
        if (names.length < 2) {
            machines.push(machine);
            continue;
        }
        const error = `${names.join(" and ")} have the same address (${place}); one run can deploy only one configuration per machine`;
        unusable.push({ kind: "unusable", name: machine.name, error, tags: machine.tags, topic: "same-place" });
    }
    return { ...choice, machines, unusable: unusable.toSorted(byName) };
}
/** The machines as targets, under the names that the flake gives them. */
function targetsOf(machines) {
    return machines.map(({ name, request }) => named(request, name));
}
/** Chooses from explicit targets by their names and configurations. `unmatched` says what matches none of them. */
function selectTargets(targets, selection) {
    const { chosen, unmatched } = selection_select(targets, selection, ({ name, configuration }) => ({
        names: [name, attributeOf(configuration), nameOfConfiguration(configuration)].filter((one) => one !== undefined),
        tags: [],
    }));
    // An empty list of targets would stand for all machines of the flake.
    if (unmatched.length === 0)
        return { chosen, unmatched: chosen.length === 0 ? nothingLeftProblem(selection) : undefined };
    const names = targets.map(({ name }) => name);
    const hint = looksAtTags(selection)
        ? ". Explicit targets have no tags; to select by tag, leave targets empty so that hosts and tags come from the flake"
        : "";
    return { chosen, unmatched: unmatchedProblem(unmatched, names) + hint };
}
/** Checks the address of a machine. Throws an `Error` as `checkTarget` does. */
function checkedRequest(name, request) {
    checkTarget({ ...request, name });
    return request;
}
/** The result of a machine that was never connected to. */
function unusableResult({ name, error, lines, topic }) {
    return failedBefore(name, undefined, failure_makeFailure({ phase: "connect", reason: error, lines, topic }));
}
/** The result of a machine whose work has failed before anybody has connected to it. */
function failedBefore(name, configuration, error) {
    return {
        name,
        target: name,
        configuration,
        status: "failed",
        phase: error.phase,
        systemPath: undefined,
        previousSystemPath: undefined,
        generation: undefined,
        previousGeneration: undefined,
        changed: false,
        exitCode: undefined,
        failedUnits: [],
        timeline: [],
        difference: undefined,
        plan: undefined,
        seconds: 0,
        error,
    };
}
/** Compares names naturally: web2 comes before web10. */
function byName(one, other) {
    collator ??= new Intl.Collator("en", { numeric: true });
    return collator.compare(one.name, other.name);
}
function selectable(entry) {
    return { names: [entry.name], tags: entry.kind === "other" ? [] : entry.tags };
}
function availableNames(names, entries, selection) {
    const tags = entries.flatMap((entry) => (entry.kind === "other" ? [] : (entry.tags ?? [])));
    return [...names, ...(looksAtTags(selection) ? new Set(tags.map((tag) => `@${tag}`)) : [])];
}
;// CONCATENATED MODULE: ./out/src/domain/batches.js
const acceptedAmount = "a whole number (3) or a percentage (25%)";
/** Parses `3` or `25%`. Returns `undefined` for anything else. */
function parseAmount(text) {
    const [, digits, percent] = /^(\d{1,9})\s*(%?)$/.exec(text.trim()) ?? [];
    if (digits === undefined)
        return undefined;
    const number = Number(digits);
    if (percent === "")
        return { kind: "count", count: number };
    return number <= 100 ? { kind: "percentage", percentage: number } : undefined;
}
/** Parses the sizes of batches, comma separated: `1, 25%, 100%`. Throws an `Error` that names an invalid size. */
function parseBatches(text) {
    return text.split(",").map((part) => {
        const amount = parseAmount(part);
        if (amount === undefined || amountOf(amount, 100) === 0)
            throw new Error(`${JSON.stringify(part.trim())} is not a valid batch size`);
        return amount;
    });
}
/** How many of `total` hosts an amount is; a share is rounded down. */
function amountOf(amount, total) {
    return amount.kind === "count" ? amount.count : Math.floor((amount.percentage * total) / 100);
}
/**
 * Cuts the items into batches of these sizes, in their order. As with Ansible's `serial`, a percentage is one of all items, a
 * batch has at least one item, and the last size is repeated until no items are left.
 */
function inBatches(items, sizes) {
    const batches = [];
    for (let begin = 0; begin < items.length;) {
        const size = sizes[Math.min(batches.length, sizes.length - 1)];
        const end = begin + (size === undefined ? items.length : Math.max(1, amountOf(size, items.length)));
        batches.push(items.slice(begin, end));
        begin = end;
    }
    return batches;
}
;// CONCATENATED MODULE: ./out/src/domain/operation.js
/** The operations: those of nixos-rebuild, and `rollback`, which activates the system of the previous generation. */
const operations = ["switch", "boot", "test", "dry-activate", "build", "rollback"];
const operation_nothing = { runningSystem: false, systemProfile: false, bootLoader: false };
const everything = { runningSystem: true, systemProfile: true, bootLoader: true };
// All differences between operations: code elsewhere uses this table and never compares names.
const table = {
    switch: { system: "flake", needsRoot: true, changes: everything, action: "switch", plansUnits: false },
    boot: { system: "flake", needsRoot: true, changes: { ...everything, runningSystem: false }, action: "boot", plansUnits: false },
    test: { system: "flake", needsRoot: true, changes: { ...operation_nothing, runningSystem: true }, action: "test", plansUnits: false },
    "dry-activate": { system: "flake", needsRoot: true, changes: operation_nothing, action: "dry-activate", plansUnits: true },
    build: { system: "flake", needsRoot: false, changes: operation_nothing, action: undefined, plansUnits: true },
    rollback: { system: "older-generation", needsRoot: true, changes: everything, action: "switch", plansUnits: false },
};
/** Returns what switch-to-configuration is run with, and `undefined` where the work ends with the build. */
function switchAction(operation) {
    return table[operation].action;
}
/**
 * Returns how an activation proceeds that can be undone: `switch` and `test` run the new system first, and `switch` sets system profile and boot
 * loader when it was confirmed; `boot` sets those alone. Returns `undefined` where nothing is changed.
 */
function protectedWay(operation) {
    const { runningSystem, systemProfile } = table[operation].changes;
    if (runningSystem)
        return systemProfile ? "switch" : "test";
    return systemProfile ? "boot" : undefined;
}
/** Returns whether the operation builds a flake; the others activate a system that is on the machine already. */
function needsFlake(operation) {
    return table[operation].system === "flake";
}
/** Returns whether the operation runs as root on the machine. */
function needsRoot(operation) {
    return table[operation].needsRoot;
}
/** Returns whether the operation changes the machine; the others only report what would happen. */
function changesMachine(operation) {
    const { runningSystem, systemProfile, bootLoader } = table[operation].changes;
    return runningSystem || systemProfile || bootLoader;
}
/** Returns whether the operation changes what runs now. */
function changesRunningSystem(operation) {
    return table[operation].changes.runningSystem;
}
/** Returns whether the operation changes the system profile, which the machine boots next. */
function changesSystemProfile(operation) {
    return table[operation].changes.systemProfile;
}
/** Returns whether the operation installs the boot loader's entries. */
function changesBootLoader(operation) {
    return table[operation].changes.bootLoader;
}
/** Returns whether the operation only reports which units an activation would start and stop; what activates says so itself. */
function plansUnits(operation) {
    return table[operation].plansUnits;
}
/** Returns whether the operation can activate a specialisation: one that only prepares the next boot cannot choose it. */
function canEnterSpecialisation(operation) {
    return !changesMachine(operation) || changesRunningSystem(operation);
}
;// CONCATENATED MODULE: ./out/src/domain/json.js
/** Parses JSON; `undefined` for any other text. */
function parseJson(json) {
    try {
        return JSON.parse(json);
    }
    catch {
        return undefined;
    }
}
/** A property of a value that may be an object, or a nested one by its path; `undefined` where it does not exist. */
function field(data, ...path) {
    return path.reduce((inner, name) => (typeof inner === "object" && inner !== null && Object.hasOwn(inner, name) ? Reflect.get(inner, name) : undefined), data);
}
/** A text that is not empty, else `undefined`. */
function json_text(value) {
    return typeof value === "string" && value !== "" ? value : undefined;
}
/** A number, else `undefined`. */
function number(value) {
    return typeof value === "number" ? value : undefined;
}
/** The strings of a list; none for any other value. */
function texts(value) {
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
/** Returns whether a value is an object, and neither a list nor null. */
function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
/** A copy of an object's own properties; empty for anything else. */
function objectOf(value) {
    return typeof value === "object" && value !== null ? { ...value } : {};
}
/** The properties of what may be an object, each with its name; none for anything else. */
function entries(value) {
    return Object.entries(objectOf(value));
}
;// CONCATENATED MODULE: ./out/src/domain/ssh-keywords.js
const ours = { owner: "ours" };
const theirs = { owner: "theirs" };
const ssh_keywords_refused = (reason) => ({ owner: "refused", reason });
const onlyTheKey = ssh_keywords_refused("the input ssh-auth sets how the action authenticates");
const hostKey = ssh_keywords_refused("the host key is looked up under the target's own address");
const noForwarding = ssh_keywords_refused("the action forwards nothing");
const sameSession = ssh_keywords_refused("the action needs a plain ssh session");
const plainMessages = ssh_keywords_refused("the action parses the messages of ssh");
const gssapi = ssh_keywords_refused("Kerberos would replace the key or the host key");
/** Every keyword of ssh_config(5) in OpenSSH 8.5 to 10. */
const keywords = {
    // Where a line applies.
    Host: theirs,
    Match: theirs,
    Include: theirs,
    IgnoreUnknown: theirs,
    Tag: theirs,
    RefuseConnection: theirs,
    VersionAddendum: theirs,
    // Where the machine is, and the way there.
    HostName: theirs,
    User: theirs,
    Port: theirs,
    AddressFamily: theirs,
    BindAddress: theirs,
    BindInterface: theirs,
    CanonicalDomains: theirs,
    CanonicalizeFallbackLocal: theirs,
    CanonicalizeHostname: theirs,
    CanonicalizeMaxDots: theirs,
    CanonicalizePermittedCNAMEs: theirs,
    ProxyCommand: theirs,
    ProxyJump: theirs,
    ProxyUseFdpass: ssh_keywords_refused("the ProxyCommand must end with the connection"),
    IPQoS: theirs,
    // Encryption and compression.
    Ciphers: theirs,
    MACs: theirs,
    KexAlgorithms: theirs,
    Compression: theirs,
    RekeyLimit: theirs,
    ObscureKeystrokeTiming: theirs,
    RequiredRSASize: theirs,
    WarnWeakCrypto: theirs,
    // Host keys.
    HostKeyAlgorithms: theirs,
    CASignatureAlgorithms: theirs,
    RevokedHostKeys: theirs,
    FingerprintHash: theirs,
    HostKeyAlias: hostKey,
    StrictHostKeyChecking: ours,
    UserKnownHostsFile: ours,
    GlobalKnownHostsFile: ours,
    KnownHostsCommand: ours,
    UpdateHostKeys: ours,
    CheckHostIP: ours,
    VerifyHostKeyDNS: ours,
    HashKnownHosts: ours,
    NoHostAuthenticationForLocalhost: ours,
    VisualHostKey: plainMessages,
    // Authentication.
    IdentityFile: ours,
    IdentitiesOnly: ours,
    IdentityAgent: ours,
    CertificateFile: ours,
    PKCS11Provider: ours,
    AddKeysToAgent: ours,
    BatchMode: ours,
    PreferredAuthentications: ours,
    PubkeyAuthentication: ours,
    PasswordAuthentication: ours,
    KbdInteractiveAuthentication: ours,
    PubkeyAcceptedAlgorithms: theirs,
    KbdInteractiveDevices: onlyTheKey,
    NumberOfPasswordPrompts: onlyTheKey,
    SecurityKeyProvider: onlyTheKey,
    HostbasedAuthentication: onlyTheKey,
    HostbasedAcceptedAlgorithms: onlyTheKey,
    EnableSSHKeysign: onlyTheKey,
    GSSAPIAuthentication: gssapi,
    GSSAPIDelegateCredentials: gssapi,
    GSSAPIClientIdentity: gssapi,
    GSSAPIServerIdentity: gssapi,
    GSSAPIKeyExchange: gssapi,
    GSSAPIKexAlgorithms: gssapi,
    GSSAPIRenewalForcesRekey: gssapi,
    GSSAPITrustDns: gssapi,
    // The connection and its master.
    ControlMaster: ours,
    ControlPath: ours,
    ControlPersist: ours,
    ConnectTimeout: ours,
    ConnectionAttempts: ours,
    ServerAliveInterval: ours,
    ServerAliveCountMax: ours,
    TCPKeepAlive: ours,
    ChannelTimeout: ssh_keywords_refused("the inputs of the action set the timeouts"),
    // The session.
    RemoteCommand: ours,
    PermitLocalCommand: ours,
    LocalCommand: ssh_keywords_refused("ssh-config cannot run commands on the runner after connecting"),
    RequestTTY: ours,
    EscapeChar: ours,
    EnableEscapeCommandline: sameSession,
    SessionType: sameSession,
    StdinNull: sameSession,
    ForkAfterAuthentication: sameSession,
    SendEnv: sameSession,
    SetEnv: sameSession,
    // Messages.
    LogLevel: ours,
    LogVerbose: plainMessages,
    // The same; only -y would have ssh use it.
    SyslogFacility: theirs,
    // Forwarding.
    ForwardAgent: ours,
    ForwardX11: ours,
    ForwardX11Timeout: noForwarding,
    ForwardX11Trusted: noForwarding,
    XAuthLocation: noForwarding,
    LocalForward: noForwarding,
    RemoteForward: noForwarding,
    DynamicForward: noForwarding,
    ClearAllForwardings: noForwarding,
    ExitOnForwardFailure: noForwarding,
    GatewayPorts: noForwarding,
    PermitRemoteOpen: noForwarding,
    // ssh takes this one from every block, also from those of other hosts; nothing is forwarded, so it changes nothing.
    StreamLocalBindMask: theirs,
    StreamLocalBindUnlink: noForwarding,
    Tunnel: noForwarding,
    TunnelDevice: noForwarding,
};
const byLowerCase = new Map(Object.entries(keywords).map(([name, rule]) => [name.toLowerCase(), { name, rule }]));
/**
 * Says why a line of `ssh-config` may not change a keyword for a target, with the keyword's name; `undefined` for one that it may.
 * Keywords are in lower case, as `ssh -G` prints them.
 */
function refusalOf(keyword) {
    const { name, rule } = ruleOf(keyword);
    if (rule.owner === "theirs")
        return undefined;
    return `${name} (${rule.owner === "ours" ? "set by the action" : rule.reason})`;
}
/** Who sets a keyword, in any case of its letters, and its name as ssh_config(5) has it. */
function ruleOf(keyword) {
    return byLowerCase.get(keyword.toLowerCase()) ?? { name: keyword, rule: ssh_keywords_refused("not supported by this version of the action") };
}
;// CONCATENATED MODULE: ./out/src/domain/ssh-options.js



const ssh_options_accepted = "-p PORT, -l USER, -J HOST, -i FILE, -A and -o KEYWORD=VALUE";
/**
 * Parses options of the command ssh, as deploy-rs has them in `sshOpts` and colmena in `sshOptions`. Keywords are accepted as in the
 * input `ssh-config`; where one is repeated, the first counts, as with ssh. Throws an `Error` that names all that is refused.
 */
function parseSshOptions(words) {
    const settings = [];
    const problems = [];
    for (let index = 0; index < words.length; index += 1) {
        const word = words[index] ?? "";
        const [, letter = "", attached = ""] = /^\s*-([pliJo])(.*)$/s.exec(word) ?? [];
        if (word.trim() === "-A")
            settings.push({ keyword: "ForwardAgent", value: "yes" });
        else if (letter === "")
            problems.push(`${word} is not supported, only ${ssh_options_accepted}`);
        else {
            const value = attached.trim() === "" ? words[(index += 1)]?.trim() : attached.trim();
            if (value === undefined || value === "")
                problems.push(`-${letter} has no value`);
            else
                settings.push(settingOf(letter, value));
        }
    }
    const found = combine(settings, problems);
    if (problems.length > 0)
        throw new Error(problems.join("; "));
    return found;
}
/** Parses lines of ssh_config(5) for one target. Throws an `Error` that names all that is refused, or has no effect. */
function parseSshLines(lines) {
    const { user, port, lines: taken, ignored } = parseSshOptions(lines.flatMap((line) => ["-o", line]));
    if (user !== undefined || port !== undefined)
        throw new Error("User and Port have fields of their own: user and port");
    if (ignored.length > 0)
        throw new Error(ignored.join("; "));
    return taken;
}
function settingOf(letter, value) {
    if (letter === "o") {
        const [, keyword = "", rest = ""] = /^([^\s=]*)\s*=?\s*(.*)$/s.exec(value) ?? [];
        return { keyword, value: rest };
    }
    const keywords = { p: "Port", l: "User", i: "IdentityFile", J: "ProxyJump" };
    return { keyword: keywords[letter] ?? letter, value };
}
function combine(settings, problems) {
    let user;
    let port;
    const lines = [];
    const ignored = [];
    for (const { keyword, value } of settings) {
        const { name, rule } = ruleOf(keyword);
        const refusal = refusalIn(name, value);
        if (rule.owner === "ours")
            ignored.push(`${name} has no effect; ${ownerOf(name)}`);
        else if (rule.owner === "refused")
            problems.push(`${name} is not allowed: ${rule.reason}`);
        else if (refusal !== undefined)
            problems.push(refusal);
        else if (name === "User")
            user ??= value;
        else if (name === "Port")
            port ??= Number(value);
        else
            lines.push(`${name} ${value}`);
    }
    return { user, port, lines, ignored: [...new Set(ignored)] };
}
/** What an input, or the action itself, says in place of the flake. */
function ownerOf(name) {
    if (name === "IdentityFile" || name === "CertificateFile")
        return "the inputs ssh-auth, ssh-key and ssh-certificate say how ssh authenticates";
    if (name === "StrictHostKeyChecking" || name.endsWith("KnownHostsFile"))
        return "the inputs ssh-known-hosts and ssh-strict say which host keys are trusted";
    if (name === "ForwardAgent")
        return "no agent is forwarded";
    return "the action sets it";
}
const jump = /^(?:[A-Za-z0-9_][A-Za-z0-9_.@+-]*@)?(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)(?::\d{1,5})?$/;
/** What speaks against a value of a keyword that lines of the input `ssh-config` may set. A flake is not as trusted as an input. */
function refusalIn(name, value) {
    if (["Host", "Match", "Include"].includes(name))
        return `${name} is not an option`;
    if (name === "ProxyCommand")
        return "ProxyCommand is not allowed: it would run a command of the flake on the runner, beside the ssh key. Put it into the input ssh-config";
    if (value === "")
        return `${name} has no value`;
    if (/[\p{C}]/u.test(value))
        return `the value of ${name} contains control characters`;
    if (name === "ProxyJump" && !value.split(",").every((host) => jump.test(host)))
        return "the value of ProxyJump is not [user@]host[:port], or several of these with commas between them";
    try {
        if (name === "User")
            checkUser(value);
        if (name === "Port")
            checkPort(/^\d{1,5}$/.test(value) ? Number(value) : Number.NaN);
        if (name === "HostName")
            checkHost(value);
    }
    catch (error) {
        return messageOf(error);
    }
    return undefined;
}
;// CONCATENATED MODULE: ./out/src/domain/target-list.js





const acceptedTargets = `one target per line (${acceptedTarget}), or a JSON array of such strings or of objects with host, user, port, configuration, name, build-on, ssh-options and replace-unknown-profiles`;
/**
 * Parses a list of targets: one per line, where empty lines and lines that begin with `#` are ignored, or a JSON array.
 * Never throws; every bad entry is listed in `problems`.
 */
function parseTargetList(text) {
    const trimmed = text.trim();
    // A line may begin with a bracket too, for an IPv6 address.
    if (trimmed.startsWith("[") && !/^\[[0-9A-Fa-f.]*:[^\s"\]]*\]/.test(trimmed))
        return parseJsonList(trimmed);
    const list = collector();
    for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
        const target = line.trim();
        if (target !== "" && !target.startsWith("#"))
            list.add(`line ${index + 1}`, target, () => parseTarget(target));
    }
    return list;
}
function parseJsonList(text) {
    let items;
    try {
        items = JSON.parse(text);
    }
    catch (error) {
        return { requests: [], problems: [`is not valid JSON (${messageOf(error)}); expected ${acceptedTargets}`] };
    }
    const list = collector();
    for (const [index, item] of (Array.isArray(items) ? items : [items]).entries())
        list.add(`entry ${index + 1}`, item, () => parseItem(item));
    return list;
}
function collector() {
    const requests = [];
    const problems = [];
    const add = (place, shown, parse) => {
        try {
            requests.push(parse());
        }
        catch (error) {
            problems.push(`${place} (${JSON.stringify(shown).slice(0, 120)}): ${messageOf(error)}; expected ${acceptedTarget}`);
        }
    };
    return { requests, problems, add };
}
/** The fields of an object in the list. The last one is what matrix/ writes. */
const targetFields = ["host", "user", "port", "configuration", "name", "build-on", "ssh-options", "replace-unknown-profiles", "flake-build-on"];
function parseSshField(value) {
    if (value === undefined)
        return {};
    const lines = texts(value);
    if (!Array.isArray(value) || lines.length !== value.length)
        throw new Error("its ssh-options is not a list of strings");
    try {
        return { sshOptions: parseSshLines(lines) };
    }
    catch (error) {
        throw new Error(`its ssh-options: ${messageOf(error)}`, { cause: error });
    }
}
function parseReplaceUnknown(value) {
    if (value === undefined)
        return {};
    if (typeof value !== "boolean")
        throw new Error("its replace-unknown-profiles is not true or false");
    return { replaceUnknown: value };
}
function parseItem(item) {
    if (typeof item === "string")
        return parseTarget(item);
    if (!isObject(item))
        throw new Error("is neither a string nor an object");
    const record = { ...item };
    const unknown = Object.keys(record).find((field) => !targetFields.includes(field));
    if (unknown !== undefined)
        throw new Error(`has an unknown field ${JSON.stringify(unknown)}; allowed fields are ${targetFields.join(", ")}`);
    const text = (field) => {
        const value = record[field] ?? undefined;
        if (value !== undefined && typeof value !== "string")
            throw new Error(`its ${field} is not a string`);
        return value;
    };
    const host = text("host");
    if (host === undefined)
        throw new Error("has no host");
    const place = (field) => {
        const value = text(field);
        return value === undefined ? undefined : parsePlace(value, field);
    };
    const port = record["port"] ?? undefined;
    if (port !== undefined && typeof port !== "number" && !(typeof port === "string" && /^\d{1,5}$/.test(port)))
        throw new Error("its port is not a number from 1 to 65535");
    const configuration = text("configuration");
    return checkTarget({
        host: host.replace(/^\[(.*:.*)\]$/, "$1"),
        user: text("user"),
        port: port === undefined ? undefined : Number(port),
        configuration: configuration === undefined ? ownHostname : parseConfiguration(configuration),
        name: text("name"),
        buildOn: place("build-on"),
        flakeBuildOn: place("flake-build-on"),
        ...parseSshField(record["ssh-options"] ?? undefined),
        ...parseReplaceUnknown(record["replace-unknown-profiles"] ?? undefined),
    });
}
;// CONCATENATED MODULE: external "node:crypto"
const external_node_crypto_namespaceObject = late("node:crypto");
;// CONCATENATED MODULE: ./out/src/ssh/host-key.js

/**
 * Reads the lines of `record-host-key.sh`; the last one is the key of the server that was refused.
 *
 *     [192.0.2.7]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…
 */
function parseOfferedKeys(text) {
    return text
        .split("\n")
        .map((line) => /^(\S+) ([a-z0-9@.-]+) (AAAA[A-Za-z0-9+/]+=*)$/.exec(line))
        .filter((match) => match !== null)
        .map((match) => ({ host: match[1] ?? "", type: match[2] ?? "", key: match[3] ?? "" }));
}
/** The fingerprint as `ssh-keygen -l` shows it: `SHA256:` and base64 without padding. */
function fingerprint(key) {
    return `SHA256:${(0,external_node_crypto_namespaceObject.createHash)("sha256").update(Buffer.from(key.key, "base64")).digest("base64").replace(/=+$/, "")}`;
}
/** The line that would let ssh accept the key. */
function knownHostsLine(key) {
    return `${key.host} ${key.type} ${key.key}`;
}
/**
 * Checks the form of known_hosts lines (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), since ssh silently ignores a bad one.
 * Returns what is wrong with each bad line.
 */
function knownHostsProblems(text) {
    const problems = [];
    for (const [index, line] of text.split("\n").entries()) {
        const fields = line.trim().split(/\s+/);
        if (line.trim() === "" || line.trim().startsWith("#"))
            continue;
        if (/PRIVATE KEY/.test(line))
            return [`line ${index + 1} is part of a private key`];
        const [, type, key] = fields[0]?.startsWith("@") === true ? fields.slice(1) : fields;
        if (type === undefined || key === undefined || !/^AAAA[A-Za-z0-9+/]+=*$/.test(key)) {
            problems.push(`line ${index + 1} is not a known_hosts line (host, key type and key, as printed by \`ssh-keyscan host\`)`);
        }
    }
    return problems;
}
;// CONCATENATED MODULE: ./out/src/inputs/single-inputs.js







/** An input as a message shows it. */
function shown(text) {
    return text === "" ? "an empty string" : JSON.stringify(text.slice(0, 100));
}
/** Does the work, and takes the message of what it throws for a problem. */
function collect(work, onProblem) {
    try {
        work();
    }
    catch (error) {
        onProblem(messageOf(error));
    }
}
/** Parses one of some words; the first one where it is none. */
function parseChoice(text, accepted, refuse) {
    const found = accepted.find((word) => word === text);
    if (found === undefined)
        refuse(`${shown(text)} is not valid; expected one of ${accepted.join(", ")}`);
    return found ?? accepted[0];
}
/** Parses a whole number in these bounds; the lower one where it is none. */
function parseNumber(text, minimum, maximum, refuse) {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum)
        return value;
    refuse(`${shown(text)} is not valid; expected a whole number from ${minimum} to ${maximum}`);
    return minimum;
}
/** Parses known_hosts lines; there must be some where host keys are checked strictly. */
function parseKnownHosts(text, strict, refuse) {
    const lines = text.replaceAll(/\r\n?/g, "\n").trim();
    if (lines === "" && strict) {
        refuse("is empty, but ssh-strict is true; expected the known_hosts lines of the machines (run `ssh-keyscan HOST` on a trusted network, and compare the keys with the machine)", "known-hosts-empty");
    }
    for (const problem of knownHostsProblems(lines))
        refuse(problem);
    return lines;
}
/** Parses lines of ssh_config(5). */
function parseSshConfig(text, refuse) {
    const lines = text.replaceAll(/\r\n?/g, "\n").trim();
    if (/[^\P{C}\n\t]/u.test(lines))
        refuse("contains control characters; expected lines of ssh_config(5)");
    return lines;
}
// What sudo itself takes (SUDO_CONV_REPL_MAX).
const longestPassword = 1023;
/** Parses a password of one line; `undefined` where there is none. */
function parsePassword(text, refuse) {
    const password = text.replace(/\r?\n$/, "");
    if (/[\r\n\0]/.test(password))
        refuse("contains a line break or a NUL character; expected one line");
    if (Buffer.byteLength(password) > longestPassword)
        refuse(`is longer than ${longestPassword} bytes, the most that sudo accepts`);
    return password === "" ? undefined : password;
}
/** Parses an OpenSSH user certificate; `undefined` where there is none. */
function parseCertificate(text, refuse) {
    const line = text.trim();
    if (line === "")
        return undefined;
    if (/^[\w-]+-cert-v01@openssh\.com AAAA[A-Za-z0-9+/]+=*(?: [^\p{C}]*)?$/u.test(line))
        return line;
    refuse("is not an OpenSSH certificate; expected the content of a file such as id_ed25519-cert.pub, which `ssh-keygen -s` creates");
    return undefined;
}
/** Parses a command for /bin/sh; `undefined` where there is none. */
function parseCommand(text, refuse) {
    if (/[^\P{C}\n\t]/u.test(text))
        refuse("contains control characters; expected a command for /bin/sh");
    return text === "" ? undefined : text;
}
/** Parses the sizes of batches. */
function parseBatchesInput(text, refuse) {
    let batches = [];
    collect(() => (batches = parseBatches(text)), (problem) => refuse(`${problem}; expected comma-separated sizes, each ${acceptedAmount} above 0, for example \`1, 25%, 100%\``));
    return batches;
}
/** Parses a number of hosts or a share of them. */
function parseAmountInput(text, refuse) {
    const amount = parseAmount(text);
    if (amount === undefined)
        refuse(`${shown(text)} is not valid; expected ${acceptedAmount}`);
    return amount ?? { kind: "count", count: 0 };
}
/** Parses a flake reference without `#`. */
function parseFlakeReference(text, refuse) {
    const accepted = "expected a flake reference without #, for example `.`, `./nixos` or `github:org/repo`";
    if (text === "")
        refuse(`is empty; ${accepted}`);
    else if (text.startsWith("-"))
        refuse(`${shown(text)} starts with -, which nix would read as an option; ${accepted}`);
    else if (/[\n\r\0]/.test(text))
        refuse(`${shown(text)} contains line breaks; ${accepted}`);
    else if (text.includes("#"))
        refuse(`${shown(text)} contains a #; put the configuration into targets (host#configuration); ${accepted}`);
    return text;
}
/** Parses arguments, one per line, and checks them against the options of their program. Blank lines, and blanks around a line, are left out. */
function parseArguments(text, table, refuse) {
    const args = text
        .split(/\r\n|\r|\n/)
        .map((line) => line.trim())
        .filter((line) => line !== "");
    if (text.includes("\0"))
        refuse("contains a NUL character");
    else
        for (const problem of checkArguments(args, table))
            refuse(problem);
    return args;
}
/** Parses the name of a specialisation; `undefined` where there is none. */
function parseSpecialisation(name, operation, refuse) {
    if (name === "")
        return undefined;
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(name))
        refuse(`${shown(name)} is not valid; expected the name of a specialisation of the configuration`);
    else if (!canEnterSpecialisation(operation)) {
        refuse(`cannot be set with operation: ${operation}, which does not change the running system; choose the specialisation in the boot menu`);
    }
    return name;
}
/** Parses a selection. */
function parseSelectionInput(text, refuse) {
    let selection = [];
    collect(() => (selection = parseSelection(text)), (problem) => refuse(`${problem}; expected ${acceptedSelection}`));
    return selection;
}
/** Parses a list of targets; none where there is no text, or where one of them is bad. */
function parseTargetsInput(text, refuse) {
    // Not the same as a list in which every line is a comment: that one must not mean every machine.
    if (text.trim() === "")
        return [];
    const { requests, problems } = parseTargetList(text);
    for (const problem of problems)
        refuse(problem, "target-format");
    if (problems.length > 0)
        return [];
    if (requests.length === 0)
        refuse(`lists no hosts; expected ${acceptedTargets}`);
    return requests;
}
;// CONCATENATED MODULE: ./out/src/inputs/misplaced-secrets.js
// How private keys begin, as text and as base64 of the whole file or of its first line.
const beginnings = /PRIVATE KEY-|PuTTY-User-Key-File|AGE-SECRET-KEY-|LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdjE/;
// A line of base64 in a PEM body has 64 or 70 characters.
const shortestLine = 40;
/**
 * Returns whether a text that is not meant to hold the ssh key does so: a private key of any kind, or a line of this one. Such a text
 * must not be shown and not be used.
 */
function holdsPrivateKey(text, sshKey) {
    if (beginnings.test(text))
        return true;
    // ssh-key may contain something else by mistake, such as a public key that belongs into other inputs.
    if (!beginnings.test(sshKey))
        return false;
    return sshKey.split(/\s+/).some((line) => line.length >= shortestLine && text.includes(line));
}
/** The problem of an input that contains a private key. */
const misplacedKey = "contains a private key, which belongs in ssh-key only; its text is not shown. Store the key as a secret, and replace it if it was not one";
;// CONCATENATED MODULE: ./out/src/inputs/companion.js





/** The inputs that all companion actions have, by their names in `action.yml`. */
const companionInputNames = ["flake", "targets", "select", "changed-since", "ssh-user", "ssh-port"];
/**
 * Parses the inputs of a companion action as `parseInputs` does those of the main action: those that all have, and with
 * `own` those of `names` that it has alone. Throws an `InputError` that names every bad one.
 */
function parseCompanionInputs(names, read, own) {
    const problems = [];
    const refusing = (input) => (problem, topic) => {
        problems.push({ input, problem, topic });
    };
    const trimmed = (name) => read(name).trim() || undefined;
    const number = (name, maximum) => {
        const text = trimmed(name);
        if (text === undefined)
            return undefined;
        const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
        if (value >= 1 && value <= maximum)
            return value;
        refusing(name)(`${JSON.stringify(text.slice(0, 100))} is not valid; expected a whole number from 1 to ${maximum}, or nothing`);
        return undefined;
    };
    const user = trimmed("ssh-user");
    if (user !== undefined)
        collect(() => checkUser(user), refusing("ssh-user"));
    const port = number("ssh-port", 65_535);
    const selection = parseSelectionInput(read("select"), refusing("select"));
    const inputs = {
        flake: parseFlakeReference(trimmed("flake") ?? "", refusing("flake")),
        targets: parseExplicit(read("targets"), selection, port ?? 22, refusing),
        selection,
        changedSince: parseRevision(trimmed("changed-since"), refusing("changed-since")),
        user,
        port,
    };
    const all = { ...inputs, ...own({ read, refusing, number }, inputs) };
    const misplaced = [...companionInputNames, ...names].filter((name) => holdsPrivateKey(read(name), ""));
    if (misplaced.length > 0)
        throw new InputError(misplaced.map((input) => ({ input, problem: misplacedKey, topic: "misplaced-key" })));
    if (problems.length > 0)
        throw new InputError(problems);
    return all;
}
function parseExplicit(text, selection, port, refusing) {
    const requests = parseTargetsInput(text, refusing("targets"));
    let machines = [];
    collect(() => {
        // Only for the names, and to find a machine that is listed twice.
        const targets = completeTargets(requests, { user: "", port });
        machines = requests.map((request, index) => ({ name: targets[index]?.name ?? "", request, system: undefined, tags: [] }));
    }, refusing("targets"));
    const looks = machines.map((machine) => ({ machine, name: machine.name, configuration: machine.request.configuration }));
    const { chosen, unmatched } = machines.length === 0 ? { chosen: looks, unmatched: undefined } : selectTargets(looks, selection);
    if (unmatched !== undefined)
        refusing("select")(unmatched, "selection-unmatched");
    return chosen.map(({ machine }) => machine);
}
function parseRevision(text, refuse) {
    if (text !== undefined && !/^[^\s\p{C}-][^\s\p{C}]*$/u.test(text)) {
        refuse(`${JSON.stringify(text.slice(0, 100))} is not valid; expected a Git revision, for example \${{ github.event.before }}`);
    }
    return text;
}
;// CONCATENATED MODULE: ./out/src/inputs/build.js




/** Every input of the companion action, by its name in `build/action.yml`. */
const buildInputNames = [...companionInputNames, "build-args"];
/** Parses the inputs. Throws an `InputError` that names every bad one. */
function parseBuildInputs(read) {
    return parseCompanionInputs(["build-args"], read, ({ refusing }, { targets }) => {
        const unnamed = targets.filter(({ request }) => attributeOf(request.configuration) === undefined);
        if (unnamed.length > 0) {
            const names = unnamed.map(({ name }) => name).join(", ");
            refusing("targets")(`gives no configuration for ${names}, whose hostnames are unknown because no machine is contacted; expected host#configuration`);
        }
        return { buildArgs: parseArguments(read("build-args"), buildOptions, refusing("build-args")) };
    });
}
;// CONCATENATED MODULE: ./out/src/machines/changed.js


/**
 * Leaves out the machines whose system is the same as at a Git revision. If it cannot be determined, a machine counts as changed.
 * Throws an `InputError` where the revision cannot be looked up.
 */
async function changedMachines(machines, revision, ports) {
    const present = await ports.checkout();
    const all = (reason) => {
        ports.allChanged(reason);
        return machines;
    };
    const reference = await formerReference(present, revision, ports);
    if (reference === undefined)
        return all(`${revision} is not a commit of this repository, as after a first push or a force push.`);
    const configurations = machines.flatMap(({ request }) => attributeOf(request.configuration) ?? []);
    const former = await ports.formerToplevels(present, reference, configurations);
    if (former.kind === "none")
        return all(`The flake at ${revision} does not evaluate: ${former.reason}`);
    if (former.kind === "same")
        return [];
    const now = await ports.toplevels(present, configurations);
    return machines.filter(({ name, request }) => {
        const configuration = attributeOf(request.configuration);
        if (configuration === undefined)
            return true;
        const system = now.get(configuration);
        if (system === undefined)
            ports.notComparable(name);
        return system === undefined || system !== former.toplevels.get(configuration);
    });
}
/** The flake at that revision; `undefined` where there is no such commit. Throws an `InputError` where that could not be looked up. */
async function formerReference({ repository }, revision, ports) {
    const refuse = (problem, topic) => new InputError([{ input: "changed-since", problem, topic }]);
    if (repository === undefined)
        throw refuse("needs a flake in a Git work tree on the runner, such as `.` or `./nixos`");
    // What GitHub gives as the commit before the first push of a branch.
    if (/^0+$/.test(revision))
        return undefined;
    const resolved = await ports.resolveRevision(repository.directory, revision);
    if (resolved.kind === "commit")
        return repository.referenceAt(resolved.id);
    if (resolved.shallow)
        throw refuse(`${revision} is not in this checkout, which contains only the newest commits. Set \`fetch-depth: 0\` in the step with actions/checkout`, "commit-missing");
    return undefined;
}
;// CONCATENATED MODULE: ./out/src/machines/of-flake.js


/**
 * Chooses from a flake's machines and finds out where they are. Machines in the same place are unusable. Throws an `InputError` as
 * `chooseMachines`.
 */
async function locateChosen(inventory, selection, locate) {
    const all = chooseMachines(inventory, selection);
    const answers = await locate(targetsOf(all.machines));
    const problems = new Map(answers.flatMap((one) => ("problem" in one ? [[one.name, one.problem]] : [])));
    const chosen = excludeMachines(all, problems, "ssh-options-unsupported");
    const located = new Map(answers.flatMap((one) => ("problem" in one ? [] : [[one.name, one]])));
    const targetOf = (name) => {
        const target = located.get(name);
        if (target === undefined)
            throw new Error(`${name} was not located`);
        return target;
    };
    const choice = separateSamePlace(chosen, ({ name }) => placeOf(targetOf(name)));
    return { choice, targets: choice.machines.map(({ name }) => targetOf(name)) };
}
;// CONCATENATED MODULE: ./out/src/machines/of-matrix.js




// ssh's own, where neither the machine nor the input gives one: only to find machines in the same place.
const sshPort = 22;
/** Finds the machines of a matrix. Throws an `InputError` as `locateChosen` and `changedMachines`. */
async function machinesOfMatrix(wanted, ports) {
    const { targets, changedSince, user, port } = wanted;
    const { machines, unusable } = targets.length > 0 ? { machines: targets, unusable: [] } : await machinesOfFlake(wanted, ports);
    const changed = changedSince === undefined ? machines : await changedMachines(machines, changedSince, ports);
    return {
        machines: changed.map((machine) => ({
            ...machine,
            request: { ...machine.request, user: machine.request.user ?? user, port: machine.request.port ?? port },
        })),
        total: machines.length,
        unusable,
    };
}
async function machinesOfFlake({ selection, port = sshPort }, ports) {
    const inventory = await ports.readInventory({ selection, details: true });
    requireSelection(inventory, selection);
    // The user does not tell machines apart.
    const { choice } = await locateChosen(inventory, selection, async (chosen) => await Promise.resolve(chosen.map((target) => withDefaults(target, { user: "", port }))));
    ports.announce(choice);
    // Where none is built on the runner, the targets are as if they were written by hand.
    const saysWhere = choice.machines.some(({ buildOn }) => buildOn === "runner");
    const machines = choice.machines.map(({ name, request, system, tags = [], buildOn }) => ({
        name,
        request: saysWhere ? { ...request, flakeBuildOn: buildOn } : request,
        system,
        tags,
    }));
    return { machines, unusable: choice.unusable };
}
;// CONCATENATED MODULE: ./out/src/machines/of-build.js



/** Evaluates and builds the systems of the machines that are wanted, as a matrix has them. Throws as `machinesOfMatrix`. */
async function machinesOfBuild(wanted, ports) {
    const { machines, total, unusable } = await machinesOfMatrix(wanted, ports);
    const failed = unusable.map(unusableResult);
    if (machines.length === 0)
        return { built: [], failed, total };
    const sent = await (await ports.fetchFlake()).wrap(needsHive(machines.map(({ request }) => request)));
    const configured = machines.map(({ name, request }) => ({ name, request, configuration: attributeOf(request.configuration) }));
    const made = await ports.makeSystems(sent, configured.map(({ name, configuration }) => ({ name, configuration, way: "built-here" })));
    const built = [];
    for (const { name, request, configuration = "" } of configured) {
        const failure = made.failed.get(configuration);
        const toplevel = made.systems.get(configuration)?.toplevel;
        if (failure !== undefined)
            failed.push(failedBefore(name, configuration, failure));
        else if (toplevel === undefined)
            throw new Error(`no system was made for ${name}`);
        else
            built.push({ name, request, toplevel });
    }
    return { built, failed, total };
}
;// CONCATENATED MODULE: external "node:fs"
const external_node_fs_namespaceObject = late("node:fs");
;// CONCATENATED MODULE: external "node:path"
const external_node_path_namespaceObject = late("node:path");
;// CONCATENATED MODULE: ./out/src/domain/install-steps.js
const openssh = "- run: sudo apt-get update && sudo apt-get install --yes openssh-client";
/** Steps of a workflow, each of which installs a program that the action runs on the runner. */
const installSteps = {
    nix: "- uses: cachix/install-nix-action@v31",
    ssh: openssh,
    "ssh-keygen": openssh,
    git: "- run: sudo apt-get update && sudo apt-get install --yes git",
};
;// CONCATENATED MODULE: external "node:child_process"
const external_node_child_process_namespaceObject = late("node:child_process");
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
            run_endGroup(child);
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
function run_endGroup(child) {
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
;// CONCATENATED MODULE: ./out/src/nix/nix-command.js



/** Builds a call of the runner's nix. */
function nixCommand(args) {
    return { file: "nix", args: [...args] };
}
/** Runs the runner's nix. Throws a `CommandError`, or a `RunnerError` that says which step to add to the workflow. */
async function runNix(args, options = {}) {
    return await runExplained(nixCommand(args), options);
}
/** Runs the runner's nix-store, whose output is the same in every version. Throws as `runNix`. */
async function runNixStore(args, options = {}) {
    return await runExplained({ file: "nix-store", args }, options);
}
async function runExplained(command, options) {
    try {
        return await run(command, options);
    }
    catch (error) {
        throw explainMissing(error) ?? error;
    }
}
function explainMissing(error) {
    if (!(error instanceof CommandError))
        return undefined;
    const step = installSteps.nix;
    if (error.failure.kind === "spawn" && error.failure.code === "ENOENT") {
        return new RunnerError(`nix was not found on this runner. Add this step before the deployment: ${step}`, { cause: error, topic: "programs-missing" });
    }
    const feature = /experimental Nix feature '([\w-]+)' is disabled|unrecognised flag '--(?:json|to)'|'flake' is not a recognised command/.exec(error.stderr);
    if (feature !== null) {
        return new RunnerError(`flakes are disabled in nix on this runner (experimental features nix-command and flakes). Add this step before the deployment, which enables them: ${step}; or set NIX_CONFIG: "experimental-features = nix-command flakes" in env`, { cause: error, topic: "programs-missing" });
    }
    return undefined;
}
;// CONCATENATED MODULE: ./out/src/nix/keep-systems.js



/**
 * Protects systems of the runner's store from garbage collection for as long as the directory of their links is there, which is made in
 * `directory`. Throws a `CommandError`.
 */
async function keepSystems(systems, directory, signal) {
    if (systems.length === 0)
        return;
    const links = (0,external_node_fs_namespaceObject.mkdtempSync)((0,external_node_path_namespaceObject.join)(directory, "nix-flake-deploy-systems-"));
    await runNixStore(["--realise", "--add-root", (0,external_node_path_namespaceObject.join)(links, "system"), ...new Set(systems)], { signal });
}
;// CONCATENATED MODULE: ./out/src/domain/store-path.js
// Hash and name as in Nix' own check: base 32 without e, o, t, u; a name of at most 211 characters.
const pattern = /^\/nix\/store\/[0-9abcdfghijklmnpqrsvwxyz]{32}-[0-9A-Za-z+\-._?=]{1,211}$/;
/** Returns whether the text is a path of the Nix store. */
function isStorePath(text) {
    return pattern.test(text);
}
/** Parses a store path. Throws an `Error` that shows the text for anything else. */
function storePath(text) {
    if (!isStorePath(text))
        throw new Error(`not a Nix store path: ${JSON.stringify(text.slice(0, 300))}`);
    return text;
}
/** Parses a store path or an empty text, which is `undefined`. Throws as `storePath`. */
function optionalStorePath(text) {
    return text === undefined || text === "" ? undefined : storePath(text);
}
;// CONCATENATED MODULE: ./out/src/domain/flake-reference.js
/** Renders a flake reference with attributes: `path:/nix/store/…-source?dir=nixos&narHash=sha256-…`. */
function renderReference(address, attributes = {}) {
    const query = Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeValue(String(value))}`]));
    return query.length === 0 ? address : `${address}?${query.join("&")}`;
}
// A slash needs no escape in a query, and reads better without (RFC 3986, 3.4).
function encodeValue(text) {
    return encodeURIComponent(text).replaceAll("%2F", "/");
}
/** Renders what nix calls an installable: an attribute of the outputs of a flake, `path:/nix/store/…-source#web1`. */
function installable(reference, attribute) {
    return `${reference}#${attribute}`;
}
/** Returns whether a flake reference has a scheme, such as `github:org/repo`, and so is neither a directory nor a name of the registry. */
function hasScheme(reference) {
    return /^[a-z+]+:/.test(reference);
}
/** A flake reference without its attributes: `nixpkgs` of `nixpkgs?dir=lib`. */
function withoutAttributes(reference) {
    return reference.replace(/[?#].*/, "");
}
;// CONCATENATED MODULE: ./out/src/nix/evaluation-message.js

// Of Nix's own message, so that the place below it is shown too.
const messageLines = 12;
const evaluation_message_longestLine = 400;
const errorHead = /^\s*error: ?(.*)$/;
const frameHead = /^\s*… (.*)$/;
const placeLine = /^\s*at (.+):(\d+):(\d+):?$/;
const hint = /^\s*\((?:stack trace truncated|use '--show-trace')/;
/**
 * Reduces an evaluation error to Nix's own message and the innermost place in the user's flake, at most 20 lines. The rest of the
 * trace is left out: most of it is the action's expression (`«string»`) and nixpkgs. Takes the output with or without
 * `--show-trace`:
 *
 *     error:
 *            … while evaluating attribute 'machines'
 *              at «string»:232:3:
 *               231|   names = all;
 *
 *            … while calling the 'import' builtin
 *              at /nix/store/8vwzif8j4qk91swz99p51qc40i0bhk1w-source/flake.nix:1:29:
 *                 1| { outputs = { self }: { a = import ./x.nix; }; }
 *
 *            error: path '/nix/store/8vwzif8j4qk91swz99p51qc40i0bhk1w-source/x.nix' does not exist
 *
 * Returns nothing where the output has no error. Paths inside the flake's source in the store are shown without the store path.
 */
function evaluationMessage(output) {
    const parts = parseParts(output);
    const message = parts.findLast((part) => part.kind === "message" && part.text.some((line) => line !== ""));
    if (message === undefined)
        return [];
    const frames = parts.filter((part) => part.kind === "frame");
    const root = flakeRoot([...frames, message]);
    const inFlake = (part) => part.place !== undefined && rootOf(part.place.file) === root;
    const frame = inFlake(message) ? undefined : frames.findLast(inFlake);
    const text = message.text.length > messageLines ? [...message.text.slice(0, messageLines - 1), "…"] : message.text;
    const own = message.place === undefined || isInternal(message.place.file) ? [] : renderPlace(message.place);
    const context = frame?.place === undefined ? [] : [`… ${frame.text.join(" ")}`, ...renderPlace(frame.place)];
    return [...text, ...own, ...context].map((line) => withoutRoot(line, root).slice(0, evaluation_message_longestLine)).slice(0, shownLines);
}
function parseParts(output) {
    const lines = output.split("\n");
    const parts = [];
    for (const line of lines.slice(lines.findIndex((candidate) => candidate.startsWith("error:")))) {
        const current = parts.at(-1);
        const error = errorHead.exec(line);
        const frame = frameHead.exec(line);
        const place = placeLine.exec(line);
        if (error !== null)
            parts.push({ kind: "message", text: error[1] === "" ? [] : [`error: ${error[1]}`], place: undefined });
        else if (frame !== null)
            parts.push({ kind: "frame", text: [frame[1] ?? ""], place: undefined });
        else if (current === undefined || line.trim() === "" || hint.test(line))
            continue;
        else if (place !== null)
            current.place ??= { file: place[1] ?? "", at: `${place[1]}:${place[2]}:${place[3]}`, code: [] };
        else if (current.place !== undefined)
            current.place.code.push(line);
        // A message that quotes source lines without a place is not known.
        else
            current.text.push(line.replace(/^ {7}/, ""));
    }
    return parts;
}
function renderPlace({ at, code }) {
    return [`at ${at}:`, ...code.slice(0, 4).map((line) => line.replace(/^ {7}/, ""))];
}
// Evaluation begins in the action's expression, and the first file after it is the flake's own.
function flakeRoot(parts) {
    const first = parts.find(({ place }) => place !== undefined && !isInternal(place.file));
    return first?.place === undefined ? undefined : rootOf(first.place.file);
}
/** The source that a file belongs to: a store path, a fetched tree as `«git+file:///…»`, or everything on the runner's own disk. */
function rootOf(file) {
    return /^(?:\/nix\/store\/[^/]+|«[^»]+»)(?=\/)/.exec(file)?.[0] ?? "";
}
function isInternal(file) {
    return /^(?:«(?:string|stdin|none|unknown|nix-internal|flakes-internal)|<nix\/|\(string\)|\(stdin\))/.test(file);
}
function withoutRoot(line, root) {
    return root === undefined || root === "" ? line : line.replaceAll(`${root}/`, "");
}
/**
 * The file, relative to the root of its flake, that an evaluation did not find in the store: `path '/nix/store/…-source/x.nix' does
 * not exist` (from 2.34 on also `path '«path:/nix/store/…-source»/x.nix'`), `opening file '…': No such file or directory`, and up to Nix 2.18 `getting status of '…': No such file or directory`.
 */
function missingFile(output) {
    const file = `['"](?:/nix/store/[^/'"]+|«[^»]+»)/([^'"]+)['"]`;
    const pattern = new RegExp(`error: (?:path ${file} does not exist|(?:opening file|getting status of) ${file}: No such file or directory)`);
    const match = pattern.exec(output);
    return match?.[1] ?? match?.[2];
}
;// CONCATENATED MODULE: ./out/src/nix/input-failure.js

const deployKey = "Load a key that may read it before this step, for example with webfactory/ssh-agent; the input ssh-key is used for the machines only";
/**
 * Explains that the flake, or one of its inputs, could not be fetched: which one, why, and what to do. `undefined` where that is not
 * what failed. From Nix 2.20 the output names the input:
 *
 *     error:
 *            … while updating the flake input 'p'
 *
 *            … while fetching the input 'git+ssh://git@github.com/org/p.git'
 *
 *            error: Failed to fetch git repository 'ssh://git@github.com/org/p.git'
 */
function explainInput(output, reference) {
    const cause = causeOf(output);
    if (cause === undefined)
        return undefined;
    const address = [...output.matchAll(/… while fetching the input '([^']+)'/g)].at(-1)?.[1];
    const what = address === undefined ? `the flake ${reference} or one of its inputs` : address === reference ? `the flake ${reference}` : `the flake's input ${address}`;
    return { problem: `${what} could not be fetched: ${cause.why}`, advice: cause.next };
}
function causeOf(output) {
    const error = evaluationMessage(output)[0] ?? "";
    // The messages of git and ssh are above Nix's own error, which only says that git has failed.
    if (/Failed to fetch git repository|program 'git' failed|revspec '.*' not found|unable to fetch/i.test(error)) {
        if (/^Host key verification failed/m.test(output))
            return { why: "the runner does not know the host key of its server", next: `Add the key to ~/.ssh/known_hosts in an earlier step. ${deployKey}` };
        if (/Permission denied \(/.test(output))
            return { why: "its server does not accept an ssh key of the runner", next: deployKey };
        if (/could not read (?:Username|Password)|Authentication failed|terminal prompts disabled/.test(output)) {
            return {
                why: "its server asks for a user name and password",
                next: "Give Git the credentials before this step, for example with `git config --global url.https://x-access-token:$TOKEN@github.com/.insteadOf https://github.com/`",
            };
        }
        if (/[Rr]epository .*not found|does not appear to be a git repository/.test(output))
            return { why: "its server did not find the repository", next: `Check the address. If the repository is private: ${deployKey}` };
    }
    const status = /HTTP error (401|403|404)/.exec(error)?.[1];
    if (status !== undefined) {
        const why = status === "404" ? "HTTP error 404, which GitHub also returns for a private repository" : `HTTP error ${status}: access is denied`;
        return { why, next: "For a private repository set NIX_CONFIG in env: `access-tokens = github.com=TOKEN`, with a token that may read it" };
    }
    const unreachable = /(?:[Cc]ould ?n[o']t resolve host|Could not connect|Couldn't connect|[Cc]onnection timed out|Resolving timed out)/.test(error);
    return unreachable ? { why: error.replace(/^error: /, ""), next: "Check the address and the runner's network" } : undefined;
}
;// CONCATENATED MODULE: ./out/src/nix/flake-failure.js



/** Explains why a flake cannot be used; `undefined` where Nix's own message is better. */
function explainFlake(error, reference) {
    if (!(error instanceof CommandError))
        return undefined;
    const { stderr } = error;
    const flake = (problem, advice, topic) => new InputError([{ input: "flake", problem, advice, topic }]);
    if (/requires lock file changes/.test(stderr)) {
        return flake(`flake.lock of ${reference} is missing, incomplete or not tracked by Git`, "Run `nix flake lock`, commit flake.lock and deploy again; the action never updates a lock file", "lock-file-incomplete");
    }
    const owned = /repository path '([^']*)' is not owned by current user|dubious ownership in repository at '([^']*)'/.exec(stderr);
    if (owned !== null) {
        const directory = owned[1] ?? owned[2];
        return flake(`Git refuses ${directory} because it is owned by another user, which is usual for jobs in a container`, `Add this step before this one: - run: git config --global --add safe.directory '${directory}'`, "repository-not-owned");
    }
    if (/lock ?file contains (?:mutable lock|unlocked input)/i.test(stderr)) {
        return flake(`flake.lock of ${reference} contains an input that is not locked`, `Nix and Lix lock relative inputs (\`path:./x\`) differently and reject each other's lock files: run \`nix flake lock\` with the implementation that the runner and the machines use`);
    }
    if (/unexpected flake input attribute 'submodules'/.test(stderr)) {
        return flake(`the flake ${reference} sets inputs.self.submodules, which Nix on the runner does not support`, "Use Nix 2.27 or newer on the runner; the version on the machines does not matter");
    }
    const unfetched = explainInput(stderr, reference);
    if (unfetched !== undefined)
        return flake(unfetched.problem, unfetched.advice, "input-not-fetched");
    const accepted = "Use a directory with a flake.nix (`.`, `./nixos`) or any other flake reference";
    if (/flake\.nix' .*is not tracked by Git/.test(stderr)) {
        return flake(`flake.nix at ${reference} is not tracked by Git, so Nix ignores it`, "Run `git add` on it and commit it", "flake-missing");
    }
    if (/could not find a flake\.nix file|does not contain a '\/?(?:.*\/)?flake\.nix'|is not part of a flake|path '.*flake\.nix' does not exist/.test(stderr)) {
        return flake(`flake.nix was not found at ${reference}`, `${accepted}. Check that an actions/checkout step runs before this one`, "flake-missing");
    }
    // A path in the store is a file that is missing in the flake itself.
    if (/(?:getting status of|path) ['"](?!\/nix\/store\/)[^'"]*['"](?:: No such file or directory| does not exist)/.test(stderr) && !hasScheme(reference)) {
        return flake(`the directory ${reference} was not found`, `${accepted}. Check that an actions/checkout step runs before this one`, "flake-missing");
    }
    const [, unknown] = /cannot find flake '(?:flake:)?([^']*)' in the flake registries/.exec(stderr) ?? [];
    if (unknown !== undefined && unknown !== withoutAttributes(reference)) {
        return flake(`the input ${unknown} of the flake ${reference} has no URL and was not found in the flake registry`, `Add \`inputs.${unknown}.url\` to the flake`);
    }
    if (unknown !== undefined) {
        return flake(`${reference} was not found in the flake registry`, `If it is a directory, write ./${reference}. ${accepted}`, "flake-missing");
    }
    return undefined;
}
;// CONCATENATED MODULE: ./out/src/nix/nar-hash.js
// Nix's base 32: without e, o, t, u.
const alphabet = "0123456789abcdfghijklmnpqrsvwxyz";
const hashBytes = 32;
/** Returns whether this is a SHA-256 hash as it is in lock files: `sha256-` and base64. */
function isSriHash(text) {
    return /^sha256-[A-Za-z0-9+/]{43}=$/.test(text);
}
/**
 * Converts what `nix-store --query --hash` prints, `sha256:` and base 32 in Nix's own alphabet and order (the last character has
 * the lowest bits; `printHash32` in Nix's sources), to the form of lock files, `sha256-` and base64 (SRI). Throws an `Error` for
 * any other text.
 */
function sriHash(printed) {
    const text = printed.trim();
    if (isSriHash(text))
        return text;
    const digits = /^sha256:([0-9a-z]{52})$/.exec(text)?.[1];
    if (digits === undefined)
        throw new Error(`not a SHA-256 hash of a store path: ${JSON.stringify(text.slice(0, 100))}`);
    let value = 0n;
    for (const digit of digits) {
        const number = alphabet.indexOf(digit);
        if (number === -1)
            throw new Error(`not a digit of Nix's base 32: ${digit}`);
        value = value * 32n + BigInt(number);
    }
    const bytes = Buffer.alloc(hashBytes);
    for (let index = 0; index < hashBytes; index += 1) {
        bytes[index] = Number(value & 0xffn);
        value >>= 8n;
    }
    if (value !== 0n)
        throw new Error(`too large for a SHA-256 hash: ${text}`);
    return `sha256-${bytes.toString("base64")}`;
}
;// CONCATENATED MODULE: ./out/src/nix/flake.js







// The lock file belongs to the author of the flake: a deployment neither writes nor changes one.
const neverLock = ["--no-update-lock-file"];
/**
 * Fetches the flake and all its inputs into the runner's store and reads its identity. Throws an `InputError` for a flake that
 * is missing, has no lock file or changes in the meantime, a `CommandError` for whatever else Nix reports.
 *
 * `nix flake archive` gets the user's own reference: it copies the source into the store in every version, where
 * `nix flake metadata` of Nix 2.35 prints a path that is not there, and that of Determinate Nix with lazy trees none at all.
 */
async function archiveOnRunner(reference, options) {
    try {
        const { archive, metadata } = await readOnRunner(reference, options);
        const { path, narHash, locks, resolved, ...identity } = parseMetadata(metadata);
        if (path !== undefined && path !== archive.source)
            throw changedMeanwhile(reference);
        // The path is made from the hash, so one that is printed with the right path is right.
        const known = path === undefined ? undefined : narHash;
        return { flake: { ...archive, ...identity, narHash: known ?? (await queryHash(archive.source, options)) }, locks, resolved };
    }
    catch (error) {
        throw explainFlake(error, reference) ?? error;
    }
}
/**
 * Returns what `nix flake archive` and `nix flake metadata` say. For a small flake on a disk of the runner they run side by side, and what
 * changes in between is noticed; another one is downloaded, or copied into the store, once.
 */
async function readOnRunner(reference, { cwd, signal, onLine, isSmall }) {
    const stop = new AbortController();
    const call = { cwd, signal: AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]) };
    const archiving = runNix(["flake", "archive", "--json", ...neverLock, reference], { ...call, onStderrLine: onLine });
    // It warns of the same, which is not shown again.
    const query = async () => (await runNix(["flake", "metadata", "--json", ...neverLock, reference], call)).stdout;
    if (isSmall !== true)
        return { archive: parseArchive((await archiving).stdout), metadata: await query() };
    const [archived, queried] = await Promise.allSettled([
        archiving.catch((error) => {
            stop.abort();
            throw error;
        }),
        query(),
    ]);
    if (archived.status === "rejected")
        throw archived.reason;
    if (queried.status === "rejected")
        throw queried.reason;
    return { archive: parseArchive(archived.value.stdout), metadata: queried.value };
}
async function queryHash(path, options) {
    return sriHash((await runNixStore(["--query", "--hash", path], options)).stdout);
}
function changedMeanwhile(reference) {
    return new InputError([
        { input: "flake", problem: `the files of ${reference} changed while the flake was being read. Check that nothing else writes to them` },
    ]);
}
/** Lists the attributes of `nixosConfigurations`; they are not evaluated. `reference` is one of Nix. Throws a `CommandError`. */
async function configurationNames(reference, options) {
    const args = ["eval", "--json", ...neverLock, installable(reference, "nixosConfigurations"), "--apply", "builtins.attrNames"];
    const { stdout } = await runNix(args, { signal: options.signal });
    return texts(JSON.parse(stdout));
}
/**
 * Parses what `nix flake metadata --json` prints; Determinate Nix with lazy trees leaves out `path` and `locked.narHash`:
 *
 *     {"path":"/nix/store/…-source","resolved":{"dir":"nixos",…},"locked":{"narHash":"sha256-…",…},
 *      "revision":"4f1c…","dirtyRevision":"4f1c…-dirty","revCount":7,"lastModified":1700000000,"locks":{"nodes":{…},…},…}
 */
function parseMetadata(json) {
    const data = JSON.parse(json);
    const locked = field(data, "locked");
    const directory = json_text(field(data, "resolved", "dir")) ?? json_text(field(locked, "dir")) ?? "";
    const dirtyRevision = json_text(field(data, "dirtyRevision")) ?? json_text(field(locked, "dirtyRev"));
    const scheme = json_text(field(data, "resolved", "type"));
    const narHash = json_text(field(locked, "narHash")) ?? "";
    const revision = json_text(field(data, "revision")) ?? json_text(field(locked, "rev"));
    return {
        path: optionalStorePath(json_text(field(data, "path"))),
        narHash: isSriHash(narHash) ? narHash : undefined,
        subdirectory: directory.replace(/^\/+|\/+$/g, ""),
        revision,
        revisionCount: revision === undefined ? undefined : (number(field(data, "revCount")) ?? number(field(locked, "revCount"))),
        lastModified: number(field(data, "lastModified")) ?? number(field(locked, "lastModified")),
        // Nix before 2.17 has no dirtyRev: a Git tree without a revision is a dirty one.
        dirty: dirtyRevision !== undefined || (scheme === "git" && revision === undefined),
        locks: field(data, "locks"),
        resolved: field(data, "resolved"),
    };
}
/**
 * Parses the store paths of a flake and of all its inputs from what `nix flake archive --json` prints:
 * `{"path":P,"inputs":{NAME:{"path":P,"inputs":{…}}}}`. An input inside its parent's tree has no path (except with Lix),
 * and one that follows another is missing. Throws an `Error` for anything but a store path.
 */
function parseArchive(json) {
    const data = JSON.parse(json);
    const source = storePath(json_text(field(data, "path")) ?? "");
    const found = new Set();
    const walk = (node) => {
        const path = json_text(field(node, "path"));
        if (path !== undefined)
            found.add(storePath(path));
        for (const [, input] of entries(field(node, "inputs")))
            walk(input);
    };
    walk(data);
    found.delete(source);
    return { source, inputs: [...found] };
}
;// CONCATENATED MODULE: ./out/src/nix/evaluate.js







/**
 * Applies an expression, a function of its arguments and then of a flake's outputs, to a flake, in one pure evaluation. Returns
 * what it prints as JSON. Throws an `InputError` for a flake that cannot be fetched, a `RunnerError` for a Nix that is too old, an
 * `EvaluationError` for what does not evaluate, and a `CommandError` for an evaluation that was stopped.
 */
async function applyToFlake(reference, expression, args, options) {
    const warnings = beforeError(options.onLine);
    try {
        const { stdout } = await runNix(applyArguments(reference, expression, args), {
            cwd: options.cwd,
            signal: options.signal,
            onStderrLine: warnings,
        });
        return JSON.parse(stdout);
    }
    catch (error) {
        throw explainApply(error, reference) ?? readable(error, reference) ?? error;
    }
}
/** Builds the arguments of that evaluation. The attribute path `.` is the outputs as a whole, from Nix 2.19 (NixOS/nix#8852). */
function applyArguments(reference, expression, args) {
    const bindings = Object.entries(args).map(([name, value]) => `${name} = ${nixValue(value)};`);
    // Without --show-trace, Nix shows the outermost frames: those of the expression, and not the place in the flake.
    return ["eval", "--json", "--show-trace", ...neverLock, installable(reference, "."), "--apply", `(${expression}) { ${bindings.join(" ")} }`];
}
// The trace quotes the expression and has thousands of lines for a real NixOS: the error is shown at the end instead.
function beforeError(onLine) {
    let failed = false;
    return (line) => {
        failed ||= line.startsWith("error:");
        if (!failed)
            onLine(line);
    };
}
function readable(error, reference) {
    if (!(error instanceof CommandError))
        return undefined;
    const { failure, stderr } = error;
    if (failure.kind === "signal" && failure.signal === "SIGKILL") {
        const why = "nix was killed (SIGKILL). Linux kills processes when memory runs out; evaluating a NixOS configuration needs about 500 MB";
        return new EvaluationError(reference, [why, "Use a runner with more memory, or select fewer hosts"], error);
    }
    if (failure.kind !== "exit" && failure.kind !== "signal")
        return undefined;
    const message = evaluationMessage(stderr);
    const lines = message.length > 0 ? message : lastLines(stderr);
    const file = missingFile(stderr);
    const hint = `${file} is not in the source of the flake. If it exists in the work tree, it is not tracked by Git: run \`git add ${file}\` and commit it`;
    return new EvaluationError(reference, file === undefined ? lines : [...lines.slice(0, shownLines - 1), hint], error);
}
function explainApply(error, reference) {
    if (error instanceof CommandError && /does not provide attribute .*or '\.'/.test(error.stderr)) {
        return new RunnerError("nix on this runner is too old to evaluate the flake (2.19 or newer is required). Update Nix, or set the input targets and have the hosts evaluate (build-on: target)", {
            cause: error,
            topic: "nix-too-old",
        });
    }
    return explainFlake(error, reference);
}
function nixValue(value) {
    if (typeof value === "string")
        return nixString(value);
    if (typeof value === "boolean" || value === null)
        return String(value);
    return `[ ${value.map(nixString).join(" ")} ]`;
}
/** Quotes a string for Nix, where `${` would begin an expression. */
function nixString(text) {
    return `"${text
        .replaceAll(/["\\$]/g, String.raw `\$&`)
        .replaceAll("\n", String.raw `\n`)
        .replaceAll("\r", String.raw `\r`)}"`;
}
;// CONCATENATED MODULE: ./out/src/nix/nix-config.js





/**
 * Reads the attribute `nixConfig` of a flake in the runner's store, as Nix text for another `flake.nix`; `undefined` where there is
 * none. The machine's own `accept-flake-config` decides whether it applies. Throws a `CommandError` for a flake.nix that does
 * not evaluate.
 */
async function readNixConfig(flake, options) {
    const file = (0,external_node_path_namespaceObject.join)(flake.source, flake.subdirectory, "flake.nix");
    // Few flakes have one, and searching the text needs no process.
    if (!/\bnixConfig\b/.test((0,external_node_fs_namespaceObject.readFileSync)(file, "utf8")))
        return undefined;
    const { stdout } = await runNix(["eval", "--json", "--file", file, "--apply", "flake: flake.nixConfig or { }"], options);
    const settings = JSON.parse(stdout);
    const text = nixLiteral(settings);
    return text === "{ }" ? undefined : text;
}
/** Renders a JSON value as a Nix literal: in `nixConfig` Nix accepts nothing that needs evaluation. */
function nixLiteral(value) {
    if (typeof value === "string")
        return nixString(value);
    if (Array.isArray(value))
        return `[ ${value.map((item) => `(${nixLiteral(item)})`).join(" ")} ]`;
    if (!isObject(value))
        return String(value);
    const settings = Object.entries(value).map(([name, setting]) => `${nixString(name)} = ${nixLiteral(setting)};`);
    return ["{", ...settings, "}"].join(" ");
}
;// CONCATENATED MODULE: ./out/src/domain/flake.js

/** Every store path that a machine needs to evaluate the flake. */
function sentPaths({ outer, flake }) {
    return [...new Set([outer, flake.source, ...flake.inputs])];
}
/** Renders the reference that a machine builds. No `#configuration`. */
function outerReference({ outer }) {
    return renderReference(`path:${outer}`);
}
/**
 * Renders the reference to which a machine's own Nix resolves the same flake, for use by hand. With `narHash`, Nix takes revision
 * and date as given; without, Lix and Nix before 2.25 refuse the date. A subdirectory needs Nix 2.26.
 */
function flakeReference(flake) {
    return renderReference(`path:${flake.source}`, flakeAttributes(flake));
}
/** What of a flake is not in its store path, under the names of Nix; `undefined` for what it does not have. */
function flakeAttributes(flake) {
    return {
        dir: flake.subdirectory === "" ? undefined : flake.subdirectory,
        rev: flake.revision,
        revCount: flake.revisionCount,
        lastModified: flake.lastModified,
        narHash: flake.narHash,
    };
}
;// CONCATENATED MODULE: ./out/src/nix/outer-lock.js


// The name of the only input, as `outer-flake.nix` and `outer-hive.nix` have it.
const inner = "flake";
/**
 * Renders the lock file of a flake whose only input is the given one, from the given one's own (`locks` of what
 * `nix flake metadata --json` prints):
 *
 *     {"nodes":{"nixpkgs":{…},"root":{"inputs":{"nixpkgs":"nixpkgs"}}},"root":"root","version":7}
 *
 * An input's inputs are names of nodes, or a path of inputs from the root, which becomes longer by one. So does the path of the
 * parent of an input that lies in its parent's tree. With `narHash`, every Nix takes the rest of the input as it is written.
 */
function lockAround(flake, locks) {
    const nodes = new Map(entries(field(locks, "nodes")));
    const root = String(field(locks, "root"));
    const free = (wish) => {
        let name = wish;
        while (nodes.has(name))
            name += "_";
        return name;
    };
    const outer = free("outer");
    // JSON has no place for what is undefined: it is left out.
    const locked = { type: "path", path: flake.source, ...flakeAttributes(flake) };
    const longer = [...nodes].map(([name, node]) => [name, prefixed(node)]);
    const own = { ...prefixed(nodes.get(root)), locked, original: { type: "indirect", id: inner } };
    const all = { ...Object.fromEntries(longer), [root]: own, [outer]: { inputs: { [inner]: root } } };
    return `${JSON.stringify({ nodes: all, root: outer, version: 7 }, undefined, 2)}\n`;
}
function prefixed(node) {
    const below = (value) => {
        if (!Array.isArray(value))
            return value;
        const path = value;
        return [inner, ...path];
    };
    const { inputs, parent, ...rest } = objectOf(node);
    return {
        ...rest,
        ...(inputs === undefined ? {} : { inputs: Object.fromEntries(entries(inputs).map(([name, input]) => [name, below(input)])) }),
        ...(parent === undefined ? {} : { parent: below(parent) }),
    };
}
;// CONCATENATED MODULE: ./out/src/nix/outer-flake.js






const templates = {
    plain: __nccwpck_require__.ab + "outer-flake.nix",
    hive: __nccwpck_require__.ab + "outer-hive.nix",
};
/**
 * Creates the outer flake that is sent to the machines. With `hive`, the nodes of a colmena hive are added to
 * `nixosConfigurations` as `colmenaHive.nodes.NAME`, the only place where nixos-rebuild looks. The flake keeps its identity
 * (`self.rev`, `self.lastModified`, …) and the versions of all inputs. Throws a `CommandError`.
 */
async function wrapFlake({ flake, locks }, hive, options) {
    return { flake, hive, outer: await addOuterFlake(flake, locks, hive, options) };
}
/** Adds an outer flake to the runner's store, without an evaluation. The flake's identity need not be its real one. */
async function addOuterFlake(flake, locks, hive, { scratch, signal }) {
    const nixConfig = await readNixConfig(flake, { signal });
    const template = templates[hive ? "hive" : "plain"];
    const text = (0,external_node_fs_namespaceObject.readFileSync)(template, "utf8");
    const directory = (0,external_node_fs_namespaceObject.mkdtempSync)((0,external_node_path_namespaceObject.join)(scratch, "outer-flake-"));
    try {
        // The name that Nix itself gives the source of a flake: it then takes the path as it is and copies nothing.
        const tree = (0,external_node_path_namespaceObject.join)(directory, "source");
        (0,external_node_fs_namespaceObject.mkdirSync)(tree);
        (0,external_node_fs_namespaceObject.writeFileSync)((0,external_node_path_namespaceObject.join)(tree, "flake.nix"), nixConfig === undefined ? text : text.replace("{", () => `{\n  nixConfig = ${nixConfig};`));
        (0,external_node_fs_namespaceObject.writeFileSync)((0,external_node_path_namespaceObject.join)(tree, "flake.lock"), lockAround(flake, locks));
        return storePath((await runNixStore(["--add", tree], { signal })).stdout.trim());
    }
    finally {
        (0,external_node_fs_namespaceObject.rmSync)(directory, { recursive: true, force: true });
    }
}
;// CONCATENATED MODULE: ./out/src/domain/result.js
/** The result of one machine, from best to worst. */
const statuses = ["unchanged", "planned", "deployed", "skipped", "degraded", "rolled-back", "failed", "unknown", "rollback-failed"];
/** The worst status of all, `unchanged` when there is none. */
function worstStatus(results) {
    const worst = Math.max(0, ...results.map((result) => statuses.indexOf(result.status)));
    return statuses[worst] ?? "unchanged";
}
/** Returns whether the machine did not reach the requested state. */
function isFailure(status) {
    switch (status) {
        case "unchanged":
        case "planned":
        case "deployed":
        case "skipped":
        // Failed units with `unit-failures: warn`, or a failed user activation.
        case "degraded":
            return false;
        case "rolled-back":
        case "failed":
        case "unknown":
        case "rollback-failed":
            return true;
    }
}
;// CONCATENATED MODULE: ./out/src/report/troubleshooting.js
/** Links to docs/troubleshooting.md by its path in the repository. */
const linkToPath = (topic) => `docs/troubleshooting.md#${topic}`;
/**
 * Links to docs/troubleshooting.md on GitHub, in the version of the action that runs. GitHub names repository and version to an
 * action that it has downloaded; without them, as for `uses: ./`, the link is the path in the repository.
 */
function troubleshootingLinks({ GITHUB_ACTION_REPOSITORY: repository = "", GITHUB_ACTION_REF: ref = "", }) {
    if (!/^[\w.-]+\/[\w.-]+$/.test(repository) || !/^[\w./-]+$/.test(ref))
        return linkToPath;
    return (topic) => `https://github.com/${repository}/blob/${ref}/${linkToPath(topic)}`;
}
/** The line that says where to read about a topic; no line without one. */
function seeAlso(topic, linkTo) {
    return topic === undefined ? [] : [`See ${linkTo(topic)}`];
}
;// CONCATENATED MODULE: ./out/src/report/annotations.js



/** One annotation for each host that failed, at most so many: where there are more hosts, the last one names the rest. */
function failureAnnotations(results, most, linkTo = linkToPath) {
    const failed = results.filter((result) => isFailure(result.status));
    const annotations = failed.map((result) => ({ title: `${result.name}: ${verdict(result)}`, message: message(result, linkTo) }));
    if (annotations.length <= most)
        return annotations;
    const rest = failed.slice(most - 1);
    return [...annotations.slice(0, most - 1), { title: `${rest.length} more hosts failed`, message: rest.map(brief).join("\n") }];
}
/** One annotation for all hosts that were skipped, with the reasons. */
function skippedAnnotations(results, linkTo = linkToPath) {
    const skipped = results.filter((result) => result.status === "skipped");
    if (skipped.length === 0)
        return [];
    const reasons = new Map();
    for (const { name, error } of skipped) {
        const reason = error === undefined ? "skipped" : [failureSentences(error).join(". "), ...seeAlso(error.topic, linkTo)].join("\n");
        reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
    }
    const title = `${skipped.length} of ${results.length} hosts ${skipped.length === 1 ? "was" : "were"} skipped`;
    return [{ title, message: [...reasons].map(([reason, names]) => `${names.join(", ")}: ${reason}`).join("\n") }];
}
/** The last line of a failed step: `2 of 14 hosts failed: web3 (activate: …), db1 (connect: …)`. */
function failureSummary(results) {
    const failed = results.filter((result) => isFailure(result.status));
    return `${failed.length} of ${results.length} hosts failed: ${failed.map(brief).join(", ")}`;
}
/** What went wrong in a few words: `activate failed, rolled back`. */
function verdict({ phase, status }) {
    if (status === "rolled-back")
        return `${phase} failed, rolled back`;
    if (status === "rollback-failed")
        return "rollback failed";
    return status === "unknown" ? `lost in ${phase}, state unknown` : `${phase} ${status}`;
}
function message({ error, status }, linkTo) {
    return error === undefined ? status : [renderFailure(error), ...seeAlso(error.topic, linkTo)].join("\n");
}
function brief(result) {
    const reason = result.status === "failed" ? `${result.phase}: ${result.error?.reason ?? "failed"}` : verdict(result);
    return `${result.name} (${reason})`;
}
;// CONCATENATED MODULE: ./out/src/report/kept.js
/** The warning that a garbage collection on the runner may remove systems before a later step has pushed them. */
function notKeptWarning(reason) {
    return {
        title: "The systems are not protected from garbage collection",
        message: `nix-store --add-root failed on the runner: ${reason}. Push the systems in the next step, and collect no garbage before it.`,
    };
}
;// CONCATENATED MODULE: ./out/src/report/choice.js

/** The lines of the log that say what was chosen of a flake's machines. */
function choiceLines({ machines, unusable, others }) {
    const count = machines.length + unusable.length;
    const heading = `targets is empty: using ${count} ${count === 1 ? "host" : "hosts"} from the flake`;
    return [
        `${heading}${machines.length === 0 ? "" : `: ${machines.map(({ name }) => name).join(", ")}`}`,
        ...unusable.map(({ name }) => `${name} cannot be deployed and counts as failed`),
        ...others.map(({ name, reason }) => `${name} is excluded: ${reason}`),
    ];
}
const mostIgnored = 30;
const mostNamed = 10;
const withoutEffect = "Settings in the flake without effect";
/** The warning about profiles of deploy-rs with a script of their own to activate them; none where there are none. */
function activationWarnings(profiles) {
    if (profiles.length === 0)
        return [];
    const names = listed(profiles, mostNamed);
    return [{ title: withoutEffect, message: `${names}: the script that activates profiles.system is not run; the system in it is switched to as NixOS does` }];
}
/** The warning about settings of the flake without effect, one per line with the machines that have it; none where there are none. */
function choiceWarnings({ machines }, given) {
    const names = new Map();
    for (const { name, ignored, wishes = [] } of machines) {
        for (const sentence of [...ignored, ...wishes.flatMap((wish) => unfulfilled(wish, given))])
            names.set(sentence, [...(names.get(sentence) ?? []), name]);
    }
    if (names.size === 0)
        return [];
    const lines = [...names].map(([sentence, having]) => `${listed(having, mostNamed)}: ${sentence}`);
    return [{ title: withoutEffect, message: listedLines(lines, mostIgnored).join("\n") }];
}
function unfulfilled({ setting, input, agrees, advice }, given) {
    if (given === undefined)
        return [`${setting} is not passed on; the input ${input} decides. ${advice} in the job that deploys`];
    const value = given[input];
    return agrees.includes(value) ? [] : [`${setting} has no effect; the input ${input} decides, and is ${value}. ${advice}`];
}
;// CONCATENATED MODULE: ./out/src/entry/announce-choice.js

/** Reports what was chosen of a flake's machines, and which of their settings have no effect with these inputs. */
function announceChoice(choice, log, given) {
    for (const line of choiceLines(choice))
        log.line(line);
    log.annotateAll("warning", choiceWarnings(choice, given));
}
/** Reports which profiles of deploy-rs have a script of their own that is not run. */
function announceActivations({ systems }, log) {
    log.annotateAll("warning", activationWarnings([...systems].flatMap(([name, { ownActivation }]) => (ownActivation === true ? [name] : []))));
}
;// CONCATENATED MODULE: ./out/src/git/small-work-tree.js


// Bytes: about 2,000 files.
const smallIndex = 200_000;
/**
 * Returns whether a flake reference names a directory in a Git work tree of few files, which the size of Git's index tells without a
 * program. Never throws: `false` without a work tree.
 */
function isSmallWorkTree(reference, cwd) {
    const path = /^(?:path:|git\+file:(?:\/\/)?)?([./][^?#]*)/.exec(reference)?.[1];
    if (path === undefined)
        return false;
    try {
        for (let directory = (0,external_node_path_namespaceObject.resolve)(cwd, path);; directory = (0,external_node_path_namespaceObject.dirname)(directory)) {
            const index = (0,external_node_fs_namespaceObject.statSync)((0,external_node_path_namespaceObject.join)(directory, ".git/index"), { throwIfNoEntry: false });
            if (index !== undefined)
                return index.size <= smallIndex;
            if (directory === (0,external_node_path_namespaceObject.dirname)(directory))
                return false;
        }
    }
    catch {
        return false;
    }
}
;// CONCATENATED MODULE: ./out/src/report/flake.js
/** The line of the log that says which flake is deployed. */
function flakeLine({ source, revision, inputs }) {
    return `flake ${source}, revision ${revision ?? "none"}, with ${inputs.length} inputs`;
}
/** The warning about a flake that is not a commit; none for one that is. */
function flakeWarnings({ dirty }) {
    if (!dirty)
        return [];
    const message = "The deployed system does not match a commit: self.rev, self.dirtyRev and self.dirtyShortRev are missing on the machines. Check whether an earlier step changed a file.";
    return [{ title: "The flake has uncommitted changes", message }];
}
;// CONCATENATED MODULE: ./out/src/entry/archive-flake.js



/** Fetches a flake into the runner's store, and reports which it is. Throws as `archiveOnRunner`. */
async function archiveAndAnnounce(reference, log, options) {
    const archived = await archiveOnRunner(reference, { ...options, isSmall: isSmallWorkTree(reference, options.cwd) });
    log.line(flakeLine(archived.flake));
    log.annotateAll("warning", flakeWarnings(archived.flake));
    return archived;
}
;// CONCATENATED MODULE: ./out/src/github/cancellation.js
// 128 and the number of SIGINT, as a shell has it.
const interrupted = 130;
/**
 * Runs work that signals cancel, and returns its exit code. GitHub's runner sends SIGINT, 7.5 s later SIGTERM and 2.5 s later kills
 * the process tree: the first signal begins an orderly end, a second SIGINT ends at once, with exit code 130.
 */
async function runCancellable(work, { onFirst, onSecond }) {
    const controller = new AbortController();
    let isEndingAtOnce = false;
    let endAtOnce = () => undefined;
    const atOnce = new Promise((resolve) => (endAtOnce = resolve)).then(onSecond).then(() => interrupted);
    const handle = (signal) => {
        if (!controller.signal.aborted) {
            onFirst(signal);
            controller.abort();
        }
        else if (signal === "SIGINT") {
            isEndingAtOnce = true;
            endAtOnce();
        }
    };
    // Without its connections, the work may end before the second handler does.
    const toItsEnd = async () => {
        const exitCode = await work(controller.signal);
        return isEndingAtOnce ? interrupted : exitCode;
    };
    process.on("SIGINT", handle);
    process.on("SIGTERM", handle);
    try {
        return await Promise.race([toItsEnd(), atOnce]);
    }
    finally {
        process.off("SIGINT", handle);
        process.off("SIGTERM", handle);
    }
}
;// CONCATENATED MODULE: external "node:util"
const external_node_util_namespaceObject = late("node:util");
;// CONCATENATED MODULE: ./out/src/report/printable.js

/** The text as one line without control characters and terminal sequences. */
function printable(text) {
    return (0,external_node_util_namespaceObject.stripVTControlCharacters)(text).replaceAll(/[^\P{Cc}\t]/gu, " ");
}
;// CONCATENATED MODULE: ./out/src/github/runner-kind.js
/**
 * Returns whether the runner is one of Forgejo, Gitea or act, which execute workflow commands but show no annotations. Forgejo's runner
 * sets GITEA_ACTIONS too, act sets ACT.
 */
function hidesAnnotations(environment) {
    return isForgejoOrGitea(environment) || environment["ACT"] === "true";
}
/** Returns whether the runner is one of Forgejo or Gitea, whose pages of runs have the run's number in their address and not its id. */
function isForgejoOrGitea(environment) {
    return environment["GITEA_ACTIONS"] === "true" || environment["FORGEJO_ACTIONS"] === "true";
}
;// CONCATENATED MODULE: ./out/src/github/workflow-log.js





// A reader that is gone must not end the deployment: its results still have other ways out.
const ignoreErrors = () => undefined;
/**
 * The step's log. GitHub's runner executes workflow commands in any line, including output of machines and Nix: every line is
 * written while commands are stopped, under a random token.
 */
class WorkflowLog {
    /** Where to read about a topic. */
    linkTo;
    #token;
    #hidesAnnotations;
    constructor(environment = process.env) {
        this.linkTo = troubleshootingLinks(environment);
        this.#hidesAnnotations = hidesAnnotations(environment);
        if (!process.stdout.listeners("error").includes(ignoreErrors))
            process.stdout.on("error", ignoreErrors);
    }
    /** Writes one line, in which workflow commands are not executed. */
    line(text) {
        if (this.#token === undefined) {
            this.#token = (0,external_node_crypto_namespaceObject.randomUUID)();
            write(`::stop-commands::${this.#token}`);
        }
        write(printable(text));
    }
    /** Writes lines that are folded under a title. */
    group(title, lines) {
        this.resume();
        startGroup(printable(title));
        for (const line of lines)
            this.line(line);
        this.resume();
        endGroup();
    }
    /** Writes an annotation, which the workflow's page shows; as plain lines too if the runner shows none. */
    annotate(level, title, message) {
        if (this.#hidesAnnotations)
            for (const line of `${level}: ${title}\n${message}`.split("\n"))
                this.line(line);
        this.resume();
        core_namespaceObject[level](message.split("\n").map(printable).join("\n"), { title: printable(title) });
    }
    /** Writes several annotations of one level. */
    annotateAll(level, annotations) {
        for (const { title, message } of annotations)
            this.annotate(level, title, message);
    }
    /** Waits until the runner has taken every line: what is still buffered is lost when the process exits. */
    async written() {
        await new Promise((resolve) => {
            process.stdout.write("", () => resolve());
        });
    }
    /** Resumes workflow commands. */
    resume() {
        if (this.#token === undefined)
            return;
        write(`::${this.#token}::`);
        this.#token = undefined;
    }
}
function write(line) {
    process.stdout.write(`${line}\n`);
}
;// CONCATENATED MODULE: ./out/src/report/problem.js





// The beginning of a long command line identifies the command.
const longestCommand = 300;
/** The annotation for what ended a run before the machines did. An error that is not one of the action's own is shown with its stack. */
function problemAnnotation(problem, linkTo = linkToPath) {
    const withHelp = (text) => [text, ...topicsOf(problem).flatMap((topic) => seeAlso(topic, linkTo))].join("\n");
    if (problem instanceof InputError || problem instanceof RunnerError)
        return { title: "The deployment could not start", message: withHelp(problem.message) };
    if (problem instanceof EvaluationError)
        return { title: "The flake does not evaluate; no host was changed", message: withHelp(problem.message) };
    if (problem instanceof CommandError) {
        const lines = [problem.message.slice(0, longestCommand), ...lastLines(problem.stderr)];
        return { title: "A command on the runner failed; no host was changed", message: lines.join("\n") };
    }
    if (isSystemError(problem)) {
        const place = problem.path === undefined ? "" : ` Check the space and the permissions of ${(0,external_node_path_namespaceObject.dirname)(problem.path)}.`;
        return { title: "A file on the runner could not be used; no host was changed", message: `${problem.message}.${place}` };
    }
    return { title: "Internal error", message: problem instanceof Error ? (problem.stack ?? problem.message) : String(problem) };
}
// Errors of the runner's file system: a full or read-only disk, a quota, missing permissions.
const systemErrors = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "EIO"]);
function isSystemError(problem) {
    return external_node_util_namespaceObject.types.isNativeError(problem) && "syscall" in problem && "code" in problem && systemErrors.has(String(problem.code));
}
;// CONCATENATED MODULE: ./out/src/entry/companion.js




/** Runs a companion action, which has no key and needs no post step. Its outputs are always set. Returns the exit code. */
async function runCompanion(companion) {
    const log = new WorkflowLog();
    return await runCancellable(async (cancelled) => ((await workAndReport(companion, log, cancelled)) ? 0 : 1), {
        onFirst: (signal) => log.annotate("warning", `Cancelled by ${signal}`, companion.onCancelled),
        onSecond: async () => await Promise.resolve(),
    });
}
async function workAndReport({ work, nothing }, log, cancelled) {
    let found = { outputs: nothing, isComplete: false };
    try {
        found = await work(log, cancelled);
    }
    catch (error) {
        if (!cancelled.aborted)
            log.annotateAll("error", [problemAnnotation(error, log.linkTo)]);
    }
    log.resume();
    setMachineOutputs(found.outputs);
    await log.written();
    return found.isComplete;
}
;// CONCATENATED MODULE: ./out/src/git/commit.js



/** Resolves a revision (gitrevisions(7)). Throws a `RunnerError` without git, a `CommandError` outside of a work tree. */
async function resolveCommit(directory, revision) {
    try {
        const { stdout } = await git(revParseArguments(directory, revision));
        return { kind: "commit", id: stdout.trim() };
    }
    catch (error) {
        if (!(error instanceof CommandError) || error.failure.kind !== "exit")
            throw error;
    }
    return { kind: "missing", shallow: await isShallow(directory) };
}
/** Returns whether a checkout lacks older commits, as with actions/checkout unless `fetch-depth` is 0. Throws as `resolveCommit`. */
async function isShallow(directory) {
    return (await git(["-C", directory, "rev-parse", "--is-shallow-repository"])).stdout.trim() === "true";
}
/** Builds the arguments that look a revision up; it is never taken for an option. */
function revParseArguments(directory, revision) {
    return ["-C", directory, "rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
}
async function git(args) {
    try {
        return await run({ file: "git", args });
    }
    catch (error) {
        if (error instanceof CommandError && error.failure.kind === "spawn") {
            throw new RunnerError(`git was not found on this runner; changed-since needs it. Add this to the workflow before this step: ${installSteps.git}`, {
                cause: error,
                topic: "programs-missing",
            });
        }
        throw error;
    }
}
;// CONCATENATED MODULE: ./out/src/nix/evaluate-each.js


// Evaluating a large fleet takes minutes: an error that all machines share is not searched for in each of them.
const mostEvaluations = 60;
// Bytes of the names of one evaluation: Linux takes 128 KiB for one argument, and the expression is part of it.
const mostBytes = 60_000;
/**
 * Evaluates all names at once, as far as they fit into one argument, and if that fails, in halves, until each failing name is alone.
 * Nix ends an evaluation at the first missing attribute, abort or infinite recursion (`builtins.tryEval` catches none of them), and
 * one such machine must not hide the others. After 60 evaluations, a group that still fails as a whole is not divided any further.
 */
async function evaluateEach(names, evaluate) {
    const found = new Map();
    const groups = inArguments(names);
    let evaluations = 0;
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
        try {
            evaluations += 1;
            const values = await evaluate(group);
            for (const [name, value] of values)
                found.set(name, { value });
        }
        catch (error) {
            if (!(error instanceof CommandError) || !isOfTheEvaluation(error))
                throw error;
            if (group.length === 1 || evaluations + groups.length + 2 > mostEvaluations)
                for (const name of group)
                    found.set(name, { error, together: group });
            else
                groups.push(group.slice(0, group.length / 2), group.slice(group.length / 2));
        }
    }
    return new Map(names.flatMap((name) => {
        const one = found.get(name);
        return one === undefined ? [] : [[name, one]];
    }));
}
/** Splits the names into groups that each fit into one argument, quoted for Nix. */
function inArguments(names) {
    const groups = [];
    let bytes = mostBytes;
    for (const name of names) {
        const size = Buffer.byteLength(nixString(name)) + 1;
        if (bytes + size > mostBytes) {
            groups.push([]);
            bytes = 0;
        }
        bytes += size;
        groups.at(-1)?.push(name);
    }
    return groups;
}
function isOfTheEvaluation({ failure }) {
    // A stack overflow or a lack of memory ends with a signal.
    return failure.kind === "exit" || failure.kind === "signal";
}
;// CONCATENATED MODULE: ./out/src/nix/tool-settings.js

/**
 * What the action does not do of a machine's settings for deploy-rs or colmena, with the consequence, a sentence each. `raw` is what
 * `inventory.nix` returns for the machine.
 */
function ignoredSettings(raw) {
    const list = (name) => texts(field(raw, name)).join(", ");
    const keys = list("keys");
    const profiles = list("otherProfiles");
    const unknown = list("unknown");
    return [
        keys === "" ? "" : `deployment.keys ${keys} are not uploaded; after a reboot /run/keys is empty, and services that need a key do not start`,
        profiles === "" ? "" : `the profiles ${profiles} are not deployed; they stay as they are on the machine`,
        isSet(raw, "machinesFile") ? "meta.machinesFile is not read; systems are built on the runner, and on the builders in its nix.conf" : "",
        isSet(raw, "tempPath") ? "tempPath is not used; files of a run are in /run/nix-flake-deploy" : "",
        field(raw, "imported") === true ? "the modules that it imports are not read; deployment settings in them have no effect" : "",
        unknown === "" ? "" : `${unknown} is unknown to this version of the action, and has no effect`,
    ].filter((sentence) => sentence !== "");
}
/** Settings of the machine for which the action has an input for all machines. */
function settingWishes(raw) {
    const wishes = [];
    const same = (name, input, wanted = (value) => value) => {
        const value = field(raw, name);
        if (typeof value !== "boolean" && typeof value !== "number")
            return;
        wishes.push({ setting: `${name} = ${value}`, input, agrees: [String(wanted(value))], advice: `Set ${input}: ${wanted(value)}` });
    };
    same("autoRollback", "rollback");
    same("magicRollback", "rollback");
    same("confirmTimeout", "confirm-timeout");
    same("activationTimeout", "activation-timeout");
    same("fastConnection", "substitute-on-destination", (fast) => fast !== true);
    // Root becomes nobody else.
    if (field(raw, "user") === "root")
        return wishes;
    const sudo = field(raw, "sudo");
    if (typeof sudo === "string")
        wishes.push(elevation(`sudo = ${JSON.stringify(sudo)}`, sudo));
    const command = field(raw, "privilegeEscalationCommand");
    if (Array.isArray(command))
        wishes.push(elevation(`privilegeEscalationCommand = ${JSON.stringify(command)}`, texts(command)[0] ?? ""));
    if (field(raw, "interactiveSudo") === true) {
        wishes.push({
            setting: "interactiveSudo = true",
            input: "elevate-password",
            agrees: ["set"],
            advice: "Set elevate-password, unless sudo needs no password",
        });
    }
    return wishes;
}
/** The command's program decides; the action has its own arguments for each. */
function elevation(setting, command) {
    const program = command.trim().split(/\s+/)[0]?.split("/").at(-1) ?? "";
    if (["sudo", "doas", "run0"].includes(program)) {
        return { setting, input: "elevate", agrees: program === "run0" ? [program] : [program, "auto"], advice: `Set elevate: ${program}` };
    }
    if (program === "")
        return { setting, input: "elevate", agrees: ["none"], advice: "Set elevate: none" };
    return { setting, input: "elevate", agrees: [], advice: "The user must be able to become root with sudo, doas or run0" };
}
function isSet(raw, name) {
    const value = field(raw, name);
    return value !== undefined && value !== null;
}
;// CONCATENATED MODULE: ./out/src/nix/inventory-entry.js





/**
 * Parses what `inventory.nix` returns for a machine that is not broken:
 *
 *     {"kind":"deploy-rs","host":"web1.example.org","user":"admin","profileUser":"root","sshOptions":["-p","2222"],
 *      "buildOnTarget":null,"configured":true,"system":"x86_64-linux","tags":["web"]}
 */
function parseEntry(name, raw) {
    const kind = field(raw, "kind");
    if (kind === "other")
        return { kind, name, reason: String(field(raw, "reason")) };
    const tags = Array.isArray(field(raw, "tags")) ? texts(field(raw, "tags")) : undefined;
    try {
        inventory_entry_refuse(name, raw);
        const system = field(raw, "system");
        const options = parseSshSetting(field(raw, "sshOptions"));
        return {
            kind: "machine",
            name,
            request: checkedRequest(name, {
                host: host(field(raw, "host")),
                user: optionalText(field(raw, "user"), "user") ?? options.user,
                port: options.port ?? optionalPort(field(raw, "port")),
                ...(options.lines.length === 0 ? {} : { sshOptions: options.lines }),
                ...(field(raw, "replaceUnknownProfiles") === false ? { replaceUnknown: false } : {}),
                configuration: { kind: field(raw, "hasPath") === true ? "profile" : kind === "hive" ? "hive" : "nixos", name },
            }),
            system: typeof system === "string" ? system : undefined,
            tags,
            buildOn: buildPlace(kind, field(raw, "buildOnTarget")),
            ignored: [...ignoredSettings(raw), ...options.ignored],
            wishes: settingWishes(raw),
        };
    }
    catch (error) {
        return {
            kind: "unusable",
            name,
            error: unsupported(messageOf(error)),
            tags,
            topic: error instanceof UnsupportedSettingError ? error.topic : undefined,
        };
    }
}
/** Both tools build on the runner unless they are told otherwise; NixOS itself does not say. */
function buildPlace(kind, buildOnTarget) {
    if (typeof buildOnTarget === "boolean")
        return buildOnTarget ? "target" : "runner";
    return kind === "configuration" ? "auto" : "runner";
}
class UnsupportedSettingError extends Error {
    topic;
    constructor(message, topic) {
        super(message);
        this.topic = topic;
    }
}
const systemProfile = "/nix/var/nix/profiles/system";
const addHive = "Add `colmenaHive = colmena.lib.makeHive self.outputs.colmena;` to the flake's outputs, as colmena's documentation describes";
function inventory_entry_refuse(name, raw) {
    if (field(raw, "uncertain") === true) {
        throw new UnsupportedSettingError(`colmena.${name} imports modules, which only colmena can evaluate. Add \`colmenaHive = colmena.lib.makeHive self.outputs.colmena;\` to the flake's outputs, as colmena's documentation describes, or set deployment.targetHost next to the imports`, "hive-not-evaluated");
    }
    const meta = texts(field(raw, "metaSettings"));
    if (meta.length > 0) {
        throw new UnsupportedSettingError(`only colmena evaluates ${meta.map((setting) => `meta.${setting}`).join(" and ")}, so that nixosConfigurations.${name} may be another system. ${addHive}`, "hive-not-evaluated");
    }
    if (field(raw, "configured") === false && field(raw, "hasPath") !== true) {
        const hint = field(raw, "kind") === "deploy-rs" ? "Name the node after its configuration, or set the input targets (host#configuration)" : addHive;
        throw new UnsupportedSettingError(`nixosConfigurations.${name} is missing. ${hint}`, "configuration-missing");
    }
    const user = field(raw, "profileUser") ?? "root";
    if (user !== "root")
        throw new Error(`its profile named system belongs to the user ${JSON.stringify(user)}, but a NixOS system must belong to root`);
    const profile = field(raw, "profilePath") ?? systemProfile;
    if (profile !== systemProfile)
        throw new Error(`its profile named system has the profilePath ${inventory_entry_shown(profile)}, but that of a NixOS system is ${systemProfile}`);
}
function host(value) {
    if (value === null || value === undefined)
        throw new Error("it has no host");
    if (typeof value !== "string")
        throw new Error(`its host is not a string (${inventory_entry_shown(value)})`);
    return value.replace(/^\[(.*:.*)\]$/, "$1");
}
function optionalText(value, what) {
    if (value === null || value === undefined)
        return undefined;
    if (typeof value !== "string")
        throw new Error(`its ${what} is not a string (${inventory_entry_shown(value)})`);
    return value;
}
function optionalPort(value) {
    if (value === null || value === undefined)
        return undefined;
    if (typeof value !== "number")
        throw new Error(`its port is not a number (${inventory_entry_shown(value)})`);
    return value;
}
/** Options of ssh, as a list or as a single one. */
function parseSshSetting(value) {
    const options = value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];
    const other = options.find((option) => typeof option !== "string");
    if (other !== undefined)
        throw new Error(`its ssh options contain ${inventory_entry_shown(other)}, which is not a string`);
    try {
        return parseSshOptions(texts(options));
    }
    catch (error) {
        throw new UnsupportedSettingError(`its ssh options: ${messageOf(error)}`, "ssh-options-unsupported");
    }
}
function inventory_entry_shown(value) {
    return typeof value === "string" ? value : JSON.stringify(value);
}
;// CONCATENATED MODULE: ./out/src/nix/inventory.js








// Machines that are evaluated one by one for their error.
const mostExplained = 8;
// Characters of the name of a configuration; a file or unit of a machine has no longer name either.
const inventory_longestName = 255;
/**
 * Reads from a flake where its machines are, in one evaluation. A machine that does not evaluate is evaluated again alone, so that
 * Nix's message can be shown, and does not hide the others. Throws as `applyToFlake` where the flake itself does not evaluate.
 */
async function readInventory(reference, { selection, details }, options) {
    const tagged = looksAtTags(selection);
    const choosing = selection.filter(({ leavesOut }) => !leavesOut);
    const patterns = choosing.length === 0 || tagged ? null : choosing.map((rule) => rule.expression);
    const expression = (0,external_node_fs_namespaceObject.readFileSync)(__nccwpck_require__.ab + "inventory.nix", "utf8");
    const query = async (args, onLine = () => undefined) => parseAnswer(await applyToFlake(reference, expression, { patterns, names: null, details: details || tagged, careful: true, ...args }, { ...options, onLine }));
    const { names, machines, needsSelection } = await atOnce(query, options.onLine);
    const found = [];
    let broken = 0;
    for (const [name, seen] of machines) {
        if (name.length > inventory_longestName)
            found.push(nameTooLong(name));
        else if ("error" in seen)
            found.push(doesNotEvaluate(name, seen.error, seen.together));
        else if (field(seen.value, "kind") !== "broken")
            found.push(parseEntry(name, seen.value));
        else
            found.push((broken += 1) <= mostExplained ? await askAgain(name, query) : doesNotEvaluate(name, undefined));
    }
    return { names, entries: found, needsSelection };
}
async function atOnce(query, onLine) {
    try {
        const { names, needsSelection, machines } = await query({}, onLine);
        return { names, needsSelection, machines: new Map([...machines].map(([name, value]) => [name, { value }])) };
    }
    catch (error) {
        if (!(error instanceof CommandError) || error.failure.kind === "aborted")
            throw error;
    }
    // Names need no machine: if even they fail, the flake itself does not evaluate.
    const { names, needsSelection, wanted } = await query({ names: [] });
    const [long, usable] = [wanted.filter((name) => name.length > inventory_longestName), wanted.filter((name) => name.length <= inventory_longestName)];
    const each = await evaluateEach(usable, async (some) => (await query({ names: some })).machines);
    return { names, needsSelection, machines: new Map([...each, ...long.map((name) => [name, { value: undefined }])]) };
}
/** Evaluates a machine that throws again, to get its error. */
async function askAgain(name, query) {
    try {
        const { machines } = await query({ names: [name], careful: false });
        return parseEntry(name, machines.get(name));
    }
    catch (error) {
        if (!(error instanceof CommandError) || error.failure.kind === "aborted")
            throw error;
        return doesNotEvaluate(name, error);
    }
}
function doesNotEvaluate(name, error, together = [name]) {
    const which = together.length === 1 ? "its configuration" : `one of ${together.length} configurations, this one or another,`;
    const reason = `${which} does not evaluate on the runner, so its address is unknown`;
    const lines = error === undefined ? [`only the first ${mostExplained} failures are explained one by one; see their messages`] : lastLines(error.stderr);
    return { kind: "unusable", name, tags: undefined, error: reason, lines, topic: "machine-not-evaluated" };
}
function nameTooLong(name) {
    const error = `the name of its configuration has ${name.length} characters, and at most ${inventory_longestName} are accepted`;
    return { kind: "unusable", name: `${name.slice(0, 50)}…`, tags: undefined, error };
}
function parseAnswer(json) {
    return {
        names: texts(field(json, "names")).map((name) => name.slice(0, inventory_longestName)),
        needsSelection: field(json, "applyAll") === false,
        wanted: texts(field(json, "wanted")),
        machines: new Map(entries(field(json, "machines"))),
    };
}
;// CONCATENATED MODULE: external "node:url"
const external_node_url_namespaceObject = late("node:url");
;// CONCATENATED MODULE: ./out/src/domain/map-limited.js
/**
 * Works on the items side by side, at most `limit` at a time, in their order. The results are in the order of the items.
 * Rejects as soon as one rejects.
 */
async function mapLimited(items, limit, work) {
    const results = [];
    // One iterator for all workers: a free worker takes the next item.
    const queue = items.entries();
    const worker = async () => {
        for (const [index, item] of queue)
            results[index] = await work(item);
    };
    await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
    return results;
}
;// CONCATENATED MODULE: ./out/src/nix/evaluation-groups.js
// Of one NixOS configuration of a server, measured: an evaluation keeps every configuration that it has looked into.
const bytesEach = 540 * 2 ** 20;
// What all configurations have in common is evaluated once per process: a group of eight saves most of that.
const mostTogether = 8;
/**
 * Splits configurations into groups of about the same size, so that one process per core evaluates them in an equal time, in the memory
 * that is there. With too little memory for two, each configuration is evaluated alone, one after the other.
 */
function planEvaluation(configurations, { cores, memory }) {
    const fitting = Math.max(1, Math.floor(memory / bytesEach));
    const parallel = Math.max(1, Math.min(cores, fitting, configurations.length));
    const together = Math.max(1, Math.min(mostTogether, Math.floor(fitting / parallel)));
    const rounds = Math.ceil(configurations.length / (together * parallel));
    const count = Math.min(configurations.length, rounds * parallel);
    return { groups: inGroups(configurations, count), parallel };
}
/** Splits a list into so many groups, whose sizes differ by one at most. */
function inGroups(names, count) {
    return Array.from({ length: count }, (_, index) => names.slice(Math.floor((index * names.length) / count), Math.floor(((index + 1) * names.length) / count)));
}
;// CONCATENATED MODULE: ./out/src/nix/profile-activation.js


// The lines of the script that deploy-rs makes for a NixOS system (`activate.nixos` in its flake.nix). The last one works around an
// entry that systemd-boot keeps as its default.
const linesOfNixos = [
    /^#/,
    /^set -euo pipefail$/,
    /^(?:el)?if \[\[ "\$\{(?:DRY_ACTIVATE|BOOT):-\}" == "1" \]\]$/,
    /^(?:then|else|fi)$/,
    /^cd \/tmp$/,
    /^\$PROFILE\/bin\/switch-to-configuration (?:switch|boot|dry-activate)$/,
    /^sed -i '\/\^default \/d' \S+\/loader\/loader\.conf$/,
];
/** Returns whether the script that activates a profile of deploy-rs does something else than to switch to the system in it. */
function isOwnActivation(script) {
    const lines = script
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "");
    return !lines.includes("$PROFILE/bin/switch-to-configuration switch") || lines.some((line) => !linesOfNixos.some((known) => known.test(line)));
}
/** Reads the script that a derivation writes; `undefined` where the derivation does not have its text. */
async function readActivation(derivation, signal) {
    try {
        return (await runNixStore(["--query", "--binding", "text", derivation], { signal })).stdout;
    }
    catch (error) {
        if (!(error instanceof CommandError) || error.failure.kind === "aborted")
            throw error;
        return undefined;
    }
}
;// CONCATENATED MODULE: ./out/src/nix/systems.js











// Configurations whose error Nix is asked for one by one.
const systems_mostExplained = 8;
/**
 * Instantiates the systems of these configurations, each once and as `nixos-rebuild` would, in groups, as many at a time as cores and
 * memory allow. One that does not evaluate does not hide the others: it is missing in what is returned, and `onNoSystem` hears why.
 * `onProgress` hears how many are done.
 */
async function instantiate(reference, wanted, options, hears = {}, room = roomHere()) {
    // Machines may share one.
    const configurations = [...new Set(wanted)];
    const found = new Map();
    let explained = 0;
    let done = 0;
    let ofOutputs;
    // What ends all of it: no further process is started then, and those that run are waited for.
    let fault;
    const { groups, parallel } = planEvaluation(configurations, room);
    const evaluateGroup = async (group) => {
        let names = [];
        const evaluated = await evaluateEach(group, async (some) => {
            try {
                const answer = await ask(reference, some, true, options);
                ({ names } = answer);
                return answer.systems;
            }
            catch (error) {
                // What fails for no configuration at all is an error of the flake itself, and is not looked for in each.
                if (hears.onNoSystem !== undefined) {
                    ofOutputs = ofOutputs ?? errorOfOutputs(reference, options);
                    fault = fault ?? (await ofOutputs);
                }
                if (fault === undefined)
                    throw error;
                return new Map();
            }
        });
        if (fault !== undefined)
            return;
        for (const name of group) {
            const one = evaluated.get(name);
            const system = one !== undefined && "value" in one ? parseSystem(one.value) : undefined;
            if (system !== undefined)
                found.set(name, system);
            else if (hears.onNoSystem === undefined || one === undefined)
                continue;
            else if ("error" in one)
                hears.onNoSystem(name, broken(one.error, one.together.length));
            else if (one.value !== null)
                hears.onNoSystem(name, absent(one.value, names));
            else
                hears.onNoSystem(name, (explained += 1) <= systems_mostExplained ? await systems_askAgain(reference, name, options) : broken(undefined, 1));
        }
        done += group.length;
        hears.onProgress?.(done);
    };
    await mapLimited(groups, parallel, async (group) => {
        if (fault !== undefined)
            return;
        await evaluateGroup(group).catch((error) => (fault = fault ?? error));
    });
    if (fault !== undefined)
        throw fault;
    // In the order of the configurations, whichever group ended first.
    return new Map(configurations.flatMap((name) => {
        const system = found.get(name);
        return system === undefined ? [] : [[name, system]];
    }));
}
/** Evaluates the outputs of a flake and none of its systems. Throws as `applyToFlake`. */
async function requireOutputs(reference, options) {
    await ask(reference, [], true, options);
}
/** Returns the error of the outputs, if there is one. */
async function errorOfOutputs(reference, options) {
    try {
        await requireOutputs(reference, options);
        return undefined;
    }
    catch (error) {
        return error;
    }
}
function roomHere() {
    return { cores: (0,external_node_os_namespaceObject.availableParallelism)(), memory: process.availableMemory() };
}
async function ask(reference, configurations, careful, options) {
    const expression = (0,external_node_fs_namespaceObject.readFileSync)(__nccwpck_require__.ab + "toplevels.nix", "utf8");
    const found = await applyToFlake(reference, expression, { configurations, careful }, options);
    const systems = field(found, "systems");
    return {
        names: texts(field(found, "names")),
        systems: new Map(await Promise.all(configurations.map(async (name) => [name, await withOutput(field(systems, name), options)]))),
    };
}
/** Adds what the expression could not say of derivations: what one builds, and what the script in a profile does. */
async function withOutput(system, { signal }) {
    const derivation = json_text(field(system, "derivation"));
    const activation = json_text(field(system, "activation"));
    const script = json_text(field(system, "script")) ?? (activation === undefined ? undefined : await readActivation(storePath(activation), signal));
    // One that cannot be read is named as well: it is not run either way.
    const ownActivation = activation !== undefined && (script === undefined || isOwnActivation(script));
    const known = { ...objectOf(system), ownActivation };
    if (derivation === undefined || json_text(field(system, "output")) !== undefined)
        return system === null ? system : known;
    const { stdout } = await runNixStore(["--query", "--outputs", derivation], { signal });
    return { ...known, output: stdout.trim() };
}
function absent(value, configurations) {
    const contains = json_text(field(value, "contains"));
    return contains === undefined ? { kind: "missing", configurations } : { kind: "foreign", contains };
}
/** Evaluates a system that throws, to hear what. */
async function systems_askAgain(reference, name, options) {
    try {
        await ask(reference, [name], false, { ...options, onLine: () => undefined });
        return broken(undefined, 1);
    }
    catch (error) {
        if (!(error instanceof CommandError) || error.failure.kind === "aborted")
            throw error;
        return broken(error, 1);
    }
}
function broken(error, count) {
    const lines = error?.stderr.split("\n") ?? [`only the first ${systems_mostExplained} failures are explained one by one; see their messages`];
    return { kind: "broken", lines, together: count };
}
/** Parses what `toplevels.nix` says of one configuration: `{"derivation":"/nix/store/….drv","output":"/nix/store/…","platform":"x86_64-linux"}` */
function parseSystem(value) {
    const derivation = json_text(field(value, "derivation"));
    const output = json_text(field(value, "output"));
    if (derivation === undefined || output === undefined)
        return undefined;
    return {
        derivation: storePath(derivation),
        toplevel: storePath(output),
        platform: json_text(field(value, "platform")),
        configuration: json_text(field(value, "configuration")),
        ...(field(value, "ownActivation") === true ? { ownActivation: true } : {}),
    };
}
;// CONCATENATED MODULE: ./out/src/nix/toplevels.js








// With the true ones, system.configurationRevision and the like would differ at every commit; without any, a flake may refuse a dirty
// tree, or fail on a missing attribute.
const sameIdentity = { revision: "1".padStart(40, "0"), lastModified: 1 };
/** Copies a flake and its inputs into the runner's store. `scratch` is a directory for files of a moment. Throws as `archiveOnRunner`. */
async function checkout(reference, scratch, options) {
    const { flake, locks, resolved } = await archiveOnRunner(reference, options);
    const identity = { ...sameIdentity, revisionCount: flake.revisionCount === undefined ? undefined : 1 };
    const outer = await addOuterFlake({ ...flake, ...identity }, locks, false, { scratch, signal: options.signal });
    return { pinned: outerReference({ outer }), repository: repositoryOf(resolved) };
}
/**
 * Parses where the work tree is from `resolved` of what `nix flake metadata --json` prints:
 *
 *     {"dir":"nixos","shallow":true,"type":"git","url":"file:///home/runner/work/machines/machines"}
 */
function repositoryOf(resolved) {
    const url = json_text(field(resolved, "url"));
    if (field(resolved, "type") !== "git" || url?.startsWith("file:") !== true)
        return undefined;
    const kept = entries(resolved).flatMap(([name, value]) => {
        if (["type", "url", "ref", "rev"].includes(name))
            return [];
        if (typeof value === "boolean")
            return [[name, value ? "1" : "0"]];
        return typeof value === "string" ? [[name, value]] : [];
    });
    return {
        directory: (0,external_node_url_namespaceObject.fileURLToPath)(url),
        referenceAt: (commit) => renderReference(`git+${url}`, { ...Object.fromEntries(kept), rev: commit }),
    };
}
/**
 * Instantiates the systems of these configurations. `reference` is one of `checkout`, `where` ends the lines of progress. One that does not
 * evaluate does not hide the others.
 */
async function toplevels(reference, configurations, options, where = "") {
    const count = new Set(configurations).size;
    const systems = await instantiate(reference, configurations, options, {
        onProgress: (done) => options.onLine(`evaluated ${done} of ${count}${where}`),
    });
    return new Map(configurations.map((name) => [name, systems.get(name)?.derivation]));
}
/** Instantiates the systems that a former commit had, unless its source is the present one. Throws only for an abort. */
async function formerToplevels(present, former, configurations, options) {
    try {
        const { pinned } = await checkout(former.reference, former.scratch, options);
        if (pinned === present.pinned)
            return { kind: "same" };
        // What fails for no configuration at all is the flake's own fault, and is not looked for in each.
        await requireOutputs(pinned, options);
        return { kind: "toplevels", toplevels: await toplevels(pinned, configurations, options, " as they were") };
    }
    catch (error) {
        options.signal?.throwIfAborted();
        return { kind: "none", reason: briefReason(error).replace(/^(?:the flake does not evaluate|error): /, "") };
    }
}
;// CONCATENATED MODULE: ./out/src/report/changed.js
/** The notice that no machine is left out as unchanged. */
function allChangedNotice(reason) {
    return { title: "All hosts count as changed", message: reason };
}
/** The warning about a machine that counts as changed because its system does not evaluate. */
function notComparableWarning(machine) {
    return { title: machine, message: "Its system does not evaluate, so it counts as changed." };
}
;// CONCATENATED MODULE: ./out/src/entry/matrix-ports.js






/** Connects the ports of `src/machines/` with Nix, Git and the log. `reference` is the flake. */
function matrixPorts(reference, log, signal) {
    const local = { cwd: process.cwd(), signal, onLine: (line) => log.line(line) };
    const scratch = runnerTemp();
    return {
        readInventory: async (query) => await readInventory(reference, query, local),
        announce: (choice) => announceChoice(choice, log),
        checkout: async () => await checkout(reference, scratch, local),
        resolveRevision: resolveCommit,
        formerToplevels: async (present, former, configurations) => await formerToplevels(present, { reference: former, scratch }, configurations, local),
        toplevels: async ({ pinned }, configurations) => await toplevels(pinned, configurations, local),
        allChanged: (reason) => log.annotateAll("notice", [allChangedNotice(reason)]),
        notComparable: (machine) => log.annotateAll("warning", [notComparableWarning(machine)]),
    };
}
;// CONCATENATED MODULE: ./out/src/deploy/system-source.js


/** The machine gets the flake, and its own nixos-rebuild evaluates and builds it. */
function rebuiltThere(flake) {
    let known;
    void flake.then((sent) => (known = sent), 
    // What waits for it hears of that.
    () => undefined);
    return {
        evaluatesOnMachine: true,
        next: () => known,
        obtain: async (steps, configuration, signal) => {
            const sent = await flake;
            const rebuild = { reference: outerReference(sent), configuration };
            await steps.copy(async (machine) => await machine.copyFlake(sent, signal));
            return await steps.build(async (machine) => await machine.build(rebuild, signal));
        },
    };
}
/** The runner has evaluated the system, and the machine builds its derivation. `beside` is sent too. */
function realisedThere(derivation, configuration, beside) {
    const paths = { closures: beside, derivations: [derivation] };
    return {
        evaluatesOnMachine: false,
        obtain: async (steps, signal) => {
            await steps.copy(async (machine) => await machine.copyPaths(paths, signal));
            return await steps.build(async (machine) => await machine.realise(derivation, configuration, signal));
        },
    };
}
/** The runner has built the system, and the machine only receives it. `beside` is sent too. */
function builtHere(toplevel, beside) {
    const paths = { closures: [toplevel, ...beside], derivations: [] };
    return {
        evaluatesOnMachine: false,
        obtain: async (steps, signal) => {
            await steps.copy(async (machine) => await machine.copyPaths(paths, signal));
            return toplevel;
        },
    };
}
/**
 * The system was built before the run. What the runner has, it sends; else the machine downloads it from its own binary caches where
 * `substitutes`; else the runner downloads and sends it.
 */
function builtBefore(toplevel, runner, { substitutes }) {
    return {
        evaluatesOnMachine: false,
        obtain: async (steps, signal) => {
            await steps.copy(async (machine) => {
                const copied = await bring(toplevel, runner, machine, substitutes, signal);
                await machine.requireSystem(toplevel, signal);
                return copied;
            });
            return toplevel;
        },
    };
}
async function bring(toplevel, runner, machine, substitutes, signal) {
    const send = async () => await machine.copyPaths({ closures: [toplevel], derivations: [] }, signal);
    if (await runner.has(toplevel))
        return await send();
    const there = substitutes ? await machine.download(toplevel, signal) : undefined;
    if (there?.kind === "downloaded")
        return there.copied;
    const here = await runner.download(toplevel);
    if (here === undefined)
        return await send();
    const lines = [...(there === undefined ? [] : ["On the machine:", ...there.lines.slice(-mostLines)]), "On the runner:", ...here.slice(-mostLines)];
    throw new DeployError({
        phase: "copy",
        reason: `${toplevel} is not in the store of the runner, and could not be downloaded ${there === undefined ? "there" : "by the machine or the runner"}`,
        hint: "Push the system to a binary cache after it was built, and have the machine or the runner use this cache (substituters and trusted-public-keys in nix.conf)",
        outcome: "Nothing has changed on the machine",
        lines,
        topic: "system-not-found",
    });
}
// Of each of both sides: a failure shows 20.
const mostLines = 9;
;// CONCATENATED MODULE: ./out/src/machines/evaluated-here.js


/** Returns whether the runner evaluates a system: also one that its machine builds, where only that tells which one is meant. */
function isEvaluatedHere({ way, configuration }) {
    return evaluatesHere(way) || (way !== "built-before" && isProfile(configuration));
}
/**
 * Says how machines of deploy-rs get the system in their profile. That of the configuration with the node's name can be rebuilt there;
 * of any other, the machine builds the derivation.
 */
function withProfiles(wanted, made) {
    return new Map([...wanted].map(([name, one]) => {
        const isOther = isProfile(one.configuration) && configurationOf(one, made) === undefined;
        return [name, isOther && one.way === "rebuilt-there" ? { ...one, way: "realised-there" } : one];
    }));
}
/** The target with the configuration whose system is in its profile. */
function withConfiguration(target, wanted, made) {
    const one = wanted.get(target.name);
    const name = one === undefined || !isProfile(one.configuration) ? undefined : configurationOf(one, made);
    return name === undefined ? target : { ...target, configuration: { kind: "nixos", name } };
}
function configurationOf({ configuration = "" }, made) {
    return made?.systems.get(configuration)?.configuration;
}
;// CONCATENATED MODULE: ./out/src/nix/build-log.js
// With `--keep-going` hundreds may fail.
const mostFailed = 5;
const keptLines = 20;
// Builders whose streamed lines (`--print-build-logs`) are kept at a time.
const mostStreams = 64;
const derivation = String.raw `'(/nix/store/[^']+\.drv)'`;
// Nix 2.29 and newer; the reason is in the next line.
const cannotBuild = new RegExp(`^\\s*error: Cannot build ${derivation}`);
const reasonLine = /^\s*Reason: (.*?)\.?$/;
// Nix up to 2.28.
const builderFailed = new RegExp(`^\\s*error: (?:build of .* failed: )?(?:error: )?builder for ${derivation} (failed .*?);?$`);
const dependencyFailed = new RegExp(`^\\s*error: \\d+ dependenc\\w+ of derivation ${derivation} failed to build`);
// All versions.
const others = [
    [new RegExp(`^\\s*error: (hash mismatch) in fixed-output derivation ${derivation}`), () => "hash mismatch of a fixed-output derivation"],
    [
        new RegExp(`^\\s*error: (a '[^']*' with features .*) is required to build ${derivation}, but I am (.*)$`),
        (match) => `${match[1]} is required, but the machine is ${match[3]}`,
    ],
    [new RegExp(`^\\s*error: (some substitutes) for the outputs of derivation ${derivation} failed`), () => "its download from a binary cache failed"],
    [new RegExp(`^\\s*error: (building of) ${derivation}.* (timed out after .*)$`), (match) => String(match[3])],
];
/**
 * Collects from the output of `nix build` which derivations failed themselves. On a real NixOS the cause is far above the
 * end: every derivation that depends on it is listed after it, with all its output paths.
 *
 *     error: Cannot build '/nix/store/…-bash-5.2.tar.gz.drv'.
 *            Reason: builder failed with exit code 1.
 *            Output paths:
 *              /nix/store/…-bash-5.2.tar.gz
 *            Last 4 log lines:
 *            > error: …
 *            For full logs, run:
 *              nix log /nix/store/…-bash-5.2.tar.gz.drv
 *     error: Cannot build '/nix/store/…-bash-5.2p26.drv'.
 *            Reason: 1 dependency failed.
 *
 * Up to Nix 2.28 it is `builder for '….drv' failed with exit code 1;`, with `last 10 log lines:` below, and
 * `1 dependencies of derivation '….drv' failed to build`.
 */
class BuildLogReader {
    #kept;
    #failed = new Map();
    #more = new Set();
    #dependents = new Set();
    #streams = new Map();
    /** The derivation whose `Reason:` comes next. */
    #unexplained;
    /** The log of the failure that is being read. */
    #log;
    /** Keeps the logs of that many failures. */
    constructor(kept = mostFailed) {
        this.#kept = kept;
    }
    /** Reads the next line. */
    read(line) {
        if (this.#readHeading(line))
            return;
        const reason = this.#unexplained === undefined ? undefined : reasonLine.exec(line)?.[1];
        if (reason !== undefined)
            return this.#explain(reason);
        const logged = /^\s+>(?: (.*))?$/.exec(line) ?? /^\s+((?:specified|got|Required|Current)\b.*:.*)$/.exec(line);
        if (logged !== null)
            this.#log?.push(logged[1] ?? "");
        const streamed = /^([\w+.?=-]+)> (.*)$/.exec(line);
        if (streamed !== null)
            this.#stream(streamed[1] ?? "", streamed[2] ?? "");
    }
    /** What has failed so far. */
    get failures() {
        return this.#failuresIn(() => true);
    }
    /** What has failed so far of some derivations: the logs of at most five. */
    failuresOf(derivations) {
        const { failed, more, dependents } = this.#failuresIn((path) => derivations.has(path));
        return { failed: failed.slice(0, mostFailed), more: more + Math.max(0, failed.length - mostFailed), dependents };
    }
    #failuresIn(isMeant) {
        const failed = [...this.#failed]
            .filter(([path]) => isMeant(path))
            .map(([path, { reason, log }]) => ({
            path,
            reason,
            log: (log.length > 0 ? log : (this.#streams.get(streamName(path)) ?? [])).slice(-keptLines),
        }));
        const count = (paths) => [...paths].filter(isMeant).length;
        return { failed, more: count(this.#more), dependents: count(this.#dependents) };
    }
    #readHeading(line) {
        if (!line.includes("error: "))
            return false;
        const path = cannotBuild.exec(line)?.[1];
        if (path !== undefined) {
            this.#unexplained = path;
            this.#log = undefined;
            return true;
        }
        const dependent = dependencyFailed.exec(line)?.[1];
        if (dependent !== undefined) {
            this.#dependents.add(dependent);
            this.#log = undefined;
            return true;
        }
        const own = builderFailed.exec(line);
        if (own !== null) {
            this.#add(String(own[1]), `builder ${own[2]}`);
            return true;
        }
        for (const [pattern, describe] of others) {
            const match = pattern.exec(line);
            if (match === null)
                continue;
            this.#add(String(match[2]), describe(match));
            return true;
        }
        return false;
    }
    #explain(reason) {
        const path = this.#unexplained ?? "";
        this.#unexplained = undefined;
        if (/^\d+ dependenc\w+ failed/.test(reason))
            this.#dependents.add(path);
        else
            this.#add(path, reason);
    }
    #add(path, reason) {
        this.#log = undefined;
        if (this.#failed.has(path) || this.#more.has(path))
            return;
        if (this.#failed.size === this.#kept) {
            this.#more.add(path);
            return;
        }
        this.#log = [];
        this.#failed.set(path, { reason, log: this.#log });
    }
    #stream(name, text) {
        const lines = this.#streams.get(name) ?? [];
        // Moves it to the end: the first stream is the one without output for the longest time.
        this.#streams.delete(name);
        this.#streams.set(name, lines);
        if (lines.push(text) > keptLines)
            lines.shift();
        const [oldest] = this.#streams.keys();
        if (this.#streams.size > mostStreams && oldest !== undefined)
            this.#streams.delete(oldest);
    }
}
// With --print-build-logs a line begins with the name without its version, as `builtins.parseDrvName` splits it.
function streamName(path) {
    return derivationName(path).replace(/-(?![a-zA-Z]).*$/, "");
}
/** The name of a derivation without hash and `.drv`: `bash-5.2.tar.gz`. */
function derivationName(path) {
    return path.replace(/^\/nix\/store\/[^-]*-/, "").replace(/\.drv$/, "");
}
;// CONCATENATED MODULE: ./out/src/nix/build-plan.js
const several = /^(these \d+ derivations will be built|these \d+ paths will be fetched(?: \([^)]*\))?):$/;
const single = /^(this derivation will be built|this path will be fetched(?: \([^)]*\))?):$/;
const item = /^ {2}(\/nix\/store\/\S+)$/;
/**
 * Folds the list of derivations and paths that Nix prints before a build into one line with its count and sizes; every other
 * line passes unchanged. A first deployment of a real NixOS lists thousands:
 *
 *     these 2157 derivations will be built:
 *       /nix/store/h11pn2l5rszzgjrl84qw2ifr33rdkjcq-config.sub-28ea239.drv
 *     these 480 paths will be fetched (212.10 MiB download, 1034.53 MiB unpacked):
 *       /nix/store/0m4y3j4pnivlhhpr5yqdvlly86p93fwc-busybox-1.36.1
 */
class BuildPlanFolder {
    #state = "outside";
    /** Returns the lines to show in place of the next one: none, one, or two. */
    fold(line) {
        const state = this.#state;
        const path = item.exec(line)?.[1];
        if (path !== undefined && state !== "outside") {
            if (state === "list")
                return [];
            this.#state = "outside";
            return [`${state.heading}: ${path}`];
        }
        const held = typeof state === "object" ? [`${state.heading}:`] : [];
        const heading = single.exec(line)?.[1];
        if (heading !== undefined) {
            this.#state = { heading };
            return held;
        }
        const list = several.exec(line)?.[1];
        this.#state = list === undefined ? "outside" : "list";
        return [...held, list ?? line];
    }
    /** Returns what is still held back when the output ends. */
    end() {
        return typeof this.#state === "object" ? [`${this.#state.heading}:`] : [];
    }
}
;// CONCATENATED MODULE: ./out/src/nix/in-store.js

/** Returns whether the runner's store has a path. Throws a `CommandError`. */
async function isInStore(path, signal) {
    return (await notInStore([path], signal)).size === 0;
}
/** Returns which of these paths the runner's store does not have. Throws a `CommandError`. */
async function notInStore(paths, signal) {
    if (paths.length === 0)
        return new Set();
    const { stdout } = await runNixStore(["--check-validity", "--print-invalid", ...paths], { signal });
    return new Set(stdout.split("\n").filter((line) => line !== ""));
}
;// CONCATENATED MODULE: ./out/src/nix/build-systems.js





// One per machine of a large fleet, each with a fault of its own.
const keptFailures = 500;
const build_systems_keptLines = 20;
/** Builds the arguments that build derivations. nix-store's are the same in every version; its messages without the builds' own output are those of `nix build`. */
function buildArguments(systems, extraArgs) {
    return ["--realise", "--keep-going", "--no-build-output", ...extraArgs, ...new Set(systems.map(({ derivation }) => derivation))];
}
/**
 * Builds all systems in one go on the runner, so that what they share is built once, and the failure of one stops none of the others.
 * Returns those that did not build, by the name of their configuration. Throws a `CommandError` for a build that was stopped.
 */
async function buildSystems(systems, options) {
    if (systems.size === 0)
        return new Map();
    const log = new BuildLogReader(keptFailures);
    const folder = new BuildPlanFolder();
    const lines = [];
    const onStderrLine = (line) => {
        // Later steps need only what `build/` has built, and that it protects afterwards.
        if (line.startsWith("warning: you did not specify '--add-root'"))
            return;
        log.read(line);
        if (line.trim() !== "" && lines.push(line) > build_systems_keptLines)
            lines.shift();
        folder.fold(line).forEach(options.onLine);
    };
    let exitCode;
    try {
        await runNixStore(buildArguments([...systems.values()], options.extraArgs), { signal: options.signal, onStderrLine });
        return new Map();
    }
    catch (error) {
        if (!(error instanceof CommandError) || (error.failure.kind !== "exit" && error.failure.kind !== "signal"))
            throw error;
        exitCode = error.failure.kind === "exit" ? error.failure.exitCode : undefined;
    }
    const missing = await notInStore([...systems.values()].map(({ toplevel }) => toplevel), options.signal);
    const failed = new Map();
    for (const [name, { derivation, toplevel }] of systems) {
        if (!missing.has(toplevel))
            continue;
        const needed = await runNixStore(["--query", "--requisites", derivation], { signal: options.signal });
        failed.set(name, { exitCode, failures: log.failuresOf(new Set(needed.stdout.split("\n"))), lines });
    }
    return failed;
}
;// CONCATENATED MODULE: ./out/src/nix/platforms.js




/**
 * Asks the runner's Nix what platforms it can build for; `undefined` where it does not say. Foreign ones that the runner emulates
 * (binfmt_misc) are in its `extra-platforms`.
 */
async function buildablePlatforms(signal) {
    // `nix show-config` is the older name, and the only one up to Nix 2.19 and of Lix.
    for (const command of [["config", "show"], ["show-config"]]) {
        try {
            return parsePlatforms((await runNix([...command, "--json"], { signal })).stdout, readLines);
        }
        catch (error) {
            if (!(error instanceof CommandError) || error.failure.kind === "aborted")
                throw error;
        }
    }
    return undefined;
}
/**
 * Parses what `nix config show --json` prints, as far as it tells platforms: `system`, `extra-platforms`, and `builders`, which is text
 * of machines(5) or the name of a file behind an `@`. The second word of a builder lists its platforms; `-` is the runner's own.
 *
 *     {"system":{"value":"x86_64-linux",…},"extra-platforms":{"value":["i686-linux"],…},"builders":{"value":"@/etc/nix/machines",…},…}
 */
function parsePlatforms(json, read) {
    const settings = JSON.parse(json);
    const value = (name) => field(field(settings, name), "value");
    const system = json_text(value("system"));
    const extra = value("extra-platforms");
    const platforms = new Set([...(system === undefined ? [] : [system]), ...(Array.isArray(extra) ? extra.map(String) : [])]);
    for (const builder of builders(json_text(value("builders")) ?? "", read)) {
        for (const platform of (builder.split(/\s+/)[1] ?? "-").split(","))
            if (platform !== "-")
                platforms.add(platform);
    }
    return platforms;
}
function builders(setting, read) {
    return setting
        .split(/[;\n]/)
        .map((line) => line.replace(/#.*/, "").trim())
        .filter((line) => line !== "")
        .flatMap((line) => (line.startsWith("@") ? builders(read(line.slice(1)), () => "") : [line]));
}
function readLines(file) {
    return (0,external_node_fs_namespaceObject.existsSync)(file) ? (0,external_node_fs_namespaceObject.readFileSync)(file, "utf8") : "";
}
;// CONCATENATED MODULE: ./out/src/nix/failed-derivations.js


/** Renders the failures of a build; `undefined` where no derivation failed itself. */
function renderBuildFailures({ failed, more, dependents }) {
    const [first] = failed;
    if (first === undefined)
        return undefined;
    const count = failed.length + more;
    const cause = count === 1 ? `${derivationName(first.path)}: ${first.reason}` : `${count} derivations failed: ${listNames(failed, more)}`;
    return { clause: [cause, dependentsClause(dependents, count)].filter((part) => part !== "").join("; "), lines: renderLines(failed, more) };
}
function dependentsClause(dependents, causes) {
    if (dependents === 0)
        return "";
    const which = dependents === 1 ? "1 other derivation depends" : `${dependents} other derivations depend`;
    return `${which} on ${causes === 1 ? "it" : "them"} and could not be built`;
}
function listNames(failed, more) {
    const names = failed.map(({ path }) => derivationName(path)).join(", ");
    return more === 0 ? names : `${names} and ${more} more`;
}
function renderLines(failed, more) {
    const rest = more === 0 ? [] : [`${more} more derivations failed; see the log`];
    // Each failure has the command below its log, and one of several a heading above it.
    const perFailure = Math.floor((shownLines - rest.length) / failed.length) - (failed.length === 1 ? 1 : 2);
    const blocks = failed.flatMap(({ path, reason, log }) => [
        ...(failed.length === 1 ? [] : [`${derivationName(path)}: ${reason}`]),
        ...log
            .filter((line) => line.trim() !== "")
            .slice(-perFailure)
            .map((line) => `> ${line}`),
        `nix log ${path}`,
    ]);
    return [...blocks, ...rest];
}
;// CONCATENATED MODULE: ./out/src/nix/system-failure.js




const outcome = "Nothing has changed on the machine";
/** Explains why the runner has no system for a configuration. */
function evaluationFailure(configuration, why) {
    if (why.kind === "missing") {
        const { configurations } = why;
        const names = configurations.length === 0 ? "it has none" : `it has ${configurations.join(", ")}`;
        const inFlake = outputOf(configuration);
        const reason = `the flake has no ${inFlake}; ${names}`;
        return failure_makeFailure({ phase: "build", reason, hint: "Write the configuration behind the target: host#configuration", outcome });
    }
    if (why.kind === "foreign") {
        const reason = `${configuration}.profiles.system.path is ${why.contains}, which contains no system of NixOS, or more than one`;
        return failure_makeFailure({ phase: "build", reason, hint: "Use deploy-rs' activate.nixos with one configuration, or leave the node out with select", outcome });
    }
    const which = why.together === 1 ? `the configuration ${configuration}` : `one of ${why.together} configurations, ${configuration} or another,`;
    // Nix's message is at the beginning.
    return failure_makeFailure({ phase: "build", reason: `${which} does not evaluate on the runner`, outcome, lines: why.lines.slice(0, shownLines) });
}
/** Explains why a system did not build on the runner. `elsewhere`: what to do to have it built by its machine. */
function buildFailure(configuration, { exitCode, failures, lines }, elsewhere) {
    const text = [...failures.failed.flatMap(({ log }) => log), ...lines].join("\n");
    const rendered = renderBuildFailures(failures);
    const code = exitCode === undefined ? "" : ` (exit code ${exitCode})`;
    const reason = `the system of ${configuration} does not build on the runner${code}${rendered === undefined ? "" : `: ${rendered.clause}`}`;
    const parts = { phase: "build", outcome, exitCode, lines: rendered?.lines ?? lines };
    if (/No space left on device|disk is full/i.test(text)) {
        return failure_makeFailure({
            ...parts,
            reason: `no space is left on the runner to build ${configuration}`,
            hint: `Free some, or ${elsewhere}`,
        });
    }
    if (failures.failed.some((one) => /signal 9\b/.test(one.reason))) {
        const hint = `Linux kills a process when memory runs out. Use a runner with more memory or fewer builds at a time (--max-jobs in build-args), or ${elsewhere}`;
        return failure_makeFailure({ ...parts, reason, hint });
    }
    return failure_makeFailure({ ...parts, reason, hint: "The end of the build's log is below; the command under it shows all of it on the runner" });
}
/** Refuses a platform that neither the runner nor one of its builders builds for; `undefined` where one does, or that is not known. */
function platformFailure(configuration, platform, known, elsewhere) {
    // What Nix itself does, without a program: downloads.
    if (platform === undefined || known === undefined || platform === "builtin" || known.has(platform))
        return undefined;
    return failure_makeFailure({
        phase: "build",
        reason: `the system of ${configuration} is for ${platform}, which the runner cannot build for; it builds for ${[...known].join(", ")}`,
        hint: `Give the runner a builder for ${platform} (\`builders\` in its nix.conf) or an emulator (binfmt_misc, and extra-platforms in its nix.conf), or ${elsewhere}`,
        outcome,
    });
}
;// CONCATENATED MODULE: ./out/src/entry/systems-here.js







/** Evaluates what is evaluated on the runner, then builds what is built there. What does not evaluate or build stops none of the others. */
async function makeSystems(sent, wanted, options) {
    const here = wanted.filter(isEvaluatedHere);
    const configurations = namesOf(here);
    const failed = new Map();
    const systems = await instantiate(outerReference(sent), configurations, options, {
        onNoSystem: (configuration, why) => failed.set(configuration, evaluationFailure(configuration, why)),
        onProgress: (done) => options.onLine(`evaluated ${done} of ${configurations.length}`),
    });
    const build = namesOf(here.filter(({ way }) => way === "built-here"));
    const platforms = build.length === 0 ? undefined : await buildablePlatforms(options.signal);
    const buildable = new Map();
    for (const configuration of build) {
        const system = systems.get(configuration);
        if (system === undefined)
            continue;
        const refusal = platformFailure(configuration, system.platform, platforms, options.elsewhere);
        if (refusal === undefined)
            buildable.set(configuration, system);
        else
            failed.set(configuration, refusal);
    }
    if (buildable.size > 0)
        options.onLine(`building ${buildable.size === 1 ? "1 system" : `${buildable.size} systems`} on the runner`);
    const broken = await buildSystems(buildable, { extraArgs: options.buildArgs, signal: options.signal, onLine: options.onLine });
    for (const [configuration, one] of broken)
        failed.set(configuration, buildFailure(configuration, one, options.elsewhere));
    return { systems, failed };
}
/** The source of a machine's system. */
function sourceOf(wanted, { flake, sent, made, runner, substitutes }) {
    switch (wanted.way) {
        case "built-before":
            return builtBefore(wanted.toplevel, runner, { substitutes });
        case "rebuilt-there":
            if (flake === undefined)
                throw new Error(`no flake is sent for ${wanted.name}`);
            return rebuiltThere(flake);
        case "realised-there":
        case "built-here": {
            const { name, configuration, way } = wanted;
            const system = configuration === undefined ? undefined : made?.systems.get(configuration);
            if (configuration === undefined || system === undefined || sent === undefined)
                throw new Error(`no system was made for ${name}`);
            // The source of the flake is enough to build the same by hand: its inputs come with flake.lock.
            const beside = sent.hive ? [sent.flake.source, sent.outer] : [sent.flake.source];
            return way === "built-here" ? builtHere(system.toplevel, beside) : realisedThere(system.derivation, configuration, beside);
        }
    }
}
function namesOf(wanted) {
    return [...new Set(wanted.flatMap(({ configuration }) => configuration ?? []))];
}
;// CONCATENATED MODULE: ./out/src/entry/build.js
















/** Evaluates and builds systems as the inputs say, without a key and without a machine. Returns the exit code. */
async function build_run() {
    return await runCompanion({ work: build, nothing: renderBuild([]), onCancelled: "No system is in the outputs." });
}
async function build(log, signal) {
    const inputs = parseBuildInputs(readInput);
    const { flake, buildArgs } = inputs;
    const local = { cwd: process.cwd(), signal, onLine: (line) => log.line(line) };
    const { built, failed, total } = await machinesOfBuild(inputs, {
        ...matrixPorts(flake, log, signal),
        fetchFlake: async () => {
            const archived = await archiveAndAnnounce(flake, log, local);
            return { wrap: async (hive) => await wrapFlake(archived, hive, { scratch: runnerTemp(), signal }) };
        },
        makeSystems: async (sent, wanted) => {
            const made = await makeSystems(sent, wanted, { ...local, buildArgs, elsewhere: "leave the machine out with select, and deploy it without systems" });
            announceActivations(made, log);
            return made;
        },
    });
    const outputs = renderBuild(built);
    log.line(`${built.length} of ${total} systems:`);
    for (const { name, toplevel } of built)
        log.line(`  ${name} ${toplevel}`);
    const systems = built.map(({ toplevel }) => toplevel);
    await keepSystems(systems, runnerTemp(), signal).catch((error) => {
        signal.throwIfAborted();
        log.annotateAll("warning", [notKeptWarning(briefReason(error))]);
    });
    log.annotateAll("error", failureAnnotations(failed, annotationsOfStep, log.linkTo));
    return { outputs, isComplete: failed.length === 0 };
}
;// CONCATENATED MODULE: ./out/src/domain/unit-plan.js
/** The actions in the order in which they are shown. */
const unitActions = ["stop", "restart", "reload", "start", "again", "keep"];
// The lines of switch-to-configuration (nixpkgs), in Perl up to 24.05 and in Rust since: `would stop the following units: a.service,
// b.service`. A real activation prints the same without "would" and with another verb.
const lines = [
    [/^(?:would stop|stopping) the following units: (.+)$/, "stop"],
    [/^(?:would NOT stop|NOT restarting) the following changed units: (.+)$/, "keep"],
    [/^(?:would reload|reloading) the following units: (.+)$/, "reload"],
    [/^(?:would restart|restarting) the following units: (.+)$/, "restart"],
    [/^(?:would start|starting) the following units: (.+)$/, "start"],
    // Units that were started as dependencies.
    [/^the following new units were started: (.+)$/, "start"],
    [/^(?:would stop|stopping) (swap device: .+)$/, "stop"],
];
const reexecution = /^(?:would restart systemd|restarting systemd\.\.\.)$/;
// A unit's name has at most 255 characters (systemd.unit(5)); a plan with more units is not readable.
const unit_plan_longestName = 255;
const mostUnits = 1000;
/** Parses a plan from the output of switch-to-configuration, line by line; other lines are ignored. */
class UnitPlanReader {
    #found = {
        stop: new Set(),
        start: new Set(),
        restart: new Set(),
        reload: new Set(),
        again: new Set(),
        keep: new Set(),
    };
    #any = false;
    #reexecutes = false;
    read(line) {
        if (/^(?:would activate|activating) the configuration\.\.\.$/.test(line))
            this.#any = true;
        if (reexecution.test(line))
            this.#reexecutes = true;
        for (const [pattern, action] of lines) {
            const match = pattern.exec(line);
            if (match === null)
                continue;
            this.#any = true;
            const found = this.#found[action];
            for (const name of (match[1] ?? "").split(", "))
                if (name !== "" && name.length <= unit_plan_longestName && found.size < mostUnits)
                    found.add(name);
        }
    }
    /** The plan so far; `undefined` where the output mentioned none. */
    plan(source) {
        if (!this.#any)
            return undefined;
        const { stop, start, restart, reload, again: ranAgain, keep } = this.#found;
        const again = [...stop].filter((unit) => start.has(unit));
        const restarted = new Set([...restart, ...again]);
        return {
            source,
            stop: [...stop].filter((unit) => !restarted.has(unit)),
            start: [...start].filter((unit) => !restarted.has(unit)),
            restart: [...restarted].toSorted(),
            reload: [...reload],
            again: [...ranAgain],
            keep: [...keep],
            reexecutes: this.#reexecutes,
            inhibitors: [],
        };
    }
}
/** Returns whether the plan touches no unit. */
function touchesNoUnit(plan) {
    return !plan.reexecutes && unitActions.every((action) => plan[action].length === 0);
}
/**
 * Adds to the plan of `dry-activate` what it omits: units that systemd starts with their target, oneshots that run again, units
 * that stop or restart with another one or with sysinit-reactivation.target, and inhibitors.
 */
function withCompared(rehearsal, compared) {
    if (compared === undefined)
        return rehearsal;
    const known = new Set(unitActions.flatMap((action) => rehearsal[action]));
    const both = (action) => [...rehearsal[action], ...compared[action].filter((unit) => !known.has(unit))];
    return { ...rehearsal, stop: both("stop"), restart: both("restart"), start: both("start"), again: both("again"), inhibitors: compared.inhibitors };
}
;// CONCATENATED MODULE: ./out/src/deploy/guarded.js

/** The outcome of a machine that was rolled back. */
const rolledBack = "The machine was rolled back to its old system";
/** Returns whether the machine runs neither the old nor the new system, so that someone else must have switched it. */
function isForeign({ armed, system, settings }, { running }) {
    return settings.safety.rollback && changesRunningSystem(settings.operation) && running !== system.running && running !== armed.before.running;
}
/** Why a machine that someone else has switched is not changed. */
function switchedByOthers({ running }) {
    return {
        phase: "confirm",
        reason: `the machine was switched by someone else: it runs ${running ?? "no system of the store"}, which is neither the old nor the new system`,
        hint: "Find out who switched it, then deploy again",
        topic: "other-system",
        lines: [],
        aftermath: "foreign",
    };
}
/** Why a machine that was not reached in time, or was restarted, does not keep the system. */
function notReached(how, { limits }) {
    switch (how) {
        case "restarted":
            return {
                phase: "confirm",
                reason: "the machine was restarted before the new system was confirmed",
                hint: "Check its journal: `journalctl --boot -1`",
                topic: "restarted",
                lines: [],
                aftermath: "restarted",
            };
        case "slow-login":
            return {
                phase: "confirm",
                reason: `the machine answered in time, but the login over ssh took longer than confirm-timeout (${limits.confirm} s)`,
                hint: "Find out why logins are slow, or raise confirm-timeout",
                topic: "slow-login",
                lines: [],
                decided: true,
            };
        case "late":
            return {
                phase: "confirm",
                reason: `the machine could not be reached within confirm-timeout (${limits.confirm} s) after the activation`,
                hint: "Check whether the new system changes the settings of the network, the firewall or sshd",
                topic: "not-reached",
                lines: [],
                decided: true,
            };
    }
}
/** What happens to a machine whose connection was lost while it was being armed. */
function armedOutlook({ rollback, limits }) {
    const end = rollback ? `its watchdog stops after ${limits.activation} s without changing anything` : "its lock is released within a minute";
    return `Nothing has changed on the machine. If it was already locked when the connection was lost, ${end}`;
}
;// CONCATENATED MODULE: ./out/src/deploy/host-knowledge.js





/** What is known of a host before it is connected to. */
function knownAtFirst({ configuration }) {
    return {
        phase: "connect",
        configuration: attributeOf(configuration),
        before: undefined,
        after: undefined,
        failedUnits: [],
        toplevel: undefined,
        compared: undefined,
        plan: undefined,
        exitCode: undefined,
        arrived: false,
        arming: false,
        confirmed: false,
        undecided: false,
    };
}
/** What happens to the machine if the run ends now. */
function outlookOf({ before, arming, confirmed, undecided, toplevel, phase }, safety) {
    const { rollback, limits } = safety;
    if (arming)
        return armedOutlook(safety);
    if (!undecided)
        return "Nothing has changed on the machine";
    const was = `old system: ${before?.running ?? "not in the store"}; new system: ${toplevel ?? "unknown"}`;
    if (!rollback)
        return `The activation is still running on the machine and is not rolled back, since rollback is false (${was})`;
    const { activation, confirm, healthCheck, settle } = limits;
    if (confirmed) {
        return `If the machine received the confirmation, it sets system profile and boot loader on its own, and rolls back if that fails; otherwise it rolls back within ${confirm + healthCheck + settle} s (${was})`;
    }
    if (phase !== "activate")
        return `Without confirmation the machine rolls back on its own within ${confirm + healthCheck + settle} s (${was})`;
    return `Without confirmation the machine rolls back on its own, ${confirm} s after the activation ends or, if it does not end, ${activation} s after it started (${was})`;
}
/** Returns the status of a host that needs no activation; `undefined` where it needs one. */
function settledBy({ toplevel, running }, { state, unfinished }, operation) {
    if (switchAction(operation) === undefined)
        return "planned";
    // An interrupted earlier run must be finished or undone first.
    if (unfinished !== undefined)
        return undefined;
    if (!changesMachine(operation) || !needsFlake(operation))
        return undefined;
    // After a failed run the boot loader may lag behind the profile, so a system counts as deployed only when it also runs.
    const boots = !changesSystemProfile(operation) || state.profile === toplevel;
    return boots && state.running === running ? "unchanged" : undefined;
}
/** Adds the state of the machine to a failure. */
function withOutcome(failure, outcome) {
    return makeFailure({ ...failure, outcome });
}
/** The host's result, with what is known now. */
function resultOf(target, known, { status, error }, seconds, timeline) {
    const { phase, configuration, before, after, failedUnits, toplevel, exitCode, compared, plan } = known;
    const now = after ?? before;
    const changed = after !== undefined && before !== undefined && (after.running !== before.running || after.profile !== before.profile);
    // A degraded host continued after its failure.
    const failed = status === "degraded" ? undefined : error;
    const code = failed === undefined ? exitCode : failed.exitCode;
    return {
        name: target.name,
        target: renderTarget(target),
        configuration,
        status,
        phase: failed?.phase ?? phase,
        systemPath: toplevel,
        previousSystemPath: before?.running ?? before?.profile,
        generation: now?.generation,
        previousGeneration: before?.generation,
        changed,
        exitCode: code ?? (error === undefined ? 0 : undefined),
        failedUnits,
        seconds,
        timeline,
        // If another run has changed the system in between, the comparison does not apply.
        difference: compared?.running === before?.running ? compared?.difference : undefined,
        plan,
        error,
    };
}
;// CONCATENATED MODULE: ./out/src/deploy/phase-clock.js
/** Records when the phases of one host begin and end; waiting for other hosts belongs to no phase. */
class PhaseClock {
    #now;
    #spans = [];
    #open;
    /** `now` returns milliseconds since the start of the run, by default since the start of this process; it is monotonic. */
    constructor(now = () => performance.now()) {
        this.#now = now;
    }
    /** A phase begins, and the one before it ends. */
    begin(phase) {
        if (this.#open?.phase === phase)
            return;
        this.pause();
        this.#open = { phase, begin: this.#seconds() };
    }
    /** The phase ends, and none begins yet. */
    pause() {
        if (this.#open !== undefined)
            this.#spans.push({ ...this.#open, end: this.#seconds() });
        this.#open = undefined;
    }
    /** The phases so far; the current one ends now. */
    spans() {
        return this.#open === undefined ? [...this.#spans] : [...this.#spans, { ...this.#open, end: this.#seconds() }];
    }
    #seconds() {
        return Math.round(this.#now() / 10) / 100;
    }
}
;// CONCATENATED MODULE: ./out/src/domain/copy-progress.js

/** The sum of two copies; bytes where either is known. */
function addProgress(one, other) {
    const bytes = one.bytes === undefined && other.bytes === undefined ? undefined : (one.bytes ?? 0) + (other.bytes ?? 0);
    return { paths: one.paths + other.paths, expectedPaths: one.expectedPaths + other.expectedPaths, bytes };
}
/** `path 1 of 3, 4.2 MiB sent` while they travel. */
function renderCopying({ paths, expectedPaths, bytes }) {
    const sent = bytes === undefined ? [] : [`${renderBytes(bytes)} sent`];
    return [`path ${paths} of ${expectedPaths}`, ...sent].join(", ");
}
/** `3 paths` when they have arrived. */
function renderCopied({ paths }) {
    if (paths === 0)
        return "already up to date";
    return paths === 1 ? "1 path" : `${paths} paths`;
}
;// CONCATENATED MODULE: ./out/src/domain/closure-difference.js
/** Returns what happens to the package. */
function changeKind({ before, after }) {
    if (before.length === 0)
        return "added";
    return after.length === 0 ? "removed" : "changed";
}
/** Counts the packages by what happens to them. */
function countChanges({ packages }) {
    const counts = { added: 0, removed: 0, changed: 0 };
    for (const change of packages)
        counts[changeKind(change)] += 1;
    return counts;
}
// Paths without a version are named from this size in bytes on; generated files are smaller. Same threshold as `nix store diff-closures`.
const leastBytesWithoutVersion = 8192;
// nixpkgs puts the name of an output after the version: `openssl-3.5.2-bin`.
const outputs = /-(?:bin|data|debug|dev|devdoc|dist|doc|getent|info|lib|lib32|lib64|man|modules|nc|out|py|python|static|terminfo|tools|xgcc)$/;
/**
 * Splits the name of a store path into package and version as Nix does (`builtins.parseDrvName`): the version begins behind the
 * first dash that no letter follows. The name of an output is left out. Without a version it is the empty text.
 */
function packageOf(path) {
    const base = path.slice(path.indexOf("-") + 1);
    const match = /^(.*?)-(?![a-zA-Z])(.+)$/.exec(base);
    if (match === null)
        return { name: base.replace(outputs, ""), version: "" };
    return { name: match[1] ?? base, version: (match[2] ?? "").replace(outputs, "") };
}
// The toplevel itself always differs.
const system = "nixos-system-";
/** Compares what only the old closure has with what only the new one has. */
function compareClosures(onlyBefore, onlyAfter, truncated = false) {
    const byName = new Map();
    const collect = (paths, side) => {
        for (const { path, bytes } of paths) {
            const { name, version } = packageOf(path);
            const both = byName.get(name) ?? { before: { versions: new Set(), bytes: 0 }, after: { versions: new Set(), bytes: 0 } };
            byName.set(name, both);
            both[side].versions.add(version);
            both[side].bytes += bytes;
        }
    };
    collect(onlyBefore, "before");
    collect(onlyAfter, "after");
    const packages = [];
    let rebuilt = 0;
    let files = 0;
    let total = 0;
    for (const [name, { before, after }] of byName) {
        const bytes = after.bytes - before.bytes;
        total += bytes;
        const [old, now] = [sorted(before.versions), sorted(after.versions)];
        const versioned = [...old, ...now].some((version) => version !== "");
        if (!versioned && Math.abs(bytes) < leastBytesWithoutVersion)
            files += 1;
        else if (versioned && old.join("\n") === now.join("\n"))
            rebuilt += name.startsWith(system) ? 0 : 1;
        else
            packages.push({ name, before: old, after: now, bytes });
    }
    return { packages: packages.toSorted((one, other) => compare(one.name, other.name)), rebuilt, files, bytes: total, truncated };
}
function sorted(versions) {
    return [...versions].toSorted(compare);
}
// The same everywhere, whatever the runner's language.
function compare(one, other) {
    if (one === other)
        return 0;
    return one < other ? -1 : 1;
}
;// CONCATENATED MODULE: ./out/src/domain/difference-text.js



// An update of nixpkgs changes hundreds of packages.
const difference_text_mostLines = 40;
/** Renders a difference for the log: the counts, then one line per package. */
function renderDifferenceLines(difference) {
    const { packages } = difference;
    return [renderCounts(difference), ...listedLines(packages.map(renderChange), difference_text_mostLines).map((line) => `  ${line}`)];
}
/** The counts in one line: `packages: 1 added, 2 changed, 14 rebuilt; size +12.3 KiB`. */
function renderCounts(difference) {
    const { added, removed, changed } = countChanges(difference);
    const counts = Object.entries({ added, removed, changed, rebuilt: difference.rebuilt }).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
    const size = `size ${signedSize(difference.bytes)}`;
    return `packages: ${counts.length === 0 ? "none changed" : counts.join(", ")}; ${size}${difference.truncated ? "; incomplete: too many paths to compare" : ""}`;
}
/** One package in one line: `nginx 1.28.0 → 1.28.1`, `hello 2.12`; an unknown version is omitted. */
function renderChange(change) {
    const versions = (list) => list.filter((version) => version !== "").join(", ");
    const { name, before, after } = change;
    const text = changeKind(change) === "changed" ? [versions(before), "→", versions(after)] : [versions(before), versions(after)];
    return text.every((part) => part === "" || part === "→") ? name : [name, ...text].filter((part) => part !== "").join(" ");
}
/** A number of bytes that comes or goes, with its sign: `+1.5 MiB`, `−312 B`, `±0 B`. */
function signedSize(bytes) {
    const sign = bytes === 0 ? "±" : bytes > 0 ? "+" : "−";
    return `${sign}${renderBytes(Math.abs(bytes))}`;
}
;// CONCATENATED MODULE: ./out/src/domain/plan-text.js


// An update of nixpkgs may change hundreds of units.
const plan_text_mostNamed = 20;
const verbs = {
    stop: "stop",
    restart: "restart",
    reload: "reload",
    start: "start",
    again: "run again",
    keep: "not restart despite changes",
};
/** Describes in the lines of a log what a switch would do to units; no line where it is unknown, or nothing. */
function renderPlanLines(plan) {
    if (plan === undefined)
        return [];
    const units = unitActions.flatMap((action) => {
        const names = plan[action];
        return names.length === 0 ? [] : [`  would ${verbs[action]}: ${listed(names, plan_text_mostNamed)}`];
    });
    const lines = [...units, ...(plan.reexecutes ? ["  systemd would be re-executed"] : [])];
    return [...(lines.length === 0 ? [] : ["units:", ...lines]), ...plan.inhibitors.map(inhibitionOf)];
}
function inhibitionOf(inhibitor) {
    return `switch inhibitor: ${inhibitor}: switch and test would be refused; use operation: boot, then reboot the machine`;
}
;// CONCATENATED MODULE: ./out/src/deploy/free-memory.js

// Evaluating one real NixOS takes about 550 MB; the rest is for Nix itself, a compiler and running services.
const scarceKibibytes = 1.5 * 1024 * 1024;
/** Warns about little available memory on a machine; `undefined` where it is enough, or the machine does not report it. */
function memoryWarning(memoryKibibytes) {
    if (memoryKibibytes === undefined || memoryKibibytes >= scarceKibibytes)
        return undefined;
    return `only ${renderBytes(memoryKibibytes * 1024)} of memory are available on the machine; evaluating a NixOS configuration needs about 0.6 GiB, building it more. Add memory or swap if the build is killed`;
}
;// CONCATENATED MODULE: ./out/src/deploy/free-space.js

// A system with another kernel or after an update of nixpkgs brings some hundred MiB beside the old one, and the sources of
// nixpkgs, unpacked, some 200 MiB more: with less than 1 GiB it may not fit.
const free_space_scarceKibibytes = 1024 * 1024;
/** Returns a warning about little free space for a machine's store; `undefined` where it is enough or unknown. */
function spaceWarning(freeKibibytes) {
    if (freeKibibytes === undefined || freeKibibytes >= free_space_scarceKibibytes)
        return undefined;
    return `only ${renderBytes(freeKibibytes * 1024)} are free for the Nix store on the machine: the new system may not fit. Free space with \`nix-collect-garbage -d\` on the machine`;
}
;// CONCATENATED MODULE: ./out/src/deploy/known-profile.js


/**
 * Throws a `DeployError` where the new system would replace one that the runner does not know, and the flake forbids that. As colmena has
 * it (src/nix/deployment/mod.rs there), a system is known if the store of the runner has it.
 */
async function requireKnownProfile(target, { state }, { toplevel, phase }, { operation, systemOf, knowsProfile }, signal) {
    const present = state.profile ?? state.running;
    // Only new systems are meant: a rollback replaces what is there on purpose.
    if (systemOf === undefined || knowsProfile === undefined || switchAction(operation) === undefined || present === undefined || present === toplevel)
        return;
    if (await knowsProfile(target, present, signal))
        return;
    throw new DeployError({
        phase,
        reason: `the machine has a system that the store of this runner does not have (${present}), and replaceUnknownProfiles is false for the machine`,
        hint: "Nothing has changed on it. It may have been deployed by someone else. To replace it, remove replaceUnknownProfiles from the flake. A runner only knows former deployments if its store stays and it builds them itself (build-on: runner)",
        topic: "profile-unknown",
    });
}
;// CONCATENATED MODULE: external "node:timers/promises"
const promises_namespaceObject = late("node:timers/promises");
;// CONCATENATED MODULE: ./out/src/deploy/retry.js


/** Does something, and retries it after network failures: 1, 2, 4, … seconds later. `work` gets the number of tries before. Throws as it does. */
async function retried(work, { retries, note, signal }) {
    for (let tries = 0;; tries += 1) {
        try {
            return await work(tries);
        }
        catch (error) {
            if (!(error instanceof DeployError) || !error.unreachable || tries >= retries)
                throw error;
            const seconds = 2 ** tries;
            note(`${error.reason}; retrying in ${seconds} s (${tries + 1} of ${retries})`);
            await (0,promises_namespaceObject.setTimeout)(seconds * 1000, undefined, { signal });
        }
    }
}
;// CONCATENATED MODULE: ./out/src/deploy/which-system.js


/** The configuration of a target: the named one, else that of the machine's own hostname. Throws a `DeployError` for a hostname that is no name of one. */
function configurationFor({ configuration }, { hostname }) {
    const named = attributeOf(configuration);
    if (named !== undefined)
        return named;
    if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(hostname))
        return hostname;
    throw new DeployError({
        phase: "connect",
        reason: `the machine's hostname (${JSON.stringify(hostname)}) is not a valid name of a configuration`,
        hint: "Add the configuration to the target: host#configuration",
        topic: "hostname-unknown",
    });
}
/** The generation to roll back to. Throws a `DeployError` where the machine has no older one. */
function generationBefore({ olderGeneration, state }) {
    if (olderGeneration !== undefined)
        return olderGeneration;
    throw new DeployError({
        phase: "connect",
        reason: `no generation older than ${state.generation === undefined ? "the running system" : `generation ${state.generation}`} was found to roll back to`,
        hint: "Run `nix-env --profile /nix/var/nix/profiles/system --list-generations` on the machine to list them",
        topic: "no-older-generation",
    });
}
;// CONCATENATED MODULE: ./out/src/deploy/preparation.js










/** The work on one host up to a system that can be activated. */
class Preparation {
    #site;
    constructor(site) {
        this.#site = site;
    }
    /** Connects, copies the flake, builds the system and compares it with the running one; or finds the system to roll back to. */
    async run(signal) {
        const { known, settings, log, machines } = this.#site;
        const { operation, variant, systemOf } = settings;
        const { target } = this.#site.machine;
        const source = systemOf?.(target);
        const next = source?.evaluatesOnMachine === true ? source.next : undefined;
        const connected = await this.#tryAgain("connect", signal, async () => await this.#site.machine.connect(signal, next));
        const { facts } = connected;
        known.before = facts.state;
        if (facts.unfinished !== undefined)
            log.warn(`${facts.unfinished}. The next activation finishes or undoes it first`);
        machines.claim(target, facts.identity);
        const obtained = source === undefined ? this.#older(connected) : await this.#newSystem(source, connected, signal);
        const { machine, toplevel, generation, detail } = obtained;
        known.toplevel = toplevel;
        await requireKnownProfile(target, facts, { toplevel, phase: known.phase }, settings, signal);
        const { specialisation } = variant;
        const running = specialisation === undefined ? toplevel : await machine.findSpecialisation(toplevel, specialisation, signal);
        await this.#compare(machine, running, signal);
        this.#site.ended(detail);
        if (changesRunningSystem(operation) && facts.specialisation !== undefined && facts.specialisation !== specialisation) {
            log.note(`the machine runs the specialisation ${facts.specialisation}, which this deployment leaves; set \`specialisation: ${facts.specialisation}\` to keep it`);
        }
        const system = { toplevel, running, generation };
        const status = settledBy(system, facts, operation);
        return status === undefined ? { kind: "ready", system: { machine, system } } : { kind: "settled", outcome: { status, error: undefined } };
    }
    /** Gets the new system into the store of the machine. */
    async #newSystem(source, connected, signal) {
        const { target } = this.#site.machine;
        if (source.evaluatesOnMachine)
            this.#site.known.configuration = configurationFor(target, connected.facts);
        this.#warn(connected.facts, source);
        this.#site.ended();
        let machine = connected;
        let detail;
        const copy = async (send) => {
            const copied = await this.#tryAgain("copy", signal, async (tries) => {
                if (tries > 0)
                    machine = await this.#site.machine.connect(signal);
                return await send(machine);
            });
            this.#site.known.arrived = true;
            detail = renderCopied(copied);
        };
        const build = async (work) => {
            this.#site.ended(detail);
            detail = undefined;
            this.#site.begin("build");
            const toplevel = await work(machine);
            this.#site.log.note(`built ${toplevel}`);
            return toplevel;
        };
        const steps = { copy, build };
        const toplevel = source.evaluatesOnMachine
            ? await source.obtain(steps, configurationFor(target, connected.facts), signal)
            : await source.obtain(steps, signal);
        return { machine, toplevel, generation: undefined, detail };
    }
    #older(machine) {
        const { number, toplevel } = generationBefore(machine.facts);
        this.#site.log.note(`rolling back to generation ${number}: ${toplevel}`);
        return { machine, toplevel, generation: number, detail: undefined };
    }
    /**
     * Compares the running system with the built one, before the activation: a new system that breaks the network could not be queried,
     * and the changes are worth knowing even if the deployment fails.
     */
    async #compare(machine, built, signal) {
        const { running } = machine.facts.state;
        if (!this.#site.settings.diff || running === undefined || running === built)
            return;
        const found = await machine.compare(running, built, plansUnits(this.#site.settings.operation), signal);
        if (found === undefined)
            return;
        this.#site.known.compared = { running, difference: found.closure };
        this.#site.known.plan = found.units;
        for (const line of renderDifferenceLines(found.closure))
            this.#site.log.note(line);
        for (const line of renderPlanLines(this.#site.known.plan))
            this.#site.log.note(line);
    }
    #warn({ freeKibibytes, memoryKibibytes }, source) {
        const space = spaceWarning(freeKibibytes);
        if (space !== undefined)
            this.#site.log.warn(space, "store-space");
        const memory = source.evaluatesOnMachine ? memoryWarning(memoryKibibytes) : undefined;
        if (memory !== undefined)
            this.#site.log.warn(memory, "memory");
    }
    async #tryAgain(phase, signal, work) {
        this.#site.begin(phase);
        return await retried(work, { retries: this.#site.settings.retries, note: (text) => this.#site.log.note(text), signal });
    }
}
;// CONCATENATED MODULE: ./out/src/domain/file-systems.js
/**
 * Compares two fstab(5) as switch-to-configuration does: another device or type is a restart, other options are a reload, and
 * a removed entry is unmounted. / and /nix are never unmounted.
 */
function planMounts({ before, after }) {
    const plan = { stop: [], restart: [], reload: [], keep: [], start: [] };
    const [old, now] = [parse(before), parse(after)];
    for (const [point, mount] of old.mounts) {
        const next = now.mounts.get(point);
        const unit = `${escapePath(point)}.mount`;
        if (next === undefined)
            plan.stop.push(mount.options.includes("x-systemd.automount") ? `${escapePath(point)}.automount` : unit);
        else {
            const change = changeOf(point, mount, next);
            if (change !== undefined)
                plan[change].push(unit);
        }
    }
    for (const [point, { options }] of now.mounts) {
        if (!old.mounts.has(point) && !options.split(",").includes("noauto")) {
            plan.start.push(`${escapePath(point)}.${options.includes("x-systemd.automount") ? "automount" : "mount"}`);
        }
    }
    for (const device of old.swaps)
        if (!now.swaps.has(device))
            plan.stop.push(`swap device: ${device}`);
    return plan;
}
function changeOf(point, before, after) {
    const options = before.options === after.options ? undefined : "reload";
    if (before.device === after.device && before.type === after.type)
        return options;
    if (point !== "/" && point !== "/nix")
        return "restart";
    return options ?? "keep";
}
function parse(lines) {
    const mounts = new Map();
    const swaps = new Set();
    for (const line of lines) {
        const [device, point, type, options = ""] = line.trim().split(/\s+/);
        if (line.includes("#") || device === undefined || point === undefined || type === undefined)
            continue;
        if (type === "swap")
            swaps.add(device);
        else
            mounts.set(point, { device, type, options });
    }
    return { mounts, swaps };
}
/** A path as the name of a unit (systemd-escape(1), `--path`): `/mnt/a-b` is `mnt-a\x2db`. */
function escapePath(path) {
    const parts = path.split("/").filter((part) => part !== "");
    if (parts.length === 0)
        return "-";
    const escape = (part, index) => [...new TextEncoder().encode(part)]
        .map((byte, position) => {
        const character = String.fromCharCode(byte);
        const plain = /[A-Za-z0-9:_.]/.test(character) && !(character === "." && index === 0 && position === 0);
        return plain ? character : String.raw `\x${byte.toString(16).padStart(2, "0")}`;
    })
        .join("");
    return parts.map(escape).join("-");
}
;// CONCATENATED MODULE: ./out/src/domain/unit-jobs.js

/** What each switch starts again: it runs nothing itself, and only the first switch after a boot lists it as started. */
const reactivation = "sysinit-reactivation.target";
/**
 * Returns what systemd does during a switch: it stops units that depend on a stopped unit, and starting a target, as each switch
 * does with all active ones, starts every unit that the target wants and that is not running: new ones, and those that have ended.
 */
function simulateJobs(decision, facts) {
    const { active, parts, fstab } = facts;
    const running = (unit) => active.has(unit) && !["failed", "deactivating"].includes(active.get(unit) ?? "");
    const below = (units) => closure(units, (unit) => (facts.stopsWith.get(unit) ?? []).filter(running));
    const stopped = below([...decision.stop].filter((unit) => running(unit) || unit.startsWith("swap device: ")));
    const restarted = below([...decision.restart, ...(parts.get(reactivation) ?? []).filter(running)]);
    const roots = [...decision.targets, reactivation, ...decision.start, ...restarted];
    const pulled = closure(roots, (unit) => pulledBy(unit, facts));
    for (const unit of planMounts(fstab).start)
        pulled.add(unit);
    // Reloading what was stopped with another unit would fail; it is started.
    for (const unit of decision.reload)
        if (stopped.has(unit))
            pulled.add(unit);
    const jobs = { stop: new Set(), start: new Set(), restart: new Set(), reload: new Set(), again: new Set() };
    for (const unit of stopped)
        (pulled.has(unit) ? jobs.restart : jobs.stop).add(unit);
    for (const unit of restarted)
        if (running(unit))
            jobs.restart.add(unit);
    for (const unit of pulled) {
        const how = running(unit) ? undefined : startOf(unit, facts);
        if (how !== undefined)
            jobs[how].add(unit);
    }
    for (const unit of decision.reload)
        if (!jobs.restart.has(unit) && !jobs.stop.has(unit))
            jobs.reload.add(unit);
    const silent = (unit) => decision.targets.has(unit) || unit === reactivation || unit.endsWith(".slice");
    const shown = (units) => new Set([...units].filter((unit) => !silent(unit)));
    return {
        stop: shown(jobs.stop),
        start: shown(jobs.start),
        restart: shown(jobs.restart),
        reload: jobs.reload,
        again: shown(jobs.again),
        keep: new Set([...decision.keep].filter((unit) => !jobs.restart.has(unit) && !jobs.stop.has(unit))),
    };
}
/** How a unit that does not run is started: for the first time, again, or not at all where its conditions are not met. */
function startOf(unit, { idle, active, added }) {
    if (added.has(unit))
        return "start";
    const result = idle.get(unit);
    if (result === "unmet")
        return undefined;
    return result === "ran" || active.has(unit) ? "again" : "start";
}
function pulledBy(unit, { pulls, aliases }) {
    // An instance without a file of its own has the dependencies of its template.
    const own = pulls.get(unit);
    const units = own ?? pulls.get(unit.replace(/@[^.]*\./, "@.")) ?? [];
    return units.filter((name) => !name.includes("%")).map((name) => aliases.get(name) ?? name);
}
function closure(units, next) {
    const found = new Set(units);
    // Iterating over a set includes elements added during the iteration.
    for (const unit of found)
        for (const other of next(unit))
            found.add(other);
    return found;
}
;// CONCATENATED MODULE: ./out/src/deploy/repair.js
const repair_profile = "/nix/var/nix/profiles/system";
/**
 * The hint for a machine that could not roll back. `causes` is what the rollback named; `incomplete` tells that the old system runs
 * although its activation failed: it writes files, and needs room for them where the root file system is full.
 */
function repairHint(commands, causes, incomplete) {
    if (!causes.some(({ kind }) => kind === "no-space"))
        return `Repair the machine manually, as root: ${commands}`;
    const runs = incomplete ? "The machine runs its old system, but some of its files could not be written. " : "";
    return `${runs}Free space on the full file system (\`df -h\` on the machine shows which one). Then repair the machine manually, as root: ${commands}`;
}
/** The commands that activate the system that ran before. They need no space in /nix and /boot. */
function repairCommands({ running, profile: booted }) {
    return `NIXOS_NO_CHECK=1 ${running ?? booted ?? `${repair_profile}-N-link`}/bin/switch-to-configuration test`;
}
/** The commands that restore system profile and boot loader, and then the running system, even if the boot loader fails. */
function repairLastStep(before) {
    const { generation, profile: booted, running } = before;
    const system = booted ?? running ?? `${repair_profile}-N-link`;
    const link = generation === undefined ? `rm -f ${repair_profile}` : `ln -sfn system-${generation}-link ${repair_profile}`;
    return `${link}; NIXOS_NO_CHECK=1 ${system}/bin/switch-to-configuration boot; ${repairCommands(before)}`;
}
;// CONCATENATED MODULE: ./out/src/deploy/verdict.js


/**
 * Judges what switch-to-configuration named, whatever its exit code: the codes of its versions differ, and nixos-rebuild in bash
 * makes each of them 1. An exit code other than 0 without a cause is a failure too.
 */
function judge({ operation, toplevel, before, end }) {
    const { exitCode } = end;
    // With exit code 0, only failed user activations count: scripts print the other messages for errors that they ignore.
    const causes = exitCode === 0 ? end.causes.filter(({ kind }) => kind === "user") : end.causes;
    const code = `(exit code ${exitCode})`;
    const units = causes.filter((cause) => cause.kind === "unit");
    const failedUnits = newlyFailed(before, [...units.map(({ unit }) => unit), ...end.after.failedUnits]);
    const users = causes.filter((cause) => cause.kind === "user");
    const fatal = causes.filter((cause) => cause.kind !== "unit" && cause.kind !== "user");
    const complaint = failedUnits.length === 0 ? undefined : explainUnits(units, failedUnits, exitCode === 0 ? "" : ` ${code}`);
    const named = fatal.length > 0 ? explainFatal(fatal, operation, toplevel, code) : undefined;
    return {
        failure: named ?? explainCode(exitCode, causes, complaint) ?? (isExplained(exitCode, causes, failedUnits) ? undefined : explainNothing(operation, exitCode, code)),
        units: complaint,
        users: users.length === 0 ? undefined : explainUsers(users),
        failedUnits,
    };
}
/** Names the units that are failed now and had not failed, or been restarted again and again, before. */
function newlyFailed(before, failed) {
    const old = new Set([...(before?.failedUnits ?? []), ...(before?.restartingUnits ?? [])]);
    return [...new Set(failed)].filter((unit) => !old.has(unit));
}
const order = [
    "record",
    "profile",
    "locked",
    "not-nixos",
    "inhibitor",
    "pre-switch-check",
    "boot-loader",
    "other-init",
    "snippet",
    "activation-script",
    "logind",
    "user-left",
    "no-space",
];
function explainFatal(causes, operation, toplevel, code) {
    const first = order.flatMap((kind) => causes.filter((cause) => cause.kind === kind))[0];
    if (first === undefined)
        return undefined;
    const full = causes.some(({ kind }) => kind === "no-space");
    const explained = explain(first, causes, operation, toplevel, code);
    if (!full || first.kind === "no-space")
        return explained;
    return { reason: `${explained.reason}: no space is left on the device`, hint: freeSpace(operation), topic: "device-full" };
}
function explain(cause, causes, operation, toplevel, code) {
    switch (cause.kind) {
        case "record":
            return { reason: `system profile and boot loader were not set, because their previous state could not be recorded ${code}`, hint: freeSpace(operation) };
        case "profile":
            return { reason: `the system profile could not be set ${code}`, hint: "See the output of nix-env below" };
        case "locked":
            return { reason: `another switch-to-configuration is running on the machine ${code}`, hint: "Nothing was activated. Deploy again when it has finished" };
        case "not-nixos":
            return { reason: `switch-to-configuration does not recognize the machine as NixOS ${code}`, hint: "Check why the file /etc/NIXOS is missing" };
        case "inhibitor": {
            const what = cause.changes.length === 0 ? "" : `: ${cause.changes.join(", ")}`;
            return {
                reason: `a switch inhibitor refuses to activate the new system while the old one runs ${code}${what}`,
                hint: bootInstead(operation, toplevel),
                topic: "inhibitor",
            };
        }
        case "pre-switch-check": {
            const checks = causes.flatMap((other) => (other.kind === "pre-switch-check" ? [other.check] : []));
            const name = checks.map((check) => `'${check}'`).join(" and ");
            return {
                reason: `the pre-switch check ${name} of the new system failed ${code}`,
                hint: "See its output below, fix what it reports and deploy again",
                topic: "check-failed",
            };
        }
        case "boot-loader":
            return { reason: `the boot loader could not be installed ${code}`, hint: "See the output of its installer below", topic: "boot-loader" };
        case "other-init":
            return {
                reason: `the new system uses a different init system, so it takes effect only after a reboot ${code}`,
                hint: bootInstead(operation, toplevel),
                topic: "other-init",
            };
        case "snippet": {
            const snippets = causes.flatMap((other) => (other.kind === "snippet" ? [`'${other.snippet}' (${other.exitCode})`] : []));
            const names = snippets.length === 1 ? `the activation script snippet ${snippets[0]}` : `the activation script snippets ${snippets.join(", ")}`;
            return { reason: `${names} failed ${code}`, hint: "See its output in the host's log, fix the snippet and deploy again", topic: "snippet-failed" };
        }
        case "activation-script":
            return {
                reason: `the activation script failed ${code}`,
                hint: "See its output in the host's log, fix the script and deploy again",
                topic: "snippet-failed",
            };
        case "logind":
            return {
                reason: `logind did not list the users, so the changed units were not started ${code}`,
                hint: "Check `systemctl status systemd-logind` on the machine",
            };
        case "user-left":
            return {
                reason: `logind stopped the services of a user during the switch, so the changed units were not started ${code}`,
                hint: "Deploy again: logind stops the services of a user 10 s after the last session of the user has ended",
            };
        case "no-space":
            return { reason: `no space is left on the device ${code}`, hint: freeSpace(operation), topic: "device-full" };
    }
}
function bootInstead(operation, toplevel) {
    if (needsFlake(operation))
        return "Deploy with `operation: boot`, then reboot the machine";
    return `Run \`nix-env --profile /nix/var/nix/profiles/system --set ${toplevel} && ${toplevel}/bin/switch-to-configuration boot\` on the machine, then reboot it`;
}
function freeSpace(operation) {
    const where = changesBootLoader(operation) ? "`df` on the machine shows which disk is full, /boot included" : "`df` on the machine shows which disk is full";
    return `${where}. \`nix-collect-garbage -d\` there removes old generations`;
}
// Failed units and users alone give exit code 4. With another code it has stopped before the end.
const unitsOrUsers = 4;
function isExplained(exitCode, causes, failedUnits) {
    return exitCode === 0 || (exitCode === unitsOrUsers && causes.length + failedUnits.length > 0);
}
/** With any other code, newly failed units are named too, and are a failure whatever `unit-failures` is. */
function explainCode(exitCode, causes, units) {
    return exitCode === 0 || exitCode === unitsOrUsers || isSignal(exitCode) || causes.length === 0 ? undefined : units;
}
// As a shell reports a program that a signal has ended.
function isSignal(exitCode) {
    return exitCode > 128 && exitCode < 160;
}
function explainNothing(operation, exitCode, code) {
    const state = changesRunningSystem(operation) ? "The machine may be partially switched. " : "";
    const what = isSignal(exitCode) ? `switch-to-configuration was killed by signal ${exitCode - 128}` : "switch-to-configuration failed without naming a cause";
    return { reason: `${what} ${code}`, hint: `${state}See the end of its output below`, topic: "switch-failed" };
}
const jobs = { start: "failed to start", stop: "failed to stop", restart: "failed to restart", reload: "failed to reload" };
function explainUnits(causes, failed, code) {
    // Name the failed job, unless the whole unit has failed.
    const text = failed.map((unit) => {
        const own = causes.filter((cause) => cause.unit === unit);
        const job = own.some(({ what }) => what === "failed") ? undefined : own.flatMap(({ what }) => (what === "failed" ? [] : [jobs[what]]))[0];
        return job === undefined ? unit : `${unit} (${job})`;
    });
    return {
        reason: `newly failed units${code}: ${listed(text, verdict_mostNamed)}`,
        hint: "See the unit's journal below, fix it and deploy again",
        topic: "units-failed",
    };
}
// Units that a sentence names.
const verdict_mostNamed = 20;
/** The units as a sentence names them. */
function nameUnits(units) {
    return listed(units, verdict_mostNamed);
}
function explainUsers(causes) {
    const text = causes.map(({ user, units, late }) => {
        const why = late ? "timed out after 60 s" : units.join(", ");
        return why === "" ? user : `${user} (${why})`;
    });
    return {
        reason: `the user activation failed for ${text.join(", ")}`,
        hint: "The system itself was activated. Check `systemctl --user status` as this user",
        topic: "user-activation",
    };
}
;// CONCATENATED MODULE: ./out/src/deploy/last-step.js




/** Keeps the system: sets profile and boot loader. Returns what has prevented it. */
async function keep(work) {
    const { armed, settings, known, signal } = work;
    known.confirmed = true;
    const kept = await armed.keep(signal);
    return typeof kept === "string" ? notKept(kept, settings.safety) : afterLastStep(work, kept);
}
/** Why a machine that may have decided for the new system does not keep it. */
function notKept(how, safety) {
    const reached = notReached(how, safety);
    return how === "restarted" ? { ...reached, reason: "the machine was restarted before system profile and boot loader were set" } : reached;
}
/** Judges the last step of a system that is kept. Returns what has gone wrong. */
function afterLastStep(work, kept) {
    work.known.after = kept.state;
    switch (kept.kind) {
        case "done":
            work.ended();
            return undefined;
        case "foreign": {
            const { reason, hint, topic } = switchedByOthers(kept.state);
            return { status: "failed", error: failure_makeFailure({ phase: "confirm", reason, hint, topic, outcome: "System profile and boot loader were not changed" }) };
        }
        case "failed":
            return undoneStep(work, kept);
    }
}
/** The outcome of a failed last step, which has undone itself. */
function undoneStep({ armed, settings, system, known, begin }, step) {
    const { exitCode, causes, lines, undone, state } = step;
    known.exitCode = exitCode;
    begin("rollback");
    const { operation } = settings;
    const evidence = { operation, toplevel: system.toplevel, before: armed.before };
    const none = { reason: `system profile and boot loader could not be set (exit code ${exitCode})`, hint: "See the end of the output below" };
    const timedOut = exitCode === 124 || exitCode === 137;
    const late = {
        reason: `setting system profile and boot loader took longer than activation-timeout (${settings.safety.limits.activation} s)`,
        hint: none.hint,
        topic: "activation-timeout",
    };
    const judged = judge({ ...evidence, end: { exitCode, causes, after: { failedUnits: [] } } }).failure;
    const why = timedOut ? late : causes.length === 0 ? none : (judged ?? none);
    const parts = { ...why, lines, causes, exitCode };
    const wrong = [
        ...(undone.profile ? [] : [`the system profile is ${state.profile ?? "missing"}`]),
        ...(undone.bootLoader ? [] : [`the boot loader's default entry may be ${system.toplevel}`]),
        ...wrongTest(),
    ];
    if (wrong.length === 0)
        return { status: "rolled-back", error: failure_makeFailure({ phase: "confirm", ...parts, outcome: rolledBack }) };
    return {
        status: "rollback-failed",
        error: failure_makeFailure({
            phase: "rollback",
            ...parts,
            reason: `${why.reason}; the rollback failed: ${wrong.join("; ")}`,
            hint: repairHint(repairLastStep(armed.before), undone.test?.causes ?? [], undone.test !== undefined && undone.test.exitCode !== 0 && state.running === armed.before.running),
            topic: "rollback-failed",
        }),
    };
    function wrongTest() {
        const { running } = armed.before;
        if (state.running !== running)
            return [`the machine runs ${state.running ?? "no system of the store"} (before: ${running ?? "none"})`];
        if (undone.test === undefined)
            return ["the old system was not activated"];
        if (undone.test.exitCode === 0)
            return [];
        const { failure, units } = judge({ ...evidence, end: { ...undone.test, after: state } });
        const complaint = failure ?? units;
        return complaint === undefined ? [] : [complaint.reason];
    }
}
;// CONCATENATED MODULE: ./out/src/deploy/confirmation.js






/** Returns whether units were started, so that the settle time applies. */
function settles({ settings }, { plan }) {
    if (settings.safety.limits.settle === 0 || !changesRunningSystem(settings.operation))
        return false;
    return plan === undefined || [...plan.start, ...plan.restart].some((unit) => unit !== reactivation);
}
/** Reaches the machine again and checks its health. Returns why the system is rejected, or the last step of a machine that has kept it already. */
async function confirmation_confirm(work, end, degraded) {
    const { settings } = work;
    work.ended();
    work.begin("confirm");
    const isSettling = settles(work, end);
    if (settings.safety.healthCheck === undefined && !isSettling)
        return await confirmAtOnce(work, degraded);
    const reached = await check(work, isSettling);
    return "reason" in reached ? reached : await judgeReached(work, reached, degraded);
}
/** Leaves the decision to the machine, which needs no second question where nothing speaks against the system. */
async function confirmAtOnce(work, degraded) {
    const { armed, known, settings, signal } = work;
    const confirmed = await armed.confirm(known.failedUnits, () => (known.confirmed = true), signal);
    if (typeof confirmed === "string")
        return notKept(confirmed, settings.safety);
    if (confirmed.kind !== "undecided")
        return confirmed;
    known.confirmed = false;
    return await judgeReached(work, confirmed.state, degraded);
}
/** Reaches the machine, runs the health check and waits for the settle time. Returns the state of the machine then. */
async function check({ armed, settings, signal }, isSettling) {
    const { healthCheck, limits } = settings.safety;
    let reached = await armed.reach(signal, healthCheck === undefined ? limits.settle : Infinity);
    if (typeof reached === "string")
        return notReached(reached, settings.safety);
    if (healthCheck !== undefined) {
        const complaint = await armed.checkHealth(healthCheck, limits.healthCheck, signal);
        if (complaint !== undefined) {
            return {
                phase: "confirm",
                reason: `the health check did not succeed within ${limits.healthCheck} s`,
                hint: "See its output below",
                topic: "health-check",
                lines: [healthCheck, ...complaint.split("\n")],
            };
        }
    }
    if (isSettling) {
        reached = await armed.settle(signal);
        if (typeof reached === "string")
            return notReached(reached, settings.safety);
    }
    return reached;
}
async function judgeReached(work, reached, degraded) {
    return isForeign(work, reached) ? switchedByOthers(reached) : await judgeLateUnits(work, reached, degraded);
}
/** Units that failed after the activation had ended. */
async function judgeLateUnits({ armed, settings, known, signal, log }, now, degraded) {
    const late = newlyFailed(armed.before, now.failedUnits).filter((unit) => !known.failedUnits.includes(unit));
    if (late.length === 0)
        return undefined;
    known.failedUnits = [...known.failedUnits, ...late];
    const lines = await armed.journal(late, signal);
    const reason = `units failed shortly after the activation: ${nameUnits(late)}`;
    const rejection = { phase: "activate", reason, hint: "See the unit's journal below, fix it and deploy again", lines, topic: "units-failed" };
    if (settings.safety.unitFailures === "fail")
        return rejection;
    degraded.push(failure_makeFailure(rejection));
    log.warn([reason, ...lines].join("\n"));
    return undefined;
}
;// CONCATENATED MODULE: ./out/src/deploy/rejected.js





/** Ends the run on a machine whose new system is rejected. */
async function endRejected(work, rejection) {
    const { aftermath } = rejection;
    if (aftermath === undefined)
        return await rollBack(work, rejection);
    if (aftermath === "restarted")
        return await afterRestart(work, rejection);
    return await leave(work, rejection, aftermath === "foreign" ? "Nothing else was changed on the machine" : "Nothing was activated");
}
/** Ends the run on a machine where nothing is to be rolled back. */
async function leave({ armed, known, signal }, rejection, outcome) {
    const state = await armed.drop(signal);
    if (typeof state !== "string")
        known.after = state;
    return { status: "failed", error: failure_makeFailure({ ...rejection, exitCode: known.exitCode, outcome }) };
}
/** A restart ends the watchdog and boots the default entry of the boot loader, so query the machine for what it runs. */
async function afterRestart(work, rejection) {
    const { armed, known, settings, system, signal, log } = work;
    const { before } = armed;
    const state = await armed.afterRestart(signal);
    known.after = state;
    if (known.confirmed && state.running === system.running && state.profile === system.toplevel) {
        log.note("the machine was restarted after the confirmation and booted the new system");
        return { status: "deployed", error: undefined };
    }
    const { exitCode } = known;
    if (settings.safety.rollback && state.running === before.running && state.profile === before.profile) {
        return { status: "rolled-back", error: failure_makeFailure({ ...rejection, exitCode, outcome: "The machine booted its old system" }) };
    }
    const boots = state.profile === state.running ? "" : `, and its system profile is ${state.profile ?? "missing"}`;
    const outcome = `The machine booted ${state.running ?? "no system of the store"}${boots}; before, it ran ${before.running ?? "no system of the store"}`;
    return { status: "failed", error: failure_makeFailure({ ...rejection, exitCode, outcome }) };
}
async function rollBack(work, rejection) {
    const { armed, known, log, settings, signal } = work;
    const { safety, operation } = settings;
    const { reason, lines, causes, decided } = rejection;
    const { exitCode } = known;
    if (!safety.rollback && decided === undefined) {
        await armed.keep(signal);
        return { status: "failed", error: failure_makeFailure({ ...rejection, exitCode, outcome: "The new system stays active, since rollback is false" }) };
    }
    log.note(`${reason}: rolling back`);
    work.begin("rollback");
    const end = await armed.rollBack(signal);
    if (end === "restarted")
        return await afterRestart(work, { ...rejection, reason: `${reason}; the machine was restarted during the rollback` });
    known.after = end.state;
    if (end.foreign) {
        const outcome = `Nothing was rolled back: the machine runs ${end.state.running ?? "no system of the store"}, which is neither the old nor the new system; someone else has switched it`;
        return { status: "failed", error: failure_makeFailure({ ...rejection, exitCode, outcome }) };
    }
    const wrong = notBack(armed.before, end, work);
    if (wrong === undefined) {
        return { status: "rolled-back", error: failure_makeFailure({ ...rejection, exitCode, outcome: rolledBack }) };
    }
    const error = failure_makeFailure({
        phase: "rollback",
        reason: `${reason}; the rollback failed: ${wrong}`,
        hint: repairHint(changesRunningSystem(operation) ? repairCommands(armed.before) : repairLastStep(armed.before), end.causes, changesRunningSystem(operation) && end.exitCode !== 0 && end.state.running === armed.before.running),
        topic: "rollback-failed",
        lines: [...lines, ...end.lines],
        exitCode: end.exitCode,
        causes,
    });
    return { status: "rollback-failed", error };
}
/** What a rollback did not restore; `undefined` where it restored everything. */
function notBack(before, end, { settings, system }) {
    const { exitCode, causes, state } = end;
    if (state.profile !== before.profile)
        return `the system profile is ${state.profile ?? "missing"} (before: ${before.profile ?? "missing"})`;
    if (state.running !== before.running)
        return `the machine runs ${state.running ?? "no system of the store"} (before: ${before.running ?? "none"})`;
    if (exitCode === 0)
        return undefined;
    const { failure, units } = judge({ operation: settings.operation, toplevel: system.toplevel, before, end: { exitCode, causes, after: state } });
    return failure?.reason ?? units?.reason;
}
;// CONCATENATED MODULE: ./out/src/deploy/safe-activation.js









/**
 * Activates a system under the machine's watchdog: activate, reach the machine over a fresh connection, check its health, only
 * then have it set system profile and boot loader; else roll back. Throws a `DeployError` when the machine is lost before that is
 * decided.
 */
async function activateSafely(work) {
    const { known, signal, log } = work;
    const armed = await arm(work);
    known.before = armed.before;
    known.undecided = true;
    warnOfBoot(armed, log);
    const guarded = { ...work, armed };
    const end = await armed.activate(signal);
    known.after = end.after;
    known.exitCode = end.exitCode;
    known.plan = end.plan ?? known.plan;
    const { rejection, degraded } = await judgeEnd(guarded, end);
    const confirmed = rejection ?? (await confirmation_confirm(guarded, end, degraded));
    const outcome = confirmed === undefined ? await keep(guarded) : "kind" in confirmed ? afterLastStep(guarded, confirmed) : confirmed;
    const final = outcome === undefined ? succeeded(known.after, degraded, log) : "status" in outcome ? outcome : await endRejected(guarded, outcome);
    known.undecided = false;
    return final;
}
async function arm({ machine, system, known, settings, signal }) {
    const { operation, safety, variant } = settings;
    const { installBootLoader } = variant;
    known.arming = true;
    try {
        const armed = await machine.arm({ operation, system, installBootLoader, guarded: safety.rollback, limits: safety.limits }, signal);
        known.arming = false;
        return armed;
    }
    catch (error) {
        if (!(error instanceof DeployError))
            throw error;
        if (error.unreachable)
            throw new DeployError({ ...error.failure, outcome: armedOutlook(safety), unreachable: true, cause: error });
        known.arming = false;
        throw error;
    }
}
function warnOfBoot({ scarceBoot }, log) {
    if (scarceBoot === undefined)
        return;
    const [free, needed] = [scarceBoot.free, scarceBoot.needed].map((kibibytes) => renderBytes(kibibytes * 1024));
    log.warn(`only ${free} are free on /boot of the machine, but kernel and initrd of the new system need ${needed}: installing the boot loader may fail after the activation, which is then rolled back. Remove old generations with \`nix-collect-garbage -d\` and \`/run/current-system/bin/switch-to-configuration boot\` on the machine`);
}
function succeeded(after, degraded, log) {
    if (after.rebootNeeded)
        log.note("kernel, initrd or kernel modules have changed: they take effect after a reboot");
    const [first, ...rest] = degraded;
    if (first === undefined)
        return { status: "deployed", error: undefined };
    const reason = [first, ...rest].map((failure) => failure.reason).join("; ");
    return { status: "degraded", error: failure_makeFailure({ ...first, reason, lines: degraded.flatMap(({ lines }) => lines) }) };
}
/** Explains an activation that did not end normally. */
function explainEnd(end, { safety, operation }) {
    const { activation } = safety.limits;
    switch (end) {
        case "ended":
            return undefined;
        case "restarted":
            return { reason: "the machine was restarted during the activation", hint: "Check its journal: `journalctl --boot -1`", topic: "restarted" };
        case "killed": {
            const late = safety.rollback && changesMachine(operation) ? ` took longer than activation-timeout (${activation} s), or` : "";
            const hint = "Check `journalctl --unit 'nix-flake-deploy-*-activate'` on the machine";
            return { reason: `the activation${late} was killed`, hint, topic: "activation-timeout" };
        }
        case "not-started":
            return { reason: "the activation could not be started on the machine", hint: "Check that systemd-run works on the machine" };
    }
}
/** What makes switch-to-configuration refuse `test`, where it has neither stopped nor activated anything by then. */
const refusals = new Set(["locked", "not-nixos", "inhibitor", "pre-switch-check", "other-init"]);
/** Judges the end of the activation itself. */
async function judgeEnd(work, end) {
    const { system, settings, known, armed, signal, log } = work;
    const { operation, safety } = settings;
    const { lines, causes, after } = end;
    const degraded = [];
    const protectedSwitch = safety.rollback && changesRunningSystem(operation);
    const reject = (complaint, more = lines, aftermath) => ({
        rejection: { phase: "activate", lines: more, causes, ...(aftermath === undefined ? {} : { aftermath }), ...complaint },
        degraded,
    });
    const verdict = judge({ operation, toplevel: system.toplevel, before: armed.before, end });
    known.failedUnits = verdict.failedUnits;
    const broken = explainEnd(end.end, settings) ?? verdict.failure;
    if (broken !== undefined) {
        const refused = protectedSwitch && end.end === "ended" && !end.touched && causes.some(({ kind }) => refusals.has(kind));
        return reject(broken, lines, end.end === "restarted" ? "restarted" : refused ? "refused" : undefined);
    }
    for (const [complaint, fatal] of [
        [verdict.units, safety.unitFailures === "fail"],
        [verdict.users, false],
    ]) {
        if (complaint === undefined)
            continue;
        const journal = complaint === verdict.units ? await armed.journal(verdict.failedUnits, signal) : [];
        if (fatal)
            return reject(complaint, journal);
        degraded.push(failure_makeFailure({ phase: "activate", ...complaint, lines: journal, causes }));
        log.warn([complaint.reason, ...journal].join("\n"));
    }
    const other = "Check whether someone else changed it in the meantime";
    // A protected switch sets the profile when it is confirmed.
    if (changesSystemProfile(operation) && !protectedSwitch && after.profile !== system.toplevel)
        return reject({
            reason: `the machine boots ${after.profile ?? "no system of the store"} instead of ${system.toplevel}`,
            hint: other,
            topic: "other-system",
        });
    if (changesRunningSystem(operation) && after.running !== system.running) {
        // After a long loss of the connection, the machine may have rolled back by now.
        const reached = protectedSwitch && after.running === armed.before.running ? await armed.reach(signal) : after;
        if (typeof reached === "string")
            return { rejection: notReached(reached, safety), degraded };
        const complaint = {
            reason: `the machine runs ${after.running ?? "no system of the store"} instead of ${system.running}`,
            hint: other,
            topic: "other-system",
        };
        return reject(complaint, lines, isForeign(work, after) ? "foreign" : undefined);
    }
    return { rejection: undefined, degraded };
}
;// CONCATENATED MODULE: ./out/src/deploy/host.js








/**
 * The work on one host: `prepare` up to a built system, then `activate` that. Both throw on failure; `result` returns
 * what is known so far.
 */
class Host {
    machine;
    #settings;
    #log;
    #known;
    #clock = new PhaseClock();
    #machines;
    constructor(machine, settings, log, machines) {
        this.machine = machine;
        this.#settings = settings;
        this.#log = log;
        this.#machines = machines;
        this.#known = knownAtFirst(machine.target);
    }
    get phase() {
        return this.#known.phase;
    }
    /** The flake has arrived on the machine. */
    get arrived() {
        return this.#known.arrived;
    }
    /** The machine is armed, and neither the new nor the old system was decided for. */
    get undecided() {
        return this.#known.undecided;
    }
    /** What happens to the machine if the run ends now. */
    get outlook() {
        return outlookOf(this.#known, this.#settings.safety);
    }
    /** Connects, copies the flake, builds the system and compares it with the running one; or finds the system to roll back to. */
    async prepare(signal) {
        try {
            return await new Preparation({
                machine: this.machine,
                settings: this.#settings,
                log: this.#log,
                known: this.#known,
                machines: this.#machines,
                begin: (phase) => this.#begin(phase),
                ended: (detail) => this.#ended(detail),
            }).run(signal);
        }
        finally {
            this.#clock.pause();
        }
    }
    /** Activates a system, and keeps it or rolls back. Throws if it ends before that decision. */
    async activate(ready, signal) {
        try {
            this.#begin("activate");
            return changesMachine(this.#settings.operation) ? await this.#activate(ready, signal) : await this.#dryActivate(ready, signal);
        }
        finally {
            this.#clock.pause();
        }
    }
    async #dryActivate({ machine, system }, signal) {
        const known = this.#known;
        const { operation } = this.#settings;
        const end = await machine.dryActivate(system, signal);
        const { exitCode, lines, causes } = end;
        known.exitCode = exitCode;
        known.plan = end.plan === undefined ? known.plan : withCompared(end.plan, known.plan);
        // It starts no units, so it does not cause new failures.
        const before = { ...end.after, restartingUnits: [] };
        const { failure, units, users } = judge({ operation, toplevel: system.toplevel, before, end });
        const complaint = explainEnd(end.end, this.#settings) ?? failure ?? (exitCode === 0 ? undefined : (units ?? users));
        if (complaint !== undefined)
            throw new DeployError({ phase: "activate", ...complaint, lines, exitCode, causes });
        this.#ended();
        return { status: "planned", error: undefined };
    }
    async #activate({ machine, system }, signal) {
        return await activateSafely({
            machine,
            system,
            settings: this.#settings,
            known: this.#known,
            signal,
            log: this.#log,
            begin: (phase) => this.#begin(phase),
            ended: () => this.#ended(),
        });
    }
    /** Leaves the machine; an undecided activation continues there. Never throws. */
    async release() {
        await this.machine.release(this.undecided ? "undecided" : "decided");
    }
    /** The host's result with what is known now. */
    result(outcome, seconds) {
        return resultOf(this.machine.target, this.#known, outcome, seconds, this.#clock.spans());
    }
    /** A phase begins. */
    #begin(phase) {
        this.#known.phase = phase;
        this.#clock.begin(phase);
        this.#log.phase(phase);
    }
    /** The phase has ended well. */
    #ended(detail) {
        this.#log.ended(detail);
    }
}
;// CONCATENATED MODULE: ./out/src/deploy/same-machine.js


/**
 * Knows which machine each target of a run is. The first target that reaches a machine claims it; a later one is refused
 * immediately, and the first is not activated either: which of the two is meant is unknown.
 */
class MachinesOfRun {
    #owners = new Map();
    #rivals = new Map();
    /** Claims a machine for a target. Throws a `DeployError` where another target has claimed it. */
    claim(target, identity) {
        if (identity === undefined)
            return;
        const owner = this.#owners.get(identity) ?? target;
        this.#owners.set(identity, owner);
        if (owner === target)
            return;
        if (!this.#rivals.has(owner))
            this.#rivals.set(owner, target);
        throw sameMachine(owner);
    }
    /** The error for a target whose machine another target has reached, too; `undefined` where none has. */
    objection(target) {
        const rival = this.#rivals.get(target);
        return rival === undefined ? undefined : sameMachine(rival);
    }
}
function sameMachine(other) {
    return new DeployError({
        phase: "connect",
        reason: `this is the same machine as ${other.name} (${renderTarget(other)}); one run can deploy only one configuration per machine`,
        hint: "Nothing was activated on it. Remove one of the two targets",
        topic: "same-machine",
    });
}
;// CONCATENATED MODULE: ./out/src/deploy/stopwatch.js
/** Measures and bounds the work on one host, which happens in pieces: waiting for other hosts does not count. */
class Stopwatch {
    /** Seconds; 0 is without limit. */
    limit;
    #outer;
    #milliseconds = 0;
    #expired = false;
    constructor(limit, outer) {
        this.limit = limit;
        this.#outer = outer;
    }
    /** Seconds of work so far, rounded to hundredths. */
    get seconds() {
        return Math.round(this.#milliseconds / 10) / 100;
    }
    get expired() {
        return this.#expired;
    }
    get cancelled() {
        return this.#outer.aborted;
    }
    /**
     * Runs one piece; its signal is aborted when the time is used up and when the whole run is cancelled. After a cancellation, no piece
     * starts: it throws the reason of the abort.
     */
    async run(work) {
        this.#outer.throwIfAborted();
        const own = new AbortController();
        const begin = performance.now();
        const left = this.limit * 1000 - this.#milliseconds;
        const expire = () => {
            this.#expired = true;
            own.abort();
        };
        const timer = this.limit > 0 ? setTimeout(expire, Math.max(0, left)) : undefined;
        try {
            return await work(AbortSignal.any([own.signal, this.#outer]));
        }
        finally {
            clearTimeout(timer);
            this.#milliseconds += performance.now() - begin;
        }
    }
}
;// CONCATENATED MODULE: ./out/src/deploy/fleet.js










/**
 * Deploys to all machines: everything up to the build side by side, then, when every machine has built or failed, the
 * activations, batch after batch. A host that fails does not stop the others of its batch, but too many stop the batches
 * after it. Never throws: without a flake, which `settings.flake` or the signal reports as a `NoFlakeError`, every host is skipped.
 */
async function deployFleet(machines, settings, log) {
    const { unusable } = settings;
    log.begin(machines.length + unusable.length);
    for (const result of unusable)
        log.done(result);
    const known = new MachinesOfRun();
    const works = machines.map((machine) => ({
        host: new Host(machine, settings, log.host(machine.target), known),
        stopwatch: new Stopwatch(settings.timeout, settings.signal),
        ready: undefined,
        result: undefined,
        unreachable: undefined,
    }));
    const run = new FleetRun(works, known, settings, log);
    await run.prepare();
    await run.activate();
    log.end();
    return { results: [...works.flatMap((work) => work.result ?? []), ...unusable], arrived: works.some((work) => work.host.arrived) };
}
class FleetRun {
    #works;
    #known;
    #settings;
    #log;
    constructor(works, known, settings, log) {
        this.#works = works;
        this.#known = known;
        this.#settings = settings;
        this.#log = log;
    }
    /** Everything up to the build. */
    async prepare() {
        const { maxParallel, staging } = this.#settings;
        await mapLimited(this.#works, maxParallel, async (work) => {
            await this.#step(work, async (signal) => {
                const prepared = await work.host.prepare(signal);
                if (prepared.kind === "settled")
                    return prepared.outcome;
                // Those that wait hold as much as those that are worked on, however many they are.
                if (this.#waiting >= maxParallel)
                    prepared.system.machine.rest();
                work.ready = prepared.system;
                return undefined;
            });
        });
        // A successful host fails, too, if another target has turned out to be the same machine.
        for (const work of this.#works) {
            const error = this.#known.objection(work.host.machine.target)?.failure;
            if (error !== undefined && (work.result === undefined || !isFailure(work.result.status)))
                await this.#end(work, { status: "failed", error });
        }
        // If no machine answers, the runner's network is the likely cause: such a run is never green.
        const skip = staging.onUnreachable === "skip" && this.#works.some((work) => work.unreachable === undefined);
        for (const work of this.#works) {
            if (work.unreachable !== undefined)
                await this.#end(work, { status: skip ? "skipped" : "failed", error: work.unreachable });
        }
    }
    /** How many hosts wait for their activation. */
    get #waiting() {
        return this.#works.filter(({ ready }) => ready !== undefined).length;
    }
    /** Activates what has built, in batches, as long as not too many hosts have failed. */
    async activate() {
        const { operation, maxParallel, staging, signal } = this.#settings;
        const built = this.#works.flatMap((work) => (work.result === undefined && work.ready !== undefined ? [{ work, ready: work.ready }] : []));
        const batches = changesMachine(operation) ? inBatches(built, staging.batches) : [built];
        for (const [index, batch] of batches.entries()) {
            // Cancelled hosts are not failures.
            const stop = index === 0 || signal.aborted ? undefined : tooManyFailures(this.#works, this.#settings);
            if (stop !== undefined) {
                const rest = batches.slice(index).flat();
                await mapLimited(rest, maxParallel, async ({ work }) => {
                    await this.#end(work, { status: "skipped", error: failure_makeFailure({ phase: work.host.phase, ...stop }) });
                });
                return;
            }
            if (batches.length > 1 && !signal.aborted) {
                const names = batch.map(({ work }) => work.host.machine.target.name);
                this.#log.batch(index + 1, batches.length, names);
            }
            await mapLimited(batch, maxParallel, async ({ work, ready }) => {
                await this.#step(work, async (own) => await work.host.activate(ready, own));
            });
        }
    }
    /** One step of a host; an error in it ends the host's work. */
    async #step(work, act) {
        const { host, stopwatch } = work;
        let outcome;
        try {
            outcome = await stopwatch.run(act);
        }
        catch (error) {
            const problems = [error, this.#settings.signal.reason];
            const noFlake = problems.find((problem) => problem instanceof NoFlakeError);
            if (noFlake !== undefined) {
                const skipped = failure_makeFailure({ phase: host.phase, reason: `not started: ${noFlake.message}`, outcome: "Nothing has changed on the machine" });
                return await this.#end(work, { status: "skipped", error: skipped });
            }
            const neverReached = error instanceof DeployError && error.unreachable && error.phase === "connect" && !host.arrived;
            if (neverReached && !stopwatch.cancelled && this.#settings.staging.onUnreachable === "skip") {
                work.unreachable = error.failure;
                return;
            }
            outcome = { status: host.undecided ? "unknown" : "failed", error: fleet_explain(error, host, stopwatch) };
        }
        if (outcome !== undefined)
            await this.#end(work, outcome);
    }
    async #end(work, outcome) {
        await work.host.release();
        work.result = work.host.result(outcome, work.stopwatch.seconds);
        this.#log.done(work.result);
    }
}
const fleet_mostNamed = 5;
/** Why no further batch may begin. */
function tooManyFailures(works, { staging, unusable }) {
    const failed = [...works.flatMap(({ result }) => result ?? []), ...unusable].filter(({ status }) => isFailure(status));
    const hosts = works.length + unusable.length;
    const most = amountOf(staging.maxFailures, hosts);
    if (failed.length <= most)
        return undefined;
    const names = failed.map(({ name, phase, status }) => `${name} (${phase}: ${status})`);
    return {
        reason: `skipped: ${failed.length} of ${hosts} hosts failed (max-failures: ${most})`,
        outcome: `Nothing has changed on the machine. Failed: ${listed(names, fleet_mostNamed)}`,
        topic: "not-activated",
    };
}
function fleet_explain(problem, host, stopwatch) {
    const { phase, outlook: outcome } = host;
    if (problem instanceof DeployError)
        return host.undecided ? failure_makeFailure({ ...problem.failure, phase, outcome }) : problem.failure;
    if (problem instanceof AnswerError) {
        const hint = "Find out what answers in the machine's place: its scripts and tools never print this";
        return failure_makeFailure({ phase, reason: `the machine's answer cannot be used: ${problem.message}`, hint, outcome });
    }
    if (stopwatch.expired)
        return failure_makeFailure({ phase, reason: `the host took longer than the timeout of ${stopwatch.limit} s`, outcome, topic: "timeout" });
    if (stopwatch.cancelled)
        return failure_makeFailure({ phase, reason: "the run was cancelled", outcome });
    // An unexpected error is a bug: show its stack.
    const [reason = "", ...lines] = problem instanceof Error ? (problem.stack ?? problem.message).split("\n") : [String(problem)];
    return failure_makeFailure({ phase, reason, lines: lines.map((line) => line.trim()) });
}
;// CONCATENATED MODULE: ./out/src/deploy/flake-or-none.js

/**
 * Has a run end with a `NoFlakeError` where its flake cannot be fetched: the flake rejects with it, and the signal is aborted with it,
 * as hosts that are being connected need not go on.
 */
function flakeOrNone(fetching, cancelled) {
    const noFlake = new AbortController();
    const flake = fetching?.catch((error) => {
        const noFlakeError = new NoFlakeError(`the flake could not be fetched (${briefReason(error)})`, { cause: error });
        noFlake.abort(noFlakeError);
        throw noFlakeError;
    });
    // It may reject before, or without, any host that waits for it.
    flake?.catch(() => undefined);
    return { flake, signal: AbortSignal.any([cancelled, noFlake.signal]) };
}
;// CONCATENATED MODULE: ./out/src/github/event.js



/** Reads the event from what the runner says of it. */
function readEvent(environment) {
    return { name: environment["GITHUB_EVENT_NAME"] ?? "", payload: readPayload(environment["GITHUB_EVENT_PATH"]) };
}
function readPayload(path) {
    if (path === undefined)
        return undefined;
    try {
        return parseJson((0,external_node_fs_namespaceObject.readFileSync)(path, "utf8"));
    }
    catch {
        return undefined;
    }
}
/**
 * Says why the code of an event's run may come from people without write access; `undefined` for an event whose code is trusted.
 * A payload that does not say where the code comes from counts as one from a fork. The fields are those of GitHub's webhook payloads.
 */
function untrustedCode({ name, payload }) {
    switch (name) {
        case "pull_request_target":
            return "pull_request_target gives secrets to runs on pull requests, which anyone may open";
        case "workflow_run":
            return sameRepository(field(payload, "workflow_run", "head_repository"), field(payload, "repository"))
                ? undefined
                : "the workflow_run was started by a run on a fork";
        case "pull_request":
        case "pull_request_review":
        case "pull_request_review_comment":
            return sameRepository(field(payload, "pull_request", "head", "repo"), field(payload, "pull_request", "base", "repo"))
                ? undefined
                : `the pull request of this ${name} event comes from a fork`;
        case "issue_comment":
            // A comment on an issue runs the default branch. One on a pull request does not say whose branch that is.
            if (payload !== undefined && field(payload, "issue", "pull_request") === undefined)
                return undefined;
            return "anyone may comment on a pull request (issue_comment), and the pull request may come from a fork";
        default:
            return undefined;
    }
}
/** Throws an `InputError` for an event whose code may come from people without write access. */
function requireTrustedCode(event) {
    const why = untrustedCode(event);
    if (why === undefined)
        return;
    const advice = "Deploy from an event such as push or workflow_dispatch";
    throw new InputError([{ input: "allow-unsafe-event", problem: `is false, but ${why}`, advice, topic: "unsafe-event" }]);
}
function sameRepository(head, base) {
    const [one, other] = [field(head, "id"), field(base, "id")];
    return typeof one === "number" && one === other;
}
;// CONCATENATED MODULE: ./out/src/github/outputs.js




// The other outputs get the other half.
const longestResults = charactersOfOutputs / 2;
/** Renders every output of the action, by its name in `action.yml`; an output without a value is empty. */
function renderOutputs({ results, status, storePath, flakeReference, summaryPath }) {
    const only = results.length === 1 ? results[0] : undefined;
    return {
        "store-path": storePath ?? "",
        "flake-ref": flakeReference ?? "",
        status,
        results: renderResults(results),
        changed: String(results.some((result) => result.changed)),
        deployed: String(results.filter((result) => result.status === "deployed").length),
        failed: String(results.filter((result) => isFailure(result.status)).length),
        "summary-path": summaryPath ?? "",
        "system-path": only?.systemPath ?? "",
        "previous-system-path": only?.previousSystemPath ?? "",
        "exit-code": only?.exitCode?.toString() ?? "",
    };
}
/** The results as JSON, with shorter errors where they would not fit. */
function renderResults(results) {
    const render = (longestError) => JSON.stringify(results.map((result) => ({
        name: result.name,
        target: result.target,
        configuration: result.configuration ?? null,
        status: result.status,
        phase: result.phase,
        "system-path": result.systemPath ?? null,
        "previous-system-path": result.previousSystemPath ?? null,
        generation: result.generation ?? null,
        "previous-generation": result.previousGeneration ?? null,
        changed: result.changed,
        "exit-code": result.exitCode ?? null,
        "failed-units": result.failedUnits,
        inhibitors: inhibitorsOf(result),
        seconds: result.seconds,
        error: result.error === undefined ? null : shorten(renderFailure(result.error), longestError),
    })));
    for (let longestError = 10_000;; longestError = Math.floor(longestError / 2)) {
        const text = render(longestError);
        if (text.length <= longestResults || longestError === 0)
            return text;
    }
}
/** Those that a plan foresees, or that have refused an activation. */
function inhibitorsOf({ plan, error }) {
    return [...new Set([...(plan?.inhibitors ?? []), ...(error?.causes ?? []).flatMap((cause) => (cause.kind === "inhibitor" ? cause.changes : []))])];
}
function shorten(text, length) {
    return text.length <= length ? text : `${text.slice(0, length)}…`;
}
/** Sets every output. */
function setOutputs(report) {
    for (const [name, value] of Object.entries(renderOutputs(report)))
        setOutput(name, value);
}
/** The status of a whole run. */
function statusOf(results, endedEarly) {
    const worst = worstStatus(results);
    // Hosts that a run has skipped because it ended early do not make it a success.
    return endedEarly && !isFailure(worst) ? "failed" : worst;
}
;// CONCATENATED MODULE: ./out/src/domain/duration.js
/** A number of seconds for people: `0.4 s`, `12 s`, `3 min 20 s`. Tenths are for less than ten seconds. */
function renderDuration(seconds) {
    if (seconds < 9.95)
        return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
;// CONCATENATED MODULE: ./out/src/report/summary/markdown.js

// Output of machines is only in code spans, where Markdown has no effect, in fenced blocks whose lines all begin with a sign of
// the action, or escaped in `<pre>` and `<code>`, which are HTML. In none of them GitHub makes mentions, links or emoji.
/** Escapes a text for HTML. */
function escapeHtml(text) {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
/**
 * Renders one line of text as a code span (CommonMark 6.1) that may be in a table. Tables are split at pipes before anything
 * else is parsed, and a backslash before an escaped pipe still splits: a pipe becomes a broken bar.
 */
function codeSpan(text) {
    const line = oneLine(text).replaceAll("|", "¦");
    const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
    const fence = "`".repeat(longest + 1);
    return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}
/** Renders one line of text as code in HTML. */
function htmlCode(text) {
    return `<code>${escapeHtml(oneLine(text))}</code>`;
}
// A store path has up to 255 characters; a longer name is not readable.
const markdown_longestLine = 300;
/** The text as one line without what cannot be seen, and not too long; a text of which nothing can be seen is a question mark. */
function oneLine(text) {
    const line = visible(text.replaceAll(/\s+/g, " ")).trim() || "?";
    return line.length <= markdown_longestLine ? line : `${Array.from(line).slice(0, markdown_longestLine).join("")}…`;
}
/** A line without control characters, and without those that turn the direction of the text around them. */
function visible(line) {
    return printable(line).replaceAll(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, "");
}
function byteLength(text) {
    return Buffer.byteLength(text);
}
/** Renders a text of several lines as a block; one that needs more bytes than these loses its middle. */
function preformatted(text, bytes) {
    return `<pre>${markdown_shorten(text, bytes)}</pre>\n`;
}
function markdown_shorten(text, bytes) {
    // A character needs at least one byte: what exceeds that cannot fit, and is not processed.
    const cut = text.length > 2 * bytes ? `${text.slice(0, bytes)}\n${text.slice(-bytes)}` : text;
    const lines = cut.split("\n").map(visible).join("\n");
    const whole = escapeHtml(lines);
    if (cut === text && byteLength(whole) <= bytes)
        return whole;
    const characters = Array.from(lines);
    const beginning = fitting(characters, bytes / 2);
    const end = fitting(characters.toReversed(), bytes / 2);
    return `${escapeHtml(beginning.join(""))}\n… shortened; see the log for the rest …\n${escapeHtml(end.toReversed().join(""))}`;
}
/** The first characters that need no more than these bytes once they are escaped. */
function fitting(characters, bytes) {
    let left = bytes;
    const beyond = characters.findIndex((character) => (left -= byteLength(escapeHtml(character))) < 0);
    return characters.slice(0, beyond === -1 ? undefined : beyond);
}
;// CONCATENATED MODULE: ./out/src/report/summary/headline.js




// As many as fit on a line.
const headline_mostNamed = 8;
/** What a reader sees first: how it ended, the counts, who failed, and what was deployed. */
function renderHeadline(results, flake, endedEarly, reason) {
    const below = [counts(results), failed(results), flake === undefined ? "" : describeFlake(flake)].filter((line) => line !== "");
    const why = reason === undefined ? "" : `: ${codeSpan(reason)}`;
    return `### ${headline(results, endedEarly)}${why}\n\n${below.join("  \n")}\n\n`;
}
function headline(results, endedEarly) {
    const failures = results.filter(({ status }) => isFailure(status)).length;
    if (results.length === 0)
        return endedEarly ? "❌ The run ended before any host was deployed" : "✅ No hosts to deploy";
    const hosts = results.length === 1 ? "1 host" : `${results.length} hosts`;
    if (failures > 0)
        return `❌ ${failures} of ${hosts} failed${endedEarly ? ", and the run ended early" : ""}`;
    if (endedEarly && results.every(({ status }) => status === "skipped"))
        return `❌ No host was deployed (${hosts} skipped)`;
    if (endedEarly)
        return `❌ The run ended early; none of ${hosts} failed`;
    const done = results.filter(({ status }) => status !== "skipped");
    const skipped = results.length - done.length;
    const { sign, word } = achieved(done);
    return skipped === 0 ? `${sign} ${hosts} ${word}` : `⚠️ ${done.length} of ${hosts} ${word}, ${skipped} skipped`;
}
/** What became of hosts of which none failed. */
function achieved(hosts) {
    if (hosts.some(({ status }) => status === "degraded"))
        return { sign: "⚠️", word: "deployed, with failed units" };
    if (hosts.every(({ status }) => status === "unchanged"))
        return { sign: "✅", word: "unchanged" };
    return { sign: "✅", word: hosts.every(({ status }) => status === "planned" || status === "unchanged") ? "planned" : "deployed" };
}
function counts(results) {
    const numbers = statuses.toReversed().map((status) => ({ status, count: results.filter((result) => result.status === status).length }));
    const texts = numbers.flatMap(({ status, count }) => (count === 0 ? [] : [`${count} ${status}`]));
    const end = Math.max(0, ...results.flatMap(({ timeline }) => timeline.map((span) => span.end)));
    return texts.length === 0 ? "" : [...texts.map((text) => `**${text}**`), ...(end === 0 ? [] : [renderDuration(end)])].join(" · ");
}
function failed(results) {
    const names = results.filter(({ status }) => isFailure(status)).map(({ name, phase }) => `${codeSpan(name)} (${phase})`);
    // One is the only row that is red in any case.
    if (names.length === 0 || results.length === 1)
        return "";
    return `Failed: ${listed(names, headline_mostNamed)}`;
}
function describeFlake({ source, revision, subdirectory, dirty }) {
    return [
        revision === undefined ? "Flake without a revision" : `Flake at revision ${codeSpan(revision)}`,
        subdirectory === "" ? "" : `, directory ${codeSpan(subdirectory)}`,
        dirty ? ", with uncommitted changes" : "",
        `, source ${codeSpan(source)}`,
    ].join("");
}
;// CONCATENATED MODULE: ./out/src/report/summary/table.js



const tableHead = "| | host | status | phase | generation | packages | size | seconds |\n|---|---|---|---|---|---|--:|--:|\n";
/** The row of one host. */
function renderRow(result) {
    const { name, target, configuration, status, phase, seconds, difference } = result;
    const where = tellsMore(target, name) ? ` ${codeSpan(target)}` : "";
    const what = configuration === undefined || configuration === name ? "" : ` ${codeSpan(`#${configuration}`)}`;
    const size = difference === undefined ? "" : signedSize(difference.bytes).replace(" ", "\u00A0");
    return `| ${[mark(result), codeSpan(name) + where + what, status, phase, generation(result), table_packages(difference), size, seconds.toFixed(1)].join(" | ")} |\n`;
}
/** Returns whether a target shows more than the name: `web1` is enough for `root@web1` and `root@web1.example.org`. */
function tellsMore(target, name) {
    const host = target.slice(target.lastIndexOf("@") + 1);
    return target !== name && host !== name && !host.startsWith(`${name}.`);
}
const marks = {
    unchanged: "💤",
    planned: "📋",
    deployed: "✅",
    skipped: "➖",
    degraded: "⚠️",
    "rolled-back": "↩️",
    failed: "❌",
    unknown: "❌",
    "rollback-failed": "❌",
};
/** The sign of a status. */
function mark({ status }) {
    return marks[status];
}
function generation({ previousGeneration: old, generation: now }) {
    if (now === undefined)
        return old === undefined ? "" : String(old);
    return old === now ? String(now) : `${old ?? "–"} → ${now}`;
}
/** How many packages were added, removed and changed: `+2 −1 ~14`. */
function table_packages(difference) {
    if (difference === undefined)
        return "";
    const { added, removed, changed } = countChanges(difference);
    const counts = [added > 0 ? `+${added}` : "", removed > 0 ? `−${removed}` : "", changed > 0 ? `~${changed}` : ""].filter((text) => text !== "");
    return counts.length === 0 ? "–" : counts.join(" ");
}
;// CONCATENATED MODULE: ./out/src/report/summary/section.js










const section_longestName = 120;
/** What went wrong on a host, in no more than about these bytes, and where to read about it; empty where nothing did. */
function errorPart({ status, error }, bytes, linkTo = linkToPath) {
    if (error === undefined)
        return isFailure(status) ? `${preformatted(status, bytes)}\n` : "";
    const help = error.topic === undefined ? "" : `${renderLink(linkTo(error.topic))}\n\n`;
    return `${preformatted(explained(error), bytes)}\n${help}`;
}
function renderLink(link) {
    return link.startsWith("https://") ? `[Troubleshooting](${link})` : `See ${codeSpan(link)}`;
}
/** One sentence per line, so that readers need not scroll sideways. */
function explained(error) {
    return [failureSentences(error).join(".\n"), ...renderFailureLines(error)].join("\n");
}
/** What the new system of a host brings: packages and units; empty where nothing is known of it. */
function detailsPart({ target, status, difference, plan, systemPath, previousSystemPath }, limits) {
    if (difference === undefined && plan === undefined)
        return "";
    const paths = systemPath === undefined ? "" : `: ${codeSpan(previousSystemPath ?? "nothing")} → ${codeSpan(systemPath)}`;
    return [
        `${codeSpan(target)}${paths}\n\n`,
        difference === undefined ? "" : renderDifference(difference, limits.packages),
        plan === undefined ? "" : renderPlan(plan, status, limits.units),
    ].join("");
}
/** Folds the parts of a host under its title; without any there is no section. */
function renderSection(result, error, details) {
    if (error === "" && details === "")
        return "";
    const { name, status, difference } = result;
    const what = isFailure(status) ? verdict(result) : status;
    const changes = difference === undefined ? "" : `, ${section_brief(difference)}`;
    return `<details><summary>${mark(result)} ${htmlCode(name)}: ${what}${changes}</summary>\n\n${error}${details}</details>\n\n`;
}
/** Folds many sections under one title. */
function foldSections(sections, title) {
    return `<details><summary>${title}</summary>\n\n${sections.join("")}</details>\n\n`;
}
function section_brief(difference) {
    const { added, removed, changed } = countChanges(difference);
    const counts = Object.entries({ added, removed, changed }).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
    return `${counts.length === 0 ? "no package changed" : counts.join(", ")}, ${signedSize(difference.bytes)}`;
}
const signs = { added: "+", removed: "-", changed: "!" };
/** A fenced block that GitHub colours as a diff. No line can end it, since each begins with a sign. */
function renderDifference(difference, most) {
    const { packages, files } = difference;
    const order = ["changed", "added", "removed"];
    const sorted = order.flatMap((kind) => packages.filter((change) => changeKind(change) === kind));
    const lines = sorted.slice(0, most).map((change) => `${signs[changeKind(change)]} ${packageLine(change)}`);
    const rest = packages.length - lines.length;
    if (rest > 0)
        lines.push(`# ${andMore(rest, "packages")}`);
    const beside = files === 0 ? "" : `; ${files === 1 ? "1 generated file" : `${files} generated files`}`;
    const block = lines.length === 0 ? "" : `\`\`\`diff\n${lines.join("\n")}\n\`\`\`\n\n`;
    return `${renderCounts(difference).replace(/^p/, "P")}${beside}\n\n${block}`;
}
function packageLine(change) {
    const line = oneLine(renderChange(change));
    const short = line.length <= section_longestName ? line : `${line.slice(0, section_longestName)}…`;
    return change.bytes === 0 ? short : `${short} (${signedSize(change.bytes)})`;
}
const planned = {
    stop: "would stop",
    restart: "would restart",
    reload: "would reload",
    start: "would start",
    again: "would run again",
    keep: "would not restart despite changes",
};
const section_verbs = {
    activation: { stop: "stopped", restart: "restarted", reload: "reloaded", start: "started", again: "ran again", keep: "not restarted despite changes" },
    rehearsal: planned,
    "unit-files": planned,
};
const sources = {
    activation: "Units (reported by the activation)",
    rehearsal: "Units (reported by `dry-activate`)",
    "unit-files": "Units (from a comparison of the unit files)",
};
function renderPlan(plan, status, most) {
    const before = status === "rolled-back" && plan.source === "activation" ? ", before the rollback" : "";
    const title = `${sources[plan.source]}${before}`;
    const inhibitors = plan.inhibitors.map((inhibitor) => `- switch inhibitor: ${codeSpan(inhibitor)}: \`switch\` and \`test\` would be refused\n`).join("");
    if (touchesNoUnit(plan))
        return `${title}: none\n\n${inhibitors === "" ? "" : `${inhibitors}\n`}`;
    const lists = unitActions.flatMap((action) => {
        const units = plan[action];
        if (units.length === 0)
            return [];
        return [`- ${section_verbs[plan.source][action]}: ${listed(units.map(codeSpan), most)}\n`];
    });
    const systemd = plan.reexecutes ? `- systemd ${plan.source === "activation" ? "was" : "would be"} re-executed\n` : "";
    return `${title}:\n\n${lists.join("")}${systemd}${inhibitors}\n`;
}
;// CONCATENATED MODULE: ./out/src/report/summary/timeline.js

// Mermaid draws nothing of a text above 50,000 characters, and a chart with more rows than these is not readable.
const mostHosts = 60;
const mostSpans = 12;
const timeline_longestName = 40;
/**
 * Renders the phases of the hosts over time as a Gantt chart of Mermaid, one row a host; empty where there is nothing to see.
 * Where there are too many hosts, those that failed and those that took longest stay.
 */
function renderTimeline(results) {
    const seen = results.filter(({ timeline }) => timeline.length > 0);
    if (seen.length === 0)
        return "";
    const worst = seen.toSorted((one, other) => Number(isFailure(other.status)) - Number(isFailure(one.status)) || other.seconds - one.seconds);
    const chosen = new Set(worst.slice(0, mostHosts));
    const hosts = seen.filter((result) => chosen.has(result));
    const left = seen.length - hosts.length;
    const total = Math.max(...hosts.flatMap(({ timeline }) => timeline.map(({ end }) => end)));
    return [
        `<details open><summary>Timeline${left > 0 ? ` (without ${left} faster hosts)` : ""}</summary>\n`,
        "```mermaid",
        "---",
        "displayMode: compact",
        "config:",
        "  gantt:",
        "    barHeight: 14",
        "    barGap: 3",
        "    fontSize: 10",
        "    sectionFontSize: 12",
        // Mermaid always puts the axis 50 above the lower edge.
        "    topPadding: 50",
        "    gridLineStartPadding: 35",
        "    leftPadding: 120",
        "---",
        "gantt",
        // Times of a day without a zone: what Mermaid reads as local time it also writes as local time.
        "  dateFormat YYYY-MM-DD HH:mm:ss.SSS",
        `  axisFormat ${total >= 3600 ? "%H:%M:%S" : "%M:%S"}`,
        `  tickInterval ${tickInterval(total)}`,
        ...hosts.flatMap((result) => [`  section ${sectionName(result.name)}`, ...result.timeline.slice(0, mostSpans).map((span) => task(span, result, total))]),
        "```\n",
        legend(hosts),
        "</details>\n\n",
    ].join("\n");
}
// Seconds. By default Mermaid sets ticks at fractions of a second, which the labels do not show.
const ticks = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600];
const mostTicks = 12;
function tickInterval(total) {
    const seconds = ticks.find((step) => total / step <= mostTicks) ?? 86_400;
    if (seconds < 60)
        return `${seconds}second`;
    return seconds < 3600 ? `${seconds / 60}minute` : `${seconds / 3600}hour`;
}
// The four styles of a task in Mermaid.
const looks = { connect: "done", copy: "done", build: "active", activate: "", confirm: "", rollback: "crit" };
function task(span, { status, phase, timeline }, total) {
    const { begin, end } = span;
    const failed = isFailure(status) && span.phase === phase && span === timeline.findLast((other) => other.phase === phase);
    const look = failed ? "crit" : looks[span.phase];
    // Nothing that lasts no time at all would be seen.
    const milliseconds = Math.max(1, Math.round((end - begin) * 1000));
    const label = fits(span, total) ? span.phase : "\u2800";
    return `  ${label} :${look === "" ? "" : `${look}, `}${moment(begin)}, ${milliseconds}ms`;
}
// A label that does not fit would lie over the next bar: the chart is about 900 wide, and a letter 6.
function fits({ phase, begin, end }, total) {
    return ((end - begin) / total) * 900 > phase.length * 6 + 6;
}
function moment(seconds) {
    return new Date(Date.UTC(2000, 0, 1) + Math.round(seconds * 1000)).toISOString().replace("T", " ").slice(0, -1);
}
/**
 * The name without characters that are special to Mermaid: `;`, `#`, `:`, `%` and quotes. Mermaid looks names up in an object
 * that already has `constructor` and the like.
 */
function sectionName(name) {
    const plain = name.replaceAll(/[^A-Za-z0-9_.-]/g, "_").slice(0, timeline_longestName) || "_";
    return plain in {} ? `${plain}_` : plain;
}
function legend(hosts) {
    const failed = hosts.some(({ status }) => isFailure(status));
    return `Grey: connect and copy. Light: build. Dark: activate and confirm.${failed ? " Red: the failed phase and the rollback." : ""} Minutes and seconds since the run began.\n`;
}
;// CONCATENATED MODULE: ./out/src/report/summary/page.js







const everywhere = { bytes: Number.POSITIVE_INFINITY, name: "" };
// Of one host, where there is room.
const mostBytesOfError = 16_000;
const leastBytesOfError = 400;
const mostPackages = 300;
const leastPackages = 10;
const page_mostUnits = 100;
// The most sections of successful hosts that are not folded under one title.
const mostUnfolded = 12;
const bytesOfNote = 600;
// What folds a section, roughly.
const bytesOfFold = 500;
// A package's line, roughly.
const bytesOfPackage = 60;
/**
 * Renders the summary as GitHub's Markdown, of the results alone.
 *
 * What does not fit into its place is dropped, least important first: the middle of long errors and the ends of long lists, the
 * timeline, the changes on hosts that did not fail, then on those that failed, rows of hosts that did not fail, errors, rows of failed hosts. The last line then says what is missing.
 */
function renderSummary(results, flake, { endedEarly = false, reason, place = everywhere, linkTo = linkToPath } = {}) {
    const head = renderHeadline(results, flake, endedEarly, reason);
    const failed = results.filter(({ status }) => isFailure(status));
    const fine = results.filter(({ status }) => !isFailure(status));
    const budget = new Budget(place.bytes - byteLength(head) - byteLength(tableHead) - bytesOfNote);
    const rowsOfFailed = budget.take(failed, renderRow);
    // A part is kept for what comes after, as long as each can still say something.
    const share = (hosts) => Math.floor((budget.left * 0.8) / Math.max(1, hosts.length)) - bytesOfFold;
    const bytesOfError = Math.min(mostBytesOfError, Math.max(leastBytesOfError, share(failed)));
    const errors = budget.take(failed, (result) => renderSection(result, errorPart(result, bytesOfError, linkTo), ""));
    const rowsOfFine = budget.take(fine, renderRow);
    const packages = Math.min(mostPackages, Math.max(leastPackages, Math.floor(share(results) / bytesOfPackage)));
    const limits = { packages, units: Math.min(page_mostUnits, packages) };
    const details = budget.take([...failed, ...fine], (result) => renderSection(result, "", detailsPart(result, limits)));
    const timeline = renderTimeline(results);
    const timelineFits = budget.fits(timeline);
    const rows = results.filter((result) => rowsOfFailed.has(result) || rowsOfFine.has(result)).map(renderRow);
    const section = (result) => renderSection(result, errors.has(result) ? errorPart(result, bytesOfError, linkTo) : "", details.has(result) ? detailsPart(result, limits) : "");
    const sectionsOfFine = fine.map(section).filter((text) => text !== "");
    return [
        head,
        // What a reader looks for first.
        ...failed.map(section),
        rows.length === 0 ? "" : `${tableHead}${rows.join("")}\n`,
        timelineFits ? timeline : "",
        ...(sectionsOfFine.length > mostUnfolded ? [foldSections(sectionsOfFine, `Changes on ${sectionsOfFine.length} hosts`)] : sectionsOfFine),
        note(place, [
            timelineFits ? "" : "the timeline",
            missing("the changes on", fine, details),
            missing("the changes on", failed, details, " that failed"),
            missing("", fine, rowsOfFine, " that did not fail"),
            missing("the errors of", failed, errors),
            missing("", failed, rowsOfFailed, " that failed"),
        ]),
    ].join("");
}
function missing(what, hosts, taken, which = "") {
    const count = hosts.filter((result) => !taken.has(result)).length;
    return count === 0 ? "" : `${what} ${count} hosts${which}`.trim();
}
function note({ name }, parts) {
    const left = parts.filter((part) => part !== "");
    return left.length === 0 ? "" : `Shortened to fit GitHub's limit for a ${name}; left out: ${left.join(", ")}. See the log for everything.\n`;
}
/** Bytes that are given away in the order of importance. */
class Budget {
    left;
    constructor(bytes) {
        this.left = bytes;
    }
    /** Takes hosts in their order until one does not fit. */
    take(hosts, render) {
        const end = hosts.findIndex((host) => !this.fits(render(host)));
        return new Set(end === -1 ? hosts : hosts.slice(0, end));
    }
    /** Takes a text, where it fits. */
    fits(text) {
        const size = byteLength(text);
        if (size > this.left)
            return false;
        this.left -= size;
        return true;
    }
}
;// CONCATENATED MODULE: ./out/src/github/report.js











/**
 * Sets the outputs, annotates every failed host, writes the summary, and returns whether the step is green. A channel that cannot be
 * written does not stop the others; without outputs the step is not green.
 */
function reportEnd({ results, arrived, flake, sent, endedEarly, reason, summary }, log) {
    log.resume();
    const summaryPath = writeComment(() => renderSummary(results, flake, { endedEarly, reason, place: comment, linkTo: log.linkTo }), log);
    const outputsAreSet = setAllOutputs({
        results,
        status: statusOf(results, endedEarly),
        storePath: arrived ? flake?.source : undefined,
        flakeReference: referenceFor(flake, sent),
        summaryPath,
    }, log);
    // A run that ended early has annotated its reason already, which is also that of its hosts.
    if (endedEarly)
        log.line(`The run ended early${reason === undefined ? "" : `: ${reason}`}`);
    else
        annotateHosts(results, log);
    const failed = results.some((result) => isFailure(result.status));
    if (failed)
        log.line(failureSummary(results));
    if (summary)
        writeSummary(() => renderSummary(results, flake, { endedEarly, reason, place: jobSummary, linkTo: log.linkTo }), log);
    log.resume();
    return !failed && !endedEarly && outputsAreSet;
}
/** The reference for use by hand: only the outer flake has the machines of a hive where nixos-rebuild looks for them. */
function referenceFor(flake, sent) {
    if (sent?.hive === true)
        return outerReference(sent);
    return flake === undefined ? undefined : flakeReference(flake);
}
function annotateHosts(results, log) {
    log.annotateAll("error", failureAnnotations(results, annotationsOfStep, log.linkTo));
    log.annotateAll("warning", skippedAnnotations(results, log.linkTo));
}
function setAllOutputs(report, log) {
    try {
        setOutputs(report);
        return true;
    }
    catch (error) {
        log.annotate("error", "The outputs could not be set", `Some or all of them are missing in later steps: ${messageOf(error)}`);
        return false;
    }
}
/** Writes the summary into a file that outlives the step: the runner clears its directory after the job. Returns its path. */
function writeComment(render, log) {
    const file = (0,external_node_path_namespaceObject.join)(runnerTemp(), `nix-flake-deploy-summary-${(0,external_node_crypto_namespaceObject.randomBytes)(6).toString("hex")}.md`);
    try {
        (0,external_node_fs_namespaceObject.writeFileSync)(file, render(), { flag: "wx" });
        return file;
    }
    catch (error) {
        log.annotate("warning", "The summary file could not be written", messageOf(error));
        return undefined;
    }
}
/** Appends to the job summary. Synchronous, as the process ends right after; a summary that cannot be written fails nothing. */
function writeSummary(render, log) {
    const file = process.env["GITHUB_STEP_SUMMARY"];
    if (file === undefined || file === "")
        return;
    try {
        (0,external_node_fs_namespaceObject.appendFileSync)(file, render());
    }
    catch (error) {
        log.annotate("warning", "The job summary could not be written", messageOf(error));
    }
}
;// CONCATENATED MODULE: ./out/src/report/host-lines.js
// Lines and characters of one host that are kept from the beginning, and from the end: some 16 MiB at most.
const keptAtBeginning = { lines: 5000, characters: 1_000_000 };
const keptAtEnd = { lines: 20_000, characters: 2_000_000 };
/** Lines of one host that are shown; further ones are counted. */
const mostShown = 100_000;
// Of very long lines fewer are shown.
const mostCharacters = 64_000_000;
/** The lines of one host; a very long log loses its middle. */
class HostLines {
    #beginning = [];
    #end = [];
    /** Lines at the beginning of `#end` that are left out already. */
    #gone = 0;
    #characters = { beginning: 0, end: 0, all: 0 };
    #lines = 0;
    #left = 0;
    #counted = 0;
    /** Takes a line of the machine. Returns false where it is only counted, as there were too many before it. */
    push(line) {
        this.#lines += 1;
        this.#characters.all += line.length;
        if (this.#lines > mostShown || this.#characters.all > mostCharacters) {
            this.#counted += 1;
            return false;
        }
        this.note(line);
        return true;
    }
    /** Takes a line of the action itself, which is always shown. */
    note(line) {
        if (this.#left === 0 &&
            this.#end.length === 0 &&
            this.#beginning.length < keptAtBeginning.lines &&
            this.#characters.beginning < keptAtBeginning.characters) {
            this.#characters.beginning += line.length;
            this.#beginning.push(line);
            return;
        }
        this.#characters.end += line.length;
        this.#end.push(line);
        while (this.#end.length - this.#gone > keptAtEnd.lines || this.#characters.end > keptAtEnd.characters)
            this.#dropOldest();
    }
    /** How many lines were only counted. */
    get counted() {
        return this.#counted;
    }
    *all() {
        yield* this.#beginning;
        if (this.#left > 0)
            yield `… ${this.#left} lines omitted …`;
        yield* this.#end.slice(this.#gone);
        if (this.#counted > 0)
            yield `… ${this.#counted} more lines of this host omitted …`;
    }
    #dropOldest() {
        this.#characters.end -= this.#end[this.#gone]?.length ?? 0;
        this.#end[this.#gone] = "";
        this.#gone += 1;
        this.#left += 1;
        if (this.#gone <= keptAtEnd.lines)
            return;
        this.#end.splice(0, this.#gone);
        this.#gone = 0;
    }
}
;// CONCATENATED MODULE: ./out/src/report/progress.js




// Names that a line has for a phase.
const progress_mostNamed = 5;
const ended = {
    connect: "connected",
    copy: "copied",
    build: "built",
    activate: "activated",
    confirm: "confirmed",
    rollback: "rolled back",
};
const going = {
    connect: "connecting",
    copy: "copying",
    build: "building",
    activate: "activating",
    confirm: "confirming",
    rollback: "rolling back",
};
/** `web1: built in 12 s (3 paths)` */
function endedLine({ name, phase, seconds }, detail) {
    return `${name}: ${ended[phase]} in ${renderDuration(seconds)}${detail === undefined ? "" : ` (${detail})`}`;
}
/** `batch 1 of 3: web1, web2 and 4 more` */
function batchLine(number, batches, names) {
    return `batch ${number} of ${batches}: ${listed(names, progress_mostNamed)}`;
}
/** `web1: deployed after 12.5 s` */
function doneLine({ name, status, seconds }) {
    return `${name}: ${status} after ${renderDuration(seconds)}`;
}
/** The title of a host's whole log. */
function doneTitle({ name, status }) {
    return `${isFailure(status) ? "✗" : "✓"} ${name}: ${status}`;
}
/** `running for 2 min 3 s: building web1 (40 s), web2 (38 s)`; `undefined` where no host is in a phase. */
function workLine(places, seconds) {
    const parts = Object.entries(going).flatMap(([phase, word]) => {
        const here = places.filter((place) => place.phase === phase && !place.over);
        return here.length === 0
            ? []
            : [
                `${word} ${listed(here.map((place) => `${place.name} (${howFar(place)})`), progress_mostNamed)}`,
            ];
    });
    return parts.length === 0 ? undefined : `running for ${renderDuration(seconds)}: ${parts.join("; ")}`;
}
/** Which machine is in which phase, one per line, for a run that ends before they do. */
function runningHostsText(places) {
    if (places.length === 0)
        return "No host was in progress.";
    const lines = places.map(({ name, phase, over }) => `${name}: ${over ? ended[phase] : phase}${phase === "activate" ? " (the activation is still running on the machine)" : ""}`);
    return ["Hosts in progress, with their phase:", ...lines].join("\n");
}
function howFar({ seconds, copied }) {
    return copied === undefined ? renderDuration(seconds) : `${renderDuration(seconds)}, ${renderCopying(copied)}`;
}
;// CONCATENATED MODULE: ./out/src/github/run-log.js




// With more hosts, the output of the machines would hide the progress: it is then only in the groups.
const mostStreamed = 8;
// Milliseconds without any line, and without a line about progress while machines print output, after which a line shows what
// is still running.
const silence = 15_000;
const talk = 60_000;
/**
 * Shows the progress of a run: a line whenever a host has ended a phase (`[7/50] web3: built in 12 s`, the seventh to do so),
 * a line about what is running after a silence, or after a long time of output from machines only, and each host's whole log in
 * a group when it is done. With few hosts, their lines are also streamed, prefixed with the name.
 */
class WorkflowRunLog {
    #log;
    #hosts = new Map();
    #places = new Map();
    #counts = new Map();
    #done = new Set();
    #total = 1;
    #begin = performance.now();
    #lastLine = performance.now();
    #lastProgress = performance.now();
    #heartbeat;
    constructor(log) {
        this.#log = log;
    }
    begin(hosts) {
        this.#total = hosts;
        this.#begin = performance.now();
        this.#heartbeat = setInterval(() => this.#beat(), 1000);
        this.#heartbeat.unref();
    }
    end() {
        clearInterval(this.#heartbeat);
    }
    host(target) {
        const { name } = target;
        const lines = this.#hosts.get(name) ?? new HostLines();
        this.#hosts.set(name, lines);
        const stream = (text) => {
            if (this.#total <= mostStreamed)
                this.#streamed(`[${name}] ${text}`);
        };
        const line = (text) => {
            lines.note(text);
            stream(text);
        };
        const output = (text) => {
            if (lines.push(text))
                stream(text);
            else if (lines.counted === 1)
                stream("… more lines of this host omitted …");
        };
        return {
            phase: (phase) => {
                const place = this.#places.get(name);
                // A phase that is tried again goes on.
                if (place?.phase !== phase || place.over)
                    this.#places.set(name, { phase, since: performance.now(), over: false, copying: undefined });
                line(`== ${phase}`);
            },
            ended: (detail) => {
                const place = this.#places.get(name);
                if (place === undefined)
                    return;
                place.over = true;
                this.#line(`${this.#count(place.phase)} ${endedLine(placeAt(name, place), detail)}`);
            },
            copying: (progress) => {
                const place = this.#places.get(name);
                if (place !== undefined)
                    place.copying = progress;
            },
            output,
            note: (text, topic) => {
                for (const each of [text, ...seeAlso(topic, this.#log.linkTo)])
                    line(each);
            },
            warn: (text, topic) => {
                lines.note(`warning: ${text}`);
                this.#log.annotate("warning", name, [text, ...seeAlso(topic, this.#log.linkTo)].join("\n"));
            },
        };
    }
    batch(number, batches, names) {
        this.#line(batchLine(number, batches, names));
    }
    /** Renders which host is in which phase, for a run that ends early. */
    runningHosts() {
        return runningHostsText(this.#allPlaces());
    }
    done(result) {
        const { name, error } = result;
        if (error !== undefined) {
            const text = [renderFailure(error), ...seeAlso(error.topic, this.#log.linkTo)].join("\n");
            for (const line of text.split("\n"))
                this.#line(`[${name}] ${line}`);
        }
        // A result may be corrected; the host is not counted again.
        const count = this.#done.has(name) ? `[${this.#done.size}/${this.#total}]` : this.#count("done");
        this.#done.add(name);
        this.#line(`${count} ${doneLine(result)}`);
        this.#log.group(doneTitle(result), this.#hosts.get(name)?.all() ?? []);
        this.#hosts.delete(name);
        this.#places.delete(name);
    }
    #line(text) {
        this.#lastProgress = performance.now();
        this.#streamed(text);
    }
    #streamed(text) {
        this.#lastLine = performance.now();
        this.#log.line(text);
    }
    /** `[7/50]`: how many of the hosts have got so far. */
    #count(what) {
        const count = (this.#counts.get(what) ?? 0) + 1;
        this.#counts.set(what, count);
        return `[${count}/${this.#total}]`;
    }
    #beat() {
        const now = performance.now();
        if (now - this.#lastLine < silence && now - this.#lastProgress < talk)
            return;
        const line = workLine(this.#allPlaces(), secondsSince(this.#begin));
        if (line !== undefined)
            this.#line(line);
    }
    #allPlaces() {
        return [...this.#places].map(([name, place]) => placeAt(name, place));
    }
}
function placeAt(name, { phase, since, over, copying }) {
    return { name, phase, seconds: secondsSince(since), over, copied: copying?.() };
}
function secondsSince(since) {
    return (performance.now() - since) / 1000;
}
;// CONCATENATED MODULE: ./out/src/domain/compress.js
/** When source trees and systems travel compressed: where that is worth a question to the machine, whenever one is missing there, or never. */
const compressions = ["auto", "true", "false"];
;// CONCATENATED MODULE: ./out/src/nixos/rebuild-options.js


const inputs = "it changes which inputs are built; commit the change to flake.lock instead";
const lockFile = "a deployment never changes a lock file; run `nix flake lock` and commit flake.lock instead";
const flake = "use the inputs flake and targets (host#configuration)";
const rebuild_options_host = "the input targets sets the machine";
const rebuild_options_elevation = "use the inputs elevate and elevate-password";
const channels = "a flake has no channels; run `nix flake update` and commit flake.lock instead";
const rebuild_options_expression = "the system is an attribute of the flake; put what it needs into the flake";
const ofSwitch = "it has no effect on a build";
/**
 * The options of `nixos-rebuild`, from the manual pages and the parsers of both implementations (bash up to NixOS 25.05, Python
 * from 25.11): what `rebuild-args` may hold. They are arguments of `nixos-rebuild build`.
 */
const rebuildOptions = {
    program: "nixos-rebuild",
    // argparse without `append`; the bash implementation takes all.
    lastWins: ["--option"],
    settings: settingTable,
    options: [
        accepted("--builders", "remote machines that build, as in nix.conf(5)", ["BUILDERS"]),
        accepted("--cores", "processor cores that one build may use", ["NUMBER"]),
        accepted("--fallback", "build what cannot be downloaded"),
        accepted("--keep-failed", "keep the directory of a failed build"),
        accepted("--keep-going", "continue with other builds after one has failed"),
        accepted("--max-jobs", "number of builds at a time", ["NUMBER"], ["-j"]),
        accepted("--offline", "download nothing", [], ["--no-net"]),
        accepted("--option", "change a setting of Nix (below)", ["NAME", "VALUE"]),
        accepted("--print-build-logs", "print the logs of builds", [], ["-L"]),
        accepted("--quiet", "print less"),
        accepted("--refresh", "download again what was downloaded before"),
        accepted("--repair", "repair files that are damaged in the machine's store"),
        accepted("--show-trace", "show the whole trace of an evaluation error"),
        accepted("--verbose", "print more; each `v` is one level", [], ["-v", "-vv", "-vvv", "-vvvv", "-vvvvv"]),
        refused("-k", "flakes are built by `nix build`, which only supports --keep-going"),
        refused("-K", "flakes are built by `nix build`, which only supports --keep-failed"),
        refused("--no-build-output", "flakes are built by `nix build`, which prints no logs unless --print-build-logs is set", [], ["-Q"]),
        refused("--flake", flake, ["FLAKE"], ["-F"]),
        refused("--no-flake", flake),
        refused("--file", rebuild_options_expression, ["FILE"], ["-f"]),
        refused("--attr", rebuild_options_expression, ["ATTRIBUTE"], ["-A"]),
        refused("--include", rebuild_options_expression, ["PATH"], ["-I"]),
        refused("--arg", rebuild_options_expression, ["NAME", "EXPRESSION"]),
        refused("--argstr", rebuild_options_expression, ["NAME", "TEXT"]),
        refused("--impure", "the system would depend on the machine's environment, and the same commit would not always give the same system; put what it needs into the flake"),
        refused("--store-path", "the action activates the system that it has built", ["PATH"]),
        refused("--profile-name", "other profiles than the system profile are not supported", ["NAME"], ["-p"]),
        refused("--specialisation", "use the input specialisation", ["NAME"], ["-c"]),
        refused("--install-bootloader", "use the input install-bootloader", [], ["--install-grub"]),
        refused("--rollback", "use operation: rollback"),
        refused("--image-variant", "images are not supported", ["NAME"]),
        refused("--target-host", rebuild_options_host, ["HOST"]),
        refused("--build-host", `${rebuild_options_host}; use --builders for machines that build`, ["HOST"]),
        refused("--use-substitutes", "it is for --target-host and --build-host", [], ["--substitute-on-destination", "-s"]),
        refused("--no-ssh-tty", "it is for --target-host"),
        refused("--sudo", rebuild_options_elevation, [], ["--use-remote-sudo"]),
        refused("--ask-sudo-password", rebuild_options_elevation, [], ["--ask-elevate-password", "-S"]),
        refused("--elevate", rebuild_options_elevation, ["METHOD"]),
        refused("--upgrade", channels, [], ["--upgrade-all"]),
        refused("--override-input", inputs, ["INPUT", "FLAKE"]),
        refused("--update-input", inputs, ["INPUT"]),
        refused("--recreate-lock-file", lockFile),
        refused("--commit-lock-file", lockFile),
        refused("--no-write-lock-file", lockFile),
        refused("--no-update-lock-file", "the flake that is built has a complete flake.lock already"),
        refused("--no-registries", "a complete flake.lock needs no registry"),
        refused("--accept-flake-config", "it lets a flake change the settings of Nix; put the settings that you trust into nix.conf instead"),
        refused("--log-format", "the action parses the output of Nix", ["FORMAT"]),
        refused("--json", ofSwitch),
        refused("--fast", ofSwitch, [], ["--no-build-nix", "--no-reexec"]),
        refused("--diff", "use the input diff"),
        refused("--debug", "the bash implementation does not support it; use --verbose"),
        refused("--help", "nothing would be built", [], ["-h", "--version"]),
    ],
};
;// CONCATENATED MODULE: ./out/src/nixos/realise-command.js

// nix-store prints the output of builds unless it is told not to.
const printsLogs = "--print-build-logs";
// The options of rebuild-args that nix-store has too, with its words for them. The others concern the evaluation, which does not
// happen on the machine.
const words = {
    "--builders": ["--builders"],
    "--cores": ["--cores"],
    "--fallback": ["--fallback"],
    "--keep-failed": ["--keep-failed"],
    "--keep-going": ["--keep-going"],
    "--max-jobs": ["--max-jobs"],
    "--offline": ["--option", "substitute", "false"],
    "--option": ["--option"],
    "--quiet": ["--quiet"],
    "--repair": ["--repair"],
    "--verbose": ["--verbose"],
};
/**
 * Builds the call that has the machine build a derivation, or download what it builds, and link it as `result`. It is nix-store's,
 * which is the same in every version and needs no experimental feature. `--no-build-output` has it end the message of a failure with
 * the last lines of the log, as `nix build` does.
 */
function realiseCommand(derivation, rebuildArgs) {
    const options = optionsOf(rebuildArgs);
    const logs = options.some(({ name }) => name === printsLogs) ? [] : ["--no-build-output"];
    const args = options.flatMap(({ name, given }) => (words[name] === undefined ? [] : [...words[name], ...given]));
    return ["nix-store", "--realise", derivation, "--add-root", "result", ...logs, ...args];
}
/** The options of rebuild-args that concern an evaluation, and so mean nothing to a machine that only builds. */
function evaluationOptions(rebuildArgs) {
    return optionsOf(rebuildArgs).flatMap(({ name }) => (words[name] === undefined && name !== printsLogs ? [name] : []));
}
function optionsOf(rebuildArgs) {
    const found = [];
    for (let index = 0; index < rebuildArgs.length; index += 1) {
        const arg = rebuildArgs[index] ?? "";
        const row = rebuildOptions.options.find(({ name, aliases }) => name === arg || aliases.includes(arg));
        const given = rebuildArgs.slice(index + 1, index + 1 + (row?.words.length ?? 0));
        index += given.length;
        found.push({ name: row?.name ?? arg, given });
    }
    return found;
}
;// CONCATENATED MODULE: ./out/src/inputs/places.js



/** Checks what the inputs say about evaluating and building on the runner. Gives what is wrong to `refuse`. */
function checkPlaces(inputs, refuse) {
    const { places, operation, targets } = inputs;
    if (places.buildOn === "runner" && places.evaluateOn === "target") {
        refuse("evaluate-on", "is target, but build-on: runner builds what was evaluated on the runner; expected auto or runner");
    }
    if (!needsFlake(operation))
        return;
    places_checkArguments(inputs, refuse);
    const unnamed = targets.filter(({ buildOn, flakeBuildOn, configuration }) => configuration.kind === "hostname" && evaluatesHere(wayOf(places, buildOn, flakeBuildOn)));
    if (unnamed.length === 0)
        return;
    const names = unnamed.map(({ name }) => name).join(", ");
    refuse("targets", `gives no configuration for ${names}, which the runner evaluates before it connects to any host; expected host#configuration`);
}
/** Arguments that no machine would get are refused, not ignored. */
function places_checkArguments({ places, targets, rebuildArgs, buildArgs, archiveArgs, compress }, refuse) {
    const ways = waysOf(places, targets);
    if (!ways.has("rebuilt-there")) {
        const noInputs = "but the inputs of the flake are sent to no host";
        if (archiveArgs.length > 0)
            refuse("archive-args", `is set, ${noInputs}; remove it, or set build-on: target without evaluate-on: runner`);
    }
    if (compress === "true" && !ways.has("rebuilt-there") && !ways.has("built-here")) {
        refuse("compress", "is true, but derivations are sent without compression; expected auto or false");
    }
    if (buildArgs.length > 0 && !ways.has("built-here")) {
        refuse("build-args", "is set, but no system is built on the runner; use rebuild-args, or set build-on: runner");
    }
    if (rebuildArgs.length > 0 && !ways.has("rebuilt-there") && !ways.has("realised-there")) {
        refuse("rebuild-args", "is set, but no system is built on a host; use build-args, or set build-on: target");
    }
    const evaluation = evaluationOptions(rebuildArgs);
    if (evaluation.length > 0 && ways.has("realised-there")) {
        refuse("rebuild-args", `contains ${evaluation.join(", ")}, which concerns the evaluation; with evaluate-on: runner, hosts do not evaluate`);
    }
}
/** The ways in which machines may get their systems. */
function waysOf(places, targets) {
    if (targets.length > 0 && targets.every(({ flakeBuildOn }) => flakeBuildOn === undefined)) {
        return new Set(targets.map(({ buildOn }) => wayOf(places, buildOn, undefined)));
    }
    // The flake decides, for each machine: of a matrix, one job may have those that it builds there, and the next one the others.
    return new Set([wayOf(places, undefined, "target"), wayOf(places, undefined, "runner")]);
}
;// CONCATENATED MODULE: ./out/src/domain/given-systems.js



const acceptedSystems = 'a JSON object such as {"web1":"/nix/store/…-nixos-system-web1-…"}, as the output systems of the action build';
/** Parses a JSON object of store paths by the names of machines. Never throws; every bad entry is listed in `problems`. */
function parseSystems(text) {
    let data;
    try {
        data = JSON.parse(text);
    }
    catch (error) {
        return { systems: new Map(), names: [], problems: [`is not valid JSON (${messageOf(error)}); expected ${acceptedSystems}`] };
    }
    if (!isObject(data)) {
        return { systems: new Map(), names: [], problems: [`is not a JSON object; expected ${acceptedSystems}`] };
    }
    const systems = new Map();
    const problems = [];
    for (const [name, path] of entries(data)) {
        // A derivation is a store path too.
        if (typeof path === "string" && isStorePath(path) && !path.endsWith(".drv"))
            systems.set(name, path);
        else
            problems.push(`${given_systems_shown(name)} has ${given_systems_shown(path)}, which is not the store path of a built system; expected /nix/store/HASH-NAME`);
    }
    return { systems, names: Object.keys(data), problems };
}
function given_systems_shown(value) {
    return JSON.stringify(value).slice(0, 300);
}
;// CONCATENATED MODULE: ./out/src/inputs/systems.js



// Names that a message lists.
const systems_mostNamed = 10;
/** Parses the systems that were built before the run; `undefined` where there are none, so that the run makes its own. */
function parseSystemsInput(text, refuse) {
    if (text.trim() === "")
        return undefined;
    const list = parseSystems(text);
    for (const problem of list.problems)
        refuse(problem, "systems-unusable");
    return list;
}
/** Checks that every target has its system and every system its target, and that no other input is about building. */
function checkSystems({ names: given, problems }, inputs, refuse) {
    const { places, operation, flake, targets, names, archiveArgs, rebuildArgs, buildArgs } = inputs;
    if (!needsFlake(operation))
        refuse("operation", `is ${operation}, which activates a system that the host has; with systems, expected another operation`);
    const nothing = "but with systems nothing is evaluated or built; remove one of the two";
    // The default of the input cannot be told from the same text in a workflow.
    if (flake !== ".")
        refuse("flake", `is set, ${nothing}`);
    if (places.buildOn === "target")
        refuse("build-on", `is target, ${nothing}`);
    if (places.evaluateOn !== "auto")
        refuse("evaluate-on", `is ${places.evaluateOn}, ${nothing}`);
    for (const [input, args] of [
        ["archive-args", archiveArgs],
        ["rebuild-args", rebuildArgs],
        ["build-args", buildArgs],
    ]) {
        if (args.length > 0)
            refuse(input, `is set, ${nothing}`);
    }
    if (names.length === 0)
        return;
    const there = targets.filter(({ buildOn }) => buildOn === "target").map(({ name }) => name);
    if (there.length > 0)
        refuse("targets", `says build-on: target for ${listed(there, systems_mostNamed)}, ${nothing}`);
    const [systems, known] = [new Set(given), new Set(names)];
    // A text that is no JSON object names nothing.
    if (given.length === 0 && problems.length > 0)
        return;
    const without = targets.filter(({ name }) => !systems.has(name)).map(({ name }) => name);
    if (without.length > 0)
        refuse("systems", `has no system for ${listed(without, systems_mostNamed)}; expected one for each target, by its name`, "systems-unmatched");
    const unknown = given.filter((name) => !known.has(name));
    if (unknown.length > 0) {
        const listedNames = listed(names, systems_mostNamed);
        refuse("systems", `has a system for ${listed(unknown, systems_mostNamed)}, which is not a target; the targets are ${listedNames}`, "systems-unmatched");
    }
}
;// CONCATENATED MODULE: ./out/src/inputs/combinations.js



/** Checks inputs that are good alone, and may not be together. Gives what is wrong to `refuse`. `listsTargets`: the input targets is not empty. */
function checkCombinations(inputs, { given, listsTargets }, refuse) {
    if (!needsFlake(inputs.operation) && !listsTargets && inputs.selection.length === 0) {
        refuse("targets", "is empty, and so is select: to roll back every host, set select to `*`", "rollback-of-all");
    }
    if (given === undefined)
        checkPlaces(inputs, refuse);
    else
        checkSystems(given, inputs, refuse);
    if (given !== undefined && !listsTargets) {
        refuse("targets", "is empty, but with systems no flake is read that could list the hosts; expected the output targets of the action build");
    }
    if (inputs.elevatePassword !== undefined && (inputs.elevate === "doas" || inputs.elevate === "run0")) {
        refuse("elevate-password", `cannot be used with elevate: ${inputs.elevate}, which asks for passwords only on a terminal; set elevate to auto or sudo`);
    }
}
;// CONCATENATED MODULE: ./out/src/ssh/openssh-key.js

/** Takes apart the base64 of an OpenSSH private key; `undefined` when its parts do not fill it. Source: PROTOCOL.key of OpenSSH. */
function readOpensshKey(base64) {
    const bytes = Buffer.from(base64, "base64");
    const magic = "openssh-key-v1\0";
    if (bytes.subarray(0, magic.length).toString("latin1") !== magic)
        return undefined;
    const parts = new Parts(bytes.subarray(magic.length));
    const cipher = parts.next();
    const derivation = parts.next();
    const options = parts.next();
    const keys = parts.number();
    const publicKey = parts.next();
    const secret = parts.next();
    if (!cipher || !derivation || !options || keys === undefined || !publicKey || !secret)
        return undefined;
    const isPlain = derivation.toString("latin1") === "none" && options.length === 0 && keys === 1 && parts.rest().length === 0;
    return { cipher: cipher.toString("latin1"), isPlain, publicKey, secret };
}
const ed25519 = "ssh-ed25519";
// What precedes the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");
/**
 * The public key of an Ed25519 key without a passphrase, as `ssh-keygen -y` prints it; `undefined` for any other key, and for one whose
 * halves do not belong together.
 */
function ed25519PublicKey({ cipher, isPlain, publicKey, secret }) {
    if (cipher !== "none" || !isPlain || secret.length % 8 !== 0)
        return undefined;
    const parts = new Parts(secret);
    const checks = [parts.number(), parts.number()];
    const type = parts.next()?.toString("latin1");
    const half = parts.next();
    const both = parts.next();
    const comment = parts.next();
    if (checks[0] === undefined || checks[0] !== checks[1] || type !== ed25519 || half?.length !== 32 || both?.length !== 64 || comment === undefined)
        return undefined;
    // Filled up to a whole block with the bytes 1, 2, 3, …
    if (!parts.rest().every((byte, index) => byte === index + 1))
        return undefined;
    const derived = (0,external_node_crypto_namespaceObject.createPublicKey)((0,external_node_crypto_namespaceObject.createPrivateKey)({ key: Buffer.concat([pkcs8, both.subarray(0, 32)]), format: "der", type: "pkcs8" }));
    const known = derived.export({ format: "der", type: "spki" }).subarray(-32);
    const told = new Parts(publicKey);
    const isTold = told.next()?.toString("latin1") === ed25519 && told.next()?.equals(known) === true && told.rest().length === 0;
    return isTold && known.equals(half) && known.equals(both.subarray(32))
        ? [ed25519, publicKey.toString("base64"), comment.toString("utf8")].join(" ").trim()
        : undefined;
}
/** Numbers of 32 bits, and parts that begin with their length in one. */
class Parts {
    #bytes;
    #position = 0;
    constructor(bytes) {
        this.#bytes = bytes;
    }
    number() {
        if (this.#position + 4 > this.#bytes.length)
            return undefined;
        this.#position += 4;
        return this.#bytes.readUInt32BE(this.#position - 4);
    }
    next() {
        const length = this.number();
        if (length === undefined || this.#position + length > this.#bytes.length)
            return undefined;
        this.#position += length;
        return this.#bytes.subarray(this.#position - length, this.#position);
    }
    rest() {
        return this.#bytes.subarray(this.#position);
    }
}
;// CONCATENATED MODULE: ./out/src/ssh/key.js

const begin = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----/;
const foreign = [
    [/^PuTTY-User-Key-File-/, "is a PuTTY key; convert it to an OpenSSH key with `puttygen key.ppk -O private-openssh-new -o key`"],
    [/^-----BEGIN PGP /, "is a PGP key, not an ssh key"],
    [/^AGE-SECRET-KEY-/, "is an age key, not an ssh key"],
    [/^-----BEGIN CERTIFICATE-----/, "is an X.509 certificate, not a private ssh key"],
];
const publicKey = /^(?:(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ AAAA|---- BEGIN SSH2 PUBLIC KEY ----|-----BEGIN (?:RSA )?PUBLIC KEY-----)/;
/**
 * Reads a private key as people paste it: with CRLF, without its last newline, or as base64 of the whole file.
 * Distinguishes errors that ssh reports alike as "error in libcrypto". `writeIdentity` checks the content of the key.
 */
function parseKey(pasted) {
    const text = normalise(pasted);
    if (text === "")
        return unusable("is empty. A secret that does not exist, or that this event cannot read (a pull request from a fork), is passed as an empty string", "ssh-key-empty");
    for (const [pattern, problem] of foreign)
        if (pattern.test(text))
            return unusable(problem);
    if (/^[\w-]+-cert-v01@openssh\.com /.test(text))
        return unusable("is an ssh certificate; set ssh-certificate to the certificate, and ssh-key to its private key");
    if (publicKey.test(text))
        return unusable("is a public key (a .pub file); set it to the private key", "ssh-key-public");
    const head = begin.exec(text);
    if (head === null) {
        const base64 = decodeBase64(text);
        if (base64 !== undefined)
            return parseKey(base64);
        if (/-----END [A-Z0-9 ]*PRIVATE KEY-----/.test(text))
            return unusable("is truncated: its first line (-----BEGIN …-----) is missing", "ssh-key-damaged");
        return unusable("is not a private ssh key: the line -----BEGIN … PRIVATE KEY----- is missing");
    }
    const label = head[1] ?? "";
    const end = `-----END ${label}-----`;
    if (!text.includes(end))
        return unusable(`is truncated: its last line (${end}) is missing`, "ssh-key-damaged");
    const whole = text.slice(head.index, text.indexOf(end) + end.length);
    const body = whole.slice(head[0].length, -end.length);
    if (!body.startsWith("\n") || !body.endsWith("\n")) {
        return unusable("has lost its line breaks (replaced by spaces, as after an unquoted `echo $KEY`); store the file unchanged or base64-encoded", "ssh-key-damaged");
    }
    const key = `${whole}\n`;
    if (label !== "OPENSSH PRIVATE KEY")
        return { kind: "key", text: key, encrypted: /ENCRYPTED/.test(`${label}${body}`) };
    const parts = readOpensshKey(body);
    return parts === undefined
        ? unusable("is truncated or damaged: its content is incomplete", "ssh-key-damaged")
        : { kind: "key", text: key, encrypted: parts.cipher !== "none" };
}
// A mask for a short last line would hide much of the log.
const shortestMask = 16;
/** The lines of a private key that hold secret content, for the log to be masked with. */
function secretLines(key) {
    return key.split("\n").filter((line) => line.length >= shortestMask && !line.startsWith("-----") && !line.includes(": "));
}
function unusable(problem, topic) {
    return { kind: "unusable", problem, topic };
}
function normalise(text) {
    return text
        .replace(/^\uFEFF/, "")
        .replaceAll(/\r\n?/g, "\n")
        .split("\n")
        .map((line) => line.trim())
        .join("\n")
        .trim();
}
function decodeBase64(text) {
    const packed = text.replaceAll(/\s/g, "");
    if (packed.length < 64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed))
        return undefined;
    const decoded = Buffer.from(packed, "base64").toString("latin1");
    const known = [/-----BEGIN /, publicKey, ...foreign.map(([pattern]) => pattern)];
    return known.some((pattern) => pattern.test(decoded)) ? decoded : undefined;
}
;// CONCATENATED MODULE: ./out/src/inputs/identity.js


/** Parses key, passphrase and certificate, which only `ssh-auth: key` uses. Passes what is wrong to `refuse`. */
function parseIdentityInputs(authentication, read, refuse) {
    const without = { authentication, key: undefined, passphrase: undefined, certificate: undefined };
    if (authentication !== "key") {
        for (const name of ["ssh-key", "ssh-key-passphrase", "ssh-certificate"]) {
            if (read(name).trim() !== "")
                refuse(name, `is set, but ssh-auth: ${authentication} does not use it; remove it, or set ssh-auth to key`);
        }
        return without;
    }
    const certificate = parseCertificate(read("ssh-certificate"), (problem) => refuse("ssh-certificate", problem));
    const reading = parseKey(read("ssh-key"));
    // A passphrase may begin or end with a blank; a line end comes from a file.
    const passphrase = read("ssh-key-passphrase").replace(/\r?\n$/, "");
    if (reading.kind === "unusable") {
        refuse("ssh-key", reading.problem, reading.topic);
        return without;
    }
    if (reading.encrypted && passphrase === "")
        refuse("ssh-key", "is encrypted; set ssh-key-passphrase", "ssh-key-encrypted");
    return { authentication, key: reading.text, passphrase: reading.encrypted && passphrase !== "" ? passphrase : undefined, certificate };
}
;// CONCATENATED MODULE: ./out/src/nix/archive-options.js


const builds = "nix flake archive builds nothing; use rebuild-args";
const archive_options_inputs = "it changes which inputs are deployed; commit the change to flake.lock instead";
const archive_options_lockFile = "a deployment never changes a lock file; run `nix flake lock` and commit flake.lock instead";
const archive_options_own = "the action sets it";
const output = "the action parses the output of Nix";
const archive_options_nothing = "nothing would be sent to the machine";
const archive_options_expression = "nix flake archive does not evaluate expressions";
/** The options of `nix flake archive`, from its manual page and `nix --help` (2.8 to 2.35): what `archive-args` may hold. */
const archiveOptions = {
    program: "nix flake archive",
    lastWins: [],
    settings: settingTable,
    options: [
        accepted("--debug", "print everything that Nix does"),
        accepted("--offline", "download nothing", [], ["--no-net"]),
        accepted("--option", "change a setting of Nix (below)", ["NAME", "VALUE"]),
        accepted("--print-build-logs", "print the logs of builds", [], ["-L"]),
        accepted("--quiet", "print less"),
        accepted("--refresh", "download again what was downloaded before"),
        accepted("--repair", "repair files that are damaged in the runner's store"),
        accepted("--show-trace", "show the whole trace of an evaluation error"),
        accepted("--verbose", "print more; each `v` is one level", [], ["-v", "-vv", "-vvv", "-vvvv", "-vvvvv"]),
        refused("--to", "the action sends to each target", ["STORE"]),
        refused("--store", "the action sets the store", ["STORE"]),
        refused("--eval-store", "the action sets the store", ["STORE"]),
        refused("--json", archive_options_own),
        refused("--no-update-lock-file", archive_options_own),
        refused("--extra-experimental-features", "write --option, extra-experimental-features and the value, each on its own line", ["FEATURES"]),
        refused("--no-check-sigs", "use the input check-sigs"),
        refused("--dry-run", `${archive_options_nothing}; use operation: build or dry-activate`),
        refused("--help", archive_options_nothing, [], ["-h"]),
        refused("--version", archive_options_nothing),
        refused("--accept-flake-config", "it lets a flake change the settings of Nix; put the settings that you trust into nix.conf instead"),
        refused("--override-input", archive_options_inputs, ["INPUT", "FLAKE"]),
        refused("--update-input", archive_options_inputs, ["INPUT"]),
        refused("--inputs-from", archive_options_inputs, ["FLAKE"]),
        refused("--override-flake", archive_options_inputs, ["FLAKE", "FLAKE"]),
        refused("--reference-lock-file", archive_options_inputs, ["FILE"]),
        refused("--output-lock-file", archive_options_lockFile, ["FILE"]),
        refused("--recreate-lock-file", archive_options_lockFile),
        refused("--commit-lock-file", archive_options_lockFile),
        refused("--no-write-lock-file", archive_options_lockFile),
        refused("--no-registries", "a complete flake.lock needs no registry", [], ["--no-use-registries"]),
        refused("--impure", "the same commit must give the same flake everywhere"),
        refused("--include", archive_options_expression, ["PATH"], ["-I"]),
        refused("--arg", archive_options_expression, ["NAME", "EXPRESSION"]),
        refused("--argstr", archive_options_expression, ["NAME", "TEXT"]),
        refused("--arg-from-file", archive_options_expression, ["NAME", "FILE"]),
        refused("--arg-from-stdin", archive_options_expression, ["NAME"]),
        refused("--debugger", "it is interactive"),
        refused("--log-format", output, ["FORMAT"]),
        refused("--pretty", output, [], ["--no-pretty"]),
        refused("--max-jobs", builds, ["NUMBER"], ["-j"]),
        refused("--cores", builds, ["NUMBER"]),
        refused("--keep-going", builds, [], ["-k"]),
        refused("--keep-failed", builds, [], ["-K"]),
        refused("--fallback", builds),
        refused("--builders", builds, ["BUILDERS"]),
    ],
};
;// CONCATENATED MODULE: ./out/src/nixos/elevation.js

/** Which program makes the scripts root on the machine. */
const elevateModes = ["auto", "none", "sudo", "doas", "run0"];
/**
 * Decides how the scripts become root. A user who is root needs nothing; `auto` takes sudo, else doas, where one of them does not
 * ask, and sudo where there is a password for it. Throws a `DeployError` of the phase connect when the operation needs root, or a
 * program is named, and the user cannot become root.
 */
function requireAccess(access, { elevate, elevatePassword: password, needsRoot }) {
    const { user, root, sudo, doas, run0 } = access;
    if (root)
        return { privileged: true, elevation: { kind: "none" } };
    const unprivileged = { privileged: false, elevation: { kind: "none" } };
    const passwordless = (program) => ({ privileged: true, elevation: { kind: "passwordless", program } });
    const withSudo = () => {
        if (sudo === "ready")
            return passwordless("sudo");
        return sudo === "refused" && password !== undefined ? { privileged: true, elevation: { kind: "password", password } } : undefined;
    };
    switch (elevate) {
        case "none":
            if (!needsRoot)
                return unprivileged;
            throw elevation_refused(`${user} is not root, and the input elevate is none`, "Set elevate to auto, or connect as root");
        case "sudo":
            return withSudo() ?? noSudo(access, elevate);
        case "doas":
            if (doas === "ready")
                return passwordless("doas");
            if (doas === "missing")
                throw elevation_missing(user, "doas");
            throw elevation_refused(`doas on the machine refuses ${user} without a password`, `Add this rule to doas.conf on the machine (on NixOS: security.doas.extraConfig), or connect as root: ${doasRule(user)}`);
        case "run0":
            // Running it shows whether polkit allows it.
            if (run0 !== "missing")
                return passwordless(run0 === "lightweight" ? "run0-with-manager" : "run0");
            throw elevation_missing(user, "run0 (systemd 256 or newer)");
        case "auto":
            if (sudo !== "ready" && doas === "ready")
                return passwordless("doas");
            return withSudo() ?? (needsRoot ? noSudo(access, elevate) : unprivileged);
    }
}
/** The rule of doas.conf(5) that the scripts need. */
function doasRule(user) {
    return `permit nopass ${user} as root cmd /bin/sh args -s`;
}
function noSudo({ user, sudo, sudoSays = "", doas }, elevate) {
    if (sudo === "missing")
        throw elevation_missing(user, doas === "missing" && elevate === "auto" ? "sudo or doas" : "sudo");
    if (wantsTerminal(sudoSays))
        throw terminalError(user, [sudoSays]);
    const rule = `${user} ALL=(root) NOPASSWD: /bin/sh -s`;
    throw elevation_refused(`sudo on the machine refuses ${user} without a password`, `Add this sudoers rule on the machine (on NixOS: security.sudo.extraRules), set elevate-password, or connect as root: ${rule}`, "sudo-refuses");
}
/** Returns whether sudo refuses because the session has no terminal (`requiretty`); those of a deployment have none. */
function wantsTerminal(stderr) {
    return /sudo: .*(?:must have a tty|a terminal is required to run)/.test(stderr);
}
/** The error for a sudo that requires a terminal. */
function terminalError(user, lines) {
    return new DeployError({
        phase: "connect",
        reason: `sudo on the machine requires a terminal for ${user}, which a deployment does not have`,
        hint: `Add \`Defaults:${user} !requiretty\` to sudoers on the machine (on NixOS: security.sudo.extraConfig), or connect as root`,
        topic: "sudo-terminal",
        lines,
        exitCode: 1,
    });
}
function elevation_missing(user, program) {
    return elevation_refused(`${user} is not root, and the machine has no ${program}`, "Connect as root, or set elevate to a program that the machine has");
}
function elevation_refused(reason, hint, topic) {
    return new DeployError({ phase: "connect", reason, hint, topic, exitCode: 1 });
}
;// CONCATENATED MODULE: ./out/src/inputs/targets.js



/**
 * Parses targets and selection. `aliases`: `ssh-config` may set where a target is, so only ssh knows it. Passes what is wrong to
 * `refuse`.
 */
function parseMachineInputs(read, defaults, aliases, refuse) {
    const selection = parseSelectionInput(read("select"), (problem) => refuse("select", problem));
    const targets = parseNamedTargets(read("targets"), defaults, aliases, (problem, topic) => refuse("targets", problem, topic));
    const names = targets.map(({ name }) => name);
    if (targets.length === 0)
        return { targets, selection, names };
    const { chosen, unmatched } = selectTargets(targets, selection);
    if (unmatched !== undefined)
        refuse("select", unmatched, "selection-unmatched");
    return { targets: chosen, selection, names };
}
function parseNamedTargets(text, defaults, aliases, refuse) {
    const requests = parseTargetsInput(text, refuse);
    let targets = [];
    collect(() => {
        // With aliases, only ssh knows where two targets are.
        if (!aliases)
            completeTargets(requests, defaults);
        targets = nameTargets(requests, defaults.port);
    }, refuse);
    return targets;
}
;// CONCATENATED MODULE: ./out/src/inputs/deploy.js















/** Every input of the action, by its name in `action.yml`. */
const inputNames = [
    "ssh-key",
    "ssh-key-passphrase",
    "ssh-certificate",
    "ssh-auth",
    "ssh-known-hosts",
    "ssh-strict",
    "ssh-user",
    "ssh-port",
    "ssh-config",
    "flake",
    "targets",
    "select",
    "operation",
    "systems",
    "build-on",
    "evaluate-on",
    "elevate",
    "elevate-password",
    "max-parallel",
    "archive-args",
    "rebuild-args",
    "build-args",
    "connect-timeout",
    "timeout",
    "retries",
    "check-sigs",
    "substitute-on-destination",
    "compress",
    "rollback",
    "confirm-timeout",
    "settle-time",
    "activation-timeout",
    "health-check",
    "health-check-timeout",
    "unit-failures",
    "lock-timeout",
    "specialisation",
    "install-bootloader",
    "batches",
    "max-failures",
    "on-unreachable",
    "diff",
    "summary",
    "allow-unsafe-event",
];
const day = 86_400;
/**
 * Parses all inputs. `read` gives the text of an input, empty where there is none. Throws an `InputError` that names
 * every bad one with what is accepted.
 */
function parseInputs(read) {
    const problems = [];
    const refuse = (input, problem, topic) => {
        problems.push({ input, problem, topic });
    };
    const trimmed = (name) => read(name).trim();
    const choice = (name, accepted) => parseChoice(trimmed(name), accepted, (problem) => refuse(name, problem));
    const number = (name, minimum, maximum) => parseNumber(trimmed(name), minimum, maximum, (problem) => refuse(name, problem));
    const flag = (name) => choice(name, ["true", "false"]) === "true";
    const strict = flag("ssh-strict");
    const port = number("ssh-port", 1, 65_535);
    const user = trimmed("ssh-user");
    collect(() => checkUser(user), (problem) => refuse("ssh-user", problem));
    const sshConfig = parseSshConfig(read("ssh-config"), (problem) => refuse("ssh-config", problem));
    const operation = choice("operation", operations);
    const given = parseSystemsInput(read("systems"), (problem, topic) => refuse("systems", problem, topic));
    const inputs = {
        ...parseIdentityInputs(choice("ssh-auth", ["key", "agent", "none"]), read, refuse),
        strict,
        knownHosts: parseKnownHosts(read("ssh-known-hosts"), strict, (problem, topic) => refuse("ssh-known-hosts", problem, topic)),
        sshConfig,
        flake: parseFlakeReference(trimmed("flake"), (problem) => refuse("flake", problem)),
        ...parseMachineInputs(read, { user, port }, sshConfig !== "", refuse),
        defaults: { user, port },
        operation,
        elevate: choice("elevate", elevateModes),
        maxParallel: number("max-parallel", 1, 1000),
        archiveArgs: parseArguments(read("archive-args"), archiveOptions, (problem) => refuse("archive-args", problem)),
        rebuildArgs: parseArguments(read("rebuild-args"), rebuildOptions, (problem) => refuse("rebuild-args", problem)),
        buildArgs: parseArguments(read("build-args"), buildOptions, (problem) => refuse("build-args", problem)),
        places: { buildOn: choice("build-on", buildPlaces), evaluateOn: choice("evaluate-on", buildPlaces) },
        systems: given?.systems,
        connectTimeout: number("connect-timeout", 1, 3600),
        timeout: number("timeout", 0, day),
        retries: number("retries", 0, 20),
        checkSignatures: flag("check-sigs"),
        substitute: flag("substitute-on-destination"),
        compress: choice("compress", compressions),
        elevatePassword: parsePassword(read("elevate-password"), (problem) => refuse("elevate-password", problem)),
        safety: {
            rollback: flag("rollback"),
            healthCheck: parseCommand(trimmed("health-check"), (problem) => refuse("health-check", problem)),
            unitFailures: choice("unit-failures", ["fail", "warn"]),
            limits: {
                confirm: number("confirm-timeout", 1, 3600),
                activation: number("activation-timeout", 1, day),
                settle: number("settle-time", 0, 3600),
                healthCheck: number("health-check-timeout", 1, day),
                lock: number("lock-timeout", 0, day),
            },
        },
        variant: {
            specialisation: parseSpecialisation(trimmed("specialisation"), operation, (problem) => refuse("specialisation", problem)),
            installBootLoader: flag("install-bootloader"),
        },
        staging: {
            batches: parseBatchesInput(trimmed("batches"), (problem) => refuse("batches", problem)),
            maxFailures: parseAmountInput(trimmed("max-failures"), (problem) => refuse("max-failures", problem)),
            onUnreachable: choice("on-unreachable", ["fail", "skip"]),
        },
        diff: flag("diff"),
        summary: flag("summary"),
        allowUnsafeEvent: flag("allow-unsafe-event"),
    };
    checkCombinations(inputs, { given, listsTargets: read("targets").trim() !== "" }, refuse);
    const misplaced = inputNames.filter((name) => name !== "ssh-key" && holdsPrivateKey(read(name), read("ssh-key")));
    // Other problems with such an input could show its text.
    const shownProblems = [
        ...misplaced.map((input) => ({ input, problem: misplacedKey, topic: "misplaced-key" })),
        ...problems.filter(({ input }) => !misplaced.some((name) => name === input)),
    ];
    if (shownProblems.length > 0)
        throw new InputError(shownProblems);
    return inputs;
}
;// CONCATENATED MODULE: ./out/src/inputs/secrets.js

/** The texts of the inputs that no log may show. */
function secretsOf({ passphrase, elevatePassword, key }) {
    return [passphrase, elevatePassword, ...secretLines(key ?? "")].filter((secret) => secret !== undefined);
}
;// CONCATENATED MODULE: ./out/src/ssh/agent.js

/**
 * Checks the socket of an ssh agent (SSH_AUTH_SOCK). Throws an `Error` if it is missing, and for a path that ssh would split or
 * expand in its configuration.
 */
function agentSocket(path) {
    const start = "Start an agent in an earlier step that sets SSH_AUTH_SOCK for the job, for example webfactory/ssh-agent";
    if (path === undefined || path === "")
        throw new Error(`is agent, but SSH_AUTH_SOCK is not set. ${start}`);
    if (!/^\/[\w/.@+,:=-]*$/.test(path))
        throw new Error(`is agent, but SSH_AUTH_SOCK is ${JSON.stringify(path)}; expected an absolute path of letters, digits and /.@+,:=-_`);
    if ((0,external_node_fs_namespaceObject.lstatSync)(path, { throwIfNoEntry: false })?.isSocket() !== true)
        throw new Error(`is agent, but no agent is listening at ${path} (SSH_AUTH_SOCK). ${start}`);
    return path;
}
;// CONCATENATED MODULE: ./out/src/inputs/ssh-settings.js


/** How ssh behaves in this run. `socket` is `SSH_AUTH_SOCK`, for `ssh-auth: agent`; throws an `InputError` where no agent is there. */
function sshSettings({ strict, connectTimeout, sshConfig, compress, authentication, certificate }, socket) {
    const settings = { strict, connectTimeout, extra: sshConfig, compression: compress !== "false" };
    if (authentication === "none")
        return { ...settings, authentication: { kind: "none" } };
    if (authentication === "key")
        return { ...settings, authentication: { kind: "key", certificate: certificate !== undefined } };
    try {
        return { ...settings, authentication: { kind: "agent", socket: agentSocket(socket) } };
    }
    catch (error) {
        throw new InputError([{ input: "ssh-auth", problem: messageOf(error) }]);
    }
}
;// CONCATENATED MODULE: ./out/src/machines/of-deployment.js








/** Finds the machines of a deployment. Throws an `InputError` for targets in the same place, and as `locateChosen`. */
async function machinesOfDeployment(wanted, ports) {
    const { targets, systems } = wanted;
    if (systems !== undefined)
        return await machinesWithSystems(targets, systems, ports);
    return targets.length > 0 ? await explicitMachines(wanted, ports) : await of_deployment_machinesOfFlake(wanted, ports);
}
/** Machines whose systems were built before: no flake is looked at. */
async function machinesWithSystems(named, systems, ports) {
    const wanted = named.map(({ name, configuration }) => {
        const toplevel = systems.get(name);
        if (toplevel === undefined)
            throw new Error(`${name} has no system`);
        return { name, configuration: attributeOf(configuration), way: "built-before", toplevel };
    });
    ports.requireSystems(systems);
    const targets = await locateExplicit(named, ports);
    return { targets, failed: [], flake: undefined, wanted: new Map(wanted.map((one) => [one.name, one])), made: undefined };
}
/** Makes ssh ready and locates explicit targets. Throws an `InputError` for two in the same place. */
async function locateExplicit(named, ports) {
    await ports.prepareSsh();
    const targets = [];
    const refused = [];
    for (const one of await ports.locate(named)) {
        if ("problem" in one)
            refused.push({ input: "targets", problem: `${one.name}: ${one.problem}` });
        else
            targets.push(one);
    }
    if (refused.length > 0)
        throw new InputError(refused);
    try {
        requireDistinctPlaces(targets);
    }
    catch (error) {
        throw new InputError([{ input: "targets", problem: messageOf(error) }]);
    }
    return targets;
}
async function explicitMachines({ targets: named, operation, places }, ports) {
    const wanted = of_deployment_byName(named, ({ buildOn, flakeBuildOn }) => wayOf(places, buildOn, flakeBuildOn));
    const fetch = async () => await (await ports.fetchFlake()).wrap(needsHive(named));
    const fetched = needsFlake(operation) && isAnyEvaluatedHere(wanted) ? await fetch() : undefined;
    const made = fetched === undefined ? undefined : await ports.makeSystems(fetched, [...wanted.values()]);
    const failed = failuresOf(wanted, made);
    const targets = await locateExplicit(named, ports);
    const flake = fetched === undefined ? fetch : async () => await Promise.resolve(fetched);
    return {
        targets: withSystem(targets, failed).map((target) => withConfiguration(target, wanted, made)),
        failed,
        flake: needsFlake(operation) ? flake() : undefined,
        wanted: withProfiles(wanted, made),
        made,
    };
}
async function of_deployment_machinesOfFlake({ selection, operation, places }, ports) {
    const fetched = await ports.fetchFlake();
    const plain = await fetched.wrap(false);
    const inventory = await ports.readInventory(plain, { selection, details: false });
    // What only builds changes no machine, with colmena too.
    if (switchAction(operation) !== undefined)
        requireSelection(inventory, selection);
    const said = new Map(inventory.entries.flatMap((entry) => (entry.kind === "machine" ? [[entry.name, entry.buildOn]] : [])));
    let wanted = new Map();
    let flake;
    let made;
    const { choice, targets } = await locateChosen(inventory, selection, async (chosen) => {
        wanted = of_deployment_byName(chosen, ({ name }) => wayOf(places, undefined, said.get(name)));
        if (needsFlake(operation)) {
            flake = needsHive(chosen) ? await fetched.wrap(true) : plain;
            if (isAnyEvaluatedHere(wanted))
                made = await ports.makeSystems(flake, [...wanted.values()]);
        }
        await ports.prepareSsh();
        return await ports.locate(chosen);
    });
    ports.announce(choice);
    const failed = failuresOf(wanted, made).filter(({ name }) => targets.some((target) => target.name === name));
    return {
        targets: withSystem(targets, failed).map((target) => withConfiguration(target, wanted, made)),
        failed: [...choice.unusable.map(unusableResult), ...failed],
        flake: flake === undefined ? undefined : Promise.resolve(flake),
        wanted: withProfiles(wanted, made),
        made,
    };
}
function of_deployment_byName(targets, way) {
    return new Map(targets.map((target) => [target.name, { name: target.name, configuration: attributeOf(target.configuration), way: way(target) }]));
}
function isAnyEvaluatedHere(wanted) {
    return [...wanted.values()].some(isEvaluatedHere);
}
function failuresOf(wanted, made) {
    return [...wanted.values()].flatMap((one) => {
        const { name, configuration } = one;
        const failure = configuration === undefined || !isEvaluatedHere(one) ? undefined : made?.failed.get(configuration);
        return failure === undefined ? [] : [failedBefore(name, configuration, failure)];
    });
}
function withSystem(targets, failed) {
    return targets.filter(({ name }) => !failed.some((result) => result.name === name));
}
;// CONCATENATED MODULE: ./out/src/ssh/failure.js




/** Renders a warning about an unknown host key that was accepted, and how to have it checked next time. */
function acceptedKeyWarning(key) {
    return `the unknown host key of ${failure_placeOf(key)} was accepted: ${key.type} ${fingerprint(key)}. Compare it with the fingerprint on the machine, then add this line to ssh-known-hosts and set ssh-strict to true: ${knownHostsLine(key)}`;
}
// The key may be that of a jump host.
function failure_placeOf({ host }) {
    const [, name = host, port = "22"] = /^\[(.*)\]:(\d+)$/.exec(host) ?? [];
    return `${name} port ${port}`;
}
const unanswered = /timed out|No route to host|Network is unreachable|Host is unreachable|Host is down/i;
/** Turns what ssh said into an error that names the host and the port, and says what to do. */
function connectError(failure) {
    const { reason, hint, unreachable, topic } = failure_explain(failure);
    const lines = lastLines(failure.stderr);
    return new DeployError({ phase: "connect", reason, hint, lines, exitCode: 255, unreachable, topic, cause: failure.cause });
}
function failure_explain({ target, stderr, timedOut, offered, withKey = true, githubHosted = false, addresses = [] }) {
    // ssh names the place of its TCP connection, which is a jump host's where there is one.
    const [named, host = target.address, port = target.port] = /connect to host (\S+) port (\d+):/.exec(stderr) ?? [];
    const place = `${host} port ${port}`;
    const key = offered.at(-1);
    const keyPlace = key === undefined ? place : failure_placeOf(key);
    const permanent = { unreachable: false };
    const passing = { unreachable: true };
    if (/REMOTE HOST IDENTIFICATION HAS CHANGED|host key .* has changed|REVOKED HOST KEY/i.test(stderr)) {
        return {
            reason: `the host key of ${keyPlace} does not match ssh-known-hosts${key === undefined ? "" : ` (offered: ${key.type} ${fingerprint(key)})`}`,
            hint: key === undefined
                ? "Find out why before you change ssh-known-hosts: another machine may be answering at this address"
                : `Either another machine is answering at this address, or the machine was reinstalled. Only if you know that it was reinstalled, replace the old line with this one: ${knownHostsLine(key)}`,
            topic: "host-key-changed",
            ...permanent,
        };
    }
    if (/Host key verification failed|No \S+ host key is known/i.test(stderr)) {
        const offeredText = key === undefined ? "" : ` (offered: ${key.type} ${fingerprint(key)})`;
        return {
            reason: `the host key of ${keyPlace} is unknown${offeredText}`,
            hint: key === undefined
                ? "Add the machine's host key to ssh-known-hosts"
                : `Compare the fingerprint with the one on the machine (\`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\`); if they match, add this line to ssh-known-hosts: ${knownHostsLine(key)}`,
            topic: "host-key-unknown",
            ...permanent,
        };
    }
    if (/Permission denied/i.test(stderr)) {
        const [, user = target.user, refusing = target.address] = /^(\S+)@(\S+): Permission denied/m.exec(stderr) ?? [];
        // ssh writes the name in small letters.
        const jump = refusing !== target.address.toLowerCase() && refusing !== target.address;
        if (!withKey) {
            return {
                reason: `${jump ? `the jump host ${refusing}` : place} does not accept the user ${user} with this ssh-auth`,
                hint: "With ssh-auth: agent, the agent must hold a key that the machine accepts; with ssh-auth: none, the server must allow logins without authentication",
                ...permanent,
            };
        }
        return {
            reason: `${jump ? `the jump host ${refusing}` : place} does not accept the ssh key for the user ${user}`,
            hint: `Add the public key of ssh-key to users.users.${user}.openssh.authorizedKeys.keys on ${jump ? refusing : "the machine"}, or connect as another user`,
            topic: "ssh-key-refused",
            ...permanent,
        };
    }
    if (/stdio forwarding failed/i.test(stderr)) {
        return { reason: `the jump host cannot reach ${target.address} port ${target.port}`, hint: "See the output of ssh below", ...passing };
    }
    if (/Bad configuration option|terminating, \d+ bad configuration|Bad .* argument|Unsupported option|garbage at end of line|missing argument/i.test(stderr)) {
        return {
            reason: "ssh rejected its configuration",
            hint: "Check the input ssh-config; the action needs OpenSSH 8.5 or newer on the runner",
            ...permanent,
        };
    }
    const unresolved = /Could not resolve hostname (\S+):/i.exec(stderr);
    if (unresolved !== null) {
        return {
            reason: `the host name ${unresolved[1]} cannot be resolved`,
            hint: "Check the spelling in targets and ssh-config, and that the runner can resolve the name (VPN, private DNS)",
            topic: "name-not-resolved",
            ...passing,
        };
    }
    if (/Connection refused/i.test(stderr)) {
        return { reason: `${place} refused the connection`, hint: "Check that sshd is running there and listens on this port", topic: "unreachable", ...passing };
    }
    const onlyIpv6 = host.includes(":") || (host === target.host && addresses.length > 0 && addresses.every((address) => address.includes(":")));
    if (githubHosted && named !== undefined && onlyIpv6 && unanswered.test(stderr)) {
        return {
            reason: `${place} cannot be reached from a GitHub-hosted runner: ${host.includes(":") ? "it is" : "its name resolves only to"} an IPv6 address, and these runners have no IPv6`,
            hint: "Use an IPv4 address, a jump host or VPN with IPv4 (ssh-config: ProxyJump), or a self-hosted runner",
            topic: "no-ipv6",
            ...permanent,
        };
    }
    if (timedOut || unanswered.test(stderr)) {
        return {
            reason: `${place} does not answer`,
            hint: "Check that the machine is on and that the runner can reach it (firewall, VPN); connect-timeout sets how long to wait",
            topic: "unreachable",
            ...passing,
        };
    }
    if (/no matching|Unable to negotiate/i.test(stderr)) {
        return {
            reason: `ssh and ${place} have no algorithm in common`,
            hint: "An old server may need an option such as HostKeyAlgorithms in ssh-config",
            ...permanent,
        };
    }
    return { reason: `ssh could not connect to ${renderTarget(target)}`, hint: "See the output of ssh below", ...passing };
}
const lostConnection = /Connection (?:to .* )?(?:closed|reset)|Broken pipe|not responding|Connection timed out|mux_client|Control socket|control socket|kex_exchange_identification|client_loop|Timeout, server/i;
/** Returns whether the output of ssh is about a lost connection rather than from the command. */
function speaksOfLostConnection(stderr) {
    return lostConnection.test(stderr);
}
/**
 * Returns whether a connection was refused a further session (MaxSessions in sshd_config). ssh then makes a connection of its own, and
 * Nix takes what that prints for the daemon's greeting: `protocol mismatch, got 'started`.
 */
function speaksOfRefusedSession(stderr) {
    return /mux_client_request_session: session request failed/.test(stderr);
}
;// CONCATENATED MODULE: ./out/src/nixos/health.js


const pauseMilliseconds = 1000;
// For the machine's own time-out of the command, which is what normally ends it.
const spareSeconds = 30;
/**
 * Runs a command on the machine, as the deploy user, until it exits with 0. Returns `undefined` then, and its last
 * output when it has not within that many seconds.
 */
async function checkHealth(command, seconds, call, log, signal) {
    const deadline = performance.now() + seconds * 1000;
    for (let tries = 1;; tries += 1) {
        const left = Math.max(1, Math.ceil((deadline - performance.now()) / 1000));
        const script = { script: "health", args: [String(left), command], privileged: false, timeout: left + spareSeconds, leavesProcesses: true };
        const end = await call(() => script, "confirm");
        if (end.exitCode === 0)
            return undefined;
        const said = lastLines(end.stdout).join("\n");
        if (tries === 1)
            log.note(`the health check failed (exit code ${end.exitCode}); trying again`);
        if (performance.now() + pauseMilliseconds >= deadline)
            return `exit code ${end.exitCode} at attempt ${tries}${said === "" ? "" : `:\n${said}`}`;
        await (0,promises_namespaceObject.setTimeout)(pauseMilliseconds, undefined, { signal });
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/login-watch.js
const login_watch_pauseMilliseconds = 50;
/**
 * Watches a new connection come up. A login that is slow (PAM, a name server, an account database) must not look like a lost network
 * to the machine, whose watchdog sees only what root does there: so the machine is told over the former connection, which is root's
 * own, and nobody else on the machine or in the network can say it.
 */
function watchLogin({ hasAnswered, tell, log, milliseconds }) {
    const begin = performance.now();
    const own = new AbortController();
    let answered;
    let telling;
    const look = () => {
        const now = performance.now();
        if (answered === undefined && hasAnswered())
            answered = now;
        if (answered === undefined || now - answered < milliseconds)
            return;
        clearInterval(timer);
        log.note("the machine answers over ssh, but the login is slow: waiting for it");
        telling = tell(own.signal).catch(() => {
            // The former connection is lost as well: then only a login in time helps, and a late one is reported as such.
        });
    };
    const timer = setInterval(look, login_watch_pauseMilliseconds);
    return {
        answeredAfter: () => (answered === undefined ? undefined : (answered - begin) / 1000),
        end: async () => {
            clearInterval(timer);
            own.abort();
            await telling;
        },
    };
}
;// CONCATENATED MODULE: ./out/src/nixos/armed-machine.js




// Units whose journals are fetched, in one call; 20 lines of them are shown.
const mostJournals = 20;
// A login that takes longer is slow, unless confirm-timeout is very short.
const loginMilliseconds = 1000;
// The part of confirm-timeout by whose end the decision must be expected, for the watchdog's time not to be extended.
const soon = 0.5;
/** A machine that is locked, and that rolls back by itself unless it is confirmed. */
class ArmedNixosMachine {
    #guarded;
    #activation;
    #site;
    constructor(guarded, activation, site) {
        this.#guarded = guarded;
        this.#activation = activation;
        this.#site = site;
    }
    get before() {
        return this.#guarded.before;
    }
    get scarceBoot() {
        return this.#guarded.scarceBoot;
    }
    async activate(signal) {
        const { guarded, limits } = this.#activation;
        if (guarded)
            return await this.#guarded.run(this.#site.call(signal));
        // Without a watchdog on the machine, only the runner measures the time.
        const late = AbortSignal.timeout(limits.activation * 1000);
        try {
            return await this.#guarded.run(this.#site.call(AbortSignal.any([signal, late])));
        }
        catch (error) {
            if (signal.aborted || !late.aborted)
                throw error;
            throw new DeployError({
                phase: "activate",
                reason: `the activation took longer than activation-timeout (${limits.activation} s)`,
                topic: "activation-timeout",
                cause: error,
            });
        }
    }
    async reach(signal, checkSeconds = Infinity) {
        return await this.#overFreshConnection(signal, checkSeconds, async (isSoon) => (isSoon ? await this.#guarded.present() : await this.#guarded.hold()));
    }
    async confirm(failedUnits, asked, signal) {
        return await this.#overFreshConnection(signal, 0, async (isSoon) => {
            if (isSoon) {
                asked();
                return await this.#guarded.confirm(failedUnits);
            }
            const state = await this.#guarded.hold();
            return typeof state === "string" ? state : { kind: "undecided", state };
        });
    }
    /** Asks the machine over a fresh connection. `isSoon`: what follows ends well within confirm-timeout. */
    async #overFreshConnection(signal, checkSeconds, ask) {
        // A connection that was there before the switch proves nothing: an old one outlives a firewall that refuses new ones.
        const { connection, callOver, log } = this.#site;
        const { confirm } = this.#activation.limits;
        const begin = performance.now();
        const former = connection.setAside();
        const login = watchLogin({
            hasAnswered: () => connection.hasAnswered(),
            tell: async (own) => await this.#guarded.reached(callOver(former, AbortSignal.any([own, signal]))),
            log,
            // Without a watchdog nothing on the machine waits.
            milliseconds: this.#activation.guarded ? Math.min(loginMilliseconds, confirm * 250) : Infinity,
        });
        let closing;
        try {
            await connection.reopen(signal).then(() => (closing = login.end().then(async () => await former.close())), (error) => {
                // What does not answer yet is tried again by the call that follows.
                if (!(error instanceof DeployError) || !error.unreachable)
                    throw error;
            });
            const needed = performance.now() - begin + checkSeconds * 1000;
            const answer = await ask(needed <= confirm * 1000 * soon);
            const answered = login.answeredAfter();
            const slow = answered !== undefined && answered < confirm && (performance.now() - begin) / 1000 >= confirm;
            return answer === "late" && slow ? "slow-login" : answer;
        }
        finally {
            await (closing ?? login.end().then(async () => await former.close()));
        }
    }
    async settle() {
        return await this.#guarded.settle();
    }
    async checkHealth(command, seconds, signal) {
        return await checkHealth(command, seconds, this.#site.call(signal), this.#site.log, signal);
    }
    async keep() {
        return await this.#guarded.keep();
    }
    async rollBack() {
        return await this.#guarded.rollBack();
    }
    async drop() {
        return await this.#guarded.drop();
    }
    async afterRestart() {
        return await this.#guarded.afterRestart();
    }
    async journal(units, signal) {
        const { call, privileged } = this.#site;
        try {
            const end = await call(signal)(() => ({ script: "journal", args: ["10", ...units.slice(0, mostJournals)], privileged }), "confirm");
            return lastLines(end.stdout);
        }
        catch {
            return [];
        }
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/facts.js


// Characters of a fact that is no list, and of one that is; common.sh prints no longer ones.
const longestFact = 1000;
const longestList = 1_000_000;
const lists = new Set(["failed-units", "restarting-units", "available"]);
/** Parses the lines `key=value` of a script; a fact that is too long is cut. */
function parseFacts(text) {
    const facts = new Map();
    for (const line of text.split("\n")) {
        const equals = line.indexOf("=");
        if (equals <= 0)
            continue;
        const key = line.slice(0, equals);
        facts.set(key, line.slice(equals + 1, equals + 1 + (lists.has(key) ? longestList : longestFact)).trimEnd());
    }
    return facts;
}
/** Parses what `system_state` of `common.sh` prints. Throws an `AnswerError` for an invalid store path. */
function systemState(facts) {
    const generation = facts.get("generation") ?? "";
    return {
        running: storePathOf(facts, "running"),
        booted: storePathOf(facts, "booted"),
        profile: storePathOf(facts, "profile"),
        generation: generationNumber.test(generation) ? Number(generation) : undefined,
        bootId: facts.get("boot-id") ?? "",
        failedUnits: wordsOf(facts.get("failed-units")),
        restartingUnits: wordsOf(facts.get("restarting-units")),
        rebootNeeded: facts.get("reboot-needed") === "yes",
    };
}
// As the files of Nix's profiles are numbered: at most nine digits are one.
const generationNumber = /^\d{1,9}$/;
// Words of a list, and characters of a word: a unit's name has at most 255 (systemd.unit(5)).
const mostWords = 10_000;
const longestWord = 255;
/** The words of a fact, of which longer ones than systemd has for units are left out. */
function wordsOf(text) {
    const words = (text ?? "").split(" ").filter((word) => word !== "" && word.length <= longestWord);
    return words.slice(0, mostWords);
}
/**
 * The store path that a fact names. A path outside the store (an installer, a container's first start) is one that cannot be named,
 * not an error. Throws an `AnswerError` for one below it that is no store path.
 */
function storePathOf(facts, key) {
    const text = facts.get(key) ?? "";
    if (!text.startsWith("/nix/store/"))
        return undefined;
    if (!isStorePath(text))
        throw new AnswerError(`${key} is ${JSON.stringify(text.slice(0, 300))}, which is not a path of the Nix store`);
    return text;
}
function olderGeneration(facts) {
    const toplevel = storePathOf(facts, "older");
    const number = facts.get("older-generation") ?? "";
    return toplevel === undefined || !generationNumber.test(number) ? undefined : { number: Number(number), toplevel };
}
/**
 * Identifies a machine whatever name it is reached by: the boot id of its kernel, the PID namespace, which distinguishes the
 * containers of one kernel, and the machine id. `undefined` where it has no boot id.
 */
function identityOf(facts) {
    const [boot, ...others] = ["boot-id", "pid-namespace", "machine-id"].map((key) => facts.get(key) ?? "");
    return boot === undefined || boot === "" ? undefined : [boot, ...others].join(" ");
}
/**
 * Parses what `facts.sh` or `enter.sh` prints. Throws a `DeployError` of the phase connect for a machine that lacks Nix or systemd, or nixos-rebuild
 * where that is to run.
 */
function machineFacts(text, { needsRebuild }) {
    const facts = parseFacts(text);
    const missing = (reason, hint, topic) => new DeployError({ phase: "connect", reason, hint, topic });
    // Lix prints more lines, which are not facts.
    const nix = facts.get("nix") ?? "";
    if (!/\d/.test(nix))
        throw missing("nix was not found on the machine", "Check that the machine runs NixOS; `nix --version` must work in a non-interactive ssh session", "nix-missing");
    if (needsRebuild && (facts.get("nixos-rebuild") ?? "") === "") {
        throw missing("nixos-rebuild was not found on the machine", "Check that the machine runs NixOS; with system.disableInstallerTools, add nixos-rebuild to environment.systemPackages, or evaluate on the runner (evaluate-on: runner, or build-on: runner)", "nixos-rebuild-missing");
    }
    if (!/^\d+$/.test(facts.get("systemd") ?? ""))
        throw missing("systemd is not running on the machine", "Check that the machine runs NixOS");
    if (facts.get("nixos") !== "yes") {
        throw missing("the machine does not run NixOS: /run/current-system is missing", "Install NixOS on it first (nixos-install, nixos-anywhere) and boot it");
    }
    const kibibytes = (key) => {
        const value = facts.get(key) ?? "";
        return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
    };
    const sudo = facts.get("sudo");
    const doas = facts.get("doas");
    const run0 = facts.get("run0");
    return {
        facts: {
            hostname: facts.get("hostname") ?? "",
            nix,
            freeKibibytes: kibibytes("free-kib"),
            memoryKibibytes: kibibytes("memory-kib"),
            state: systemState(facts),
            olderGeneration: olderGeneration(facts),
            unfinished: facts.get("unfinished") || undefined,
            specialisation: facts.get("specialisation") || undefined,
            identity: identityOf(facts),
        },
        access: {
            user: facts.get("user") ?? "",
            root: facts.get("uid") === "0",
            sudo: sudo === "unneeded" || sudo === "missing" || sudo === "ready" ? sudo : "refused",
            sudoSays: facts.get("sudo-says"),
            doas: doas === "ready" || doas === "refused" ? doas : "missing",
            run0: run0 === "present" || run0 === "lightweight" ? run0 : "missing",
        },
        inflates: facts.get("inflates") === "yes",
        prepared: facts.get("prepared") === "0",
    };
}
;// CONCATENATED MODULE: ./out/src/nixos/script-files.js


const scripts = {
    environment: __nccwpck_require__.ab + "environment.sh",
    common: __nccwpck_require__.ab + "common.sh",
    facts: __nccwpck_require__.ab + "facts.sh",
    prepare: __nccwpck_require__.ab + "prepare.sh",
    enter: __nccwpck_require__.ab + "enter.sh",
    start: __nccwpck_require__.ab + "start.sh",
    follow: __nccwpck_require__.ab + "follow.sh",
    run: __nccwpck_require__.ab + "run.sh",
    build: __nccwpck_require__.ab + "build.sh",
    finish: __nccwpck_require__.ab + "finish.sh",
    arm: __nccwpck_require__.ab + "arm.sh",
    decide: __nccwpck_require__.ab + "decide.sh",
    health: __nccwpck_require__.ab + "health.sh",
    compare: __nccwpck_require__.ab + "compare.sh",
    confirm: __nccwpck_require__.ab + "confirm.sh",
    difference: __nccwpck_require__.ab + "difference.sh",
    units: __nccwpck_require__.ab + "units.sh",
    journal: __nccwpck_require__.ab + "journal.sh",
    settle: __nccwpck_require__.ab + "settle.sh",
    specialisation: __nccwpck_require__.ab + "specialisation.sh",
    system: __nccwpck_require__.ab + "system.sh",
    missing: __nccwpck_require__.ab + "missing.sh",
    import: __nccwpck_require__.ab + "import.sh",
    unpack: __nccwpck_require__.ab + "unpack.sh",
    place: __nccwpck_require__.ab + "place.sh",
    daemon: __nccwpck_require__.ab + "daemon.sh",
    lease: __nccwpck_require__.ab + "lease.sh",
    job: __nccwpck_require__.ab + "job.sh",
    switch: __nccwpck_require__.ab + "switch.sh",
    activate: __nccwpck_require__.ab + "activate.sh",
    last: __nccwpck_require__.ab + "last.sh",
    watchdog: __nccwpck_require__.ab + "watchdog.sh",
    expire: __nccwpck_require__.ab + "expire.sh",
};
const elevateScript = __nccwpck_require__.ab + "elevate.sh";
/** The text of a script that is left on the machine. */
function residentScript(name) {
    return textOf("environment", name);
}
// What a script is sent behind, for its functions.
const builtOn = {
    run: ["start", "follow"],
    build: ["start", "follow", "run", "difference"],
    prepare: ["lease"],
    enter: ["lease", "prepare", "facts"],
    compare: ["difference", "units"],
    confirm: ["decide", "follow"],
};
/** Returns whether a script follows a job: it takes as long as the job, and reports every 10 s that it is alive. */
function followsJob(script) {
    return script === "follow" || builtOn[script]?.includes("follow") === true;
}
/** The text of a script with its arguments, to be left on the machine and run there as `sh FILE`. */
function residentCall(script, args) {
    return [textOf("environment", "common"), ...definition(script, args), 'main "$@"', ""].join("\n");
}
/** What a shell reads first: what all scripts have in common. Its directory must not hold up the file system of the user's home. */
function script_files_opening() {
    return `${textOf("environment", "common")}\ncd /\n`;
}
/** The text that defines a script as the function `main`, and its arguments, for a shell that has read the opening. */
function definition(script, args) {
    return [`set -- ${args.map(quote).join(" ")}`, textOf(...(builtOn[script] ?? []), script)];
}
/** The text that becomes root by sudo with a password. */
function elevationText() {
    return `${textOf("environment")}${(0,external_node_fs_namespaceObject.readFileSync)(elevateScript, "utf8")}`;
}
// Each is read once, however many machines get it.
const script_files_texts = new Map();
/** The texts of files, one after the other, without their comments: no machine needs those. */
function textOf(...names) {
    return names.map(fileText).join("");
}
function fileText(name) {
    const text = script_files_texts.get(name) ?? (0,external_node_fs_namespaceObject.readFileSync)(scripts[name], "utf8").replaceAll(/^[ \t]*#(?: .*)?\n/gm, "");
    script_files_texts.set(name, text);
    return text;
}
;// CONCATENATED MODULE: ./out/src/nixos/job.js






/** A job without a recorded end, as after a restart of the machine or when the job was killed. */
class LostJobError extends DeployError {
}
/** A job that was not started. */
class UnstartedJobError extends DeployError {
}
const job_keptLines = 200;
// Exit code of run.sh and build.sh.
const notStarted = 1;
/** Starts a job, only once however often the connection is lost, and follows it. Throws an `UnstartedJobError`, or as `followJob`. */
async function runJob(job, call) {
    return await watchJob(job, call, "run", [residentScript("job"), ...job.command]);
}
/** Starts a job, only once however often the connection is lost. Throws an `UnstartedJobError` when that fails. */
async function startJob(job, call) {
    const { privileged, phase } = job;
    const started = await call(() => ({ script: "start", args: [job.run, job.name, residentScript("job"), ...job.command], privileged }), phase);
    if (started.exitCode !== 0)
        throw unstarted(job, started);
}
function unstarted({ phase }, { exitCode, stderr }) {
    return new UnstartedJobError({
        phase,
        reason: `the job could not be started on the machine (exit code ${exitCode})`,
        lines: lastLines(stderr),
        exitCode,
    });
}
/**
 * Shows the output of a job until it ends, without gap and repetition. Throws a `LostJobError` when no end was recorded, as
 * after a crash of the machine.
 */
async function followJob(job, call) {
    return await watchJob(job, call, "follow", []);
}
async function watchJob(job, call, script, args) {
    const { end, lines } = await watchScript(job, call, script, args);
    return jobEnd(job, end, lines, script);
}
/**
 * Shows the output of a job while a script runs that shows it, without gap and repetition. The script gets run, job and offset, then `args`. Returns how the script ended, and the last lines.
 */
async function watchScript(job, call, script, args) {
    const { phase, privileged } = job;
    const lines = [];
    const plan = new BuildPlanFolder();
    const take = (line) => {
        if (line.trim() !== "" && lines.push(line) > job_keptLines)
            lines.shift();
        job.onLine(line);
    };
    const cutter = lineCutter((line) => plan.fold(line).forEach(take));
    let offset = 0;
    const onStdout = (chunk) => {
        offset += chunk.length;
        // What a long log had in the place of these has given its room back (job.sh).
        cutter.push(chunk.includes(0) ? Buffer.from(chunk.filter((byte) => byte !== 0)) : chunk);
    };
    const deadline = job.seconds === undefined ? undefined : performance.now() + job.seconds * 1000;
    const left = () => (deadline === undefined ? undefined : Math.max(1, Math.ceil((deadline - performance.now()) / 1000)));
    const end = await call(() => ({ script, args: [job.run, job.name, String(offset), ...args], privileged, timeout: left(), onStdout }), phase);
    cutter.end();
    plan.end().forEach(take);
    return { end, lines };
}
/** Reads from a script that has shown a job how the job ended, and what the machine is then. Throws as `jobExit`. */
function jobEnd(job, end, lines, script) {
    return { ...jobExit(job, end, lines, script), state: systemState(parseFacts(end.stderr)) };
}
/**
 * Reads from a script that has shown a job how the job ended. Throws an `UnstartedJobError` where the script was to start it and could not,
 * and a `LostJobError` when no end was recorded.
 */
function jobExit({ name, phase }, end, lines, script) {
    if ((script === "run" || script === "build") && end.exitCode === notStarted)
        throw unstarted({ phase }, end);
    const facts = parseFacts(end.stderr);
    const exit = facts.get("exit") ?? "";
    if (end.exitCode !== 0 || !/^\d+$/.test(exit)) {
        const reason = end.exitCode === 3 ? "the job was not found on the machine (was the machine restarted?)" : "the job ended, but no exit status was recorded";
        throw new LostJobError({ phase, reason, hint: "Check the machine's journal for a restart or a killed process", lines, exitCode: 255 });
    }
    if (!/^\d{1,3}$/.test(exit) || Number(exit) > 255)
        throw new AnswerError(`the job ${name} ended with ${exit.slice(0, 20)}, which is no exit code`);
    return { exitCode: Number(exit), result: storePathOf(facts, "result"), lines };
}
;// CONCATENATED MODULE: ./out/src/nixos/switch-command.js

const switch_command_systemProfile = "/nix/var/nix/profiles/system";
/** The way of an operation, and the action that it begins with. Throws an `Error` for one that changes nothing. */
function switch_command_wayOf(operation, guarded) {
    const way = protectedWay(operation);
    const action = switchAction(operation);
    if (way === undefined || action === undefined)
        throw new Error(`${operation} changes nothing`);
    if (!guarded)
        return { way: "plain", action };
    return { way, action: way === "boot" ? "step" : "test" };
}
/** Builds the call of activate.sh in the directory of the run. */
function activateCommand(action, { toplevel, running, generation }, installBootLoader) {
    return ["/bin/sh", "./activate.sh", action, toplevel, running, generation?.toString() ?? "", installBootLoader ? "1" : "0", switch_command_systemProfile];
}
;// CONCATENATED MODULE: ./out/src/nixos/arming.js







// Between two attempts to take a lock that another run holds.
const lockPauseMilliseconds = 2000;
// A run that has lost the machine gives up within the limits and some time for connecting: a quarter of an hour is more.
const arming_spareSeconds = 900;
/** Seconds for which a machine that has rolled back on its own keeps the logs of that. */
function clearSeconds({ activation, confirm, healthCheck, settle }) {
    return activation + confirm + healthCheck + settle + arming_spareSeconds;
}
const residents = ["job", "watchdog", "switch", "activate", "last"];
// finish.sh comes with the lease.
function residentTexts() {
    return residents.flatMap((name) => [`${name}.sh`, residentScript(name)]);
}
/**
 * Waits for the machine's lock, arms the watchdog, and has the machine finish or undo an interrupted earlier run, before it records
 * what to roll back to. Throws a `DeployError`.
 */
async function arming_arm(activation, site) {
    const facts = await armOnce(activation, site);
    if (facts.get("mend") !== "yes")
        return beforeOf(facts);
    site.log.note("an earlier run or switch was interrupted on the machine: finishing or undoing it first");
    const mend = { run: site.run, name: "mend", phase: "activate", privileged: true, onLine: (line) => site.log.output(line) };
    const { exitCode, lines } = await runJob({ ...mend, command: ["/bin/sh", "./last.sh", "mend"] }, site.call);
    if (exitCode !== 0) {
        throw new DeployError({
            phase: "activate",
            reason: `an interrupted earlier run could be neither finished nor undone (exit code ${exitCode})`,
            hint: "The new system was not activated. Fix what the output below reports, then deploy again",
            lines,
            exitCode,
        });
    }
    return beforeOf(await armOnce(activation, site));
}
function beforeOf(facts) {
    const scarce = /^(\d{1,15}) (\d{1,15})$/.exec(facts.get("scarce-boot") ?? "");
    return { state: systemState(facts), scarceBoot: scarce === null ? undefined : { free: Number(scarce[1]), needed: Number(scarce[2]) } };
}
async function armOnce({ operation, system, installBootLoader, guarded, limits }, site) {
    const { run, name, call, log, signal } = site;
    const seconds = [limits.activation, limits.confirm, clearSeconds(limits)].map(String);
    const what = [system.toplevel, system.running, system.generation?.toString() ?? "", installBootLoader ? "1" : "0"];
    const args = [run, switch_command_wayOf(operation, guarded).way, ...seconds, name, ...what, ...residentTexts()];
    const deadline = performance.now() + limits.lock * 1000;
    let told = "";
    for (;;) {
        const end = await call(() => ({ script: "arm", args, privileged: true }), "activate");
        const facts = parseFacts(end.stdout);
        if (end.exitCode === 0)
            return facts;
        const holder = facts.get("holder");
        if (holder === undefined) {
            throw new DeployError({
                phase: "activate",
                reason: `the watchdog could not be armed (exit code ${end.exitCode}); nothing was activated`,
                hint: "Check the free space in /run and /nix/var/nix, and that systemd-run works on the machine",
                lines: lastLines(end.stderr),
                exitCode: end.exitCode,
            });
        }
        if (performance.now() >= deadline) {
            throw new DeployError({
                phase: "activate",
                reason: `the machine is still locked after ${limits.lock} s: ${holder}`,
                hint: "Nothing was activated. Deploy again when it has finished, or raise lock-timeout; a concurrency group prevents two runs of one workflow at the same time",
                topic: "locked",
                exitCode: end.exitCode,
            });
        }
        if (holder !== told)
            log.note(`waiting up to ${limits.lock} s for the lock: ${holder}`);
        told = holder;
        await (0,promises_namespaceObject.setTimeout)(lockPauseMilliseconds, undefined, { signal });
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/lease.js

// What a machine removes by itself goes within an hour of the runner's last sign of life, also where one of them was late.
const leaseSeconds = 45 * 60;
const renewMilliseconds = 10 * 60 * 1000;
/** Builds the call that tells a machine that the run is alive. */
function leaseCall(run, privileged) {
    return { script: "lease", args: leaseArguments(run), privileged };
}
/** Builds the call that makes the files of a run on a machine and begins its lease. It roots these paths, also before they arrive. */
function prepareCall(run, paths, privileged) {
    return { script: "prepare", args: [...leaseArguments(run), ...paths], privileged };
}
function leaseArguments(run) {
    return [run, String(leaseSeconds), residentScript("expire"), residentCall("finish", [run])];
}
/** Tells a machine again and again that the run is alive, for as long as it has files there. */
class Lease {
    #timer;
    /** Begins, in place of what was begun before. `renew` may fail: a machine that cannot be reached is told the next time. */
    begin(renew) {
        this.end();
        this.#timer = setInterval(() => {
            renew().catch(() => {
                // The machine waits for longer than one call.
            });
        }, renewMilliseconds);
        this.#timer.unref();
    }
    end() {
        clearInterval(this.#timer);
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/decision.js



// Exit codes of decide.sh, settle.sh and confirm.sh.
const tooLate = 7;
const forgotten = 3;
/** Reads the answer to a decision: the state of the machine, or why it was not made. Throws a `DeployError` for any other exit code. */
function readDecision(end) {
    return undecidable(end) ?? systemState(parseFacts(end.stdout));
}
/** Why a decision was not made; `undefined` where it was. Throws a `DeployError` for an unexpected exit code. */
function undecidable(end) {
    if (end.exitCode === 0)
        return undefined;
    if (end.exitCode === tooLate)
        return "late";
    if (end.exitCode === forgotten)
        return "restarted";
    throw refusal("confirm", "the watchdog on the machine did not accept the decision", end);
}
/** Explains a script that refused what it was asked for. */
function refusal(phase, reason, end) {
    return new DeployError({ phase, reason: `${reason} (exit code ${end.exitCode})`, lines: lastLines(end.stderr), exitCode: end.exitCode });
}
;// CONCATENATED MODULE: ./out/src/nixos/switch-output.js
/** Printed by switch.sh when it terminates a user activation that takes too long. */
const lateUser = /^nix-flake-deploy: the user activation for (\S+) timed out after \d+ s and was terminated$/;
/** Printed by switch.sh when it runs switch-to-configuration again, because a user has logged out. */
const again = /^nix-flake-deploy: a user logged out during the switch; running switch-to-configuration again$/;
/** Printed by last.sh when it cannot record the previous profile and boot loader. */
const recordFailed = /^nix-flake-deploy: the previous profile and boot loader could not be recorded$/;
/** Printed by activate.sh for a user whose own activation failed. */
const failedUser = /^nix-flake-deploy: (nixos-activation\.service) of (\S+) failed$/;
/** Printed by activate.sh and last.sh when nix-env failed. */
const profileFailed = /^nix-flake-deploy: the system profile could not be set$/;
// Lines of a journal: `systemctl status` shows them below the units that failed.
const journalLine = /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ /;
/**
 * Parses the causes of failure that NixOS's switch-to-configuration (nixpkgs, in Rust since 24.11 and in Perl before) prints:
 *
 *     Pre-switch check 'switchInhibitors' failed
 *     Failed to install bootloader
 *     Activation script snippet 'setupSecrets' failed (3)
 *     Failed to start user unit agent.service
 *     warning: user activation for alice failed
 *     Failed to reload web.service
 *     warning: the following units failed: bad.service, worse.service
 *
 * Line by line, since not all of the output is kept. With exit code 0 they mean nothing: scripts print such messages for errors
 * that they ignore.
 */
class SwitchOutputReader {
    #reader = new CauseReader();
    #touched = false;
    /** The meaning of a line may depend on the next one. */
    #held;
    /** Whether it has printed that it stops units or activates the configuration; until then it has changed nothing. */
    get touched() {
        return this.#touched;
    }
    read(line) {
        this.#touched ||= /^(?:stopping |activating the configuration\.\.\.)/.test(line);
        this.#take(line);
        this.#held = journalLine.test(line) ? undefined : line;
    }
    /** The causes so far. */
    causes() {
        this.#take("");
        this.#held = undefined;
        return this.#reader.causes();
    }
    #take(next) {
        if (this.#held !== undefined)
            this.#reader.read(this.#held, next);
    }
}
const simple = [
    [recordFailed, "record"],
    [profileFailed, "profile"],
    [/^Could not acquire lock$/, "locked"],
    [/^This is not a NixOS installation!$/, "not-nixos"],
    [/^Failed to install bootloader$/, "boot-loader"],
    // The apostrophes differ between versions.
    [/^Warning: the new NixOS configuration has an .init. that is(?: incompatible|$)/u, "other-init"],
    [/^Failed to run activate script$/, "activation-script"],
    [/^Unable to list users with logind/, "logind"],
    // The program asks logind for each user that it has listed, and ends where one has gone since.
    [/^Error: Failed to get (?:GID|runtime directory) for /, "user-left"],
    [/No space left on device|Disk quota exceeded/, "no-space"],
];
// A user ends the own manager at will, and logind's units of it with that: this is the part of the user, not of the system.
const userManager = /^(?:user|user-runtime-dir)@(\d+)\.service$/;
class CauseReader {
    #simple = new Set();
    #snippets = [];
    #checks = [];
    #units = new Map();
    #users = new Map();
    #userUnits = new Set();
    #changes = [];
    #inChanges = false;
    read(line, next) {
        for (const [pattern, kind] of simple)
            if (pattern.test(line))
                this.#simple.add(kind);
        if (again.test(line))
            this.#simple.delete("user-left");
        this.#readChecks(line);
        const snippet = /^Activation script snippet '(.+)' failed \((\d+)\)$/.exec(line);
        if (snippet !== null)
            this.#snippets.push({ kind: "snippet", snippet: snippet[1] ?? "", exitCode: Number(snippet[2]) });
        if (!this.#readUser(line, next))
            this.#readUnits(line);
    }
    #readChecks(line) {
        const check = /^Pre-switch check '(.+)' failed$/.exec(line)?.[1];
        if (check !== undefined)
            this.#checks.push(check);
        if (/^There are changes to critical components of the system:$/.test(line))
            this.#inChanges = true;
        else if (/^Switching into this system is not recommended\.$/.test(line))
            this.#inChanges = false;
        else if (this.#inChanges && line.trim() !== "")
            this.#changes.push(line.replace(/^- /, "").replace(" : ", ": ").trim());
    }
    /** The part of a user is printed between the lines of the system, and ends with the warning that names the user. */
    #readUser(line, next) {
        if (/^reloading user units for .+\.\.\.$/.test(line))
            this.#userUnits = new Set();
        const unit = /^Failed to \w+ (?:user unit (\S+?)|(nixos-activation\.service))(?::.*)?$/.exec(line);
        if (unit !== null)
            this.#userUnits.add(unit[1] ?? unit[2] ?? "");
        // Older versions print the sentence that is used for the system's units, too.
        const failed = /^warning: the following (user )?units failed: (.+)$/.exec(line);
        const own = failed !== null && (failed[1] !== undefined || next.startsWith("See `systemctl --user"));
        if (own)
            for (const name of (failed[2] ?? "").split(", "))
                this.#userUnits.add(name);
        const late = lateUser.exec(line)?.[1];
        if (late !== undefined)
            this.#user(late).late = true;
        const activation = failedUser.exec(line);
        if (activation !== null)
            this.#user(activation[2] ?? "").units.add(activation[1] ?? "");
        const user = /^warning: user activation for (.+) failed$/.exec(line)?.[1];
        if (user !== undefined) {
            for (const name of this.#userUnits)
                this.#user(user).units.add(name);
            this.#userUnits = new Set();
            this.#user(user);
        }
        return unit !== null || own;
    }
    #user(name) {
        const known = this.#users.get(name) ?? { units: new Set(), late: false };
        this.#users.set(name, known);
        return known;
    }
    #readUnits(line) {
        const job = /^Failed to (start|stop|restart|reload) ([^\s:]+\.[a-z]+)(?::.*)?$/.exec(line);
        if (job !== null) {
            const [, what = "", unit = ""] = job;
            if (what === "start" || what === "stop" || what === "restart" || what === "reload")
                this.#unit(unit, what);
        }
        const failed = /^warning: the following units failed: (.+)$/.exec(line)?.[1];
        for (const unit of failed?.split(", ") ?? [])
            this.#unit(unit, "failed");
    }
    #unit(unit, what) {
        const uid = userManager.exec(unit)?.[1];
        if (uid === undefined)
            this.#units.set(`${what} ${unit}`, { kind: "unit", unit, what });
        else
            this.#user(`UID ${uid}`).units.add(unit);
    }
    causes() {
        const inhibitor = "switchInhibitors";
        const changes = this.#changes;
        return [
            ...[...this.#simple].map((kind) => ({ kind })),
            ...(this.#checks.includes(inhibitor) ? [{ kind: "inhibitor", changes }] : []),
            ...this.#checks.flatMap((check) => (check === inhibitor ? [] : [{ kind: "pre-switch-check", check }])),
            ...this.#snippets,
            ...this.#units.values(),
            ...[...this.#users].map(([user, { units, late }]) => ({ kind: "user", user, units: [...units], late })),
        ];
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/last-step.js

/**
 * Parses the log of last.sh, whose two parts print the same messages:
 *
 *     Failed to install bootloader
 *     nix-flake-deploy: undoing profile and boot loader (exit code 1)
 *     nix-flake-deploy: undone 0 0 0
 */
class LastStepReader {
    #step = new SwitchOutputReader();
    #undo = new SwitchOutputReader();
    #exitCode;
    #codes = [];
    read(line) {
        const failed = /^nix-flake-deploy: undoing profile and boot loader \(exit code (\d+)\)$/.exec(line)?.[1];
        if (failed !== undefined)
            this.#exitCode = Number(failed);
        const undone = /^nix-flake-deploy: undone (\d+) (\d+|-) (\d+|-)$/.exec(line);
        if (undone !== null)
            this.#codes = undone.slice(1);
        (this.#exitCode === undefined ? this.#step : this.#undo).read(line);
    }
    /** The result so far; what is missing has failed. */
    output() {
        const [profile, bootLoader, test = "-"] = this.#codes;
        return {
            exitCode: this.#exitCode ?? 1,
            causes: this.#step.causes(),
            undone: {
                profile: profile === "0",
                bootLoader: bootLoader === "0" || bootLoader === "-",
                test: test === "-" ? undefined : { exitCode: Number(test), causes: this.#undo.causes() },
            },
        };
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/keeping.js




/** Exit code of last.sh and watchdog.sh: the machine runs another system, and nothing was changed. */
const foreignSystem = 9;
const keeping_interrupted = "setting system profile and boot loader was interrupted on the machine; starting it again";
/**
 * Has the machine decide for the new system where `running` runs, or where that is empty, and no other units have failed than the known
 * ones; then follows the last step. Else returns the state of the machine, and nothing is decided. Throws as `keepSystem`.
 */
async function confirmSystem(keeping, running, knownUnits) {
    const reader = new LastStepReader();
    const job = keeping.job(reader);
    const { end, lines } = await watchScript(job, keeping.call, "confirm", [running, knownUnits.join(" ")]);
    const undecided = undecidable(end);
    if (undecided !== undefined)
        return undecided;
    const facts = parseFacts(end.stderr);
    if (facts.get("confirmed") !== "yes")
        return { kind: "undecided", state: systemState(facts) };
    if (!keeping.hasLastStep)
        return { kind: "done", state: systemState(facts) };
    const step = await lastStep(keeping, reader, () => jobEnd(job, end, lines, "confirm"));
    if (!(step instanceof LostJobError))
        return step;
    keeping.log.note(keeping_interrupted);
    return await keepSystem(keeping);
}
/** Decides for the new system, and follows the last step where there is one. Throws a `LostJobError` when that is interrupted twice. */
async function keepSystem(keeping) {
    for (let tries = 1;; tries += 1) {
        const reader = new LastStepReader();
        const job = keeping.job(reader);
        const kept = readDecision(await keeping.call(() => ({ script: "decide", args: [job.run, "keep"], privileged: true }), "confirm"));
        if (typeof kept === "string")
            return kept;
        if (!keeping.hasLastStep)
            return { kind: "done", state: kept };
        const step = await lastStep(keeping, reader, async () => await followJob(job, keeping.call));
        if (!(step instanceof LostJobError))
            return step;
        // It was killed. Started again, it continues from its record.
        if (tries > 1)
            throw step;
        keeping.log.note(keeping_interrupted);
    }
}
/** How the last step ended, or that no end was recorded although the machine was not restarted. */
async function lastStep({ wasRestarted }, reader, follow) {
    try {
        const { exitCode, lines, state } = await follow();
        if (exitCode === 0)
            return { kind: "done", state };
        if (exitCode === foreignSystem)
            return { kind: "foreign", state };
        return { kind: "failed", lines, state, ...reader.output() };
    }
    catch (error) {
        if (!(error instanceof LostJobError))
            throw error;
        return (await wasRestarted()) ? "restarted" : error;
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/script-limits.js
/** Seconds until a script must have begun, behind whatever the login shell prints. */
const beginSeconds = 60;
/** Seconds after which a script that follows a job is given up when it prints nothing. */
const silentSeconds = 60;
/** Bytes of a script's answer; `compare.sh` has the longest: some 40,000 lines. */
const longestAnswer = 4 * 1024 * 1024;
/**
 * Seconds that a script may take. Callers give their own to those that wait for as long as an input says; `follow.sh` ends with the
 * job that it follows.
 */
function scriptSeconds(script) {
    return script_limits_others[script] ?? 60;
}
const script_limits_others = {
    finish: 30,
    compare: 45,
    difference: 45,
    daemon: 30,
    missing: 120,
    // A copy is limited by the input `timeout` alone.
    import: 0,
    unpack: 0,
};
;// CONCATENATED MODULE: ./out/src/nixos/activation.js











/** The activation of one machine, from the lock to the decision for the new or the old system. */
class GuardedActivation {
    #activation;
    #before;
    #site;
    #units = new UnitPlanReader();
    #output = new SwitchOutputReader();
    constructor(activation, before, site) {
        this.#activation = activation;
        this.#before = before;
        this.#site = site;
    }
    /** Arms the watchdog. From here on the machine rolls back on its own unless it is confirmed. */
    static async begin(activation, site) {
        return new GuardedActivation(activation, await arming_arm(activation, site), site);
    }
    /** The system when the machine was armed. */
    get before() {
        return this.#before.state;
    }
    get scarceBoot() {
        return this.#before.scarceBoot;
    }
    /** Activates the system, once, and follows it. */
    async run(call) {
        const { log } = this.#site;
        const { operation, system, installBootLoader, guarded } = this.#activation;
        const command = activateCommand(switch_command_wayOf(operation, guarded).action, system, installBootLoader);
        try {
            const { exitCode, lines, state } = await runJob({ ...this.#job("activate"), command }, call);
            return this.#end({ exitCode, lines, end: "ended", after: state });
        }
        catch (error) {
            if (error instanceof UnstartedJobError)
                return this.#end({ exitCode: error.exitCode ?? 1, lines: error.lines, end: "not-started", after: await this.#ask() });
            if (!(error instanceof LostJobError))
                throw error;
            log.note(error.reason);
            const after = await this.#ask();
            return this.#end({ exitCode: 255, lines: error.lines, end: after.bootId === this.before.bootId ? "killed" : "restarted", after });
        }
    }
    /** Extends the watchdog's time by those of settling and of a health check. */
    async hold() {
        return await this.#decide("decide", ["hold", this.#holdSeconds]);
    }
    /** Reports that the machine is reached; the watchdog's time goes on, since the decision follows soon. */
    async present() {
        return await this.#decide("decide", ["present"]);
    }
    /** Tells the machine, over the connection from before, that ssh has answered a new one, whose login is not over yet. */
    async reached(call) {
        await call(() => ({ script: "decide", args: [this.#site.run, "reached", this.#holdSeconds], privileged: true }), "confirm");
    }
    /** Waits until the settle time is over. */
    async settle() {
        const { settle } = this.#activation.limits;
        return await this.#decide("settle", [String(settle)], settle + scriptSeconds("settle"));
    }
    /**
     * Decides for the new system, where it runs and no other units have failed than those of before and these; then follows the last step.
     * Else returns the state of the machine, and nothing is decided.
     */
    async confirm(failedUnits) {
        const { operation, guarded, system } = this.#activation;
        const running = guarded && changesRunningSystem(operation) ? system.running : "";
        const known = [...this.before.failedUnits, ...this.before.restartingUnits, ...failedUnits];
        return await confirmSystem(this.#keeping, running, known);
    }
    /** Decides for the new system, and follows the last step where there is one. */
    async keep() {
        return await keepSystem(this.#keeping);
    }
    get #keeping() {
        const { way } = switch_command_wayOf(this.#activation.operation, this.#activation.guarded);
        return {
            hasLastStep: way === "switch" || way === "boot",
            job: (reader) => ({ ...this.#job("last"), onLine: this.#onLine(reader) }),
            call: this.#site.call,
            log: this.#site.log,
            wasRestarted: async () => await this.#wasRestarted(),
        };
    }
    /** Decides that nothing more is changed. */
    async drop() {
        return await this.#decide("decide", ["drop"]);
    }
    /** Decides for the old system and rolls back; where the watchdog has done so already, returns how that ended. */
    async rollBack() {
        const { call, run } = this.#site;
        const looked = await call(() => ({ script: "decide", args: [run, "look"], privileged: true }), "rollback");
        if (looked.exitCode === forgotten)
            return "restarted";
        if (looked.exitCode !== 0)
            throw refusal("rollback", "the machine has already made another decision", looked);
        const output = new SwitchOutputReader();
        try {
            await startJob({ ...this.#job("back"), command: ["/bin/sh", "./watchdog.sh", "back"] }, call);
            const { exitCode, lines } = await followJob({ ...this.#job("rollback"), onLine: this.#onLine(output) }, call);
            // It has a little to do after the rollback itself.
            const { state } = await followJob(this.#job("back"), call);
            return { exitCode, foreign: exitCode === foreignSystem, causes: output.causes(), lines, state };
        }
        catch (error) {
            if (!(error instanceof LostJobError) && !(error instanceof UnstartedJobError))
                throw error;
            if (await this.#wasRestarted())
                return "restarted";
            return { exitCode: 255, foreign: false, causes: output.causes(), lines: error.lines, state: await this.#ask() };
        }
    }
    /** Queries a restarted machine for what it runs; an unfinished last step is finished or undone first, under the lock. */
    async afterRestart() {
        const { call, run } = this.#site;
        const end = await call(() => ({ script: "facts", args: [], privileged: false }), "confirm");
        const facts = parseFacts(end.stdout);
        if ((facts.get("unfinished") ?? "") === "")
            return systemState(facts);
        const prepared = await call(() => prepareCall(run, [], true), "rollback");
        if (prepared.exitCode !== 0)
            throw refusal("rollback", "the files of the run could not be created on the machine", prepared);
        const again = await GuardedActivation.begin(this.#activation, this.#site);
        await again.drop();
        return again.before;
    }
    get #holdSeconds() {
        const { healthCheck, settle, confirm } = this.#activation.limits;
        return String(healthCheck + settle + confirm);
    }
    #job(name) {
        const phases = { activate: "activate", back: "rollback", rollback: "rollback", last: "confirm" };
        const onLine = (line) => {
            if (name === "activate")
                this.#units.read(line);
            if (name === "activate")
                this.#output.read(line);
            this.#site.log.output(line);
        };
        return { run: this.#site.run, name, phase: phases[name], privileged: true, seconds: longestJob(this.#activation.limits), onLine };
    }
    #onLine(reader) {
        return (line) => {
            reader.read(line);
            this.#site.log.output(line);
        };
    }
    async #wasRestarted() {
        return (await this.#ask()).bootId !== this.before.bootId;
    }
    #end(end) {
        return { ...end, causes: this.#output.causes(), touched: this.#output.touched, plan: this.#units.plan("activation") };
    }
    async #decide(script, words, timeout) {
        const { call, run } = this.#site;
        return readDecision(await call(() => ({ script, args: [run, ...words], privileged: true, timeout }), "confirm"));
    }
    async #ask() {
        const end = await this.#site.call(() => ({ script: "facts", args: [], privileged: false }), "activate");
        return systemState(parseFacts(end.stdout));
    }
}
/**
 * Seconds after which a machine that still follows a job of the activation is given up. The machine itself ends each part after
 * activation-timeout; a lost connection may take as long again to come back, and the end of a unit 90 s.
 */
function longestJob({ activation, confirm }) {
    return 4 * activation + confirm + 600;
}
;// CONCATENATED MODULE: ./out/src/nixos/build-failure.js




const noSpace = /No space left on device|disk is full/i;
const unchanged = "Nothing has changed on the machine";
/**
 * Distinguishes failures for which `nixos-rebuild build` has the same exit code: a configuration that is missing, one that does not evaluate, a
 * system that does not build, and a machine whose Nix or memory fails.
 */
function buildError(failure, context = {}) {
    const logs = failure.failures?.failed.flatMap(({ log }) => log) ?? [];
    const text = [...logs, ...failure.lines].join("\n");
    const found = explanations.map((explain) => explain(failure, text, context)).find((explanation) => explanation !== undefined);
    const { reason, hint, lines = failure.lines, topic } = found ?? build_failure_doesNotEvaluate(failure);
    return new DeployError({ phase: "build", reason, hint, lines, exitCode: failure.exitCode, topic });
}
/** Returns whether the flake has no such configuration. */
function isMissingConfiguration(failure) {
    const attribute = failure.configuration.replaceAll(/[^\w-]/g, (character) => `\\${character}`);
    const missing = new RegExp(`does not provide attribute .*nixosConfigurations|attribute '"?${attribute}"?' missing|does not have attribute .*nixosConfigurations`);
    return failure.lines.some((line) => missing.test(line));
}
/** The file of the flake, relative to its root, that the evaluation did not find; `undefined` where that is not what failed. */
function fileNotFound({ lines }) {
    return missingFile(lines.join("\n"));
}
const explanations = [
    missingConfiguration,
    fullDisk,
    brokenNix,
    readOnlyHome,
    killedBuilder,
    failedDerivations,
    failedDownload,
    killed,
    unknownArgument,
    unreadableLock,
    dirtyRevision,
    untrackedFile,
];
function missingConfiguration(failure, _, { configurations: known }) {
    const { configuration } = failure;
    if (!isMissingConfiguration(failure) || known?.includes(configuration) === true)
        return undefined;
    const names = known === undefined ? "" : known.length === 0 ? "; it defines none" : `; it defines ${known.join(", ")}`;
    return {
        reason: `the flake has no nixosConfigurations.${configuration}${names}`,
        hint: "Add the configuration to the target: host#configuration",
        topic: "attribute-missing",
    };
}
function fullDisk({ configuration }, text) {
    if (!noSpace.test(text))
        return undefined;
    return {
        reason: `no space is left on the machine to build ${configuration}`,
        hint: "Free space with `nix-collect-garbage -d` on the machine",
        topic: "no-space",
    };
}
function brokenNix({ exitCode }, text) {
    const reason = (why) => `${why} (exit code ${exitCode})`;
    if (/cannot connect to (?:socket|daemon)/i.test(text))
        return {
            reason: reason("nix-daemon does not answer on the machine"),
            hint: "Start it with `systemctl start nix-daemon.socket` on the machine; its journal shows why it stopped",
            topic: "nix-daemon",
        };
    if (/cannot open connection to remote store 'daemon'/.test(text)) {
        return {
            reason: reason("nix-daemon on the machine closed the connection"),
            hint: "`journalctl -u nix-daemon` on the machine shows why; a user who is not in nix.settings.allowed-users is refused this way",
            topic: "nix-daemon",
        };
    }
    if (/unable to (?:load seccomp|set up)/i.test(text))
        return { reason: reason("Nix on the machine cannot set up its build sandbox"), hint: "See the output of Nix below" };
    return undefined;
}
function readOnlyHome({ exitCode }, text) {
    // The second message is that for an existing cache.
    const cache = /["'](\/[^"']*\/\.cache[^"']*)["']: Read-only file system/.exec(text)?.[1] ??
        /unable to open database file.*\(in '(\/[^']*\/\.cache\/[^']*)'\)/.exec(text)?.[1];
    if (cache === undefined)
        return undefined;
    return {
        reason: `Nix on the machine cannot write to its cache ${cache} (exit code ${exitCode})`,
        hint: `Make the home directory writable for the user who builds, or mount a writable file system at ${cache.replace(/\/\.cache.*/, "/.cache")}`,
        topic: "nix-cache",
    };
}
function killedBuilder(failure, _, context) {
    const { failures, configuration, exitCode } = failure;
    const rendered = failures === undefined ? undefined : renderBuildFailures(failures);
    if (rendered === undefined || failures?.failed.some(({ reason }) => /signal 9\b/.test(reason)) !== true)
        return undefined;
    return {
        reason: `the build of ${configuration} failed (exit code ${exitCode}): ${rendered.clause}`,
        hint: memoryHint(context),
        topic: "killed",
        lines: rendered.lines,
    };
}
function failedDerivations({ failures, configuration, exitCode }) {
    const rendered = failures === undefined ? undefined : renderBuildFailures(failures);
    if (rendered === undefined)
        return undefined;
    return {
        reason: `the build of ${configuration} failed (exit code ${exitCode}): ${rendered.clause}`,
        hint: `${unchanged}. The end of the build log is below; run the command under it on the machine to see all of it`,
        topic: "build-failed",
        lines: rendered.lines,
    };
}
function failedDownload({ configuration, exitCode }, text) {
    if (!/^[ \t]*error: (?:unable to download|.*Reason: (?:builder failed|\d+ dependenc)|.*failed to build|path '.*' does not exist and cannot be created)/im.test(text))
        return undefined;
    return {
        reason: `the build of ${configuration} failed (exit code ${exitCode})`,
        hint: `${unchanged}. The build log is in the log group of this host`,
        topic: "build-failed",
    };
}
/** What bash, Python and Nix itself print for a process that the kernel has killed, or that could not get memory. */
function killed({ configuration, exitCode }, text, context) {
    const signalled = exitCode === 137 || exitCode === 247 || /died with <Signals\.SIGKILL: 9>|\bline \d+: +\d+ Killed\b/.test(text);
    if (!signalled && !/^[ \t]*error: (?:out of memory|.*Cannot allocate memory)|std::bad_alloc/m.test(text))
        return undefined;
    const what = signalled ? "was killed" : "ran out of memory";
    return { reason: `the evaluation or build of ${configuration} ${what} (exit code ${exitCode})`, hint: memoryHint(context), topic: "killed" };
}
function memoryHint({ memoryKibibytes }) {
    const available = memoryKibibytes === undefined ? "" : ` (${renderBytes(memoryKibibytes * 1024)} were available before the build)`;
    return `Linux kills processes when memory runs out${available}. To check, run \`journalctl -k --grep 'Out of memory'\` on the machine. Give the machine more memory or swap, or have the runner do the work (evaluate-on: runner, or build-on: runner). ${unchanged}`;
}
function unknownArgument({ exitCode }, text) {
    if (!/unknown option|unrecognized arguments/i.test(text))
        return undefined;
    return { reason: `nixos-rebuild on the machine does not support an argument (exit code ${exitCode})`, hint: "Check rebuild-args", topic: "argument-unknown" };
}
/** An input that a newer Nix, or another implementation, has written into the lock file. */
function unreadableLock({ configuration, exitCode }, text, { nix }) {
    const line = /^[ \t]*error: (lock ?file contains (?:mutable lock|unlocked input).*|unsupported \w+ input attribute '\w+'.*|cannot fetch unsupported input '.*')$/im.exec(text)?.[1];
    if (line === undefined)
        return undefined;
    const what = nix === undefined ? "Nix on the machine" : `Nix on the machine (${nix})`;
    return {
        reason: `the configuration ${configuration} does not evaluate (exit code ${exitCode}): ${what} cannot read an entry of flake.lock: ${line}`,
        topic: "lock-file-unreadable",
        hint: `Update Nix on the machine, or write flake.lock with the oldest Nix that has to read it. ${unchanged}`,
        lines: evaluationMessage(text),
    };
}
function dirtyRevision({ configuration, exitCode }, text) {
    const attribute = /attribute '(dirtyShortRev|dirtyRev)' missing/.exec(text)?.[1];
    if (attribute === undefined)
        return undefined;
    const plain = attribute === "dirtyRev" ? "rev" : "shortRev";
    return {
        reason: `the configuration ${configuration} does not evaluate on the machine (exit code ${exitCode}): self.${attribute} is not available there, because Nix cannot pass it to another machine`,
        hint: `Commit all changes before the deployment, or write \`self.${plain} or self.${attribute} or "dirty"\` in the flake`,
        lines: evaluationMessage(text),
    };
}
function untrackedFile({ configuration, exitCode }, text, { untrackedFile: file }) {
    if (file === undefined)
        return undefined;
    return {
        reason: `the configuration ${configuration} does not evaluate (exit code ${exitCode}): ${file} exists on the runner but is not tracked by Git, so it is not part of the flake`,
        topic: "file-untracked",
        hint: `Run \`git add ${file}\`, commit it, and deploy again`,
        lines: evaluationMessage(text),
    };
}
function build_failure_doesNotEvaluate({ configuration, exitCode, lines, evaluates = true }) {
    if (!evaluates)
        return { reason: `the system of ${configuration} does not build (exit code ${exitCode})`, hint: unchanged };
    const message = evaluationMessage(lines.join("\n"));
    return {
        reason: `the configuration ${configuration} does not evaluate (exit code ${exitCode})`,
        hint: unchanged,
        topic: "build-failed",
        lines: message.length === 0 ? lines : message,
    };
}
;// CONCATENATED MODULE: ./out/src/domain/inhibitors.js

/**
 * Returns why NixOS would refuse to switch, one entry per inhibitor: `systemd: 260 -> 261`. Like its check `switchInhibitors`, it
 * compares the values that both systems have; a file that is missing or not a JSON object has none.
 */
function inhibitors_inhibitorsOf({ before, after }) {
    const [old, now] = [inhibitors_parse(before), inhibitors_parse(after)];
    return [...old].flatMap(([name, value]) => {
        const next = now.get(name);
        return next === undefined || next === value ? [] : [`${name}: ${inhibitors_shorten(value)} -> ${inhibitors_shorten(next)}`];
    });
}
function inhibitors_parse(text) {
    const values = entries(parseJson(text));
    return new Map(values.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]));
}
function inhibitors_shorten(text) {
    return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
;// CONCATENATED MODULE: ./out/src/domain/unit-file-change.js
// Keys of [Unit] that do not change a unit that runs.
const ignoredKeys = new Set([
    "X-Reload-Triggers",
    "Description",
    "Documentation",
    "OnFailure",
    "OnSuccess",
    "OnFailureJobMode",
    "IgnoreOnIsolate",
    "StopWhenUnneeded",
    "RefuseManualStart",
    "RefuseManualStop",
    "AllowIsolate",
    "CollectMode",
    "SourcePath",
]);
/**
 * Returns what a change of a unit's file does to the running unit, by the rules of NixOS's switch-to-configuration: nothing, a reload
 * where only settings have changed that a reload applies, else a restart.
 */
function judgeChanges(changes) {
    const keysOf = (section, change) => changes.flatMap((each) => (each.section === section && each.change === change && each.key !== undefined ? [each.key] : []));
    const sections = changes.filter(({ key }) => key === undefined);
    const added = sections.filter(({ change }) => change === "added");
    if (added.length > 1)
        return "restart";
    const restart = sections.some(({ section, change }) => sectionNeedsRestart(section, change, keysOf(section, change))) ||
        changes.some(({ section, change, key }) => key !== undefined && keyNeedsRestart(section, change, key));
    if (restart)
        return "restart";
    return changes.some(needsReload) ? "reload" : "equal";
}
function sectionNeedsRestart(section, change, keys) {
    if (section === "Unit")
        return false;
    return section !== "Service" || change === "changed" || keys.length !== 1 || keys[0] !== "ExecReload";
}
function keyNeedsRestart(section, change, key) {
    if (section === "Unit")
        return !ignoredKeys.has(key);
    // Without ExecReload= the running process is the same, and there is nothing to reload it with.
    if (section === "Service")
        return key !== "ExecReload";
    return section !== "Mount" || key !== "Options" || change !== "changed";
}
function needsReload({ section, change, key }) {
    if (change === "removed")
        return false;
    return (section === "Unit" && key === "X-Reload-Triggers") || (section === "Service" && key === "ExecReload") || (section === "Mount" && key === "Options");
}
;// CONCATENATED MODULE: ./out/src/domain/unit-decision.js





/**
 * The plan that follows from the facts, by the rules of switch-to-configuration (nixpkgs,
 * pkgs/by-name/sw/switch-to-configuration-ng, 2026) and what systemd does then.
 */
function planUnits(facts) {
    const jobs = simulateJobs(decide(facts), facts);
    const bounded = (units) => [...units].toSorted().slice(0, mostUnits);
    return {
        source: "unit-files",
        stop: bounded(jobs.stop),
        start: bounded(jobs.start),
        restart: bounded(jobs.restart),
        reload: bounded(jobs.reload),
        again: bounded(jobs.again),
        keep: bounded(jobs.keep),
        reexecutes: facts.systemd.before !== facts.systemd.after || facts.config.before !== facts.config.after,
        inhibitors: inhibitors_inhibitorsOf(facts.inhibitors),
    };
}
/** Decides about each unit that runs, as switch-to-configuration does. */
function decide(facts) {
    const { start, restart, reload } = facts.left;
    const decision = {
        stop: new Set(),
        start: new Set(start),
        restart: new Set(restart),
        reload: new Set(reload),
        keep: new Set(),
        targets: new Set(),
    };
    for (const unit of facts.managed)
        decideUnit(unit, decision, facts);
    const mounts = planMounts(facts.fstab);
    for (const action of ["stop", "restart", "reload", "keep"])
        for (const unit of mounts[action])
            decision[action].add(unit);
    return decision;
}
function decideUnit(unit, decision, facts) {
    const { name } = unit;
    if (unit.file === "gone") {
        if (flag(unit, "Unit X-StopOnRemoval", true))
            decision.stop.add(name);
        return;
    }
    if (name.endsWith(".target")) {
        decideTarget(unit, decision);
        return;
    }
    const verdict = judgeChanges(unit.changes);
    if (verdict === "restart")
        decideModified(unit, decision, facts);
    else if (verdict === "reload" && !decision.restart.has(name))
        decision.reload.add(name);
}
const asleep = new Set(["suspend.target", "hibernate.target", "hybrid-sleep.target"]);
function decideTarget(unit, { targets, stop }) {
    const { name } = unit;
    if (!asleep.has(name) && !flag(unit, "Unit RefuseManualStart", false) && !flag(unit, "Unit X-OnlyManualStart", false))
        targets.add(name);
    if (flag(unit, "Unit X-StopOnReconfiguration", false))
        stop.add(name);
}
// They are started by what depends on them; limits of slices and watched paths take effect with a daemon-reload.
const untouched = /^(?:sysinit|basic|multi-user|graphical)\.target$|\.(?:path|slice|socket)$/;
function decideModified(unit, decision, facts) {
    const { name } = unit;
    const { stop, start, restart, reload, keep } = decision;
    if (untouched.test(name))
        return;
    if (name.endsWith(".mount")) {
        (name === "-.mount" || name === "nix.mount" ? reload : restart).add(name);
        return;
    }
    if (flag(unit, "Service X-ReloadIfChanged", false) && !restart.has(name) && !stop.has(name)) {
        reload.add(name);
        return;
    }
    if (!flag(unit, "Service X-RestartIfChanged", true) || flag(unit, "Unit RefuseManualStop", false) || flag(unit, "Unit X-OnlyManualStart", false)) {
        keep.add(name);
        return;
    }
    reload.delete(name);
    if (!flag(unit, "Service X-StopIfChanged", true) || !name.endsWith(".service")) {
        restart.add(name);
        return;
    }
    const activated = decideSockets(unit, decision, facts);
    stop.add(name);
    if (!activated || flag(unit, "Service X-NotSocketActivated", false))
        start.add(name);
}
/** Decides about the sockets of a service that has changed. Returns whether a socket of the new system starts the service. */
function decideSockets(unit, { stop, start }, { active, sockets }) {
    const own = (unit.settings.get("Service Sockets") ?? "").split(/\s+/).filter((name) => name !== "");
    const byName = `${unit.name.replace(/(?:@[^.]*)?\.service$/, "")}.socket`;
    let activated = false;
    for (const socket of own.length > 0 ? own : [byName]) {
        const known = sockets.has(socket);
        if (active.has(socket)) {
            stop.add(socket);
            if (known)
                start.add(socket);
        }
        activated ||= known;
    }
    return activated;
}
// Only these words are true (parse_systemd_bool of switch-to-configuration).
function flag({ settings }, name, otherwise) {
    const value = settings.get(name);
    return value === undefined ? otherwise : /^(?:1|yes|true|on)$/.test(value);
}
;// CONCATENATED MODULE: ./out/src/nixos/difference.js




/** The most paths of either side that are compared. */
const mostCompared = 20_000;
/** The most paths of either side in the answer of a build, which is kept whole. */
const mostInBuild = 2000;
/**
 * Parses what `difference.sh` prints:
 *
 *     - /nix/store/jl1c4ra244fxwj0khijpzkaxijx6z51k-nginx-1.28.0 512
 *     + /nix/store/12rzaq8rndd3hdjqrmvjcfyk30zi05hp-nginx-1.28.1 512
 *     end
 *
 * Throws an `Error` where something is missing.
 */
function parseDifference(text) {
    const lines = text.split("\n").filter((line) => line !== "");
    if (lines.at(-1) !== "end")
        throw new Error("incomplete output");
    const side = (mark) => lines.flatMap((line) => (line.startsWith(`${mark} `) ? [sizedPath(line)] : []));
    const [before, after] = [side("-"), side("+")];
    const truncated = before.length >= mostCompared || after.length >= mostCompared;
    return compareClosures(before, after, truncated);
}
/**
 * Reads the difference from the facts of `build.sh`, behind the line "difference", with what Nix says on standard error in between;
 * `undefined` where there is none, or not all of it: it is then worth a question of its own.
 */
function differenceOfBuild(facts) {
    const text = /^difference\n([^]*)$/m.exec(facts)?.[1];
    if (text === undefined)
        return undefined;
    const lines = text.split("\n");
    const isFull = (mark) => lines.filter((line) => line.startsWith(`${mark} `)).length >= mostInBuild;
    if (isFull("-") || isFull("+"))
        return undefined;
    try {
        return { kind: "known", closure: readDifference(text, lastLines(lines.filter((line) => !answers.test(line)).join("\n")).at(-1)) };
    }
    catch (error) {
        return { kind: "failed", reason: messageOf(error) };
    }
}
// The lines of `difference.sh` itself.
const answers = /^(?:[-+] |failed \d+$|end$)/;
/** Parses what `difference.sh` prints. Throws an `Error` where Nix could not list the closures, with what it has `said`, and as `parseDifference`. */
function readDifference(text, said) {
    const failed = /^failed (\d+)$/m.exec(text);
    if (failed !== null)
        throw new Error(said ?? `exit code ${failed[1]}`);
    return parseDifference(text);
}
function sizedPath(line) {
    const [, path = "", size = ""] = line.split(" ");
    return { path: checked(path), bytes: bytesOf(size) };
}
function bytesOf(size) {
    if (!/^\d{1,15}$/.test(size))
        throw new Error(`${JSON.stringify(size.slice(0, 300))} is not a valid size of a path`);
    return Number(size);
}
function checked(path) {
    if (!isStorePath(path))
        throw new Error(`${JSON.stringify(path.slice(0, 300))} is not a store path`);
    return path;
}
;// CONCATENATED MODULE: ./out/src/nixos/unanswered.js


/** Explains a script that we have ended; `undefined` for an abort, and for one that ended by itself. */
function explainLimit(error, phase) {
    const parts = { phase, exitCode: 255, cause: error };
    const { failure } = error;
    const hint = "Log in to the machine and look at its load, its memory and its journal";
    switch (failure.kind) {
        case "timeout":
            return new DeployError({ ...parts, reason: `the machine is connected, but has not answered within ${failure.seconds} s`, hint, unreachable: true });
        case "silent":
            return new DeployError({ ...parts, reason: `the machine is connected, but has given no sign of life for ${failure.seconds} s`, hint, unreachable: true });
        case "output":
            return new DeployError({
                ...parts,
                reason: `the machine has printed more than ${renderBytes(failure.bytes)} where a short answer was expected`,
                hint: undefined,
            });
        case "exit":
        case "signal":
        case "aborted":
        case "spawn":
            return undefined;
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/unit-facts.js
/** Lines of each list that a machine reports at most. */
const mostFacts = 20_000;
/**
 * Parses what `units.sh` prints. Returns `undefined` for systems without unit files. Throws an `Error` where the end, or
 * systemd's answer, is missing: a plan from incomplete facts would be wrong.
 *
 *     systemd before /nix/store/…-systemd-260/lib/systemd/systemd
 *     active active nginx.service
 *     idle ran fstrim.service
 *     managed present nginx.service
 *     key changed Service ExecStart
 *     set new Service X-StopIfChanged false
 *     pulls multi-user.target nginx.service
 *     end
 */
function parseUnitFacts(text) {
    const lines = text.split("\n").filter((line) => line !== "");
    if (lines.length === 0)
        return undefined;
    if (lines.at(-1) !== "end")
        throw new Error("the facts about units are incomplete");
    const rows = new Map();
    for (const line of lines) {
        const at = line.indexOf(" ");
        append(rows, line.slice(0, at), line.slice(at + 1));
    }
    const active = new Map((rows.get("active") ?? []).map((row) => flip(split(row))));
    if (active.size === 0)
        throw new Error("systemd did not list its units");
    const pair = (word) => ({ before: first(rows, word, "before"), after: first(rows, word, "after") });
    return {
        systemd: pair("systemd"),
        config: pair("config"),
        inhibitors: pair("inhibitors"),
        fstab: { before: unit_facts_all(rows, "fstab", "before"), after: unit_facts_all(rows, "fstab", "after") },
        left: { start: unit_facts_all(rows, "list", "start"), restart: unit_facts_all(rows, "list", "restart"), reload: unit_facts_all(rows, "list", "reload") },
        active,
        idle: new Map((rows.get("idle") ?? []).flatMap((row) => {
            const [result, name] = split(row);
            return result === "never" || result === "unmet" || result === "ran" ? [[name, result]] : [];
        })),
        aliases: new Map((rows.get("alias") ?? []).map(split)),
        stopsWith: unit_facts_lists(rows.get("down")),
        managed: managedUnits(lines),
        sockets: new Set(rows.get("socket")),
        added: new Set(rows.get("new")),
        pulls: unit_facts_lists(rows.get("pulls")),
        parts: unit_facts_lists(rows.get("part")),
    };
}
function managedUnits(lines) {
    const units = [];
    for (const line of lines) {
        const [word, one = "", section = "", key = "", ...rest] = line.split(" ");
        const unit = units.at(-1);
        if (word === "managed")
            units.push({ name: section, file: one === "gone" ? "gone" : "present", changes: [], settings: new Map() });
        else if (unit !== undefined && (word === "key" || word === "section") && (one === "added" || one === "removed" || one === "changed"))
            unit.changes.push({ change: one, section, key: word === "key" ? [key, ...rest].join(" ") : undefined });
        else if (unit !== undefined && word === "set")
            unit.settings.set(`${section} ${key}`, rest.join(" ").trim());
    }
    return units;
}
function append(map, key, value) {
    const list = map.get(key);
    if (list === undefined)
        map.set(key, [value]);
    else
        list.push(value);
}
function unit_facts_lists(rows = []) {
    const map = new Map();
    for (const row of rows)
        append(map, ...split(row));
    return map;
}
/** The first word, and the rest. */
function split(row) {
    const at = row.indexOf(" ");
    return at === -1 ? [row, ""] : [row.slice(0, at), row.slice(at + 1)];
}
function flip([one, other]) {
    return [other, one];
}
function unit_facts_all(rows, word, which) {
    return (rows.get(word) ?? []).flatMap((row) => {
        const [side, rest] = split(row);
        return side === which ? [rest] : [];
    });
}
function first(rows, word, which) {
    return unit_facts_all(rows, word, which)[0] ?? "";
}
;// CONCATENATED MODULE: ./out/src/nixos/compare.js






// For each query to the machine's Nix, which are side by side, and to its systemd, which are in series.
const nixSeconds = 20;
const systemdSeconds = 10;
/**
 * Compares two systems of the machine's store: their packages, and with `withUnits` what a switch would do to units. Never throws:
 * `undefined`, and a note in the log, where they cannot be compared.
 */
async function compareSystems(systems, withUnits, shell, log, signal) {
    try {
        const { units, closure } = await compare_ask(systems, withUnits, shell, signal);
        return { closure, units: units === undefined ? undefined : planOf(units, log) };
    }
    catch (error) {
        noteIncomparable(log, messageOf(error));
        return undefined;
    }
}
/** Says in the log that two systems could not be compared. */
function noteIncomparable(log, reason) {
    log.note(`the old and the new system could not be compared: ${reason}`, "difference-unknown");
}
async function compare_ask(systems, withUnits, shell, signal) {
    const forUnits = withUnits ? ["/etc/systemd/system", systemdSeconds, mostFacts] : [];
    const args = [...systems, nixSeconds, mostCompared, ...forUnits].map(String);
    const script = withUnits ? "compare" : "difference";
    // Not retried after a loss of the connection, which the next step notices.
    const outcome = await shell.run({ script, args, privileged: false, signal }).catch((error) => {
        throw (error instanceof CommandError ? explainLimit(error, "build") : undefined) ?? error;
    });
    if (outcome.kind === "lost")
        throw new Error("the connection was lost");
    const said = lastLines(outcome.stderr).at(-1);
    if (outcome.exitCode !== 0)
        throw new Error(said ?? `exit code ${outcome.exitCode}`);
    const [, units, closure = ""] = /^(?:((?:.*\n)*?)difference\n)?([^]*)$/.exec(outcome.stdout) ?? [];
    return { units, closure: readDifference(closure, said) };
}
function planOf(text, log) {
    try {
        const facts = parseUnitFacts(text);
        return facts === undefined ? undefined : planUnits(facts);
    }
    catch (error) {
        log.note(`the effect of a switch on units is unknown: ${messageOf(error)}`, "plan-unknown");
        return undefined;
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/build-job.js







/**
 * Runs a command on the machine that builds a system and links it as `result`, and compares the system where that is wanted. Throws a
 * `DeployError` of the phase build.
 */
async function runBuild(command, { configuration, evaluates }, { run, privileged, log, facts, questions, call, compareWith }) {
    const reader = new BuildLogReader();
    const onLine = (line) => {
        reader.read(line);
        log.output(line);
    };
    const job = { run, name: "build", phase: "build", privileged, onLine };
    const args = [compareWith ?? "", String(nixSeconds), String(mostInBuild), residentScript("job"), ...command];
    const watched = await watchScript(job, call, "build", args);
    const { exitCode, result, lines } = jobExit(job, watched.end, watched.lines, "build");
    if (exitCode !== 0) {
        const failure = { exitCode, configuration, lines, failures: reader.failures, evaluates };
        throw buildError(failure, await contextOf(failure, facts, questions));
    }
    if (result === undefined)
        throw new DeployError({ phase: "build", reason: `${command.slice(0, 2).join(" ")} succeeded but produced no system`, lines, exitCode });
    return { toplevel: result, difference: differenceOfBuild(watched.end.stderr) };
}
async function contextOf(failure, facts, { configurationNames, isUntracked }) {
    const file = fileNotFound(failure);
    return {
        configurations: isMissingConfiguration(failure) ? await configurationNames() : undefined,
        untrackedFile: file !== undefined && (await isUntracked(file)) ? file : undefined,
        memoryKibibytes: facts.memoryKibibytes,
        nix: facts.nix,
    };
}
;// CONCATENATED MODULE: ./out/src/nixos/answer-limits.js


/** Ends the session of a script that exceeds a limit, or whose call is aborted. */
class AnswerLimits {
    #session;
    #signal;
    #begin;
    #whole;
    #silence;
    #exceeded;
    constructor({ script, timeout, signal }, session) {
        this.#session = session;
        this.#signal = signal;
        const isFollowing = followsJob(script);
        const seconds = timeout ?? (isFollowing ? 0 : scriptSeconds(script));
        this.#begin = setTimeout(() => this.stop({ kind: "timeout", seconds: beginSeconds }), beginSeconds * 1000);
        this.#whole = seconds > 0 ? setTimeout(() => this.stop({ kind: "timeout", seconds }), seconds * 1000) : undefined;
        this.#silence = isFollowing ? setTimeout(() => this.#silent(), silentSeconds * 1000) : undefined;
        signal?.addEventListener("abort", this.#abort, { once: true });
    }
    /** The limit that was exceeded first, unless the call was aborted. */
    get exceeded() {
        return this.#signal?.aborted === true ? undefined : this.#exceeded;
    }
    /** The script has begun. */
    begun() {
        clearTimeout(this.#begin);
    }
    /** Something was received. */
    received() {
        this.#silence?.refresh();
    }
    stop(failure) {
        // ncc does not find the files of a module that has the operator ??= in it.
        if (this.#exceeded === undefined)
            this.#exceeded = failure;
        this.#session.kill();
    }
    /** The script has ended. */
    end() {
        for (const timer of [this.#begin, this.#whole, this.#silence])
            clearTimeout(timer);
        this.#signal?.removeEventListener("abort", this.#abort);
    }
    #abort = () => this.#session.kill();
    #silent() {
        // What is held up here is not silent.
        if (this.#session.isHeld)
            this.#silence?.refresh();
        else
            this.stop({ kind: "silent", seconds: silentSeconds });
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/answer.js

// Bytes kept of what comes before the line that begins the script's output.
const keptBefore = 64 * 1024;
const answer_keptStderr = 2 * 1024 * 1024;
/**
 * Reads the answer of one script from both streams of the shell that runs it:
 *
 *     Welcome to web1
 *     begin NONCE
 *     …what the script prints…end NONCE CODE
 *
 * and on standard error what the script prints there, and the same end. What a login shell prints comes before.
 */
class AnswerReader {
    #begin;
    #end;
    #onOutput;
    #before = new KeptOutput(keptBefore);
    #stderr = new KeptOutput(answer_keptStderr);
    #endOfStderr;
    #held = Buffer.alloc(0);
    #state = "before";
    /** `onOutput` takes what the script prints, without the marks around it; nothing of it where the script has just begun. */
    constructor(nonce, onOutput) {
        this.#begin = Buffer.from(`begin ${nonce}\n`);
        // Without a line end before it: that of a line of output would have to wait for what follows.
        this.#end = Buffer.from(`end ${nonce} `);
        // What the script prints last need not end its line.
        this.#endOfStderr = new RegExp(`end ${nonce} (\\d{1,3})\\n`);
        this.#onOutput = onOutput;
    }
    /** Takes a piece of standard output. */
    stdout(chunk) {
        if (this.#state === "end")
            return;
        if (this.#state === "output")
            return this.#output(chunk);
        this.#before.push(chunk);
        // The line may come in pieces.
        const searched = Buffer.concat([this.#held, chunk]);
        const position = searched.indexOf(this.#begin);
        if (position === -1) {
            this.#held = searched.subarray(-(this.#begin.length - 1));
            return;
        }
        this.#state = "output";
        this.#held = Buffer.alloc(0);
        this.#onOutput(Buffer.alloc(0));
        this.#output(searched.subarray(position + this.#begin.length));
    }
    /** Takes a piece of standard error. */
    stderr(chunk) {
        this.#stderr.push(chunk);
    }
    /** The shell has ended: what was held back belongs to the output. */
    close() {
        if (this.#state !== "output")
            return;
        if (this.#held.length > 0)
            this.#onOutput(this.#held);
        this.#held = Buffer.alloc(0);
    }
    /** Returns whether both streams have come to the end of the answer. */
    isComplete() {
        return this.#state === "end" && this.exitCode() !== undefined;
    }
    /** The exit code of the script; `undefined` where it has not run to its end. */
    exitCode() {
        const code = this.#endOfStderr.exec(this.#stderr.text())?.[1];
        return code === undefined ? undefined : Number(code);
    }
    /** What the script, or whatever came before it, has printed on standard error. */
    errorText() {
        const text = this.#stderr.text();
        return text.slice(0, this.#endOfStderr.exec(text)?.index);
    }
    /** What was printed in place of the script's output; `undefined` where the script has begun. */
    instead() {
        return this.#state === "before" ? this.#before.text() : undefined;
    }
    #output(chunk) {
        const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
        const position = bytes.indexOf(this.#end);
        const output = position === -1 ? bytes.length - beginningAtEnd(bytes, this.#end) : position;
        if (output > 0)
            this.#onOutput(bytes.subarray(0, output));
        this.#held = bytes.subarray(output);
        if (position !== -1 && this.#held.includes("\n", this.#end.length))
            this.#state = "end";
    }
}
/** Returns how many of the last bytes may be the beginning of a mark. */
function beginningAtEnd(bytes, mark) {
    for (let length = Math.min(bytes.length, mark.length - 1); length > 0; length -= 1) {
        if (bytes.subarray(-length).equals(mark.subarray(0, length)))
            return length;
    }
    return 0;
}
;// CONCATENATED MODULE: external "node:zlib"
const external_node_zlib_namespaceObject = late("node:zlib");
;// CONCATENATED MODULE: ./out/src/nixos/script-program.js


// A shorter text is not worth the two programs that inflate it.
const worthwhileCharacters = 4096;
/**
 * The script with its arguments, for a shell that has read the opening. It is one command, so that no shell has to read its next line
 * before its end, and runs in a subshell, which leaves nothing behind for the next script.
 */
function question(script, args, nonce, { reads = false, deflated = false } = {}) {
    const text = definition(script, args).join("\n");
    return [
        "{ (",
        deflated && text.length >= worthwhileCharacters ? inflating(text) : text,
        `echo 'begin ${nonce}'`,
        reads ? 'main "$@"' : 'main "$@" </dev/null',
        ")",
        "code=$?",
        `echo "end ${nonce} $code"`,
        `echo "end ${nonce} $code" >&2`,
        "}",
        "",
    ].join("\n");
}
function inflating(text) {
    return `eval "$(echo ${(0,external_node_zlib_namespaceObject.gzipSync)(text, { level: 9 }).toString("base64")} | base64 -d | gzip -dc)"`;
}
/** A whole session with one script, as `/bin/sh` reads it. Its exit code is that of the script. */
function script_program_program(script, args, nonce) {
    return `${opening()}${question(script, args, nonce)}exit "$code"\n`;
}
;// CONCATENATED MODULE: ./out/src/nixos/session.js
// For a shell on the machine to end by itself.
const session_graceMilliseconds = 2000;
/** A session on the machine in which a shell reads one program after the other. */
class Session {
    command;
    era;
    /** How the program has ended that is the session on this side. */
    ended;
    #own = new AbortController();
    #stdin;
    #isHeld = () => false;
    #isOpen = true;
    #hasAnswered = false;
    #question;
    #onComplete;
    /** `opening` is what the shell reads first. */
    constructor(connection, command, opening) {
        this.command = command;
        this.era = connection.era;
        this.ended = connection
            .run({
            command,
            stdin: opening,
            feed: (stdin) => (this.#stdin = stdin),
            onStart: (_, isHeld) => (this.#isHeld = isHeld),
            onStdout: (chunk) => this.#receive((answer) => answer.stdout(chunk)),
            onStderr: (chunk) => this.#receive((answer) => answer.stderr(chunk)),
            shown: () => this.#question?.isShown === true,
            signal: this.#own.signal,
        })
            .then(() => ({ problem: undefined }), (problem) => ({ problem }))
            .finally(() => (this.#isOpen = false));
    }
    /** Returns whether another question can be asked; the end of a session is known here a little later than it happens. */
    get isOpen() {
        return this.#isOpen && !this.#own.signal.aborted;
    }
    /** Returns whether a question was answered. */
    get hasAnswered() {
        return this.#hasAnswered;
    }
    /** Returns whether output waits because the log is not read fast enough. */
    get isHeld() {
        return this.#isHeld();
    }
    get stdin() {
        return this.#stdin;
    }
    /** Sends a program and waits for the whole answer. Returns how the session has ended if it has, at the latest then. */
    async ask(question) {
        this.#question = question;
        const complete = new Promise((resolve) => {
            this.#onComplete = () => resolve(undefined);
        });
        if (question.isLast)
            this.#stdin?.end(question.text);
        else
            this.#stdin?.write(question.text);
        const end = await Promise.race([complete, this.ended]);
        if (end === undefined)
            this.#hasAnswered = true;
        else
            question.answer.close();
        this.#question = undefined;
        return end;
    }
    /** Ends the program on this side, and with it the shell on the machine. */
    kill() {
        this.#own.abort();
    }
    /** Lets the shell on the machine end. */
    end() {
        this.#stdin?.end();
    }
    #receive(take) {
        if (this.#question === undefined)
            return;
        const { answer, onReceived } = this.#question;
        onReceived();
        take(answer);
        if (answer.isComplete())
            this.#onComplete?.();
    }
}
/**
 * The sessions over one connection. Those that are kept serve one question after the other: a question then takes one round trip
 * instead of three, and no new program on either side. A question that comes while all are busy gets another session. A session of an
 * earlier master is never used again, so that what goes over a fresh connection does.
 */
class Sessions {
    #connection;
    #keeps;
    #open = new Set();
    #idle = [];
    constructor(connection, keeps) {
        this.#connection = connection;
        this.#keeps = keeps;
    }
    /** Returns whether sessions are kept for the next question. */
    get keeps() {
        return this.#keeps;
    }
    get connection() {
        return this.#connection;
    }
    /** Returns whether a session over the present connection waits for a question. */
    get hasIdle() {
        return this.#idle.some((session) => session.isOpen && session.era === this.#connection.era);
    }
    /** Opens a session, or takes one that is idle. */
    take(command, opening) {
        const { era } = this.#connection;
        for (const former of this.#idle)
            if (former.era !== era)
                former.kill();
        this.#idle = this.#idle.filter((session) => session.isOpen && session.era === era);
        const found = this.#idle.find((session) => session.command === command);
        if (found !== undefined) {
            this.#idle = this.#idle.filter((session) => session !== found);
            return found;
        }
        const opened = new Session(this.#connection, command, opening);
        this.#open.add(opened);
        void opened.ended.then(() => this.#open.delete(opened));
        return opened;
    }
    /** Takes back a session whose question was answered. */
    giveBack(session) {
        if (this.keeps && session.isOpen && session.era === this.#connection.era)
            this.#idle.push(session);
        else
            session.end();
    }
    /** Keeps no session from now on, and waits for the end of those that wait for a question. */
    async keepNone() {
        this.#keeps = false;
        const idle = this.#idle;
        this.#idle = [];
        await Promise.all(idle.map(endSoon));
    }
    /** Ends the sessions that wait for a question. */
    rest() {
        for (const session of this.#idle)
            session.end();
        this.#idle = [];
    }
    /** Ends all sessions. */
    close() {
        this.#idle = [];
        for (const session of this.#open)
            session.kill();
    }
}
async function endSoon(session) {
    session.end();
    const late = setTimeout(() => session.kill(), session_graceMilliseconds);
    await session.ended;
    clearTimeout(late);
}
;// CONCATENATED MODULE: ./out/src/nixos/remote-shell.js









/**
 * Runs scripts on one machine. A script comes with its arguments on the standard input of `/bin/sh -s` and is a function that
 * the last lines call with an empty standard input, so that it depends neither on the user's login shell nor on what its
 * children read.
 */
class RemoteShell {
    #sessions;
    #elevation;
    #inflates;
    /** Without `sessions`, each script has one of its own. */
    constructor(connection, elevation, sessions = new Sessions(connection, false), inflates = false) {
        this.#sessions = sessions;
        this.#elevation = elevation;
        this.#inflates = inflates;
    }
    /** A shell whose scripts run as the ssh user, in sessions that are kept until `close`. */
    static standing(connection) {
        return new RemoteShell(connection, { kind: "none" }, new Sessions(connection, true));
    }
    /** The same shell, whose privileged scripts become root like this. `inflates`: the machine has gzip and base64. */
    elevated(elevation, inflates) {
        return new RemoteShell(this.#sessions.connection, elevation, this.#sessions, inflates);
    }
    /** The same shell over another connection to the machine; each script has a session of its own. */
    over(connection) {
        return new RemoteShell(connection, this.#elevation);
    }
    /** Returns whether a session over the present connection is kept. */
    get isOpen() {
        return this.#sessions.hasIdle;
    }
    /** Returns whether a session may be kept, which counts as one more on the connection. */
    get isStanding() {
        return this.#sessions.keeps;
    }
    /** From now on, gives each script a session of its own, and waits for the end of those that were kept. */
    async standDown() {
        await this.#sessions.keepNone();
    }
    /** Ends the sessions that no script uses. The next script opens another one. */
    rest() {
        this.#sessions.rest();
    }
    /** Ends the sessions that were kept. */
    close() {
        this.#sessions.close();
    }
    /**
     * Runs a script. Throws a `CommandError` when the call was aborted, took too long, was silent for too long or had too long an
     * answer, never for its exit code.
     */
    async run(call) {
        const elevation = call.privileged ? this.#elevation : { kind: "none" };
        const command = remoteCommand(elevation);
        if (call.signal?.aborted === true)
            throw new CommandError({ command, failure: { kind: "aborted" }, stdout: "", stderr: "" });
        const session = this.#sessions.take(command, `${beforeProgram(elevation)}${script_files_opening()}`);
        const kept = new KeptOutput(longestAnswer);
        const nonce = (0,external_node_crypto_namespaceObject.randomBytes)(8).toString("hex");
        const limits = new AnswerLimits(call, session);
        let begun = false;
        let inputFailure;
        const answer = new AnswerReader(nonce, (bytes) => {
            if (!begun) {
                begun = true;
                limits.begun();
                void feed(session.stdin, call.input).catch((error) => (inputFailure = error));
            }
            if (bytes.length === 0)
                return;
            call.onOutput?.(bytes);
            if (call.onStdout !== undefined)
                call.onStdout(bytes);
            else {
                kept.push(bytes);
                if (kept.overflowed)
                    limits.stop({ kind: "output", bytes: longestAnswer });
            }
        });
        const text = question(call.script, call.args, nonce, { reads: call.input !== undefined, deflated: this.#inflates });
        const isLast = !this.#sessions.keeps && call.input === undefined;
        const end = await session.ask({ text, answer, isLast, isShown: call.onStdout !== undefined, onReceived: () => limits.received() });
        limits.end();
        if (inputFailure !== undefined) {
            session.kill();
            throw inputFailure;
        }
        const problem = end?.problem;
        const stderr = answer.errorText();
        const fail = (failure) => new CommandError({ command, failure, stdout: "", stderr, cause: problem });
        if (problem !== undefined && !(problem instanceof CommandError))
            throw problem;
        // The end of an answer that is too long may have come before that of the session.
        if (kept.overflowed)
            throw fail({ kind: "output", bytes: longestAnswer });
        if (problem !== undefined && problem.failure.kind === "aborted")
            throw fail(limits.exceeded ?? problem.failure);
        // The end of a session is known here later than it happens: one that had ended before the question is no lost connection.
        if (problem !== undefined && session.hasAnswered && answer.instead() !== undefined)
            return await this.run(call);
        // What still writes to a script, or prints for one, would do so for the next.
        if (call.input !== undefined || call.leavesProcesses === true)
            session.kill();
        else
            this.#sessions.giveBack(session);
        const code = answer.exitCode();
        if (code !== undefined)
            return { kind: "ended", exitCode: code, stdout: kept.text(), stderr };
        // Without its last line the script did not run to its end: it was not started, or the connection was lost.
        const instead = answer.instead();
        if (problem === undefined)
            return { kind: "ended", exitCode: 1, stdout: "", stderr, instead };
        const exitCode = problem.failure.kind === "exit" ? problem.failure.exitCode : 255;
        if (exitCode !== 255)
            return { kind: "ended", exitCode, stdout: "", stderr, instead };
        return { kind: "lost", stderr, cause: problem };
    }
}
/** Has the caller write what a script reads. */
async function feed(stdin, input) {
    if (stdin === undefined || input === undefined)
        return;
    try {
        await input(stdin);
        stdin.end();
    }
    catch (error) {
        stdin.destroy();
        throw error;
    }
}
// Reads a script from standard input up to a line "---" and runs it. `read` takes no byte more, under dash as under bash, so the
// script finds what follows. Without newlines and single quotes inside: the login shell may be fish or csh.
const scriptFirst = String.raw `/bin/sh -c 'eval "$(while IFS= read -r line && [ "$line" != --- ]; do printf "%s\n" "$line"; done)"'`;
const passwordless = {
    sudo: "sudo -n -- /bin/sh -s",
    doas: "doas -n -- /bin/sh -s",
    run0: "run0 --no-ask-password -- /bin/sh -s",
    "run0-with-manager": "run0 --no-ask-password --lightweight=no -- /bin/sh -s",
};
/** The command for the login shell: one fixed line. As root, only `/bin/sh -s` runs, so that a rule can name it. */
function remoteCommand(elevation) {
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
function beforeProgram(elevation) {
    return elevation.kind === "password" ? `${elevationText()}---\n${elevation.password}\n` : "";
}
;// CONCATENATED MODULE: ./out/src/nixos/probe.js







/**
 * Queries a connected machine for its facts, and finds out how scripts become root. Throws a `DeployError` of the
 * phase connect. What could not be prepared is no error here.
 */
async function enter(connection, settings, signal, preparing) {
    const shell = RemoteShell.standing(connection);
    try {
        return await query(shell, connection, settings, signal, preparing);
    }
    catch (error) {
        shell.close();
        throw error;
    }
}
async function query(own, connection, settings, signal, preparing) {
    const outcome = await probe_ask(own, firstCall(preparing), signal);
    if (outcome.kind === "lost") {
        throw new DeployError({
            phase: "connect",
            reason: "the connection dropped immediately",
            lines: lastLines(outcome.stderr),
            exitCode: 255,
            unreachable: true,
            cause: outcome.cause,
        });
    }
    const { user } = connection.target;
    if (outcome.exitCode !== 0) {
        if (outcome.instead !== undefined)
            throw notRun(outcome, user);
        throw new DeployError({
            phase: "connect",
            reason: `the machine could not be queried (exit code ${outcome.exitCode})`,
            hint: `The login shell of ${user} on the machine must be able to run \`/bin/sh -s\``,
            topic: "command-not-run",
            lines: lastLines(outcome.stderr),
            exitCode: outcome.exitCode,
        });
    }
    const { facts, access, inflates, prepared } = machineFacts(outcome.stdout, settings);
    const { privileged, elevation } = requireAccess(access, settings);
    const shell = own.elevated(elevation, inflates);
    if (elevation.kind === "password")
        await tryElevation(shell, signal, (stderr) => passwordError(user, stderr));
    if (elevation.kind === "passwordless" && elevation.program.startsWith("run0"))
        await tryElevation(shell, signal, (stderr) => run0Error(user, stderr));
    return { facts, shell, privileged, root: access.root, prepared };
}
function firstCall(preparing) {
    if (preparing === undefined)
        return { script: "facts", args: [], privileged: false };
    const { args, onRooted } = preparing;
    const cutter = lineCutter((line) => {
        if (line === "rooted=yes")
            onRooted();
    });
    return { script: "enter", args, privileged: false, onOutput: (chunk) => cutter.push(chunk) };
}
async function probe_ask(shell, call, signal) {
    try {
        return await shell.run({ ...call, signal });
    }
    catch (error) {
        const explained = error instanceof CommandError ? explainLimit(error, "connect") : undefined;
        if (explained === undefined)
            throw error;
        // It has answered ssh: trying again would take as long, and it is not a machine that is off.
        throw new DeployError({ ...explained.failure, unreachable: false, cause: error });
    }
}
/** A machine on which the login shell, or sshd, did not run the command that it was sent. */
function notRun({ instead = "", stderr, exitCode }, user) {
    const answer = lastLines(instead);
    const told = { phase: "connect", lines: [...answer, ...lastLines(stderr)], exitCode, topic: "command-not-run" };
    if (/This account is (?:currently )?not available/i.test(instead + stderr))
        return new DeployError({
            ...told,
            reason: `the login shell of ${user} on the machine refuses logins`,
            hint: `Set users.users.${user}.shell to a shell, or use another ssh user`,
        });
    if (answer.length > 0) {
        return new DeployError({
            ...told,
            reason: `the machine did not run the action's command as ${user}, but answered ${JSON.stringify(answer.join(" ").slice(0, 100))}`,
            hint: `Check whether the key is restricted to one command (command=… in authorized_keys of ${user}, or ForceCommand in sshd_config), and deploy with a key without this restriction`,
        });
    }
    return new DeployError({
        ...told,
        reason: `the machine did not run the action's command as ${user} (exit code ${exitCode})`,
        hint: `The login shell of the user must be able to run \`/bin/sh -s\`, and the key must not be restricted to one command (command=… in authorized_keys, ForceCommand in sshd_config)`,
    });
}
async function tryElevation(shell, signal, explain) {
    const outcome = await probe_ask(shell, { script: "facts", args: [], privileged: true }, signal);
    if (outcome.kind === "lost" || outcome.exitCode !== 0)
        throw explain(outcome.stderr);
}
function passwordError(user, stderr) {
    if (wantsTerminal(stderr))
        return terminalError(user, lastLines(stderr));
    return new DeployError({
        phase: "connect",
        reason: "sudo on the machine rejected elevate-password",
        hint: `Try \`sudo -k -S /bin/sh -s\` as ${user} on the machine; sudoers must allow this command without a terminal`,
        topic: "sudo-password",
        lines: lastLines(stderr),
        exitCode: 1,
    });
}
function run0Error(user, stderr) {
    return new DeployError({
        phase: "connect",
        reason: `run0 on the machine refuses ${user} without a password`,
        hint: `Polkit on the machine must allow org.freedesktop.systemd1.manage-units for ${user} (on NixOS: security.polkit.extraConfig), or connect as root`,
        lines: lastLines(stderr),
        exitCode: 1,
    });
}
;// CONCATENATED MODULE: ./out/src/nix/download.js



/** Builds the call of Nix that downloads a store path with everything that it refers to, and builds nothing. The same on runner and machine. */
function downloadArguments(path) {
    return ["--realise", path];
}
/** Parses a line that Nix prints when it begins to download a path: `copying path '/nix/store/…' from 'https://cache.example.org'...` */
function isDownload(line) {
    return /^copying path '.*' from '.*'\.\.\.$/.test(line);
}
/**
 * Downloads a path into the runner's store from the binary caches of its nix.conf, unless it is there. Returns the last lines of Nix
 * where that fails. Throws a `CommandError` for an abort.
 */
async function downloadHere(path, options) {
    try {
        await runNixStore(downloadArguments(path), { signal: options.signal, onStderrLine: options.onLine });
        return undefined;
    }
    catch (error) {
        if (!(error instanceof CommandError) || (error.failure.kind !== "exit" && error.failure.kind !== "signal"))
            throw error;
        return lastLines(error.stderr);
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/given-system.js





/** Has the machine download a store path from its own binary caches, and keep it until the end of the run, whose directory must be there. */
async function downloadThere(path, { run, privileged, log, call }) {
    let paths = 0;
    const onLine = (line) => {
        if (isDownload(line))
            paths += 1;
        log.output(line);
    };
    const command = ["nix-store", ...downloadArguments(path), "--add-root", "result"];
    const { exitCode, lines } = await runJob({ run, name: "download", phase: "copy", command, privileged, onLine }, call);
    if (exitCode !== 0)
        return { kind: "unavailable", lines: lastLines(lines.join("\n")) };
    log.note(`has ${path} from its own binary caches (run ${run})`);
    return { kind: "downloaded", copied: { paths, expectedPaths: paths, bytes: undefined } };
}
/**
 * Has the machine download what its own binary caches have of these paths, and nothing else. Whether that succeeds shows in what it
 * lacks afterwards.
 */
async function downloadSome(paths, { run, privileged, log, call }) {
    const onLine = (line) => {
        // Nix prints the paths that it has then.
        if (!line.startsWith("/"))
            log.output(line);
    };
    const command = ["nix-store", "--realise", "--ignore-unknown", ...paths];
    try {
        await runJob({ run, name: "downloads", phase: "copy", command, privileged, onLine }, call);
    }
    catch (error) {
        if (!(error instanceof UnstartedJobError || error instanceof LostJobError))
            throw error;
    }
}
/** Throws a `DeployError` of the phase copy for a path of the machine's store that is no NixOS system. */
async function requireSystem(path, call) {
    const end = await call(() => ({ script: "system", args: [path], privileged: false }), "copy");
    const answer = parseFacts(end.stdout).get("system");
    if (answer === "yes")
        return;
    if (answer !== "no")
        throw new AnswerError(`whether ${path} is a NixOS system was not answered`);
    throw new DeployError({
        phase: "copy",
        reason: `${path} is not a NixOS system: it has no bin/switch-to-configuration or no nixos-version`,
        hint: "Nothing has changed on the machine. Give config.system.build.toplevel of its configuration in the input systems",
        topic: "systems-unusable",
    });
}
;// CONCATENATED MODULE: ./out/src/nixos/dry-activate.js







/** Runs the system's own switch-to-configuration with `dry-activate`, which changes nothing. */
async function dryActivate(system, { run, privileged, log, call }) {
    const scripts = ["switch.sh", residentScript("switch"), "activate.sh", residentScript("activate")];
    const placed = await call(() => ({ script: "place", args: [run, ...scripts], privileged }), "activate");
    if (placed.exitCode !== 0) {
        throw new DeployError({
            phase: "activate",
            reason: `the scripts of the run could not be written on the machine (exit code ${placed.exitCode})`,
            hint: "Check the free space in /run",
            lines: lastLines(placed.stderr),
            exitCode: placed.exitCode,
        });
    }
    const units = new UnitPlanReader();
    const output = new SwitchOutputReader();
    const onLine = (line) => {
        units.read(line);
        output.read(line);
        log.output(line);
    };
    const command = activateCommand("dry-activate", system, false);
    const { exitCode, lines, state } = await runJob({ run, name: "activate", phase: "activate", command, privileged, onLine }, call);
    return { exitCode, end: "ended", causes: output.causes(), touched: false, lines, after: state, plan: units.plan("rehearsal") };
}
;// CONCATENATED MODULE: ./out/src/nixos/reconnect.js





// Between two tries to connect again, while nothing answers.
const reconnect_pauseMilliseconds = 1000;
// A connection that has lasted for so long is none that breaks at once.
const steadyMilliseconds = 10_000;
/**
 * Runs a script, again after each loss of the connection until it has run to its end. `call` is evaluated for each attempt, so
 * that a script that shows a log continues where it stopped. For scripts that may safely run twice.
 *
 * Throws a `DeployError` that is `unreachable` when the connection does not come back in time, is lost again and again, or the script
 * does not end in time, and the abort's `CommandError`.
 */
async function runToItsEnd(connection, shell, call, reconnection) {
    // Of losses without any progress in between.
    let firstLoss;
    for (;;) {
        const begin = performance.now();
        const { moved, outcome } = await tryOnce(shell, call(), reconnection);
        if (outcome.kind === "ended")
            return outcome;
        const now = performance.now();
        if (moved || now - begin > steadyMilliseconds)
            firstLoss = undefined;
        firstLoss ??= now;
        if (now - firstLoss > reconnection.seconds * 1000)
            throw lostForGood(reconnection, lastLines(outcome.stderr), outcome.cause);
        reconnection.onLost(`the connection was lost; reconnecting for up to ${reconnection.seconds} s`);
        await reconnect(connection, outcome.cause, reconnection);
        reconnection.onLost("reconnected");
    }
}
/** Runs a script once; `moved` tells whether a log has gone on. */
async function tryOnce(shell, call, { phase, signal }) {
    const { onStdout } = call;
    let moved = false;
    const watched = (chunk) => {
        moved ||= chunk.length > 0;
        onStdout?.(chunk);
    };
    try {
        const outcome = await shell.run({ ...call, signal, onStdout: onStdout === undefined ? undefined : watched });
        return { moved, outcome };
    }
    catch (error) {
        if (!(error instanceof CommandError))
            throw error;
        throw explainLimit(error, phase) ?? error;
    }
}
/** Calls scripts over a connection that is not made again. A call throws the `CommandError` of a connection that is lost. */
function callOnce(shell, signal) {
    return async (call) => {
        const outcome = await shell.run({ ...call(), signal });
        if (outcome.kind === "ended")
            return outcome;
        throw outcome.cause;
    };
}
async function reconnect(connection, cause, { phase, seconds, signal }) {
    const deadline = performance.now() + seconds * 1000;
    let last = cause;
    for (;;) {
        try {
            await connection.reopen(signal);
            return;
        }
        catch (error) {
            if (!(error instanceof DeployError))
                throw error;
            if (!error.unreachable)
                throw new DeployError({ ...partsOf(error), phase });
            last = error;
        }
        if (performance.now() >= deadline)
            break;
        await (0,promises_namespaceObject.setTimeout)(reconnect_pauseMilliseconds, undefined, { signal }).catch(() => undefined);
    }
    const reason = `the connection was lost and could not be restored within ${seconds} s`;
    throw new DeployError({ phase, reason, lines: last instanceof DeployError ? [last.reason] : [], exitCode: 255, unreachable: true, cause: last });
}
function lostForGood({ phase, seconds }, lines, cause) {
    const reason = `the connection was lost again and again for ${seconds} s`;
    return new DeployError({ phase, reason, lines, exitCode: 255, unreachable: true, cause });
}
function partsOf({ failure, unreachable, cause }) {
    const { reason, hint, lines, exitCode, topic } = failure;
    return { reason, hint, lines, exitCode, topic, unreachable, cause };
}
;// CONCATENATED MODULE: ./out/src/nix/copy-progress.js


/**
 * Measures the progress of a nix command that copies store paths, from its output:
 *
 *     copying 2 paths...
 *     copying path '/nix/store/…-source' to 'ssh-ng://web1'...
 *
 * and from Linux's count of the bytes written (proc(5), io). `--log-format internal-json` has more details, but an entry for
 * every file of a source tree, and takes twice as long.
 */
class CopyWatch {
    #process;
    #paths = 0;
    #expectedPaths = 0;
    started(process) {
        this.#process = process;
    }
    /** Takes one line of standard error. */
    line(line) {
        const expected = /^copying (\d+) paths\.\.\.$/.exec(line)?.[1];
        if (expected !== undefined)
            this.#expectedPaths = Number(expected);
        else if (/^copying path '.*' to '.*'\.\.\.$/.test(line))
            this.#paths += 1;
    }
    get progress() {
        return { paths: this.#paths, expectedPaths: Math.max(this.#paths, this.#expectedPaths), bytes: this.#written() };
    }
    #written() {
        if (this.#process === undefined)
            return undefined;
        try {
            const written = /^wchar: (\d+)$/m.exec((0,external_node_fs_namespaceObject.readFileSync)(`/proc/${this.#process}/io`, "utf8"))?.[1];
            return written === undefined ? undefined : Number(written);
        }
        catch {
            // It has ended, or this is not Linux.
            return undefined;
        }
    }
}
/** Runs a nix command that copies store paths, and has its progress measured. Throws a `CommandError`. */
async function runCopy(args, watch, options) {
    const { environment, signal, starts, onLine } = options;
    const run = async () => await runNix(args, {
        env: environment,
        signal,
        onStart: (process) => watch.started(process),
        onStderrLine: (line) => {
            watch.line(line);
            onLine(line);
        },
    });
    return await starts.pass(signal, run);
}
;// CONCATENATED MODULE: ./out/src/nix/copy-paths.js

/**
 * Builds the arguments that copy store paths with their closures to the store of a machine. Without `--derivation`, a path that ends
 * in `.drv` stands for what it builds, up to Nix 2.14.
 */
function copyArguments(paths, derivations, options) {
    return [
        "copy",
        "--to",
        options.store,
        ...(options.checkSignatures ? [] : ["--no-check-sigs"]),
        ...(options.substitute ? ["--substitute-on-destination"] : []),
        ...(derivations ? ["--derivation"] : []),
        ...paths,
    ];
}
/** Copies store paths of the runner to a machine; what is there already does not travel. Returns what has travelled. Throws a `CommandError`. */
async function copyPaths({ closures, derivations }, options) {
    const watches = [];
    options.onBegin(() => sum(watches));
    for (const [paths, ofDerivations] of [
        [closures, false],
        [derivations, true],
    ]) {
        if (paths.length === 0)
            continue;
        const watch = new CopyWatch();
        watches.push(watch);
        await runCopy(copyArguments(paths, ofDerivations, options), watch, options);
    }
    return sum(watches);
}
function sum(watches) {
    const all = watches.map(({ progress }) => progress);
    // The last one runs; Linux has forgotten what the others wrote.
    const bytes = all.at(-1)?.bytes;
    const total = (count) => all.reduce((whole, one) => whole + count(one), 0);
    return { paths: total(({ paths }) => paths), expectedPaths: total(({ expectedPaths }) => expectedPaths), bytes };
}
;// CONCATENATED MODULE: ./out/src/nix/export.js


/** Lists store paths of the runner with everything that they refer to, in the order in which they can be registered. Throws a `CommandError`. */
async function closureOf(paths, signal) {
    const { stdout } = await runNixStore(["--query", "--requisites", ...paths], { signal });
    return stdout
        .split("\n")
        .filter((line) => line !== "")
        .map(storePath);
}
/** Writes these store paths, and no others, as `nix-store --import` reads them. Throws a `CommandError`. */
async function exportPaths(paths, to, signal) {
    await runNixStore(["--export", ...paths], { stdoutTo: to, signal });
}
;// CONCATENATED MODULE: ./out/src/nix/send-failure.js

/**
 * Returns whether to query the machine for the state of its nix-daemon. One that closes the connection before Nix's greeting gives
 * `cannot open connection to remote store '…': error: write of 16 bytes: Broken pipe`, as a lost connection does.
 */
function speaksOfDaemon(stderr) {
    return /Nix daemon disconnected unexpectedly|cannot connect to socket|data from daemon socket|cannot open connection to remote store/.test(stderr);
}
/** Explains why a flake or a system did not arrive on a machine. */
function explainSendFailure(error, { what, lost, user, state }) {
    const lines = lastLines(error.stderr);
    const exitCode = error.failure.kind === "exit" ? error.failure.exitCode : undefined;
    const parts = (reason, hint, topic) => ({ phase: "copy", reason, hint, lines, exitCode, topic, cause: error });
    if (lost)
        return { ...parts(`the connection was lost while ${what} was being copied`), unreachable: true, exitCode: 255 };
    const words = /protocol mismatch, got ['"]([^'"\n]*)/.exec(error.stderr)?.[1];
    if (words !== undefined) {
        return parts(`the login shell of ${user} on the machine prints to standard output, which breaks Nix's protocol: ${JSON.stringify(printableWords(words))}`, "Make its startup files (.bashrc, .zshenv, config.fish) print nothing in non-interactive sessions, or print to standard error", "shell-output");
    }
    const daemon = state === undefined ? undefined : explainDaemon(state, user);
    if (daemon !== undefined)
        return parts(daemon.reason, daemon.hint, daemon.topic);
    if (/No space left on device|disk is full/i.test(error.stderr))
        return parts(`no space is left on the machine for ${what}`, "Free space with `nix-collect-garbage -d` on the machine", "no-space");
    if (/lacks a (?:valid )?signature|lacks a signature by a trusted key/i.test(error.stderr)) {
        return parts("the machine does not accept a store path without a trusted signature", `Sign the paths with a key of its nix.settings.trusted-public-keys, or set check-sigs to false and have its Nix trust ${user} (nix.settings.trusted-users), or build there (build-on: target)`, "signature-missing");
    }
    if (/nix-daemon: (?:command )?not found|nix-daemon: No such file/i.test(error.stderr)) {
        return parts("nix-daemon is not in the PATH of a non-interactive ssh session on the machine", "Check that the machine runs NixOS and that the shell's startup files keep /run/current-system/sw/bin in PATH", "nix-daemon-path");
    }
    if (/unrecognised flag|unrecognized flag|requires at least Nix/i.test(error.stderr))
        return parts("nix on the runner does not support an argument", "Check archive-args; check-sigs: false needs Nix 2.30 or newer on the runner");
    return parts(`${what} could not be copied`, "See the output of Nix below");
}
// The bytes of the protocol that follow the text are not shown.
function printableWords(words) {
    return words.replaceAll(/[^\P{C}\t].*/gsu, "").trim();
}
function explainDaemon({ daemon, allowedUsers }, user) {
    if (/cannot connect to socket/.test(daemon))
        return {
            reason: `nix-daemon does not answer on the machine (${daemon})`,
            hint: "Start it with `systemctl start nix-daemon.socket` on the machine; its journal shows why it stopped",
            topic: "nix-daemon",
        };
    const closed = /Connection reset|disconnected unexpectedly|end-of-file|Broken pipe/i.test(daemon);
    if (closed && allowedUsers !== "" && !allowedUsers.split(" ").some((allowed) => allowed === "*" || allowed === user)) {
        return {
            reason: `Nix on the machine refuses ${user}, who is not in its allowed-users (${allowedUsers})`,
            hint: `Add ${user} to nix.settings.allowed-users on the machine, or connect as an allowed user`,
            topic: "nix-user-refused",
        };
    }
    if (closed)
        return {
            reason: `nix-daemon on the machine closed the connection of ${user} (${daemon})`,
            hint: "`journalctl -u nix-daemon` on the machine shows why",
            topic: "nix-daemon",
        };
    return undefined;
}
;// CONCATENATED MODULE: ./out/src/nix/send.js




/** Builds the arguments that send a flake with all its inputs to the store of a machine: from the runner's store, where it can no longer change. */
function archiveArguments(sent, options) {
    const signatures = options.checkSignatures ? [] : ["--no-check-sigs"];
    return ["flake", "archive", "--json", "--no-update-lock-file", ...signatures, "--to", options.store, ...options.extraArgs, outerReference(sent)];
}
/**
 * Sends the flake with all its inputs to the store of a machine; paths that it already has are not copied. Returns what was
 * copied. The path that Nix prints is valid only with exit code 0. Throws a `CommandError`.
 */
async function sendFlake(sent, options) {
    const watch = new CopyWatch();
    options.onBegin(() => watch.progress);
    const { stdout } = await runCopy(archiveArguments(sent, options), watch, options);
    const arrived = storePath(String(field(JSON.parse(stdout), "path")));
    if (arrived !== sent.outer)
        throw new Error(`nix flake archive sent ${arrived} where ${sent.outer} was expected`);
    return watch.progress;
}
;// CONCATENATED MODULE: external "node:fs/promises"
const external_node_fs_promises_namespaceObject = late("node:fs/promises");
;// CONCATENATED MODULE: ./out/src/nix/tree-size.js


/**
 * Returns whether the files of these trees have at least that many bytes together. Reads no more directories than that takes. Throws the
 * error of a tree that cannot be read.
 */
async function holdAtLeast(trees, bytes) {
    const left = [...trees];
    let sum = 0;
    for (let path = left.pop(); path !== undefined && sum < bytes; path = left.pop()) {
        const found = await (0,external_node_fs_promises_namespaceObject.lstat)(path);
        if (found.isFile())
            sum += found.size;
        if (!found.isDirectory())
            continue;
        for (const name of await (0,external_node_fs_promises_namespaceObject.readdir)(path))
            left.push((0,external_node_path_namespaceObject.join)(path, name));
    }
    return sum >= bytes;
}
;// CONCATENATED MODULE: ./out/src/nixos/feed-script.js
/**
 * Runs a script that reads what `write` writes, and ends that with the script: nobody reads what is still written then. Throws what
 * `write` throws before that, and as `RemoteShell.run`. `onBegin` takes a function that returns how many bytes were taken.
 */
async function feedScript(shell, call, { write, onBegin }) {
    const ended = new AbortController();
    try {
        return await shell.run({
            ...call,
            input: async (stdin) => {
                onBegin(() => ("bytesWritten" in stdin ? Number(stdin.bytesWritten) : 0));
                await write(stdin, AbortSignal.any([call.signal, ended.signal])).catch((error) => {
                    if (!ended.signal.aborted)
                        throw error;
                });
            },
        });
    }
    finally {
        ended.abort();
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/missing-paths.js

/** Returns which of these store paths a machine lacks, in their order. Throws a `CommandError` where its Nix cannot be asked. */
async function missingPaths(paths, call, privileged) {
    const asked = await call(() => ({ script: "missing", args: paths, privileged }), "copy");
    if (asked.exitCode !== 0)
        throw failedThere("nix-store --check-validity", asked);
    const answer = new Set(asked.stdout.split("\n"));
    return paths.filter((path) => answer.has(path));
}
/** The error of a command that has failed on the machine, as one of the runner's own would be. */
function failedThere(command, { exitCode, stderr }) {
    return new CommandError({ command, failure: { kind: "exit", exitCode }, stdout: "", stderr });
}
;// CONCATENATED MODULE: ./out/src/nixos/packed-copy.js




/** What has travelled before a copy that finds nothing left to send. */
const nothingSent = { paths: 0, expectedPaths: 0, bytes: 0 };
// Less than this is sent as fast as the machine says what it lacks.
const worthwhileBytes = 2 ** 20;
/**
 * Sends what a machine lacks of these paths in one compressed archive. They are in the order in which they can be registered, and refer
 * to no other path. What cannot be sent so is left to the plain copy that follows, with a note. Throws only where the connection was
 * lost or the run was cancelled.
 */
async function copyPacked(paths, options) {
    const { compress, privileged, download, fileOf = (path) => path, call, log, signal } = options;
    if (compress === "false")
        return nothingSent;
    try {
        const isWorthwhile = async (some) => await isWorthPacking(some, compress, fileOf);
        if (!(await isWorthwhile(paths)))
            return nothingSent;
        let missing = await missingPaths(paths, call, privileged);
        if (download !== undefined && (await isWorthwhile(missing))) {
            await download(missing);
            missing = await missingPaths(missing, call, privileged);
        }
        return (await isWorthwhile(missing)) ? await send(missing, options) : nothingSent;
    }
    catch (error) {
        if (signal.aborted || error instanceof DeployError)
            throw error;
        log.note(`the compressed copy failed (${briefReason(error)}); copying without compression`);
        return nothingSent;
    }
}
/** Returns whether what a machine may lack of these paths is worth the question what it lacks. `fileOf`: where the runner has the files of a path. */
async function isWorthPacking(paths, compress, fileOf = (path) => path) {
    if (compress === "false" || paths.length === 0)
        return false;
    return compress === "true" || (await holdAtLeast(paths.map(fileOf), worthwhileBytes));
}
async function send(missing, { pack, run, privileged, shell, log, signal }) {
    const progress = { paths: missing.length, expectedPaths: missing.length };
    let bytes = () => 0;
    log.copying(() => ({ ...progress, bytes: bytes() }));
    const outcome = await feedScript(shell, { script: "unpack", args: [run, ...missing], privileged, signal }, { write: async (stdin, own) => await pack.write(missing, stdin, own), onBegin: (written) => (bytes = written) });
    if (outcome.kind === "lost")
        throw outcome.cause;
    if (outcome.exitCode !== 0)
        throw failedThere("nix copy --from", outcome);
    return { ...progress, bytes: bytes() };
}
;// CONCATENATED MODULE: ./out/src/nixos/import-closure.js




/** Tells whether a machine has refused a store path for want of a signature. */
function wantsSignature(error) {
    return error instanceof CommandError && /lacks a (?:valid )?signature/.test(error.stderr);
}
/**
 * Imports store paths of the runner with everything that they refer to as root, who alone may without a signature. What the machine has
 * does not travel. Throws a `CommandError` where that fails, as one of Nix itself would.
 */
async function importClosure(roots, { shell, call, log, signal }) {
    const closure = await closureOf(roots, signal);
    const missing = await missingPaths(closure, call, true);
    const progress = { paths: missing.length, expectedPaths: missing.length };
    if (missing.length === 0)
        return { ...progress, bytes: 0 };
    log.note(`importing ${missing.length === 1 ? "1 path" : `${missing.length} paths`} as root, since Nix on the machine accepts none without a signature`);
    let bytes = () => 0;
    log.copying(() => ({ ...progress, bytes: bytes() }));
    const outcome = await feedScript(shell, { script: "import", args: [], privileged: true, signal }, { write: async (stdin, own) => await exportPaths(missing, stdin, own), onBegin: (written) => (bytes = written) });
    if (outcome.kind === "lost")
        throw outcome.cause;
    if (outcome.exitCode !== 0)
        throw failedThere("nix-store --import", outcome);
    return { ...progress, bytes: bytes() };
}
;// CONCATENATED MODULE: ./out/src/nixos/send-rooted.js
/**
 * Sends store paths while their roots are made. Nix on the machine protects a path that arrives until the sending has ended. If the roots
 * were made later than that, the paths are sent again, because a garbage collection may have deleted them in between.
 *
 * Roots that cannot be made stop the sending, and their error is thrown. A failed sending waits for the roots: what makes them would
 * otherwise go on beside the clean-up.
 */
async function sendRooted({ root, send }, signal) {
    const own = new AbortController();
    let rooted = false;
    const rooting = root(() => (rooted = true)).catch((error) => {
        own.abort();
        throw error;
    });
    const [made, sent] = await Promise.allSettled([rooting, send(AbortSignal.any([signal, own.signal])).then((value) => ({ value, inTime: rooted }))]);
    if (made.status === "rejected")
        throw made.reason;
    if (sent.status === "rejected")
        throw sent.reason;
    return sent.value.inTime ? sent.value.value : await send(signal);
}
;// CONCATENATED MODULE: ./out/src/nixos/sending.js













// Seconds in which a machine says why its daemon refused Nix.
const daemonSeconds = 10;
/** Sends store paths of the runner to one machine, and keeps them there until the end of the run. Throws a `DeployError` of the phase copy. */
class Sending {
    #site;
    constructor(site) {
        this.#site = site;
    }
    /** Sends a flake with all its inputs. */
    async flake(sent, signal) {
        const { settings, shell, call, log } = this.#site;
        const { run, checkSignatures, archiveArgs, compress, pack } = settings;
        const send = async (own) => {
            const packed = await copyPacked(sentPaths(sent), { pack, run, compress, privileged: false, shell, call: call(own), log, signal: own });
            // Sends what is still missing, and proves that nothing is.
            const copied = await sendFlake(sent, { ...this.#options(own), checkSignatures, extraArgs: archiveArgs });
            return packed.paths === 0 ? copied : addProgress(packed, copied);
        };
        const { headStart } = this.#site;
        const ahead = headStart?.sent === sent ? await headStart.end(log) : undefined;
        const kept = async () => await this.#kept(sentPaths(sent), signal, async (own) => await this.#explained(send, "the flake", own));
        const copied = ahead ?? (await this.#withFewSessions(kept));
        log.note(`copied ${sent.flake.source} (run ${run})`);
        return copied;
    }
    /** Sends store paths with what they refer to; as root, by the machine's own Nix, what it refuses for want of a signature. */
    async paths(paths, signal) {
        const { settings, privileged, root, shell, call, log } = this.#site;
        const { run, checkSignatures, substitute } = settings;
        const roots = [...paths.closures, ...paths.derivations];
        const copy = async (own) => {
            try {
                // Root could import them anyway.
                return await copyPaths(paths, { ...this.#options(own), checkSignatures: checkSignatures && !root, substitute });
            }
            catch (error) {
                if (!privileged || root || !wantsSignature(error))
                    throw error;
                return await importClosure(roots, { shell, call: call(own), log, signal: own });
            }
        };
        const send = async (own) => {
            const packed = await this.#packed(paths.closures, own);
            // Sends what is still missing, and proves that nothing is.
            const copied = await copy(own);
            return packed.paths === 0 ? copied : addProgress(packed, copied);
        };
        const { prepare } = this.#site;
        // A download is a job of the run, so the run's directory comes first.
        await prepare(roots, signal);
        const copied = await this.#withFewSessions(async () => await this.#explained(send, "the system", signal));
        await this.#keepForUser(roots, signal);
        log.note(`copied ${roots.join(", ")} (run ${run})`);
        return copied;
    }
    /** Sends closures compressed. What has no signature in them can only be imported by root, who needs none for it. */
    async #packed(roots, signal) {
        const { settings, privileged, shell, call, log, connection } = this.#site;
        const { run, compress, pack, substitute } = settings;
        if (compress === "false")
            return nothingSent;
        if (!privileged) {
            if (compress === "true")
                log.note(`compress: true has no effect, since ${connection.target.user} cannot become root; copying without compression`);
            return nothingSent;
        }
        const site = { run, privileged, log, call: call(signal) };
        const download = substitute ? async (missing) => await downloadSome(missing, site) : undefined;
        return await copyPacked(await closureOf(roots, signal), { ...site, pack, compress, shell, download, signal });
    }
    /** What every call of Nix that sends something is given. */
    #options(signal) {
        const { connection, settings, log } = this.#site;
        const { store, environment } = connection;
        return { store, environment, signal, starts: settings.starts, onLine: (line) => log.output(line), onBegin: (progress) => log.copying(progress) };
    }
    async #kept(paths, signal, send) {
        const { prepare, shell } = this.#site;
        const root = async (onRooted) => await prepare(paths, signal, onRooted);
        const copied = shell.isStanding ? await sendRooted({ root, send }, signal) : await root().then(async () => await send(signal));
        await this.#keepForUser(paths, signal);
        return copied;
    }
    /** A user who is not root can only keep what is there already. */
    async #keepForUser(paths, signal) {
        const { prepare, privileged } = this.#site;
        if (!privileged)
            await prepare(paths, signal);
    }
    /** Sends, and again with no other session on the connection where sshd allowed none for Nix. */
    async #withFewSessions(send) {
        const { shell, log } = this.#site;
        try {
            return await send();
        }
        catch (error) {
            if (!shell.isStanding || !isRefusedSession(error))
                throw error;
            log.note("sshd on the machine allows too few sessions on one connection (MaxSessions); copying again with no other session open");
            await shell.standDown();
            return await send();
        }
    }
    async #explained(send, what, signal) {
        const { connection, shell } = this.#site;
        try {
            return await send(signal);
        }
        catch (error) {
            if (!(error instanceof CommandError) || error.failure.kind === "aborted" || error.failure.kind === "timeout")
                throw error;
            if (shell.isStanding && isRefusedSession(error))
                throw error;
            const open = await connection.isOpen();
            const state = open && speaksOfDaemon(error.stderr) ? await this.#daemonState(signal) : undefined;
            // A lost connection looks the same as a daemon that hangs up, unless the machine says that it does.
            const refused = state !== undefined && state.daemon !== "ok" && state.daemon !== "";
            const lost = !refused && (!open || speaksOfLostConnection(error.stderr));
            throw new DeployError(explainSendFailure(error, { what, lost, user: connection.target.user, state }));
        }
    }
    /** Queries why the daemon refused Nix, as the ssh user; `undefined` where the machine cannot be queried. */
    async #daemonState(signal) {
        const outcome = await this.#site.shell.run({ script: "daemon", args: [], privileged: false, timeout: daemonSeconds, signal }).catch(() => undefined);
        if (outcome?.kind !== "ended" || outcome.exitCode !== 0)
            return undefined;
        const facts = parseFacts(outcome.stdout);
        return { daemon: facts.get("daemon") ?? "", allowedUsers: facts.get("allowed-users") ?? "" };
    }
}
function isRefusedSession(error) {
    return error instanceof CommandError && error.failure.kind === "exit" && speaksOfRefusedSession(error.stderr);
}
;// CONCATENATED MODULE: ./out/src/nixos/specialisation.js



/** Finds a specialisation of a system on its machine. Throws a `DeployError` of the phase build that lists the available ones. */
async function findSpecialisation(toplevel, name, call) {
    const end = await call(() => ({ script: "specialisation", args: [toplevel, name], privileged: false }), "build");
    const facts = parseFacts(end.stdout);
    const system = storePathOf(facts, "system");
    if (end.exitCode === 0 && system !== undefined)
        return system;
    const names = wordsOf(facts.get("available")).slice(0, 50);
    throw new DeployError({
        phase: "build",
        reason: `the system has no specialisation ${name}${names.length === 0 ? "; it defines none" : `; it defines ${names.join(", ")}`}`,
        hint: "Nothing has changed on the machine. Correct the input specialisation",
        topic: "specialisation-missing",
        lines: lastLines(end.stderr),
        exitCode: 1,
    });
}
;// CONCATENATED MODULE: ./out/src/nixos/connected-machine.js













/** A machine that is connected, and was asked what it is. */
class ConnectedNixosMachine {
    facts;
    #connection;
    #settings;
    #log;
    #shell;
    #privileged;
    #sending;
    #files;
    /** What the build has said of two systems. */
    #compared;
    constructor(connection, settings, log, entry, files, headStart) {
        const { facts, shell, privileged, root } = entry;
        this.facts = facts;
        this.#connection = connection;
        this.#settings = settings;
        this.#log = log;
        this.#shell = shell;
        this.#privileged = privileged;
        this.#files = files;
        this.#files.reachedBy({ shell, privileged });
        this.#sending = new Sending({
            connection,
            settings,
            log,
            shell,
            privileged,
            root,
            headStart,
            call: (signal) => this.#call(signal),
            prepare: async (paths, signal, onRooted) => await this.#prepare({ paths, phase: "copy", onRooted }, signal),
        });
    }
    async copyFlake(sent, signal) {
        return await this.#sending.flake(sent, signal);
    }
    async copyPaths(paths, signal) {
        return await this.#sending.paths(paths, signal);
    }
    async download(path, signal) {
        await this.#prepare({ paths: [path], phase: "copy" }, signal);
        return await downloadThere(path, { run: this.#settings.run, privileged: this.#privileged, log: this.#log, call: this.#call(signal) });
    }
    async requireSystem(path, signal) {
        await requireSystem(path, this.#call(signal));
    }
    async build(rebuild, signal) {
        const { configuration } = rebuild;
        return await this.#build(rebuildCommand(rebuild, this.#settings.rebuildArgs), { configuration, evaluates: true }, signal);
    }
    async realise(derivation, configuration, signal) {
        return await this.#build(realiseCommand(derivation, this.#settings.rebuildArgs), { configuration, evaluates: false }, signal);
    }
    async #build(command, what, signal) {
        const { run } = this.#settings;
        const compareWith = this.#settings.comparesBuilt ? this.facts.state.running : undefined;
        const site = { run, privileged: this.#privileged, log: this.#log, facts: this.facts, questions: this.#settings, call: this.#call(signal), compareWith };
        const { toplevel, difference } = await runBuild(command, what, site);
        if (compareWith !== undefined && difference !== undefined)
            this.#compared = { before: compareWith, after: toplevel, difference };
        return toplevel;
    }
    async findSpecialisation(toplevel, name, signal) {
        return await findSpecialisation(toplevel, name, this.#call(signal));
    }
    async compare(before, after, withUnits, signal) {
        const known = this.#compared;
        if (!withUnits && known?.before === before && known.after === after) {
            if (known.difference.kind === "known")
                return { closure: known.difference.closure, units: undefined };
            noteIncomparable(this.#log, known.difference.reason);
            return undefined;
        }
        return await compareSystems([before, after], withUnits, this.#shell, this.#log, signal);
    }
    async dryActivate(system, signal) {
        return await dryActivate(system, { run: this.#settings.run, privileged: this.#privileged, log: this.#log, call: this.#call(signal) });
    }
    async arm(activation, signal) {
        const { run, name } = this.#settings;
        if (!this.#files.areMade)
            await this.#prepare({ paths: [], phase: "activate" }, signal);
        const call = (own) => this.#call(own);
        const guarded = await GuardedActivation.begin(activation, { run, name, signal, log: this.#log, call: call(signal) });
        const callOver = (former, own) => callOnce(this.#shell.over(former), own);
        return new ArmedNixosMachine(guarded, activation, { connection: this.#connection, log: this.#log, privileged: this.#privileged, call, callOver });
    }
    rest() {
        this.#shell.rest();
    }
    /** Ends the sessions on the machine. */
    close() {
        this.#shell.close();
    }
    async #prepare(preparing, signal) {
        await this.#files.make(preparing, { shell: this.#shell, privileged: this.#privileged }, this.#call(signal));
    }
    #call(signal) {
        return async (call, phase) => await runToItsEnd(this.#connection, this.#shell, call, {
            phase,
            seconds: this.#settings.reconnectTimeout(phase),
            signal,
            onLost: (message) => this.#log.note(message),
        });
    }
}
/** Builds the call of the machine's own nixos-rebuild. */
function rebuildCommand({ reference, configuration }, extraArgs) {
    return ["nixos-rebuild", "build", "--flake", installable(reference, configuration), ...extraArgs];
}
;// CONCATENATED MODULE: ./out/src/nixos/head-start.js



/**
 * A flake that travels to a machine while that is still asked for its facts, from the moment on at which the machine keeps what arrives. It
 * is only a head start: where it fails, the flake is sent as it would have been without it, and that says what is wrong.
 */
class HeadStart {
    sent;
    #connection;
    #settings;
    #signal;
    #stop = new AbortController();
    #held = [];
    #log;
    #progress;
    #sending;
    constructor(sent, connection, settings, signal) {
        this.sent = sent;
        this.#connection = connection;
        this.#settings = settings;
        this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    }
    /** Begins to send. */
    begin() {
        const { checkSignatures, archiveArgs, starts } = this.#settings;
        const { store, environment } = this.#connection;
        const onLine = (line) => {
            if (this.#log === undefined)
                this.#held.push(line);
            else
                this.#log.output(line);
        };
        this.#sending = sendFlake(this.sent, {
            store,
            environment,
            checkSignatures,
            extraArgs: archiveArgs,
            signal: this.#signal,
            starts,
            onLine,
            onBegin: (progress) => (this.#progress = progress),
        }).catch(() => undefined);
    }
    /** Shows the copy in the log, and waits for its end. Returns what was copied; `undefined` where the flake has to be sent. */
    async end(log) {
        this.#log = log;
        for (const line of this.#held.splice(0))
            log.output(line);
        if (this.#progress !== undefined)
            log.copying(this.#progress);
        const copied = await this.#sending;
        return this.#stop.signal.aborted ? undefined : copied;
    }
    /** Ends the sending, unless it has ended. */
    async cancel() {
        this.#stop.abort();
        await this.#sending;
    }
}
/** Returns whether a flake is small enough to travel as it is: what may travel compressed waits for what the machine lacks. */
async function isSmall(sent, { compress }) {
    return !(await isWorthPacking(sentPaths(sent), compress).catch(() => true));
}
;// CONCATENATED MODULE: ./out/src/nixos/name-on-machine.js

// A unit's name has at most 255 characters (systemd.unit(5)), and a file's 255 bytes.
const longestLabel = 60;
// Hexadecimal digits that distinguish two names that are equal without their special characters.
const digits = 8;
/**
 * Names a run of this action on one machine, for its directory, its roots and its units: `RUN-TARGET`. It contains no other
 * `-`, so that a pattern for the units of one target never matches those of another whose name begins with it, and nothing with a
 * meaning in a pattern, a shell or a path.
 */
function nameOnMachine(run, target) {
    const label = target.replaceAll(/[^A-Za-z0-9.]/g, "_").slice(0, longestLabel);
    const plain = label === target && !target.startsWith(".");
    return `${run}-${plain ? label : `${label}_${(0,external_node_crypto_namespaceObject.createHash)("sha256").update(target).digest("hex").slice(0, digits)}`}`;
}
;// CONCATENATED MODULE: ./out/src/nixos/run-files.js



// Bounds for what is done when a run ends early: the runner kills everything 10 s after a cancellation.
const removeSeconds = 2;
/** What a run has on one machine, whichever connection it is reached by: a directory, roots, and the lease that has the machine remove them. */
class RunFiles {
    #connection;
    #run;
    #log;
    #lease = new Lease();
    #way;
    #areMade = false;
    /** `run` is the run as the machine has it. */
    constructor(connection, run, log) {
        this.#connection = connection;
        this.#run = run;
        this.#log = log;
    }
    /** Something of the run may be on the machine. */
    get areThere() {
        return this.#way !== undefined;
    }
    /** They are made. */
    get areMade() {
        return this.#areMade;
    }
    /** What there is can be reached like this from now on. */
    reachedBy(way) {
        if (this.areThere)
            this.#way = way;
    }
    /** The machine has been sent what makes them. */
    sent(way) {
        this.#way = way;
    }
    /** They are made: the machine is told again and again that the run is alive. */
    made() {
        this.#areMade = true;
        this.#lease.begin(async () => {
            if (this.#way === undefined || !(await this.#connection.isOpen()))
                return;
            const { shell, privileged } = this.#way;
            // A machine that waits keeps no session for this.
            await (shell.isOpen ? shell : shell.over(this.#connection)).run(leaseCall(this.#run, privileged));
        });
    }
    /** Makes them, or adds to them. Throws a `DeployError` of that phase. */
    async make({ paths, phase, onRooted }, way, call) {
        this.sent(way);
        const end = await call(() => ({ ...prepareCall(this.#run, paths, way.privileged), onStdout: onRooted }), phase);
        if (end.exitCode === 0) {
            this.made();
            return;
        }
        throw new DeployError({
            phase,
            reason: "the files of the run could not be created on the machine",
            hint: "Check the free space in /run and on the disk of the Nix store",
            lines: lastLines(end.stderr),
            exitCode: end.exitCode,
        });
    }
    /** The run is over: ends its processes on the machine, and removes the files unless they are `kept`. Says so where they stay. Never throws. */
    async end(kept) {
        this.#lease.end();
        if (this.#way === undefined)
            return;
        if (kept || !(await this.#remove(this.#way)))
            this.#reportLeft(this.#way);
    }
    /** A reboot removes them, too. */
    #reportLeft({ privileged }) {
        const remover = privileged ? "the machine removes it by itself" : "a run of the same user removes it after a day";
        this.#log.note(`the files of the run ${this.#run} were not removed from the machine. If something is left there, ${remover}`);
    }
    async #remove({ shell, privileged }) {
        try {
            if (!shell.isOpen && !(await this.#connection.isOpen()))
                return false;
            const end = await shell.run({ script: "finish", args: [this.#run], privileged, timeout: removeSeconds });
            return end.kind === "ended" && end.exitCode === 0;
        }
        catch {
            // Too slow.
            return false;
        }
    }
}
;// CONCATENATED MODULE: ./out/src/nixos/machine.js










/** A NixOS machine behind an ssh connection. */
class NixosMachine {
    target;
    #connection;
    #settings;
    #log;
    #files;
    #headStart;
    #connected;
    constructor(connection, settings, log) {
        this.target = connection.target;
        this.#connection = connection;
        const { run, name } = settings;
        this.#settings = { ...settings, run: nameOnMachine(run, this.target.name), name: `${name}, target ${renderTarget(this.target)}` };
        this.#log = log;
        this.#files = new RunFiles(connection, this.#settings.run, log);
    }
    async connect(signal, next) {
        await this.#connection.open(signal);
        for (const key of this.#connection.acceptedKeys())
            this.#log.warn(acceptedKeyWarning(key));
        // That of an earlier try went over a connection that is lost.
        await this.#headStart?.cancel();
        this.#headStart = await this.#goAhead(next?.(), signal);
        const { access, needsRebuild } = this.#settings;
        const entry = await enter(this.#connection, { ...access, needsRebuild }, signal, this.#preparing());
        if (entry.prepared)
            this.#files.made();
        else
            await this.#headStart?.cancel();
        this.#connected?.close();
        this.#connected = new ConnectedNixosMachine(this.#connection, this.#settings, this.#log, entry, this.#files, this.#headStart);
        return this.#connected;
    }
    async release(activation) {
        const cancelled = this.#headStart?.cancel();
        await this.#files.end(activation === "undecided");
        this.#connected?.close();
        await cancelled;
        await this.#connection.close();
    }
    /** Nothing has to be known of the machine to send it a small flake, but another user than root has to become root first. */
    async #goAhead(next, signal) {
        if (next === undefined || this.target.user !== "root" || this.#files.areThere)
            return undefined;
        return (await isSmall(next, this.#settings)) ? new HeadStart(next, this.#connection, this.#settings, signal) : undefined;
    }
    /** What the first script is to prepare for the flake that follows it. */
    #preparing() {
        const headStart = this.#headStart;
        if (headStart === undefined)
            return undefined;
        this.#files.sent({ shell: new RemoteShell(this.#connection, { kind: "none" }), privileged: true });
        const { args } = prepareCall(this.#settings.run, sentPaths(headStart.sent), true);
        return { args, onRooted: () => headStart.begin() };
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
;// CONCATENATED MODULE: ./out/src/process/required-programs.js



const required = ["nix", "ssh", "ssh-keygen"];
/** Throws a `RunnerError` with the steps to add to the workflow when a program that every run needs is missing. */
async function requirePrograms() {
    const missing = await missingPrograms(required);
    if (missing.length === 0)
        return;
    const wanted = new Set(missing.map((name) => `  ${installSteps[name]}`));
    throw new RunnerError([`${missing.join(" and ")} not found on this runner; no host was changed. Add this to the workflow before this step:`, ...wanted].join("\n"), { topic: "programs-missing" });
}
// Returns the programs that are not in PATH.
async function missingPrograms(names) {
    const found = await Promise.all(names.map(async (name) => await which(name, false)));
    return names.filter((_, index) => found[index] === "");
}
;// CONCATENATED MODULE: external "node:dns/promises"
const external_node_dns_promises_namespaceObject = late("node:dns/promises");
;// CONCATENATED MODULE: ./out/src/ssh/commands.js
/** Builds the command that starts a master in the background and ends when it is ready. */
function masterCommand(files, target, connectTimeout) {
    return { file: "ssh", args: [...commands_placeOf(files), "-o", "ControlMaster=yes", "-o", `ConnectTimeout=${connectTimeout}`, "-f", "-N", "--", target.host] };
}
/** Builds the command that connects without a master, to hear why none could be started. */
function reasonCommand(files, target) {
    return { file: "ssh", args: ["-F", files.configuration, "-o", "ControlPath=none", "-o", "ControlPersist=no", "--", target.host, "exit"] };
}
/** Builds the command that runs something on the machine. */
function sessionCommand(files, target, command) {
    return { file: "ssh", args: [...commands_placeOf(files), "--", target.host, command] };
}
function commands_placeOf({ configuration, socket, configured }) {
    return ["-F", configuration, ...(configured ? [] : ["-o", `ControlPath=${socket}`])];
}
;// CONCATENATED MODULE: ./out/src/ssh/configuration.js

/** The files in the private directory of a run. */
function identityFiles(directory) {
    return {
        key: (0,external_node_path_namespaceObject.join)(directory, "key"),
        certificate: (0,external_node_path_namespaceObject.join)(directory, "key-cert.pub"),
        knownHosts: (0,external_node_path_namespaceObject.join)(directory, "known_hosts"),
        recorder: (0,external_node_path_namespaceObject.join)(directory, "record-host-key.sh"),
    };
}
/** The last line of the input in `known_hosts`: below it, ssh adds the keys that it accepts. */
const endOfKnownHosts = "# Accepted in this run:";
/** Names the files of the target with this number. Short, since a socket's path has 108 bytes on Linux. */
function targetFiles(directory, index) {
    const file = (ending) => (0,external_node_path_namespaceObject.join)(directory, `${index}.${ending}`);
    return { configuration: file("conf"), socket: file("s"), otherSocket: file("t"), offeredKeys: file("keys") };
}
/**
 * The name of the target for ssh and Nix. It is the host itself, so that the user's own `Host` lines apply, except for hosts
 * that Nix does not accept in a store URL (IPv6) or treats specially (localhost).
 */
function alias(target, index) {
    const plain = /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(target.host) && target.host.toLowerCase() !== "localhost";
    return plain ? target.host : `target-${index}`;
}
// A dead link is noticed after three unanswered questions.
const aliveInterval = 5;
const aliveCount = 3;
// Idle seconds after which a master ends on its own that the action could not end (kill -9 and no post step).
const masterIdle = 900;
/**
 * The ssh_config of a target whose address is known. ssh uses the first value it finds, so the action's own settings are first
 * and the user's lines last. The first block is for the target only, not for a jump host, which ssh reaches with the same file.
 */
function renderConfiguration(target, index, directory, settings) {
    const name = alias(target, index);
    const names = [...new Set([name, target.host])];
    const hostName = (address) => `  HostName ${address.replaceAll("%", "%%")}`;
    const renamed = target.address.toLowerCase() !== target.host.toLowerCase();
    return configuration_lines([
        `Host ${names.join(" ")}`,
        // A HostName of the user's own lines is left to them: `Match host` looks at what was found so far.
        ...(renamed ? [] : [hostName(target.address)]),
        `  Port ${target.port}`,
        `  User ${target.user}`,
        ...ownLines(target),
        ...mastersOf(targetFiles(directory, index)),
        // The user's lines do not know this name.
        ...(renamed && name !== target.host ? [`Host ${name}`, hostName(target.address)] : []),
        ...ownedSettings(index, directory, settings),
        ...extraLines(settings),
        // The scripts and their answers are a fifth then.
        ...(settings.compression === true ? [`Host ${names.join(" ")}`, "  Compression yes"] : []),
    ]);
}
/**
 * The ssh_config for locating a target: first the target's own settings, then those of the action, the user's lines, and the
 * defaults. `extraBegins` is the number of lines before the user's.
 */
function renderQuestion(target, index, directory, settings, defaults) {
    const host = `Host ${target.host}`;
    const own = [
        host,
        ...(target.port === undefined ? [] : [`  Port ${target.port}`]),
        ...(target.user === undefined ? [] : [`  User ${target.user}`]),
        ...ownLines(target),
        ...mastersOf(targetFiles(directory, index)),
        ...ownedSettings(index, directory, settings),
    ];
    const extra = extraLines(settings);
    return { text: configuration_lines([...own, ...extra, host, `  Port ${defaults.port}`, `  User ${defaults.user}`]), extraBegins: own.length + 1 };
}
function configuration_lines(all) {
    return `${all.join("\n")}\n`;
}
function extraLines({ extra }) {
    return extra === "" ? [] : ["# From the input ssh-config", extra];
}
function ownLines({ sshOptions = [] }) {
    return sshOptions.map((line) => `  ${line}`);
}
function mastersOf({ socket }) {
    return [`  ControlPath ${socket}`, `  ControlPersist ${masterIdle}`];
}
function authenticationLines(files, authentication) {
    switch (authentication.kind) {
        case "key":
            return [
                `  IdentityFile ${files.key}`,
                "  IdentitiesOnly yes",
                "  IdentityAgent none",
                `  CertificateFile ${authentication.certificate ? files.certificate : "none"}`,
                "  PubkeyAuthentication yes",
            ];
        case "agent":
            return ["  IdentityFile none", "  IdentitiesOnly no", `  IdentityAgent ${authentication.socket}`, "  CertificateFile none", "  PubkeyAuthentication yes"];
        case "none":
            return ["  IdentityFile none", "  IdentitiesOnly yes", "  IdentityAgent none", "  CertificateFile none", "  PubkeyAuthentication no"];
    }
}
/** Settings that the user's lines cannot change, for the target and its jump hosts. */
function ownedSettings(index, directory, settings) {
    const files = identityFiles(directory);
    const { offeredKeys } = targetFiles(directory, index);
    return [
        "Host *",
        ...authenticationLines(files, settings.authentication),
        "  PKCS11Provider none",
        "  AddKeysToAgent no",
        `  UserKnownHostsFile ${files.knownHosts}`,
        "  GlobalKnownHostsFile /dev/null",
        `  StrictHostKeyChecking ${settings.strict ? "yes" : "accept-new"}`,
        "  UpdateHostKeys no",
        "  CheckHostIP no",
        "  NoHostAuthenticationForLocalhost no",
        "  VerifyHostKeyDNS no",
        "  HashKnownHosts no",
        `  KnownHostsCommand /bin/sh ${files.recorder} ${offeredKeys} %H %t %K`,
        "  BatchMode yes",
        "  PreferredAuthentications publickey",
        "  PasswordAuthentication no",
        "  KbdInteractiveAuthentication no",
        "  ForwardAgent no",
        "  ForwardX11 no",
        "  PermitLocalCommand no",
        "  RemoteCommand none",
        "  RequestTTY no",
        "  EscapeChar none",
        "  ControlMaster no",
        "  LogLevel ERROR",
        `  ConnectTimeout ${settings.connectTimeout}`,
        "  ConnectionAttempts 1",
        `  ServerAliveInterval ${aliveInterval}`,
        `  ServerAliveCountMax ${aliveCount}`,
        "  TCPKeepAlive yes",
    ];
}
;// CONCATENATED MODULE: external "node:net"
const external_node_net_namespaceObject = late("node:net");
;// CONCATENATED MODULE: ./out/src/ssh/master-socket.js

// Numbers of PROTOCOL.mux of OpenSSH, each of 32 bits. A message is its length, its kind and what belongs to it.
const hello = 0x00000001;
const version = 4;
const requests = { check: 0x10000004, exit: 0x10000005 };
const master_socket_answers = { check: 0x80000005, exit: 0x80000001 };
const request = 0;
// Its longest message is an error text.
const longestMessage = 64 * 1024;
/**
 * Asks the ssh master behind a control socket whether it is alive (`check`), or to end (`exit`), as `ssh -O` does in ten times the CPU time.
 * Returns whether it agrees: not where nothing listens, or no answer comes within the time. Never throws. Source: PROTOCOL.mux of OpenSSH, version 4.
 */
async function askMaster(path, word, milliseconds) {
    return await new Promise((resolve) => {
        const socket = (0,external_node_net_namespaceObject.connect)(path);
        const end = (agrees) => {
            clearTimeout(timer);
            socket.destroy();
            resolve(agrees);
        };
        const timer = setTimeout(() => end(false), milliseconds);
        socket.on("error", () => end(false));
        socket.on("close", () => end(false));
        let received = Buffer.alloc(0);
        socket.on("data", (chunk) => {
            received = Buffer.concat([received, chunk]);
            while (received.length >= 4) {
                const length = received.readUInt32BE();
                if (length < 4 || length > longestMessage)
                    return end(false);
                if (received.length < 4 + length)
                    return;
                const kind = received.readUInt32BE(4);
                if (kind !== hello)
                    return end(kind === master_socket_answers[word] && length >= 8 && received.readUInt32BE(8) === request);
                received = received.subarray(4 + length);
            }
        });
        socket.write(Buffer.concat([master_socket_message(hello, version), master_socket_message(requests[word], request)]));
    });
}
function master_socket_message(kind, number) {
    const bytes = Buffer.alloc(12);
    for (const [index, value] of [8, kind, number].entries())
        bytes.writeUInt32BE(value, 4 * index);
    return bytes;
}
;// CONCATENATED MODULE: ./out/src/ssh/connection.js










// The host key, the authentication and a jump host come after the TCP connection, which ConnectTimeout alone bounds.
const authenticationSeconds = 20;
const controlMilliseconds = 2000;
// A machine that comes back is noticed soon: the kernel's own tries become rarer and rarer.
const againSeconds = 5;
/**
 * The ssh connection to one target: a master in the background that everything else goes through, Nix included. It is
 * started first because an ssh that Nix itself starts as a master makes `nix flake archive` hang (NixOS/nix#10645).
 */
class Connection {
    target;
    #name;
    #files;
    #knownHosts;
    #key;
    #connectTimeout;
    #told = new Set();
    #socket;
    #server;
    #era = 0;
    constructor(target, index, directory, connectTimeout) {
        this.target = target;
        this.#name = alias(target, index);
        this.#files = targetFiles(directory, index);
        this.#knownHosts = identityFiles(directory).knownHosts;
        this.#key = identityFiles(directory).key;
        this.#connectTimeout = connectTimeout;
        this.#socket = this.#files.socket;
    }
    /** The store URL of the machine. User, port and address are in the ssh configuration. */
    get store() {
        return `ssh-ng://${this.#name}`;
    }
    /** What Nix needs in its environment to use this connection. The path holds no white space: older Nix splits there. */
    get environment() {
        return { NIX_SSHOPTS: `-F ${this.#files.configuration}` };
    }
    /** Another number whenever another master takes over: what was begun before does not go over the present connection. */
    get era() {
        return this.#era;
    }
    /** Starts the master, or does nothing where it runs. Throws a `DeployError` of the phase connect. */
    async open(signal, connectTimeout = this.#connectTimeout) {
        if (await this.isOpen())
            return;
        this.#era += 1;
        // The socket of a master that died would make a new one refuse to listen.
        (0,external_node_fs_namespaceObject.rmSync)(this.#socket, { force: true });
        (0,external_node_fs_namespaceObject.rmSync)(this.#files.offeredKeys, { force: true });
        await this.#connect(masterCommand(this.#current, this.target, connectTimeout), { signal, stderrFile: `${this.#socket}.err` });
    }
    /** Ends the master and starts a new one, so that what follows goes over a fresh TCP connection. Throws as `open`. */
    async reopen(signal) {
        await this.close();
        await this.open(signal, Math.min(this.#connectTimeout, againSeconds));
    }
    /** Sets the master aside, so that `reopen` starts another one while this one can still be used. Nix uses neither any more. */
    setAside() {
        const files = this.#current;
        this.#era += 1;
        this.#server = this.offeredKeys().at(-1);
        (0,external_node_fs_namespaceObject.rmSync)(this.#files.offeredKeys, { force: true });
        this.#socket = files.socket === this.#files.socket ? this.#files.otherSocket : this.#files.socket;
        return {
            run: async ({ command, ...options }) => await run(sessionCommand(files, this.target, command), options),
            close: async () => await this.#end(files),
        };
    }
    /** Returns whether sshd of the machine has answered since a master was set aside: it has offered the key that was trusted before. */
    hasAnswered() {
        const server = this.#server;
        return server !== undefined && this.offeredKeys().some((key) => knownHostsLine(key) === knownHostsLine(server));
    }
    /** Returns whether the master runs; only the local socket is queried. */
    async isOpen() {
        return (0,external_node_fs_namespaceObject.existsSync)(this.#socket) && (await askMaster(this.#socket, "check", controlMilliseconds));
    }
    /** Runs a command on the machine through the master. Throws a `CommandError`; exit code 255 may be ssh's own. */
    async run({ command, ...options }) {
        return await run(sessionCommand(this.#current, this.target, command), options);
    }
    /** Ends the master, if there is one. Never throws. */
    async close() {
        this.#era += 1;
        await this.#end(this.#current);
    }
    async #end({ socket }) {
        if (!(0,external_node_fs_namespaceObject.existsSync)(socket))
            return;
        // Without an answer, nothing can use it any more.
        await askMaster(socket, "exit", controlMilliseconds);
        // A master that ends removes it a moment later.
        (0,external_node_fs_namespaceObject.rmSync)(socket, { force: true });
    }
    get #current() {
        const { configuration, socket } = this.#files;
        return { configuration, socket: this.#socket, configured: this.#socket === socket };
    }
    /** The host keys that were offered since the master was started, that of the last server at the end. */
    offeredKeys() {
        return (0,external_node_fs_namespaceObject.existsSync)(this.#files.offeredKeys) ? parseOfferedKeys((0,external_node_fs_namespaceObject.readFileSync)(this.#files.offeredKeys, "utf8")) : [];
    }
    /** The host keys that ssh has accepted on the way to the target although they were unknown, each returned once. */
    acceptedKeys() {
        const added = new Set((0,external_node_fs_namespaceObject.readFileSync)(this.#knownHosts, "utf8").split(`${endOfKnownHosts}\n`).at(-1)?.split("\n"));
        return this.offeredKeys().filter((key) => {
            const line = knownHostsLine(key);
            if (!added.has(line) || this.#told.has(line))
                return false;
            this.#told.add(line);
            return true;
        });
    }
    // A master says nothing of its jump hosts: with ControlPersist, ssh sends their errors to /dev/null (ssh_proxy_connect).
    async #reason({ signal }) {
        try {
            await run(reasonCommand(this.#files, this.target), { signal, timeout: this.#connectTimeout + authenticationSeconds });
        }
        catch (error) {
            if (error instanceof CommandError && error.failure.kind !== "aborted")
                return error.stderr;
            throw error;
        }
        return "";
    }
    async #connect(command, options) {
        try {
            await run(command, { ...options, timeout: this.#connectTimeout + authenticationSeconds });
        }
        catch (error) {
            if (!(error instanceof CommandError) || error.failure.kind === "aborted")
                throw error;
            const timedOut = error.failure.kind === "timeout";
            const stderr = error.stderr.trim() === "" && !timedOut ? await this.#reason(options) : error.stderr;
            const githubHosted = process.env["RUNNER_ENVIRONMENT"] === "github-hosted";
            const addresses = githubHosted ? await addressesOf(this.target.host) : [];
            throw connectError({
                target: this.target,
                stderr,
                timedOut,
                offered: this.offeredKeys(),
                withKey: (0,external_node_fs_namespaceObject.existsSync)(this.#key),
                githubHosted,
                addresses,
                cause: error,
            });
        }
    }
}
/** Writes one ssh configuration per target into the private directory of a run. Returns the connections that use them, in the order of the targets. */
function connectionsTo(targets, directory, settings) {
    return targets.map((target, index) => {
        (0,external_node_fs_namespaceObject.writeFileSync)(targetFiles(directory, index).configuration, renderConfiguration(target, index, directory, settings), { mode: 0o600 });
        return new Connection(target, index, directory, settings.connectTimeout);
    });
}
async function addressesOf(host) {
    const found = await (0,external_node_dns_promises_namespaceObject.lookup)(host, { all: true }).catch(() => []);
    return found.map(({ address }) => address);
}
/** Ends every ssh master whose socket is left in the private directory of a run. Never throws for one that is gone already. */
async function endMasters(directory) {
    if ((0,external_node_fs_namespaceObject.lstatSync)(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
        return;
    const sockets = (0,external_node_fs_namespaceObject.readdirSync)(directory).filter((name) => /^\d+\.[st]$/.test(name));
    await Promise.all(sockets.map(async (name) => await askMaster((0,external_node_path_namespaceObject.join)(directory, name), "exit", controlMilliseconds)));
}
;// CONCATENATED MODULE: ./out/src/ssh/location.js







// ssh answers at once, unless a `Match exec` of the user's lines takes its time.
const answerSeconds = 60;
/**
 * Finds out where targets are, as `locateTarget`, at most `limit` at a time. The answers are in the order of the targets. One whose own
 * options ssh does not accept is refused alone.
 */
async function locateTargets(targets, directory, settings, { defaults, limit, signal }) {
    const work = async ([index, target]) => {
        const problem = await ownProblem(target, index, directory, settings, defaults, signal);
        return problem === undefined ? await locateTarget(target, index, directory, settings, defaults, signal) : { name: target.name, problem };
    };
    return await mapLimited([...targets.entries()], limit, work);
}
/**
 * Finds out where a target is: what it says itself, then the user's lines, then the defaults. It is ssh that reads the user's
 * lines, so that patterns, `Match` and `Include` work as usual; without any lines, ssh is not started. Throws an
 * `InputError` for lines that ssh does not accept, and for those that would lead it to what it must not be given.
 */
async function locateTarget(target, index, directory, settings, defaults, signal) {
    if (settings.extra === "" && (target.sshOptions ?? []).length === 0)
        return withDefaults(target, defaults);
    const { configuration } = targetFiles(directory, index);
    const { text, extraBegins } = renderQuestion(target, index, directory, settings, defaults);
    const ask = async (question) => await askSsh(target, question, configuration, signal);
    let answer;
    try {
        answer = await ask(text);
    }
    catch (error) {
        if (!(error instanceof CommandError) || error.failure.kind === "aborted")
            throw error;
        throw location_refusal(`was rejected by ssh: ${reasonOf(error, configuration, extraBegins)}`);
    }
    const without = await ask(renderQuestion(target, index, directory, { ...settings, extra: "" }, defaults).text);
    return locatedTarget(target, answer, without);
}
async function askSsh(target, question, configuration, signal) {
    (0,external_node_fs_namespaceObject.writeFileSync)(configuration, question, { mode: 0o600 });
    return (await run(locationCommand(configuration, target), { signal, timeout: answerSeconds })).stdout;
}
/** What ssh has against the target's own options, without the user's lines. */
async function ownProblem(target, index, directory, settings, defaults, signal) {
    if ((target.sshOptions ?? []).length === 0)
        return undefined;
    const { configuration } = targetFiles(directory, index);
    try {
        await askSsh(target, renderQuestion(target, index, directory, { ...settings, extra: "" }, defaults).text, configuration, signal);
        return undefined;
    }
    catch (error) {
        if (!(error instanceof CommandError) || error.failure.kind === "aborted")
            throw error;
        return `ssh does not accept its options (${(target.sshOptions ?? []).join("; ")}): ${reasonOf(error, configuration, Number.POSITIVE_INFINITY)}`;
    }
}
/** Builds the command that asks ssh what it makes of its configuration, without connecting. */
function locationCommand(configuration, target) {
    return { file: "ssh", args: ["-G", "-F", configuration, "--", target.host] };
}
/**
 * Reads what `ssh -G` prints, with the same care as the targets themselves: ssh obeys shell characters in a `HostName` of its
 * configuration. `without` is what it prints without the user's lines. Throws an `InputError`.
 *
 *     user deploy
 *     hostname 192.0.2.7
 *     port 2222
 *     proxyjump bastion.example.org
 */
function locatedTarget(target, answer, without) {
    const found = location_parseAnswer(answer);
    const first = (keyword) => found.get(keyword)?.[0] ?? "";
    const address = first("hostname");
    const user = first("user");
    const port = Number(first("port"));
    const check = (keyword, work) => {
        try {
            work();
        }
        catch (error) {
            const problem = messageOf(error);
            throw location_refusal(`sets an invalid ${keyword} for ${target.host}: ${problem}`);
        }
    };
    check("HostName", () => checkHost(address));
    check("User", () => checkUser(user));
    check("Port", () => checkPort(port));
    requireOwned(target, found, location_parseAnswer(without));
    const { name, host, configuration, sshOptions, replaceUnknown } = target;
    const moved = address.toLowerCase() !== host.toLowerCase();
    const own = { ...(sshOptions === undefined ? {} : { sshOptions }), ...(replaceUnknown === undefined ? {} : { replaceUnknown }) };
    return { name, user, host, port, address: moved ? address : host, via: viaOf(host, found), configuration, ...own };
}
function location_parseAnswer(answer) {
    const found = new Map();
    for (const line of answer.split("\n")) {
        const [, keyword = "", value = ""] = /^(\S+) (.*)$/.exec(line) ?? [];
        const values = found.get(keyword);
        if (values === undefined)
            found.set(keyword, [value]);
        else
            values.push(value);
    }
    return found;
}
// The order in the configuration is not enough: ssh accumulates some keywords, and the action does not set all of them.
function requireOwned({ host }, found, without) {
    const changed = [...new Set([...found.keys(), ...without.keys()])].filter((keyword) => JSON.stringify(found.get(keyword)) !== JSON.stringify(without.get(keyword)));
    const reasons = changed.toSorted().flatMap((keyword) => {
        const reason = refusalOf(keyword);
        return reason === undefined ? [] : [reason];
    });
    if (reasons.length > 0)
        throw location_refusal(`sets ${reasons.join(" and ")} for ${host}; remove this for the host`);
}
/** Distinguishes two machines with the same address. A ProxyCommand may select the host itself. */
function viaOf(host, found) {
    const jump = found.get("proxyjump")?.[0];
    if (jump !== undefined && jump !== "none")
        return jump;
    const command = found.get("proxycommand")?.[0];
    return command === undefined || command === "none" ? undefined : `the ProxyCommand of ${host}`;
}
function reasonOf({ failure, stderr }, configuration, extraBegins) {
    if (failure.kind === "timeout")
        return `reading the lines took longer than ${failure.seconds} s`;
    const place = /^line (\d+)/;
    const [line = "no reason given"] = stderr
        .replaceAll(`${configuration}: `, "")
        .replaceAll(`${configuration} `, "")
        .split(/\r?\n/)
        .filter((text) => text.trim() !== "");
    const number = Number(place.exec(line)?.[1] ?? 0) - extraBegins;
    return number > 0 ? line.replace(place, `line ${number}`) : line;
}
function location_refusal(problem) {
    return new InputError([{ input: "ssh-config", problem, topic: "ssh-config-refused" }]);
}
;// CONCATENATED MODULE: ./out/src/entry/runner-store.js





/** The runner's store for systems that were built before; each is looked up and downloaded once, however many machines get it. */
function runnerStore(options) {
    const known = new Map();
    const downloads = new Map();
    return {
        has: async (path) => await once(known, path, async () => await isInStore(path, options.signal)),
        download: async (path) => await once(downloads, path, async () => await downloadHere(path, options)),
    };
}
/** Throws an `InputError` for systems that the runner has, and that are none of NixOS. The others are looked at by their machines. */
function requireSystemsHere(systems) {
    const problems = [...systems].flatMap(([name, path]) => !(0,external_node_fs_namespaceObject.existsSync)(path) || (0,external_node_fs_namespaceObject.existsSync)((0,external_node_path_namespaceObject.join)(path, "bin/switch-to-configuration"))
        ? []
        : [{ input: "systems", problem: `${path} of ${name} is not a NixOS system: it has no bin/switch-to-configuration`, topic: "systems-unusable" }]);
    if (problems.length > 0)
        throw new InputError(problems);
}
async function once(done, path, work) {
    const begun = done.get(path) ?? work();
    done.set(path, begun);
    return await begun;
}
;// CONCATENATED MODULE: ./out/src/entry/deployment-ports.js










/** Connects the ports of `src/machines/` with Nix, ssh and the log. */
function deploymentPorts({ inputs, ssh, identity, known, log, signal }) {
    const local = { cwd: process.cwd(), signal, onLine: (line) => log.line(line) };
    return {
        fetchFlake: async () => {
            // The connections are begun first: they take longer, and to start a program takes milliseconds.
            await (0,promises_namespaceObject.setImmediate)();
            const archived = await archiveAndAnnounce(inputs.flake, log, local);
            // Where nothing is built from it, it only says where the machines are.
            if (needsFlake(inputs.operation))
                known.flake = archived.flake;
            return { wrap: async (hive) => (known.sent = await wrapFlake(archived, hive, { scratch: identity.directory, signal })) };
        },
        readInventory: async (sent, query) => await readInventory(outerReference(sent), query, local),
        makeSystems: async (sent, wanted) => {
            const made = await makeSystems(sent, wanted, { ...local, buildArgs: inputs.buildArgs, elsewhere: "set build-on: target for the machine" });
            announceActivations(made, log);
            return made;
        },
        requireSystems: requireSystemsHere,
        prepareSsh: async () => await identity.install(inputs),
        locate: async (targets) => await locateTargets(targets, identity.directory, ssh, { defaults: inputs.defaults, limit: inputs.maxParallel, signal }),
        announce: (choice) => announceChoice(choice, log, givenInputs(inputs)),
    };
}
function givenInputs({ safety, substitute, elevate, elevatePassword }) {
    return {
        rollback: String(safety.rollback),
        "confirm-timeout": String(safety.limits.confirm),
        "activation-timeout": String(safety.limits.activation),
        "substitute-on-destination": String(substitute),
        elevate,
        "elevate-password": elevatePassword === undefined ? "not set" : "set",
    };
}
;// CONCATENATED MODULE: ./out/src/entry/known.js
/** What is known before the inputs were read. */
function nothingKnown() {
    return { flake: undefined, sent: undefined, end: { results: [], arrived: false }, summary: true };
}
;// CONCATENATED MODULE: ./out/src/git/untracked.js



/**
 * Returns whether a file, relative to the root of the Git work tree that a flake reference names (`.`, `./nixos`), exists but is
 * not tracked by Git. Never throws: `false` without a work tree, or if Git fails.
 */
async function isUntracked(reference, file) {
    const directory = /^[./][^?]*/.exec(reference)?.[0];
    if (directory === undefined)
        return false;
    const git = async (...args) => (await run({ file: "git", args: ["-C", directory, ...args] })).stdout;
    try {
        const root = (await git("rev-parse", "--show-toplevel")).replace(/\n$/, "");
        if (!(0,external_node_fs_namespaceObject.existsSync)((0,external_node_path_namespaceObject.join)(root, file)))
            return false;
        return (await git("ls-files", "--", `:(top,literal)${file}`)).trim() === "";
    }
    catch {
        return false;
    }
}
;// CONCATENATED MODULE: ./out/src/github/run-name.js

/**
 * Names this job of the workflow for users of a machine: the URL of the run, and the job. `undefined` where the runner does not
 * provide it.
 */
function workflowRunName(environment) {
    const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_JOB: job } = environment;
    const id = environment[isForgejoOrGitea(environment) ? "GITHUB_RUN_NUMBER" : "GITHUB_RUN_ID"];
    if (server === undefined || repository === undefined || id === undefined)
        return undefined;
    const name = `${server}/${repository}/actions/runs/${id}${job === undefined ? "" : `, job ${job}`}`;
    // It becomes a line of a file on the machine.
    return name.replaceAll(/\p{C}/gu, "");
}
;// CONCATENATED MODULE: ./out/src/nix/pack.js





/**
 * Paths of the runner's store as a binary cache of files, compressed once for all machines of a run. Nix makes it and Nix reads it: a
 * source tree of many small files needs a quarter of the bytes, and arrives in one stream. Signatures are kept.
 */
class Pack {
    #directory;
    #packed = new Set();
    #packing = Promise.resolve();
    /** `directory`: where the cache is made; it need not exist. */
    constructor(directory) {
        this.#directory = directory;
    }
    /**
     * Writes these paths as a tar archive of a binary cache that holds them and no others: what they refer to must be on the machine.
     * Throws a `CommandError`, or the error of a file that cannot be read.
     */
    async write(paths, to, signal) {
        await this.#add(paths, signal);
        const files = ["nix-cache-info", ...paths.flatMap((path) => this.#filesOf(path))];
        await run({ file: "tar", args: ["--create", "--file=-", `--directory=${this.#directory}`, "--", ...files] }, { stdoutTo: to, signal });
    }
    /** Machines that come at the same time wait for each other's paths, and pack only what is not there yet. */
    async #add(paths, signal) {
        const before = this.#packing;
        const mine = this.#addAfter(before, paths, signal);
        this.#packing = mine.catch(() => undefined);
        await mine;
    }
    async #addAfter(before, paths, signal) {
        await before;
        const lacking = paths.filter((path) => !this.#packed.has(path));
        if (lacking.length === 0)
            return;
        (0,external_node_fs_namespaceObject.mkdirSync)(this.#directory, { recursive: true });
        const own = new Set([...lacking, ...this.#packed]);
        const elsewhere = (await queryReferences(lacking, signal)).filter((path) => !own.has(path));
        try {
            for (const path of elsewhere)
                (0,external_node_fs_namespaceObject.writeFileSync)(this.#descriptionOf(path), placeholder(path));
            await runNix(["copy", "--no-recursive", "--to", `file://${this.#directory}?compression=zstd`, ...lacking], { signal });
        }
        finally {
            // Another machine may lack these, too.
            for (const path of elsewhere)
                (0,external_node_fs_namespaceObject.rmSync)(this.#descriptionOf(path), { force: true });
        }
        for (const path of lacking)
            this.#packed.add(path);
    }
    #filesOf(path) {
        const description = this.#descriptionOf(path);
        const url = /^URL: (nar\/[\w.-]+)$/m.exec((0,external_node_fs_namespaceObject.readFileSync)(description, "utf8"))?.[1];
        if (url === undefined)
            throw new Error(`${description} names no file of its binary cache`);
        return [(0,external_node_path_namespaceObject.basename)(description), url];
    }
    #descriptionOf(path) {
        return (0,external_node_path_namespaceObject.join)(this.#directory, `${(0,external_node_path_namespaceObject.basename)(path).slice(0, 32)}.narinfo`);
    }
}
/** The description of a path that is not in the binary cache: Nix adds none whose references it does not find there. */
function placeholder(path) {
    return `StorePath: ${path}\nURL: nar/none\nCompression: none\nNarHash: sha256:${"0".repeat(52)}\nNarSize: 1\nReferences: \n`;
}
async function queryReferences(paths, signal) {
    const { stdout } = await runNixStore(["--query", "--references", ...paths], { signal });
    return [...new Set(stdout.split("\n").filter((line) => line !== ""))].map(storePath);
}
;// CONCATENATED MODULE: ./out/src/nixos/reconnect-timeout.js
// For a machine to be reachable again after its watchdog has acted: a rollback is an activation, too.
const wayBackSeconds = 60;
/**
 * Seconds for which a lost connection is tried again, by phase: a machine that rolls back on its own answers only afterwards.
 * `connectTimeout` is in seconds too.
 */
function reconnectTimeout(connectTimeout, { rollback, limits }) {
    const plain = connectTimeout + wayBackSeconds;
    if (!rollback)
        return () => plain;
    return (phase) => {
        if (phase === "activate")
            return plain + limits.activation + limits.confirm;
        return phase === "confirm" || phase === "rollback" ? plain + limits.confirm + limits.settle + limits.healthCheck : plain;
    };
}
;// CONCATENATED MODULE: ./out/src/process/start-gate.js
/**
 * Lets a number of programs begin side by side; a further one begins when one of them has ended, or has run for some time. So not all hosts
 * have a program in memory at once that only competes for the processor, and slow ones hold up no others.
 */
class StartGate {
    #free;
    #milliseconds;
    #waiting = new Set();
    /** `count` programs begin side by side; each counts for at most these milliseconds. */
    constructor(count, milliseconds) {
        this.#free = count;
        this.#milliseconds = milliseconds;
    }
    /** Does the work when it is its turn, in the order of the calls; at once when `signal` is aborted, which the work has to look at. Throws what the work throws. */
    async pass(signal, work) {
        if (this.#free > 0)
            this.#free -= 1;
        else if (!(await this.#turn(signal)))
            return await work();
        let counts = true;
        const leave = () => {
            if (counts)
                this.#release();
            counts = false;
        };
        const late = setTimeout(leave, this.#milliseconds);
        try {
            return await work();
        }
        finally {
            clearTimeout(late);
            leave();
        }
    }
    /** Returns whether it is the caller's turn; not when it was aborted before. */
    async #turn(signal) {
        if (signal?.aborted === true)
            return false;
        return await new Promise((resolve) => {
            const abort = () => {
                this.#waiting.delete(begin);
                resolve(false);
            };
            const begin = () => {
                signal?.removeEventListener("abort", abort);
                resolve(true);
            };
            signal?.addEventListener("abort", abort, { once: true });
            this.#waiting.add(begin);
        });
    }
    #release() {
        const [next] = this.#waiting;
        if (next === undefined) {
            this.#free += 1;
            return;
        }
        this.#waiting.delete(next);
        next();
    }
}
;// CONCATENATED MODULE: ./out/src/entry/machine-settings.js











// A copy waits for the network most of the time: more of them than processors are of use, but only some, at 5 MB each. One that still goes
// on after this time has something to send.
const copiesPerProcessor = 4;
const copyMilliseconds = 5000;
/** The settings for the machines of a deployment. Each call names a new run. `directory`: of this run alone, on the runner. */
function machineSettings(inputs, sending, directory, signal) {
    const run = (0,external_node_crypto_namespaceObject.randomBytes)(6).toString("hex");
    return {
        run,
        name: workflowRunName(process.env) ?? `run ${run}`,
        access: { elevate: inputs.elevate, elevatePassword: inputs.elevatePassword, needsRoot: needsRoot(inputs.operation) },
        needsRebuild: true,
        comparesBuilt: inputs.diff && !plansUnits(inputs.operation) && inputs.variant.specialisation === undefined,
        checkSignatures: inputs.checkSignatures,
        substitute: inputs.substitute,
        archiveArgs: inputs.archiveArgs,
        compress: inputs.compress,
        pack: new Pack((0,external_node_path_namespaceObject.join)(directory, "pack")),
        starts: new StartGate(copiesPerProcessor * (0,external_node_os_namespaceObject.availableParallelism)(), copyMilliseconds),
        rebuildArgs: inputs.rebuildArgs,
        reconnectTimeout: reconnectTimeout(inputs.connectTimeout, inputs.safety),
        isUntracked: async (file) => await isUntracked(inputs.flake, file),
        configurationNames: async () => sending === undefined ? undefined : await configurationNames(outerReference(await sending), { signal }).catch(() => undefined),
    };
}
;// CONCATENATED MODULE: ./out/src/github/state.js

const key = "identity-directory";
/** The path of the private directory, as it goes from the main step to the post step. */
const identityState = {
    save: (directory) => saveState(key, directory),
    /** Empty when the main step has made none. */
    load: () => getState(key),
};
;// CONCATENATED MODULE: ./out/src/ssh/identity.js









const prefix = "nix-flake-deploy-";
// mkdtemp adds six characters. A socket's path may have 107 bytes, of which ssh wants 17 for the name it listens under at
// first, and "/9999.s" is ours.
const longestParent = 107 - 17 - "/9999.s".length - prefix.length - 6 - 1;
/**
 * Makes the private directory (mode 700) of a run below `RUNNER_TEMP`, and nothing in it. Where that path is too long for a
 * socket or holds what ssh and Nix would split or expand, it is made below the system's directory for temporary files.
 */
function makeIdentityDirectory(runnerTemp) {
    const usable = runnerTemp !== undefined && Buffer.byteLength(runnerTemp) <= longestParent && /^\/[\w/.@+,:=-]*$/.test(runnerTemp);
    return (0,external_node_fs_namespaceObject.mkdtempSync)((0,external_node_path_namespaceObject.join)(usable ? runnerTemp : (0,external_node_os_namespaceObject.tmpdir)(), prefix));
}
/** Writes key and known hosts; an encrypted key is decrypted in place. */
async function writeIdentity(directory, identity) {
    const files = identityFiles(directory);
    const write = (path, text) => {
        (0,external_node_fs_namespaceObject.writeFileSync)(path, text, { mode: 0o600 });
    };
    write(files.knownHosts, `${identity.knownHosts.trimEnd()}\n${endOfKnownHosts}\n`);
    write(files.recorder, (0,external_node_fs_namespaceObject.readFileSync)(__nccwpck_require__.ab + "record-host-key.sh", "utf8"));
    if (identity.key === undefined)
        return { kind: "none" };
    if (identity.certificate !== undefined)
        write(files.certificate, `${identity.certificate}\n`);
    write(files.key, identity.key);
    if (identity.passphrase !== undefined) {
        const problem = await decrypt(directory, files.key, identity.passphrase);
        if (problem !== undefined)
            return { kind: "unusable", problem, topic: "ssh-key-encrypted" };
    }
    const publicKey = publicKeyOf(writtenKey(directory));
    return publicKey === undefined ? await askForPublicKey(files.key) : { kind: "key", publicKey };
}
/** The key as ssh reads it: after `writeIdentity`, the decrypted one. */
function writtenKey(directory) {
    return (0,external_node_fs_namespaceObject.readFileSync)(identityFiles(directory).key, "utf8");
}
// Of the most common kind of key, without the time that a program takes.
function publicKeyOf(key) {
    const body = /^-----BEGIN OPENSSH PRIVATE KEY-----\n([^-]*)-----END/.exec(key)?.[1];
    const parts = body === undefined ? undefined : readOpensshKey(body);
    return parts && ed25519PublicKey(parts);
}
async function askForPublicKey(path) {
    try {
        const { stdout } = await run({ file: "ssh-keygen", args: ["-y", "-P", "", "-f", path] }, { timeout: 20 });
        return { kind: "key", publicKey: stdout.trim() };
    }
    catch (error) {
        throwIfMissing(error);
        if (!(error instanceof CommandError))
            throw error;
        return { kind: "unusable", problem: `is damaged: ssh-keygen cannot read it (${lastLine(error.stderr, path)})`, topic: "ssh-key-damaged" };
    }
}
// ssh-keygen asks a program for the old passphrase, which hands on its standard input: on a command line or in an environment,
// others could see it.
async function decrypt(directory, path, passphrase) {
    const askpass = (0,external_node_path_namespaceObject.join)(directory, "askpass.sh");
    (0,external_node_fs_namespaceObject.writeFileSync)(askpass, "#!/bin/sh\nexec cat\n", { mode: 0o700 });
    (0,external_node_fs_namespaceObject.chmodSync)(askpass, 0o700);
    const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
    try {
        await run({ file: "ssh-keygen", args: ["-q", "-p", "-N", "", "-f", path] }, { env, stdin: `${passphrase}\n`, timeout: 60 });
        return undefined;
    }
    catch (error) {
        throwIfMissing(error);
        if (!(error instanceof CommandError))
            throw error;
        if (/ssh_askpass: exec\(.*\): Permission denied/.test(error.stderr)) {
            throw new RunnerError(`decrypting ssh-key needs a temporary directory in which programs can be run, but running one in ${(0,external_node_path_namespaceObject.dirname)(directory)} was denied (is it mounted noexec?). Use a key without a passphrase, or set RUNNER_TEMP to another directory`, { cause: error, topic: "ssh-key-encrypted" });
        }
        if (/incorrect passphrase/i.test(error.stderr))
            return "is encrypted, and ssh-key-passphrase does not match";
        return `cannot be decrypted (${lastLine(error.stderr, path)})`;
    }
    finally {
        (0,external_node_fs_namespaceObject.rmSync)(askpass, { force: true });
    }
}
function throwIfMissing(error) {
    if (error instanceof CommandError && error.failure.kind === "spawn") {
        throw new RunnerError(`ssh-keygen was not found on this runner. Install the OpenSSH client before this step, for example: ${installSteps["ssh-keygen"]}`, {
            cause: error,
            topic: "programs-missing",
        });
    }
}
function lastLine(stderr, path) {
    return (lastLines(stderr, 1)[0] ?? "").trim().replaceAll(path, "key");
}
/**
 * Removes the private directory of a run, and does nothing where it is gone. Throws an `Error` and removes nothing when the
 * path is not a directory that this action has made: another name, a link, or another owner.
 */
function removeIdentityDirectory(path) {
    if (!/^nix-flake-deploy-[A-Za-z0-9]{6}$/.test((0,external_node_path_namespaceObject.basename)(path)) || path !== (0,external_node_path_namespaceObject.resolve)(path)) {
        throw new Error(`refusing to remove ${JSON.stringify(path)}: it was not created by this action`);
    }
    const found = (0,external_node_fs_namespaceObject.lstatSync)(path, { throwIfNoEntry: false });
    if (found === undefined)
        return;
    if (!found.isDirectory() || found.uid !== process.getuid?.()) {
        throw new Error(`refusing to remove ${JSON.stringify(path)}: it is a link, not a directory, or owned by another user`);
    }
    (0,external_node_fs_namespaceObject.rmSync)(path, { recursive: true, force: true });
}
;// CONCATENATED MODULE: ./out/src/entry/run-identity.js






/** The private directory of a run, from its making to its removal: the identity, and what is left nowhere when the run is killed. */
class RunIdentity {
    #log;
    #directory;
    constructor(log) {
        this.#log = log;
    }
    /** The path of the directory, which is made with the first use. Throws an `Error` when it cannot be. */
    get directory() {
        if (this.#directory === undefined) {
            this.#directory = makeIdentityDirectory(process.env["RUNNER_TEMP"]);
            // Before anything is written into it, so that the post step finds it even when this process is killed.
            identityState.save(this.#directory);
        }
        return this.#directory;
    }
    /** Writes the identity into the directory. Throws an `InputError` for a key that ssh cannot use. */
    async install(identity) {
        const check = await writeIdentity(this.directory, identity);
        if (check.kind === "unusable")
            throw new InputError([{ input: "ssh-key", problem: check.problem, topic: check.topic }]);
        if (identity.passphrase !== undefined)
            for (const line of secretLines(writtenKey(this.directory)))
                maskSecret(line);
    }
    /** Ends the ssh masters, then removes the key with their sockets. Never throws. */
    async remove() {
        if (this.#directory !== undefined)
            await removeIdentity(this.#directory, this.#log);
    }
}
/** Ends the ssh masters of a private directory and removes it. Returns whether that succeeded; where not, it is reported. */
async function removeIdentity(directory, log) {
    try {
        await endMasters(directory);
        removeIdentityDirectory(directory);
        return true;
    }
    catch (error) {
        log.annotate("error", "The ssh key may still be on the runner", messageOf(error));
        return false;
    }
}
;// CONCATENATED MODULE: ./out/src/entry/deploy.js


























/** Deploys as the inputs say, and reports how it ended. Returns the exit code. */
async function deploy_run(protectedMemory = preventCoreDumps()) {
    const log = new WorkflowLog();
    const all = { log, runLog: new WorkflowRunLog(log), identity: new RunIdentity(log), known: nothingKnown(), protectedMemory };
    return await runCancellable(async (cancelled) => ((await deployAndReport(all, cancelled)) ? 0 : 1), {
        onFirst: (signal) => log.annotate("warning", `Cancelled by ${signal}`, all.runLog.runningHosts()),
        onSecond: async () => await all.identity.remove(),
    });
}
async function deployAndReport(all, cancelled) {
    const { log, identity, known } = all;
    let problem;
    try {
        await deploy(all, cancelled);
    }
    catch (error) {
        problem = error;
    }
    await identity.remove();
    if (problem !== undefined && !cancelled.aborted)
        log.annotateAll("error", [problemAnnotation(problem, log.linkTo)]);
    const reason = cancelled.aborted ? "the run was cancelled" : problem === undefined ? undefined : briefReason(problem);
    const { end, flake, sent, summary } = known;
    const isGreen = reportEnd({ ...end, flake, sent, summary, endedEarly: reason !== undefined, reason }, log);
    await log.written();
    return isGreen;
}
async function deploy({ log, runLog, identity, known, protectedMemory }, cancelled) {
    const inputs = parseInputs(readInput);
    known.summary = inputs.summary;
    for (const secret of secretsOf(inputs))
        maskSecret(secret);
    if (!inputs.allowUnsafeEvent)
        requireTrustedCode(readEvent(process.env));
    const ssh = sshSettings(inputs, process.env["SSH_AUTH_SOCK"]);
    await Promise.all([requirePrograms(), protectedMemory]);
    const found = await machinesOfDeployment(inputs, deploymentPorts({ inputs, ssh, identity, known, log, signal: cancelled }));
    const wantedAs = ({ name }) => {
        const wanted = found.wanted.get(name);
        if (wanted === undefined)
            throw new Error(`${name} has no source for its system`);
        return wanted;
    };
    const { flake, signal } = flakeOrNone(found.flake, cancelled);
    const settings = machineSettings(inputs, found.flake, identity.directory, signal);
    const machines = connectionsTo(found.targets, identity.directory, ssh).map((connection) => {
        const needsRebuild = needsFlake(inputs.operation) && wantedAs(connection.target).way === "rebuilt-there";
        return new NixosMachine(connection, { ...settings, needsRebuild }, runLog.host(connection.target));
    });
    const { operation, maxParallel, timeout, retries, safety, variant, staging, diff } = inputs;
    const runner = runnerStore({ signal, onLine: (line) => log.line(line) });
    const sources = { flake, sent: known.sent, made: found.made, runner, substitutes: inputs.substitute };
    const systemOf = needsFlake(operation) ? (target) => sourceOf(wantedAs(target), sources) : undefined;
    const knowsProfile = async ({ replaceUnknown }, present, own) => replaceUnknown !== false || (await isInStore(present, own));
    known.end = await deployFleet(machines, { operation, systemOf, knowsProfile, unusable: found.failed, maxParallel, timeout, retries, safety, variant, staging, diff, signal }, runLog);
    await found.flake;
}
;// CONCATENATED MODULE: ./out/src/github/matrix-outputs.js





/**
 * Renders the outputs: one job per machine, or at most `shards` jobs with the machines split across them in order.
 * Throws an `InputError` for more machines than GitHub allows jobs, and for more than fit into the outputs of a job.
 */
function renderMatrix(machines, shards) {
    if (shards === undefined && machines.length > jobsOfMatrix) {
        throw new InputError([
            {
                input: "shards",
                problem: `is empty, but ${machines.length} hosts exceed the ${jobsOfMatrix} jobs that GitHub allows per matrix; set it to the number of jobs to split them across`,
                topic: "too-many-jobs",
            },
        ]);
    }
    const include = shards === undefined ? machines.map(machineJob) : deal(machines, shards).map(shardJob);
    const outputs = {
        matrix: JSON.stringify({ include }),
        targets: targetsOutput(machines),
        count: String(machines.length),
        hosts: JSON.stringify(machines.map(({ name }) => name)),
    };
    return fittingOutputs(outputs, machines.length);
}
function machineJob(machine) {
    const { name, request, system, tags } = machine;
    return { name, target: targetsText([machine]), configuration: attributeOf(request.configuration) ?? "", system: system ?? "", tags };
}
function shardJob(machines, index, all) {
    return { name: `${index + 1} of ${all.length}`, targets: targetsText(machines), hosts: machines.map(({ name }) => name) };
}
/** Splits the items into as many parts, in order; the first parts get one more where the division leaves a remainder. */
function deal(items, hands) {
    const used = Math.min(hands, items.length);
    const size = (hand) => Math.floor(items.length / used) + (hand < items.length % used ? 1 : 0);
    let begin = 0;
    return Array.from({ length: used }, (_, hand) => items.slice(begin, (begin += size(hand))));
}
;// CONCATENATED MODULE: ./out/src/inputs/matrix.js

/** Every input of the companion action, by its name in `matrix/action.yml`. */
const matrixInputNames = [...companionInputNames, "shards"];
/** Parses the inputs; `mostShards` jobs are possible. Throws an `InputError` that names every bad one. */
function parseMatrixInputs(read, mostShards) {
    return parseCompanionInputs(["shards"], read, ({ number }) => ({ shards: number("shards", mostShards) }));
}
;// CONCATENATED MODULE: ./out/src/entry/matrix.js









/** Plans the jobs of a matrix as the inputs say. Returns the exit code. */
async function matrix_run() {
    return await runCompanion({ work: plan, nothing: renderMatrix([], undefined), onCancelled: "No job was planned." });
}
async function plan(log, cancelled) {
    const inputs = parseMatrixInputs(readInput, jobsOfMatrix);
    const { machines, total, unusable } = await machinesOfMatrix(inputs, matrixPorts(inputs.flake, log, cancelled));
    const outputs = renderMatrix(machines, inputs.shards);
    log.line(`${machines.length} of ${total} hosts: ${machines.map(({ name }) => name).join(", ")}`);
    log.annotateAll("error", failureAnnotations(unusable.map(unusableResult), annotationsOfStep, log.linkTo));
    return { outputs, isComplete: unusable.length === 0 };
}
;// CONCATENATED MODULE: ./out/src/entry/post.js



/**
 * Runs after the job, also when the main step was killed: ends the ssh masters and removes the key that are left. Returns the exit code.
 */
async function post_run() {
    const log = new WorkflowLog();
    const directory = identityState.load();
    const isRemoved = directory === "" || (await removeIdentity(directory, log));
    await log.written();
    return isRemoved ? 0 : 1;
}
;// CONCATENATED MODULE: ./out/src/entry/start.js
/** Runs an entry point and ends the process with its exit code: whatever still holds the process open has nothing more to report. */
async function start(run) {
    // Node looks up each variable in the C library at each reading, and each program that is started gets a copy of all of them: with
    // the 150 variables of a hosted runner, that took milliseconds for each program.
    process.env = { ...process.env };
    process.exit(await run());
}
;// CONCATENATED MODULE: ./out/src/entry/index.js
// What the bundle exports to the files that start it.





var __webpack_exports__build = __webpack_exports__.jq;
var __webpack_exports__deploy = __webpack_exports__.gg;
var __webpack_exports__matrix = __webpack_exports__.UP;
var __webpack_exports__post = __webpack_exports__.bE;
var __webpack_exports__start = __webpack_exports__.ni;
export { __webpack_exports__build as build, __webpack_exports__deploy as deploy, __webpack_exports__matrix as matrix, __webpack_exports__post as post, __webpack_exports__start as start };
