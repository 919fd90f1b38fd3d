import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 598:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");

/***/ }),

/***/ 24:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");

/***/ }),

/***/ 760:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:path");

/***/ }),

/***/ 920:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

// ESM COMPAT FLAG
__nccwpck_require__.r(__webpack_exports__);

// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  ExitCode: () => (/* binding */ ExitCode),
  addPath: () => (/* binding */ addPath),
  debug: () => (/* binding */ debug),
  endGroup: () => (/* binding */ endGroup),
  error: () => (/* binding */ error),
  exportVariable: () => (/* binding */ exportVariable),
  getBooleanInput: () => (/* binding */ getBooleanInput),
  getIDToken: () => (/* binding */ getIDToken),
  getInput: () => (/* binding */ getInput),
  getMultilineInput: () => (/* binding */ getMultilineInput),
  getState: () => (/* binding */ getState),
  group: () => (/* binding */ group),
  info: () => (/* binding */ info),
  isDebug: () => (/* binding */ isDebug),
  markdownSummary: () => (/* reexport */ markdownSummary),
  notice: () => (/* binding */ notice),
  platform: () => (/* reexport */ platform_namespaceObject),
  saveState: () => (/* binding */ saveState),
  setCommandEcho: () => (/* binding */ setCommandEcho),
  setFailed: () => (/* binding */ setFailed),
  setOutput: () => (/* binding */ setOutput),
  setSecret: () => (/* binding */ setSecret),
  startGroup: () => (/* binding */ startGroup),
  summary: () => (/* reexport */ summary),
  toPlatformPath: () => (/* reexport */ toPlatformPath),
  toPosixPath: () => (/* reexport */ toPosixPath),
  toWin32Path: () => (/* reexport */ toWin32Path),
  warning: () => (/* binding */ warning)
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

;// CONCATENATED MODULE: external "os"
const external_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("os");
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
const external_crypto_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("crypto");
;// CONCATENATED MODULE: external "fs"
const external_fs_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("fs");
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
const external_path_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("path");
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
const external_string_decoder_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("string_decoder");
;// CONCATENATED MODULE: external "events"
const external_events_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("events");
;// CONCATENATED MODULE: external "child_process"
const external_child_process_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("child_process");
;// CONCATENATED MODULE: external "assert"
const external_assert_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("assert");
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
const external_timers_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("timers");
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


/***/ }),

/***/ 283:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  Qd: () => (/* binding */ CommandError),
  bD: () => (/* binding */ messageOf)
});

// UNUSED EXPORTS: DeployError, EvaluationError, InputError, NoFlakeError, RunnerError, briefReason

;// CONCATENATED MODULE: ./out/src/domain/failure.js
const shownLines = 20;
/** A failure of these parts; of the lines, the last 20 are kept. */
function makeFailure(parts) {
    const { phase, reason, hint, outcome, lines = [], exitCode, causes = [] } = parts;
    return { phase, reason, hint, outcome, lines: lines.slice(-shownLines), exitCode, causes };
}
/** The sentences of a failure: its reason, what to do next, what state the machine is in. */
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
        const heading = problems.length === 1 ? "An input is not usable" : `${problems.length} inputs are not usable`;
        super([
            `${heading}; no machine was touched:`,
            ...problems.map(({ input, problem, advice }) => `  ${input}: ${problem}${advice === undefined ? "" : `. ${advice}`}`),
        ].join("\n"));
        this.problems = problems;
    }
}
/** The runner lacks something that every run needs. The message says what to add to the workflow. */
class RunnerError extends (/* unused pure expression or super */ null && (Error)) {
    name = "RunnerError";
}
/** A command that could not be started, did not end well, or was ended. */
class CommandError extends Error {
    name = "CommandError";
    /** The command as one could paste it. */
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
/** The flake of a run could not be fetched, so that no machine can be deployed. The message is one sentence without a full stop. */
class NoFlakeError extends (/* unused pure expression or super */ null && (Error)) {
    name = "NoFlakeError";
}
/** The message of whatever was thrown. */
function messageOf(error) {
    return error instanceof Error ? error.message : String(error);
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
            return `ended by ${failure.signal}`;
        case "timeout":
            return `no end within ${failure.seconds} s`;
        case "aborted":
            return "stopped before its end";
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

/***/ }),

/***/ 694:
/***/ ((__webpack_module__, __unused_webpack___webpack_exports__, __nccwpck_require__) => {

__nccwpck_require__.a(__webpack_module__, async (__webpack_handle_async_dependencies__, __webpack_async_result__) => { try {
/* harmony import */ var _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(283);
/* harmony import */ var _github_state_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(816);
/* harmony import */ var _github_workflow_log_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(524);
/* harmony import */ var _ssh_connection_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(226);
/* harmony import */ var _ssh_identity_js__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(395);





// Runs after the job, also when the main step was killed: ends the ssh masters and removes the key that are left.
const directory = _github_state_js__WEBPACK_IMPORTED_MODULE_1__/* .identityState */ .A.load();
if (directory !== "") {
    try {
        await (0,_ssh_connection_js__WEBPACK_IMPORTED_MODULE_3__/* .endMasters */ .p2)(directory);
        (0,_ssh_identity_js__WEBPACK_IMPORTED_MODULE_4__/* .removeIdentityDirectory */ .UK)(directory);
    }
    catch (error) {
        new _github_workflow_log_js__WEBPACK_IMPORTED_MODULE_2__/* .WorkflowLog */ .m().annotate("error", "The ssh key may still be on the runner", (0,_domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error));
        process.exitCode = 1;
    }
}
__webpack_async_result__();
} catch(e) { __webpack_async_result__(e); } }, 1);

/***/ }),

/***/ 816:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   A: () => (/* binding */ identityState)
/* harmony export */ });
/* harmony import */ var _actions_core__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(920);

const key = "identity-directory";
/** The path of the private directory, as it goes from the main step to the post step. */
const identityState = {
    save: (directory) => _actions_core__WEBPACK_IMPORTED_MODULE_0__.saveState(key, directory),
    /** Empty when the main step has made none. */
    load: () => _actions_core__WEBPACK_IMPORTED_MODULE_0__.getState(key),
};

/***/ }),

/***/ 524:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  m: () => (/* binding */ WorkflowLog)
});

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(598);
// EXTERNAL MODULE: ./node_modules/@actions/core/lib/core.js + 22 modules
var core = __nccwpck_require__(920);
;// CONCATENATED MODULE: external "node:util"
const external_node_util_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:util");
;// CONCATENATED MODULE: ./out/src/report/printable.js

/** The text as one line without control characters and terminal sequences. */
function printable(text) {
    return (0,external_node_util_namespaceObject.stripVTControlCharacters)(text).replaceAll(/[^\P{Cc}\t]/gu, " ");
}
;// CONCATENATED MODULE: ./out/src/github/workflow-log.js



/**
 * The step's log. GitHub's runner obeys workflow commands wherever it reads them, also in what a machine or Nix has printed:
 * every line is written while the runner is told to stop obeying, under a token that nobody can guess.
 */
class WorkflowLog {
    #token;
    /** Writes one line that is not obeyed, whatever is in it. */
    line(text) {
        if (this.#token === undefined) {
            this.#token = (0,external_node_crypto_.randomUUID)();
            write(`::stop-commands::${this.#token}`);
        }
        write(printable(text));
    }
    /** Writes lines that are folded under a title. */
    group(title, lines) {
        this.resume();
        core.startGroup(printable(title));
        for (const line of lines)
            this.line(line);
        this.resume();
        core.endGroup();
    }
    /** Writes an annotation, which the workflow's page shows. */
    annotate(level, title, message) {
        this.resume();
        core[level](message.split("\n").map(printable).join("\n"), { title: printable(title) });
    }
    /** Waits until the runner has taken every line: what a pipe has not taken yet is lost when the process exits. */
    async written() {
        await new Promise((resolve) => {
            process.stdout.write("", () => resolve());
        });
    }
    /** Lets the runner obey commands again. */
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

/***/ }),

/***/ 202:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  eF: () => (/* binding */ run)
});

// UNUSED EXPORTS: pasteable, quote

;// CONCATENATED MODULE: external "node:child_process"
const external_node_child_process_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:child_process");
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(24);
// EXTERNAL MODULE: ./out/src/domain/errors.js + 1 modules
var errors = __nccwpck_require__(283);
;// CONCATENATED MODULE: ./out/src/process/environment.js
// What the runner gives to the action alone: the inputs (the key among them), what the main step leaves for the post step, tokens
// for the runner's own services, and the files by which a step sets outputs and the environment of later steps.
const withheld = /^(?:INPUT_|STATE_|ACTIONS_)|^GITHUB_(?:OUTPUT|STATE|ENV|PATH|STEP_SUMMARY)$/i;
/** Leaves out of an environment what no child process may see. */
function childEnvironment(environment) {
    const kept = {};
    for (const [name, value] of Object.entries(environment))
        if (value !== undefined && !withheld.test(name))
            kept[name] = value;
    return kept;
}
;// CONCATENATED MODULE: external "node:string_decoder"
const external_node_string_decoder_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:string_decoder");
;// CONCATENATED MODULE: ./out/src/process/lines.js

// A line without an end must not fill the memory: progress bars and binary output come in such lines.
const longestLine = 16_384;
/** Makes a cutter that gives each line, without its end, to `onLine`. */
function lineCutter(onLine) {
    const decoder = new external_node_string_decoder_namespaceObject.StringDecoder("utf8");
    let rest = "";
    const give = (line) => {
        for (let begin = 0; begin === 0 || begin < line.length; begin += longestLine)
            onLine(line.slice(begin, begin + longestLine));
    };
    const take = (text) => {
        // A CR at the very end may be the first half of CRLF: it waits for what comes next.
        const parts = (rest + text).split(/\r\n|\n|\r(?!$)/);
        rest = parts.pop() ?? "";
        for (const part of parts)
            give(part);
        while (rest.length > longestLine) {
            onLine(rest.slice(0, longestLine));
            rest = rest.slice(longestLine);
        }
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
;// CONCATENATED MODULE: ./out/src/process/run.js





// The end of a long output is what tells why; a NAR listing or a build log must not fill the memory.
const keptBytes = 32 * 1024 * 1024;
// Between SIGTERM and SIGKILL. GitHub's runner kills the action itself 10 s after a cancellation.
const graceMilliseconds = 1500;
/**
 * Runs a program in a process group of its own and waits for its end. A time-out and an abort end the whole group.
 * Throws a `CommandError` unless the exit code is 0.
 */
async function run(command, options = {}) {
    const stdout = keeper();
    const stderr = keeper();
    const fail = (failure, cause) => new errors/* CommandError */.Qd({ command: pasteable(command), failure, stdout: stdout.text(), stderr: stderr.text(), cause });
    if (options.signal?.aborted === true)
        throw fail({ kind: "aborted" });
    const stderrLines = options.onStderrLine === undefined ? undefined : lineCutter(options.onStderrLine);
    const ended = await new Promise((resolve, reject) => {
        const file = options.stderrFile === undefined ? undefined : (0,external_node_fs_.openSync)(options.stderrFile, "w", 0o600);
        const child = (0,external_node_child_process_namespaceObject.spawn)(command.file, command.args, {
            cwd: options.cwd,
            env: { ...childEnvironment(process.env), ...options.env },
            stdio: file === undefined ? ["pipe", "pipe", "pipe"] : ["ignore", "ignore", file],
            detached: true,
        });
        if (file !== undefined)
            (0,external_node_fs_.closeSync)(file);
        if (child.pid !== undefined)
            options.onStart?.(child.pid);
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
        const settle = () => {
            clearTimeout(timer);
            options.signal?.removeEventListener("abort", onAbort);
        };
        child.once("error", (error) => {
            settle();
            reject(fail({ kind: "spawn", code: error.code ?? error.message }, error));
        });
        child.stdout?.on("data", options.onStdout ?? stdout.push);
        child.stderr?.on("data", (chunk) => {
            stderr.push(chunk);
            stderrLines?.push(chunk);
        });
        // A program that ends without reading its input closes the pipe; its exit code tells more than EPIPE.
        child.stdin?.on("error", () => undefined);
        child.stdin?.end(options.stdin ?? "");
        child.once("exit", () => {
            if (stopped === undefined)
                return;
            // Nobody who keeps the pipes open must keep us: neither a child of the child nor, outside its group, the ssh master, to
            // which ssh hands its own pipes and which closes them when the command on the machine ends.
            killGroup(child, "SIGKILL");
            child.stdout?.destroy();
            child.stderr?.destroy();
        });
        child.once("close", (exitCode, signal) => {
            settle();
            if (options.stderrFile !== undefined)
                stderr.push((0,external_node_fs_.readFileSync)(options.stderrFile));
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
/** The command as one could paste it into a POSIX shell. */
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
        // The group is gone already: that is what was wanted.
    }
}
function keeper() {
    let chunks = [];
    let length = 0;
    return {
        push: (chunk) => {
            chunks.push(chunk);
            length += chunk.length;
            if (length > 2 * keptBytes) {
                const end = Buffer.concat(chunks).subarray(-keptBytes);
                chunks = [end];
                length = end.length;
            }
        },
        text: () => Buffer.concat(chunks).toString("utf8"),
    };
}

/***/ }),

/***/ 134:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* unused harmony exports identityFiles, endOfKnownHosts, targetFiles, alias, renderConfiguration, renderQuestion */
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(760);

/** What stands where in the private directory of a run. */
function identityFiles(directory) {
    return {
        key: join(directory, "key"),
        certificate: join(directory, "key-cert.pub"),
        knownHosts: join(directory, "known_hosts"),
        recorder: join(directory, "record-host-key.sh"),
    };
}
/** Ends what the workflow has given in `known_hosts`: below it, ssh adds the keys that it accepts by itself. */
const endOfKnownHosts = "# Accepted in this run:";
/** Names the files of the target with this number. Short, since a socket's path has 108 bytes on Linux. */
function targetFiles(directory, index) {
    return { configuration: join(directory, `${index}.conf`), socket: join(directory, `${index}.s`), offeredKeys: join(directory, `${index}.keys`) };
}
/**
 * The name under which ssh and Nix are told of the target. It is the host itself, so that the user's own `Host` lines apply,
 * but for what Nix cannot take in a store's address (IPv6) or treats in its own way (localhost).
 */
function alias(target, index) {
    const plain = /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(target.host) && target.host.toLowerCase() !== "localhost";
    return plain ? target.host : `target-${index}`;
}
// A dead link is noticed after three unanswered questions.
const aliveInterval = 5;
const aliveCount = 3;
// Idle seconds after which a master that nobody ended (kill -9 and no post step) ends by itself.
const masterIdle = 900;
/**
 * The ssh_config of one target whose place is known. ssh takes the first value it finds, so what must not be changed stands
 * first and the user's lines last. What stands in the first block is for the target alone and not for a jump host on the way,
 * which ssh reaches with the same file.
 */
function renderConfiguration(target, index, directory, settings) {
    const name = alias(target, index);
    const names = [...new Set([name, target.host])];
    const hostName = (address) => `  HostName ${address.replaceAll("%", "%%")}`;
    const renamed = target.address.toLowerCase() !== target.host.toLowerCase();
    return lines([
        `Host ${names.join(" ")}`,
        // A HostName of the user's own lines is left to them: `Match host` looks at what was found so far.
        ...(renamed ? [] : [hostName(target.address)]),
        `  Port ${target.port}`,
        `  User ${target.user}`,
        ...mastersOf(targetFiles(directory, index)),
        // The user's lines do not know this name.
        ...(renamed && name !== target.host ? [`Host ${name}`, hostName(target.address)] : []),
        ...ownedSettings(index, directory, settings),
        ...extraLines(settings),
    ]);
}
/**
 * The ssh_config in which ssh finds out where a target is: what the target says itself stands first, then what the action owns,
 * the user's lines, and the defaults. `extraBegins` is the number of lines before the user's.
 */
function renderQuestion(target, index, directory, settings, defaults) {
    const host = `Host ${target.host}`;
    const own = [
        host,
        ...(target.port === undefined ? [] : [`  Port ${target.port}`]),
        ...(target.user === undefined ? [] : [`  User ${target.user}`]),
        ...mastersOf(targetFiles(directory, index)),
        ...ownedSettings(index, directory, settings),
    ];
    const extra = extraLines(settings);
    return { text: lines([...own, ...extra, host, `  Port ${defaults.port}`, `  User ${defaults.user}`]), extraBegins: own.length + 1 };
}
function lines(all) {
    return `${all.join("\n")}\n`;
}
function extraLines({ extra }) {
    return extra === "" ? [] : ["# The workflow's own lines", extra];
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
/** What no line of the user's can change, for the target and for the jump hosts on the way. */
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

/***/ }),

/***/ 226:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  p2: () => (/* binding */ endMasters)
});

// UNUSED EXPORTS: Connection, controlCommand, masterCommand, reasonCommand, sessionCommand

;// CONCATENATED MODULE: external "node:dns/promises"
const promises_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:dns/promises");
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(24);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __nccwpck_require__(760);
// EXTERNAL MODULE: ./out/src/domain/errors.js + 1 modules
var errors = __nccwpck_require__(283);
// EXTERNAL MODULE: ./out/src/process/run.js + 4 modules
var process_run = __nccwpck_require__(202);
// EXTERNAL MODULE: ./out/src/ssh/configuration.js
var configuration = __nccwpck_require__(134);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(598);
;// CONCATENATED MODULE: ./out/src/ssh/host-key.js

/**
 * Reads the lines of `record-host-key.sh`; the last one is the key of the server that was refused.
 *
 *     [192.0.2.7]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…
 */
function host_key_parseOfferedKeys(text) {
    return text
        .split("\n")
        .map((line) => /^(\S+) ([a-z0-9@.-]+) (AAAA[A-Za-z0-9+/]+=*)$/.exec(line))
        .filter((match) => match !== null)
        .map((match) => ({ host: match[1] ?? "", type: match[2] ?? "", key: match[3] ?? "" }));
}
/** The fingerprint as `ssh-keygen -l` shows it: `SHA256:` and base64 without padding. */
function host_key_fingerprint(key) {
    return `SHA256:${createHash("sha256").update(Buffer.from(key.key, "base64")).digest("base64").replace(/=+$/, "")}`;
}
/** The line that would let ssh accept the key. */
function host_key_knownHostsLine(key) {
    return `${key.host} ${key.type} ${key.key}`;
}
/**
 * Checks the form of known_hosts lines (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), since ssh passes over a bad one without a word.
 * Returns what is wrong with each bad line.
 */
function knownHostsProblems(text) {
    const problems = [];
    for (const [index, line] of text.split("\n").entries()) {
        const fields = line.trim().split(/\s+/);
        if (line.trim() === "" || line.trim().startsWith("#"))
            continue;
        if (/PRIVATE KEY/.test(line))
            return [`line ${index + 1} belongs to a private key`];
        const [, type, key] = fields[0]?.startsWith("@") === true ? fields.slice(1) : fields;
        if (type === undefined || key === undefined || !/^AAAA[A-Za-z0-9+/]+=*$/.test(key)) {
            problems.push(`line ${index + 1} is not a known_hosts line (host, key type, key; as \`ssh-keyscan host\` prints them)`);
        }
    }
    return problems;
}
;// CONCATENATED MODULE: ./out/src/ssh/failure.js



/** Shows a host key that was accepted although nobody knew it, and says how to have it checked the next time. */
function acceptedKeyWarning(key) {
    return `the host key of ${placeOf(key)} was not known and has been accepted: ${key.type} ${fingerprint(key)}. Compare it on the machine itself, then add this line to ssh-known-hosts and set ssh-strict to true: ${knownHostsLine(key)}`;
}
// The key may be the one of a jump host.
function placeOf({ host }) {
    const [, name = host, port = "22"] = /^\[(.*)\]:(\d+)$/.exec(host) ?? [];
    return `${name} port ${port}`;
}
const unanswered = /timed out|No route to host|Network is unreachable|Host is unreachable|Host is down/i;
/** Turns what ssh said into an error that names the host and the port, and says what to do. */
function failure_connectError(failure) {
    const { reason, hint, unreachable } = explain(failure);
    const lines = failure.stderr
        .split("\n")
        .filter((line) => line.trim() !== "")
        .slice(-20);
    return new DeployError({ phase: "connect", reason, hint, lines, exitCode: 255, unreachable, cause: failure.cause });
}
function explain({ target, stderr, timedOut, offered, withKey = true, githubHosted = false, addresses = [] }) {
    // ssh names the place of its TCP connection, which is a jump host's where there is one.
    const [named, host = target.address, port = target.port] = /connect to host (\S+) port (\d+):/.exec(stderr) ?? [];
    const place = `${host} port ${port}`;
    const key = offered.at(-1);
    const keyPlace = key === undefined ? place : placeOf(key);
    const permanent = { unreachable: false };
    const passing = { unreachable: true };
    if (/REMOTE HOST IDENTIFICATION HAS CHANGED|host key .* has changed|REVOKED HOST KEY/i.test(stderr)) {
        return {
            reason: `the host key of ${keyPlace} is not the one in ssh-known-hosts${key === undefined ? "" : ` (offered: ${key.type} ${fingerprint(key)})`}`,
            hint: key === undefined
                ? "Find out why before you change ssh-known-hosts"
                : `Either another machine answers there, or it was installed anew. Only when you know it is the second, put this line in place of the old one: ${knownHostsLine(key)}`,
            ...permanent,
        };
    }
    if (/Host key verification failed|No \S+ host key is known/i.test(stderr)) {
        const offeredText = key === undefined ? "" : ` (offered: ${key.type} ${fingerprint(key)})`;
        return {
            reason: `the host key of ${keyPlace} is not known${offeredText}`,
            hint: key === undefined
                ? "Add the machine's line to ssh-known-hosts"
                : `Compare the fingerprint on the machine itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); when it is the same, add this line to ssh-known-hosts: ${knownHostsLine(key)}`,
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
                hint: "With ssh-auth: agent, the agent must hold a key that the machine accepts; with none, the server must ask for no authentication",
                ...permanent,
            };
        }
        return {
            reason: `${jump ? `the jump host ${refusing}` : place} does not accept the ssh key for the user ${user}`,
            hint: `Add the public half of ssh-key to users.users.${user}.openssh.authorizedKeys.keys on ${jump ? refusing : "the machine"}, or name another user`,
            ...permanent,
        };
    }
    if (/stdio forwarding failed/i.test(stderr)) {
        return { reason: `the jump host cannot reach ${target.address} port ${target.port}`, hint: "The lines below are ssh's own", ...passing };
    }
    if (/Bad configuration option|terminating, \d+ bad configuration|Bad .* argument|Unsupported option|garbage at end of line|missing argument/i.test(stderr)) {
        return {
            reason: "ssh does not accept the configuration",
            hint: "Look at the lines of the input ssh-config; this action needs OpenSSH 8.5 or newer on the runner",
            ...permanent,
        };
    }
    const unresolved = /Could not resolve hostname (\S+):/i.exec(stderr);
    if (unresolved !== null) {
        return {
            reason: `the name of ${unresolved[1]} cannot be resolved`,
            hint: "Look for a misspelling in targets (and ssh-config); can the runner see this name (VPN, private DNS)?",
            ...passing,
        };
    }
    if (/Connection refused/i.test(stderr)) {
        return { reason: `${place} refuses the connection`, hint: "Is sshd running there, and is this its port?", ...passing };
    }
    const onlyIpv6 = host.includes(":") || (host === target.host && addresses.length > 0 && addresses.every((address) => address.includes(":")));
    if (githubHosted && named !== undefined && onlyIpv6 && unanswered.test(stderr)) {
        return {
            reason: `${place} cannot be reached from a GitHub-hosted runner: ${host.includes(":") ? "it is" : "its name has only"} an IPv6 address, and these runners have no IPv6`,
            hint: "Use an IPv4 address or a name that has one, a jump host or VPN with IPv4 (ssh-config: ProxyJump), or a self-hosted runner",
            ...permanent,
        };
    }
    if (timedOut || unanswered.test(stderr)) {
        return {
            reason: `${place} does not answer`,
            hint: "Is the machine on, and can the runner reach it (firewall, VPN)? connect-timeout sets how long to wait",
            ...passing,
        };
    }
    if (/no matching|Unable to negotiate/i.test(stderr)) {
        return {
            reason: `ssh and ${place} have no algorithm in common`,
            hint: "An old server may need lines such as HostKeyAlgorithms in ssh-config",
            ...permanent,
        };
    }
    return { reason: `no ssh connection to ${displayTarget(target)}`, hint: "The lines below are ssh's own", ...passing };
}
const lostConnection = /Connection (?:to .* )?(?:closed|reset)|Broken pipe|not responding|Connection timed out|mux_client|Control socket|control socket|kex_exchange_identification|client_loop|Timeout, server/i;
/** Tells whether what ssh printed speaks of a lost connection rather than of the command. */
function speaksOfLostConnection(stderr) {
    return lostConnection.test(stderr);
}
;// CONCATENATED MODULE: ./out/src/ssh/connection.js








// The host key, the authentication and a jump host come after the TCP connection, which ConnectTimeout alone bounds.
const authenticationSeconds = 20;
const controlSeconds = 2;
// A machine that comes back is noticed soon: the kernel's own tries become rarer and rarer.
const againSeconds = 5;
/**
 * The ssh connection to one target: a master in the background that everything else goes through, Nix included. It is
 * started beforehand because an ssh that Nix itself starts as a master makes `nix flake archive` hang (NixOS/nix#10645).
 */
class Connection {
    target;
    #name;
    #files;
    #knownHosts;
    #key;
    #connectTimeout;
    #told = new Set();
    constructor(target, index, directory, connectTimeout) {
        this.target = target;
        this.#name = alias(target, index);
        this.#files = targetFiles(directory, index);
        this.#knownHosts = identityFiles(directory).knownHosts;
        this.#key = identityFiles(directory).key;
        this.#connectTimeout = connectTimeout;
    }
    /** The machine's store in Nix' words. User, port and address stand in the ssh configuration. */
    get store() {
        return `ssh-ng://${this.#name}`;
    }
    /** What Nix needs in its environment to use this connection. The path holds no white space: older Nix splits there. */
    get environment() {
        return { NIX_SSHOPTS: `-F ${this.#files.configuration}` };
    }
    /** Starts the master, or does nothing where it runs. Throws a `DeployError` of the phase connect. */
    async open(signal, connectTimeout = this.#connectTimeout) {
        if (await this.isOpen())
            return;
        // The socket of a master that died would make a new one refuse to listen.
        rmSync(this.#files.socket, { force: true });
        rmSync(this.#files.offeredKeys, { force: true });
        await this.#connect(masterCommand(this.#files, this.target, connectTimeout), { signal, stderrFile: `${this.#files.socket}.err` });
    }
    /** Ends the master and starts a new one, so that what follows goes over a fresh TCP connection. Throws as `open`. */
    async reopen(signal) {
        await this.close();
        await this.open(signal, Math.min(this.#connectTimeout, againSeconds));
    }
    /** Tells whether the master runs; asks nobody but the local socket. */
    async isOpen() {
        if (!existsSync(this.#files.socket))
            return false;
        try {
            await run(controlCommand(this.#files, this.target, "check"), { timeout: controlSeconds });
            return true;
        }
        catch {
            return false;
        }
    }
    /** Runs a command on the machine through the master. Throws a `CommandError`; exit code 255 may be ssh's own. */
    async run({ command, ...options }) {
        return await run(sessionCommand(this.#files, this.target, command), options);
    }
    /** Ends the master, if there is one. Never throws. */
    async close() {
        if (!existsSync(this.#files.socket))
            return;
        try {
            await run(controlCommand(this.#files, this.target, "exit"), { timeout: controlSeconds });
        }
        catch {
            rmSync(this.#files.socket, { force: true });
        }
    }
    /** The host keys that were offered since the master was started, the one of the last server at the end. */
    offeredKeys() {
        return existsSync(this.#files.offeredKeys) ? parseOfferedKeys(readFileSync(this.#files.offeredKeys, "utf8")) : [];
    }
    /** The host keys that ssh has accepted on the way to the target although they were not known, each told once. */
    acceptedKeys() {
        const added = new Set(readFileSync(this.#knownHosts, "utf8").split(`${endOfKnownHosts}\n`).at(-1)?.split("\n"));
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
                withKey: existsSync(this.#key),
                githubHosted,
                addresses,
                cause: error,
            });
        }
    }
}
async function addressesOf(host) {
    const found = await lookup(host, { all: true }).catch(() => []);
    return found.map(({ address }) => address);
}
/** Ends every ssh master whose socket is left in the private directory of a run. Never throws for one that is gone already. */
async function endMasters(directory) {
    if ((0,external_node_fs_.lstatSync)(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
        return;
    const sockets = (0,external_node_fs_.readdirSync)(directory).filter((name) => /^\d+\.s$/.test(name));
    await Promise.all(sockets.map(async (name) => {
        const args = ["-o", `ControlPath=${(0,external_node_path_.join)(directory, name)}`, "-F", "none", "-O", "exit", "--", "left"];
        await (0,process_run/* run */.eF)({ file: "ssh", args }, { timeout: controlSeconds }).catch(() => undefined);
    }));
}
/** Builds the command that starts a master in the background and ends when it is ready. */
function masterCommand(files, target, connectTimeout) {
    return { file: "ssh", args: ["-F", files.configuration, "-o", "ControlMaster=yes", "-o", `ConnectTimeout=${connectTimeout}`, "-f", "-N", "--", target.host] };
}
/** Builds the command that connects without a master, to hear why none could be started. */
function reasonCommand(files, target) {
    return { file: "ssh", args: ["-F", files.configuration, "-o", "ControlPath=none", "-o", "ControlPersist=no", "--", target.host, "exit"] };
}
/** Builds the command that says something to the master on this side. */
function controlCommand(files, target, word) {
    return { file: "ssh", args: ["-F", files.configuration, "-O", word, "--", target.host] };
}
/** Builds the command that runs something on the machine. */
function sessionCommand(files, target, command) {
    return { file: "ssh", args: ["-F", files.configuration, "--", target.host, command] };
}

/***/ }),

/***/ 395:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  UK: () => (/* binding */ removeIdentityDirectory)
});

// UNUSED EXPORTS: makeIdentityDirectory, writeIdentity, writeTargetConfigurations, writtenKey

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(24);
;// CONCATENATED MODULE: external "node:os"
const external_node_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __nccwpck_require__(760);
// EXTERNAL MODULE: ./out/src/domain/errors.js + 1 modules
var errors = __nccwpck_require__(283);
// EXTERNAL MODULE: ./out/src/process/run.js + 4 modules
var process_run = __nccwpck_require__(202);
// EXTERNAL MODULE: ./out/src/ssh/configuration.js
var configuration = __nccwpck_require__(134);
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
    return mkdtempSync(join(usable ? runnerTemp : tmpdir(), prefix));
}
/** Writes key and known hosts; an encrypted key is decrypted in place. */
async function writeIdentity(directory, identity) {
    const files = identityFiles(directory);
    const write = (path, text) => {
        writeFileSync(path, text, { mode: 0o600 });
    };
    write(files.knownHosts, `${identity.knownHosts.trimEnd()}\n${endOfKnownHosts}\n`);
    write(files.recorder, readFileSync(__nccwpck_require__.ab + "record-host-key.sh", "utf8"));
    if (identity.key === undefined)
        return { kind: "none" };
    if (identity.certificate !== undefined)
        write(files.certificate, `${identity.certificate}\n`);
    write(files.key, identity.key);
    if (identity.passphrase !== undefined) {
        const problem = await decrypt(directory, files.key, identity.passphrase);
        if (problem !== undefined)
            return { kind: "unusable", problem };
    }
    return await checkKey(files.key);
}
/** The key as ssh reads it: after `writeIdentity`, the decrypted one. */
function writtenKey(directory) {
    return readFileSync(identityFiles(directory).key, "utf8");
}
/** Writes one ssh configuration a target into the private directory of a run. The number of a target is its place in the list. */
function writeTargetConfigurations(directory, targets, settings) {
    for (const [index, target] of targets.entries()) {
        writeFileSync(targetFiles(directory, index).configuration, renderConfiguration(target, index, directory, settings), { mode: 0o600 });
    }
}
async function checkKey(path) {
    try {
        const { stdout } = await run({ file: "ssh-keygen", args: ["-y", "-P", "", "-f", path] }, { timeout: 20 });
        return { kind: "key", publicKey: stdout.trim() };
    }
    catch (error) {
        throwIfMissing(error);
        if (!(error instanceof CommandError))
            throw error;
        return { kind: "unusable", problem: `is damaged: ssh-keygen cannot read it (${lastLine(error.stderr, path)})` };
    }
}
// ssh-keygen asks a program for the old passphrase, which hands on its standard input: on a command line or in an environment,
// others could see it.
async function decrypt(directory, path, passphrase) {
    const askpass = join(directory, "askpass.sh");
    writeFileSync(askpass, "#!/bin/sh\nexec cat\n", { mode: 0o700 });
    chmodSync(askpass, 0o700);
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
            throw new RunnerError(`an encrypted ssh-key needs a directory for temporary files from which programs can be run, and ${dirname(directory)} is mounted noexec. Use a key without a passphrase, or another RUNNER_TEMP`, { cause: error });
        }
        if (/incorrect passphrase/i.test(error.stderr))
            return "is encrypted, and ssh-key-passphrase is not its passphrase";
        return `cannot be decrypted (${lastLine(error.stderr, path)})`;
    }
    finally {
        rmSync(askpass, { force: true });
    }
}
function throwIfMissing(error) {
    if (error instanceof CommandError && error.failure.kind === "spawn") {
        throw new RunnerError("ssh-keygen is not on this runner. Install the OpenSSH client before this step, for example: - run: sudo apt-get install -y openssh-client", { cause: error });
    }
}
function lastLine(stderr, path) {
    return (stderr.trim().split("\n").at(-1) ?? "").replaceAll(path, "key");
}
/**
 * Removes the private directory of a run, and does nothing where it is gone. Throws an `Error` and removes nothing when the
 * path is not a directory that this action has made: another name, a link, or another owner.
 */
function removeIdentityDirectory(path) {
    if (!/^nix-flake-deploy-[A-Za-z0-9]{6}$/.test((0,external_node_path_.basename)(path)) || path !== (0,external_node_path_.resolve)(path)) {
        throw new Error(`refuses to remove ${JSON.stringify(path)}: it is not a directory of this action`);
    }
    const found = (0,external_node_fs_.lstatSync)(path, { throwIfNoEntry: false });
    if (found === undefined)
        return;
    if (!found.isDirectory() || found.uid !== process.getuid?.()) {
        throw new Error(`refuses to remove ${JSON.stringify(path)}: it is a link, no directory, or somebody else's`);
    }
    (0,external_node_fs_.rmSync)(path, { recursive: true, force: true });
}

/***/ })

/******/ });
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
/******/ /* webpack/runtime/async module */
/******/ (() => {
/******/ 	var webpackQueues = typeof Symbol === "function" ? Symbol("webpack queues") : "__webpack_queues__";
/******/ 	var webpackExports = typeof Symbol === "function" ? Symbol("webpack exports") : "__webpack_exports__";
/******/ 	var webpackError = typeof Symbol === "function" ? Symbol("webpack error") : "__webpack_error__";
/******/ 	var resolveQueue = (queue) => {
/******/ 		if(queue && queue.d < 1) {
/******/ 			queue.d = 1;
/******/ 			queue.forEach((fn) => (fn.r--));
/******/ 			queue.forEach((fn) => (fn.r-- ? fn.r++ : fn()));
/******/ 		}
/******/ 	}
/******/ 	var wrapDeps = (deps) => (deps.map((dep) => {
/******/ 		if(dep !== null && typeof dep === "object") {
/******/ 			if(dep[webpackQueues]) return dep;
/******/ 			if(dep.then) {
/******/ 				var queue = [];
/******/ 				queue.d = 0;
/******/ 				dep.then((r) => {
/******/ 					obj[webpackExports] = r;
/******/ 					resolveQueue(queue);
/******/ 				}, (e) => {
/******/ 					obj[webpackError] = e;
/******/ 					resolveQueue(queue);
/******/ 				});
/******/ 				var obj = {};
/******/ 				obj[webpackQueues] = (fn) => (fn(queue));
/******/ 				return obj;
/******/ 			}
/******/ 		}
/******/ 		var ret = {};
/******/ 		ret[webpackQueues] = x => {};
/******/ 		ret[webpackExports] = dep;
/******/ 		return ret;
/******/ 	}));
/******/ 	__nccwpck_require__.a = (module, body, hasAwait) => {
/******/ 		var queue;
/******/ 		hasAwait && ((queue = []).d = -1);
/******/ 		var depQueues = new Set();
/******/ 		var exports = module.exports;
/******/ 		var currentDeps;
/******/ 		var outerResolve;
/******/ 		var reject;
/******/ 		var promise = new Promise((resolve, rej) => {
/******/ 			reject = rej;
/******/ 			outerResolve = resolve;
/******/ 		});
/******/ 		promise[webpackExports] = exports;
/******/ 		promise[webpackQueues] = (fn) => (queue && fn(queue), depQueues.forEach(fn), promise["catch"](x => {}));
/******/ 		module.exports = promise;
/******/ 		body((deps) => {
/******/ 			currentDeps = wrapDeps(deps);
/******/ 			var fn;
/******/ 			var getResult = () => (currentDeps.map((d) => {
/******/ 				if(d[webpackError]) throw d[webpackError];
/******/ 				return d[webpackExports];
/******/ 			}))
/******/ 			var promise = new Promise((resolve) => {
/******/ 				fn = () => (resolve(getResult));
/******/ 				fn.r = 0;
/******/ 				var fnQueue = (q) => (q !== queue && !depQueues.has(q) && (depQueues.add(q), q && !q.d && (fn.r++, q.push(fn))));
/******/ 				currentDeps.map((dep) => (dep[webpackQueues](fnQueue)));
/******/ 			});
/******/ 			return fn.r ? promise : getResult();
/******/ 		}, (err) => ((err ? reject(promise[webpackError] = err) : outerResolve(exports)), resolveQueue(queue)));
/******/ 		queue && queue.d < 0 && (queue.d = 0);
/******/ 	};
/******/ })();
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
/******/ 
/******/ // startup
/******/ // Load entry module and return exports
/******/ // This entry module used 'module' so it can't be inlined
/******/ var __webpack_exports__ = __nccwpck_require__(694);
/******/ __webpack_exports__ = await __webpack_exports__;
/******/ 
