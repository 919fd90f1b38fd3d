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

/***/ 975:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:util");

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

/***/ 795:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   DM: () => (/* binding */ briefReason),
/* harmony export */   Qd: () => (/* binding */ CommandError),
/* harmony export */   Rn: () => (/* binding */ RunnerError),
/* harmony export */   ZN: () => (/* binding */ EvaluationError),
/* harmony export */   bD: () => (/* binding */ messageOf),
/* harmony export */   dz: () => (/* binding */ InputError)
/* harmony export */ });
/* unused harmony exports NoFlakeError, DeployError */
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(900);

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
class RunnerError extends Error {
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
        this.failure = (0,_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .makeFailure */ .ro)(parts);
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

/***/ 900:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   ro: () => (/* binding */ makeFailure),
/* harmony export */   zt: () => (/* binding */ renderFailure)
/* harmony export */ });
/* unused harmony exports failureSentences, renderFailureLines */
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

/***/ }),

/***/ 378:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   A6: () => (/* binding */ chooseMachines),
/* harmony export */   BN: () => (/* binding */ unusableResult),
/* harmony export */   Dv: () => (/* binding */ selectTargets),
/* harmony export */   MS: () => (/* binding */ describeIgnored),
/* harmony export */   be: () => (/* binding */ describeChoice),
/* harmony export */   lr: () => (/* binding */ checkedRequest),
/* harmony export */   tF: () => (/* binding */ setApart)
/* harmony export */ });
/* unused harmony export targetsOf */
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(795);
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(900);
/* harmony import */ var _selection_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(952);
/* harmony import */ var _target_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(389);




// web2 before web10.
const naturally = new Intl.Collator("en", { numeric: true });
/**
 * Chooses from an inventory, in the order of the names. Throws an `InputError` when there is no machine at all, or when a part
 * of the selection matches none.
 */
function chooseMachines({ names, entries }, selection) {
    if (names.length === 0) {
        const accepted = "deploy.nodes (deploy-rs), colmenaHive (colmena) or nixosConfigurations";
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .InputError */ .dz([{ input: "targets", problem: `is empty, and the flake names no machine either; accepted are targets, or a flake with ${accepted}` }]);
    }
    const { chosen } = (0,_selection_js__WEBPACK_IMPORTED_MODULE_1__/* .select */ .Lt)(entries.toSorted((one, other) => naturally.compare(one.name, other.name)), selection, selectable);
    // A name counts as matched also when the machine itself cannot be used, and when nobody had to look at it.
    const known = new Map(entries.map((entry) => [entry.name, entry]));
    const { chosen: expected, unmatched } = (0,_selection_js__WEBPACK_IMPORTED_MODULE_1__/* .select */ .Lt)(names, selection, (name) => selectable(known.get(name) ?? { name, kind: "other", reason: "" }));
    if (unmatched.length > 0)
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .InputError */ .dz([{ input: "select", problem: (0,_selection_js__WEBPACK_IMPORTED_MODULE_1__/* .unmatchedProblem */ .bh)(unmatched, there(names, entries, selection)) }]);
    // Names were compared by Nix, and now here: what one of the two had passed over would be left out in silence.
    const missed = expected.filter((name) => !known.has(name));
    if (missed.length > 0)
        throw new Error(`nobody has looked at ${missed.join(", ")}`);
    const machines = chosen.filter((entry) => entry.kind === "machine");
    const unusable = chosen.filter((entry) => entry.kind === "unusable");
    const others = chosen.filter((entry) => entry.kind === "other");
    if (machines.length + unusable.length === 0) {
        const reasons = others.map(({ name, reason }) => `${name}: ${reason}`);
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .InputError */ .dz([{ input: "targets", problem: `is empty, and no machine of the flake is one to deploy over ssh (${reasons.join("; ")})` }]);
    }
    return { machines, unusable, others };
}
/** Makes machines in the same place unusable. `placeOf` gives the place of a machine as a message names it. */
function setApart(choice, placeOf) {
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
        const error = `the flake has ${names.join(" and ")} in the same place (${place}); one run deploys one configuration to a machine`;
        unusable.push({ kind: "unusable", name: machine.name, error, tags: machine.tags });
    }
    return { ...choice, machines, unusable: unusable.toSorted((one, other) => naturally.compare(one.name, other.name)) };
}
/** What was chosen of a flake, a line each. */
function describeChoice({ machines, unusable, others }) {
    const count = machines.length + unusable.length;
    const heading = `targets is empty: the flake names ${count} ${count === 1 ? "machine" : "machines"} to deploy`;
    return [
        `${heading}${machines.length === 0 ? "" : `: ${machines.map(({ name }) => name).join(", ")}`}`,
        ...unusable.map(({ name }) => `${name} cannot be deployed, and fails`),
        ...others.map(({ name, reason }) => `${name} is left out: ${reason}`),
    ];
}
/** What the flake wants of these machines and nobody does, a line each; `undefined` where there is nothing. */
function describeIgnored({ machines }) {
    const lines = machines.flatMap(({ name, ignored }) => ignored.map((what) => `${name}: ${what}`));
    if (lines.length === 0)
        return undefined;
    const rest = lines.length - mostIgnored;
    return [...lines.slice(0, mostIgnored), ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n");
}
const mostIgnored = 30;
/** The machines as targets, under the names that the flake gives them. */
function targetsOf(machines) {
    return machines.map(({ name, request }) => named(request, name));
}
/** Chooses from explicit targets by their names and configurations. `unmatched` says what matches none of them. */
function selectTargets(targets, selection) {
    const { chosen, unmatched } = (0,_selection_js__WEBPACK_IMPORTED_MODULE_1__/* .select */ .Lt)(targets, selection, ({ name, configuration }) => ({
        names: configuration === undefined ? [name] : [name, configuration, (0,_target_js__WEBPACK_IMPORTED_MODULE_2__/* .nameOfConfiguration */ .Zd)(configuration)],
        tags: [],
    }));
    if (unmatched.length === 0)
        return { chosen, unmatched: undefined };
    const names = targets.map(({ name }) => name);
    const hint = (0,_selection_js__WEBPACK_IMPORTED_MODULE_1__/* .looksAtTags */ .lf)(selection) ? ". Explicit targets have no tags: leave targets empty to take the machines and their tags from the flake" : "";
    return { chosen, unmatched: (0,_selection_js__WEBPACK_IMPORTED_MODULE_1__/* .unmatchedProblem */ .bh)(unmatched, names) + hint };
}
/** Checks where a machine is to be. Throws an `Error` as `checkTarget` does. */
function checkedRequest(name, request) {
    (0,_target_js__WEBPACK_IMPORTED_MODULE_2__/* .checkTarget */ .e$)({ ...request, name });
    return request;
}
/** The result of a machine that was never connected to. */
function unusableResult({ name, error, lines }) {
    return {
        name,
        target: name,
        configuration: undefined,
        status: "failed",
        phase: "connect",
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
        error: (0,_failure_js__WEBPACK_IMPORTED_MODULE_3__/* .makeFailure */ .ro)({ phase: "connect", reason: error, lines }),
    };
}
function selectable(entry) {
    return { names: [entry.name], tags: entry.kind === "other" ? [] : entry.tags };
}
function there(names, entries, selection) {
    const tags = entries.flatMap((entry) => (entry.kind === "other" ? [] : (entry.tags ?? [])));
    return [...names, ...((0,_selection_js__WEBPACK_IMPORTED_MODULE_1__/* .looksAtTags */ .lf)(selection) ? new Set(tags.map((tag) => `@${tag}`)) : [])];
}

/***/ }),

/***/ 493:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   CW: () => (/* binding */ renderMatrix)
/* harmony export */ });
/* unused harmony exports targetsText, targetLine */
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(795);
/* harmony import */ var _target_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(389);


// https://docs.github.com/en/actions/reference/limits: jobs of a matrix in one workflow run.
const mostJobs = 256;
// GitHub takes 1 MB of outputs a job, counted as UTF-16.
const longestOutputs = 500_000;
/**
 * Renders the outputs: a job for each machine, or at most `shards` jobs with the machines dealt out among them in their order.
 * Throws an `InputError` for more machines than GitHub takes jobs, and for more than fit into the outputs of a job.
 */
function renderMatrix(machines, shards) {
    if (shards === undefined && machines.length > mostJobs) {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .InputError */ .dz([
            {
                input: "shards",
                problem: `is empty, and ${machines.length} machines are more than the ${mostJobs} jobs that GitHub takes a matrix; accepted is a number of jobs to deal them out to`,
            },
        ]);
    }
    const include = shards === undefined ? machines.map(machineJob) : deal(machines, shards).map(shardJob);
    const outputs = {
        matrix: JSON.stringify({ include }),
        // Not an empty text, which would have the main action take every machine of the flake.
        targets: machines.length === 0 ? "[]" : targetsText(machines),
        count: String(machines.length),
        hosts: JSON.stringify(machines.map(({ name }) => name)),
    };
    if (Object.values(outputs).join("").length > longestOutputs) {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .InputError */ .dz([
            { input: "select", problem: `leaves ${machines.length} machines, more than fit into the outputs of one job (1 MB); select fewer of them` },
        ]);
    }
    return outputs;
}
/** The machines as text for the input `targets`: a line each, or JSON where a line would lose a name. */
function targetsText(machines) {
    const plain = machines.every(({ name, request }) => (0,_target_js__WEBPACK_IMPORTED_MODULE_1__/* .wishedName */ .Al)({ ...request, name: undefined }) === name);
    if (plain)
        return machines.map(({ request }) => targetLine(request)).join("\n");
    return JSON.stringify(machines.map(({ name, request }) => ({ ...request, name })));
}
/** The target as a line: `[user@]host[:port][#configuration]`. */
function targetLine({ user, host, port, configuration }) {
    const place = host.includes(":") ? `[${host}]` : host;
    return `${user === undefined ? "" : `${user}@`}${place}${port === undefined ? "" : `:${port}`}${configuration === undefined ? "" : `#${configuration}`}`;
}
function machineJob(machine) {
    const { name, request, system, tags } = machine;
    return { name, target: targetsText([machine]), configuration: request.configuration ?? "", system: system ?? "", tags };
}
function shardJob(machines, index, all) {
    return { name: `${index + 1} of ${all.length}`, targets: targetsText(machines), hosts: machines.map(({ name }) => name) };
}
/** Deals out to as many hands, of which the first ones get one more where it does not come out even. */
function deal(items, hands) {
    const used = Math.min(hands, items.length);
    const size = (hand) => Math.floor(items.length / used) + (hand < items.length % used ? 1 : 0);
    let begin = 0;
    return Array.from({ length: used }, (_, hand) => items.slice(begin, (begin += size(hand))));
}

/***/ }),

/***/ 952:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Lt: () => (/* binding */ select),
/* harmony export */   ax: () => (/* binding */ acceptedSelection),
/* harmony export */   bh: () => (/* binding */ unmatchedProblem),
/* harmony export */   gO: () => (/* binding */ parseSelection),
/* harmony export */   lf: () => (/* binding */ looksAtTags)
/* harmony export */ });
const acceptedSelection = "globs over names and @tags, comma separated, as in web1,edge-*,@canary; * stands for anything, ? for one character, [abc] and [!a-z] for one of a set";
/**
 * Reads a selection in the syntax of colmena's `--on` (src/nix/node_filter.rs there): globs, separated by commas, white space
 * around them; one that begins with `@` is for tags. An empty text is no rule. Throws an `Error` that says what is wrong.
 */
function parseSelection(text) {
    const trimmed = text.trim();
    if (trimmed === "")
        return [];
    return trimmed.split(",").map((part) => {
        const rule = part.trim();
        const isTag = rule.startsWith("@");
        const glob = isTag ? rule.slice(1) : rule;
        if (glob === "")
            throw new Error("has an empty part between its commas");
        return { kind: isTag ? "tag" : "name", text: rule, expression: expressionOf(glob) };
    });
}
/** Tells whether the tags decide about what is chosen. */
function looksAtTags(selection) {
    return selection.some(({ kind }) => kind === "tag");
}
/**
 * Splits into what is chosen and the rules that match nothing. What cannot tell its tags is chosen by any rule about tags, so
 * that it is not passed over in silence.
 */
function select(items, selection, look) {
    if (selection.length === 0)
        return { chosen: [...items], unmatched: [] };
    const seen = items.map((item) => ({ item, ...look(item) }));
    return {
        chosen: seen.flatMap((one) => (selection.some((rule) => isMatch(rule, one) || (rule.kind === "tag" && one.tags === undefined)) ? [one.item] : [])),
        unmatched: selection.filter((rule) => !seen.some((one) => isMatch(rule, one))).map((rule) => rule.text),
    };
}
/** Says which rules match nothing, and what there is. */
function unmatchedProblem(unmatched, available) {
    const shown = available.length > mostNames ? [...available.slice(0, mostNames), `${available.length - mostNames} more`] : available;
    return `${unmatched.join(", ")} matches no machine; there are ${shown.length === 0 ? "none" : shown.join(", ")}`;
}
const mostNames = 50;
function isMatch({ kind, expression }, { names, tags }) {
    const pattern = new RegExp(`^(?:${expression})$`, "su");
    return (kind === "tag" ? (tags ?? []) : names).some((text) => pattern.test(text));
}
// A set holds only what needs no escape in either kind of regular expression.
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
            throw new Error(`has a bracket in ${glob} that encloses no set of letters, digits, or _ . -`);
        return piece.replaceAll(/[\\^$.|+(){}]/g, String.raw `\$&`);
    });
}
// A range that runs backwards is an error in both kinds.
function checkedSet(set) {
    for (const [range, from, to] of set.matchAll(/(.)-(.)/g)) {
        if ((from ?? "") > (to ?? ""))
            throw new Error(`has the range ${range}, which ends before it begins`);
    }
    return set;
}

/***/ }),

/***/ 863:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   TJ: () => (/* binding */ storePath),
/* harmony export */   vD: () => (/* binding */ optionalStorePath)
/* harmony export */ });
/* unused harmony export isStorePath */
// Hash and name as in Nix' own check: base 32 without e, o, t, u; a name of at most 211 characters.
const pattern = /^\/nix\/store\/[0-9abcdfghijklmnpqrsvwxyz]{32}-[0-9A-Za-z+\-._?=]{1,211}$/;
/** Tells whether the text is a path of the Nix store. */
function isStorePath(text) {
    return pattern.test(text);
}
/** Reads a path of the Nix store. Throws an `Error` that shows the text when it is none. */
function storePath(text) {
    if (!isStorePath(text))
        throw new Error(`not a path of the Nix store: ${JSON.stringify(text.slice(0, 300))}`);
    return text;
}
/** Reads a path of the Nix store where there may be none: an empty text is `undefined`. Throws as `storePath`. */
function optionalStorePath(text) {
    return text === undefined || text === "" ? undefined : storePath(text);
}

/***/ }),

/***/ 389:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   $q: () => (/* binding */ hivePrefix),
/* harmony export */   $t: () => (/* binding */ placeOf),
/* harmony export */   Al: () => (/* binding */ wishedName),
/* harmony export */   Lb: () => (/* binding */ acceptedTarget),
/* harmony export */   Og: () => (/* binding */ checkUser),
/* harmony export */   Yn: () => (/* binding */ checkPort),
/* harmony export */   Zd: () => (/* binding */ nameOfConfiguration),
/* harmony export */   e$: () => (/* binding */ checkTarget),
/* harmony export */   hu: () => (/* binding */ parseTarget),
/* harmony export */   q4: () => (/* binding */ completeTargets)
/* harmony export */ });
/* unused harmony exports needsHive, displayTarget, checkHost, nameTargets, named, withDefaults, requireApart */
/** What a configuration begins with that stands in colmena's hive and not under `nixosConfigurations`. */
const hivePrefix = "colmenaHive.nodes.";
/** The name of a configuration without the place where it stands. */
function nameOfConfiguration(configuration) {
    return configuration.startsWith(hivePrefix) ? configuration.slice(hivePrefix.length) : configuration;
}
/** Tells whether one of the targets has its configuration in colmena's hive. */
function needsHive(targets) {
    return targets.some(({ configuration }) => configuration?.startsWith(hivePrefix));
}
const acceptedTarget = "[user@]host[:port][#configuration], an IPv6 address in brackets";
/** The target as one would type it after `ssh`: `user@host`, with `:port` where it is not 22. */
function displayTarget(target) {
    const host = target.host.includes(":") ? `[${target.host}]` : target.host;
    return `${target.user}@${host}${target.port === 22 ? "" : `:${target.port}`}`;
}
/**
 * Reads `[user@]host[:port][#configuration]`. Throws an `Error` whose message says what is wrong, without the text itself.
 * The host is checked here because ssh obeys shell characters in a `HostName` of its configuration.
 */
function parseTarget(text) {
    refuseUrl(text);
    if (text.includes(","))
        throw new Error("holds a comma; write one target per line");
    const hash = text.indexOf("#");
    const place = hash === -1 ? text : text.slice(0, hash);
    const configuration = hash === -1 ? undefined : text.slice(hash + 1);
    const at = place.lastIndexOf("@");
    const user = at === -1 ? undefined : place.slice(0, at);
    const { host, port } = splitPort(place.slice(at + 1));
    return checkTarget({ host, user, port, configuration });
}
/** Checks the parts of a target. Throws an `Error` whose message names the part and what is accepted. */
function checkTarget(request) {
    const { host, user, port, name } = request;
    const configuration = request.configuration === undefined ? undefined : withoutPrefix(request.configuration);
    checkHost(host);
    if (user !== undefined)
        checkUser(user);
    if (port !== undefined)
        checkPort(port);
    if (configuration !== undefined)
        checkConfiguration(configuration);
    if (name !== undefined && !/^[^\s\p{C}][^\p{C}]{0,99}$/u.test(name)) {
        throw new Error("its name is empty, longer than 100 characters, or holds control characters");
    }
    return configuration === request.configuration ? request : { ...request, configuration };
}
/** The name in `nixosConfigurations.NAME` and `nixosConfigurations."NAME"`, as one types it after `nix build .#`; else the text itself. */
function withoutPrefix(configuration) {
    return (/^nixosConfigurations\.(?:"(.+)"|(.+))$/
        .exec(configuration)
        ?.slice(1)
        .find((name) => name !== undefined) ?? configuration);
}
/** Checks the name of a remote user. Throws an `Error` that says what is accepted. */
function checkUser(user) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,255}$/.test(user)) {
        throw new Error("its user is not a user name (letters, digits, and _ . @ + -, not beginning with -)");
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
        throw new Error("its host begins with -, which ssh would take for an option");
    if (/[\s\p{C}]/u.test(host))
        throw new Error("its host holds white space or control characters");
    if (host.includes(":")) {
        if (!/^[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?$/.test(host))
            throw new Error("its host is not an IPv6 address");
        return;
    }
    if (!/^[A-Za-z0-9_.-]{1,253}$/.test(host)) {
        throw new Error("its host holds characters other than letters, digits, and _ . -");
    }
}
function refuseUrl(text) {
    const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
    if (scheme !== undefined)
        throw new Error(`is a URL; write it without ${scheme}`);
}
function checkConfiguration(configuration) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.+'-]*$/.test(configuration)) {
        throw new Error("its configuration is not an attribute name (letters, digits, and _ . + ' -, written without quotes)");
    }
}
function splitPort(text) {
    const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
    if (bracketed !== null) {
        const host = bracketed[1] ?? "";
        if (!host.includes(":"))
            throw new Error("only an IPv6 address stands in brackets");
        return { host, port: readPort(bracketed[2]) };
    }
    if (text.includes("[") || text.includes("]"))
        throw new Error("its brackets do not enclose the whole host");
    const colon = text.indexOf(":");
    if (colon === -1)
        return { host: text, port: undefined };
    if (text.indexOf(":", colon + 1) !== -1)
        throw new Error("an IPv6 address must stand in brackets, as in [2001:db8::7]:2222");
    return { host: text.slice(0, colon), port: readPort(text.slice(colon + 1)) };
}
function readPort(text) {
    if (text === undefined)
        return undefined;
    return /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
}
/** What a target is called where no other has the same name: its own, else its configuration, else its host. */
function wishedName({ name, configuration, host }) {
    return name ?? (configuration === undefined ? host : nameOfConfiguration(configuration));
}
/**
 * Gives each target a name: its own, else its configuration, else its host; where two would have the same, the place as it is
 * written instead. Throws an `Error` when two would still have the same.
 */
function nameTargets(requests, defaultPort) {
    const wishes = requests.map(wishedName);
    const targets = requests.map((request, index) => {
        const wish = wishes[index] ?? request.host;
        const port = request.port ?? defaultPort;
        const unique = wishes.indexOf(wish) === wishes.lastIndexOf(wish);
        return named(request, unique ? wish : `${request.host}${port === 22 ? "" : `:${port}`}`);
    });
    const names = new Set();
    for (const { name } of targets) {
        if (names.has(name))
            throw new Error(`two machines are called ${name}; give one of them another name`);
        names.add(name);
    }
    return targets;
}
/** The target of that name. */
function named({ host, user, port, configuration }, name) {
    return { name, host, user, port, configuration };
}
/** Fills in user and port of a target of which ssh-config says nothing. */
function withDefaults({ name, user, host, port, configuration }, defaults) {
    return { name, user: user ?? defaults.user, host, port: port ?? defaults.port, address: host, via: undefined, configuration };
}
/** Where a connection ends. The same address behind two jump hosts may be two machines. */
function placeOf({ address, port, via }) {
    return `${address.toLowerCase()} port ${port}${via === undefined ? "" : ` through ${via}`}`;
}
/** Throws an `Error` that names a place where two of the targets are. */
function requireApart(targets) {
    const places = new Set();
    for (const place of targets.map(placeOf)) {
        if (places.has(place))
            throw new Error(`${place} stands there twice; one run deploys one configuration to a machine`);
        places.add(place);
    }
}
/** Names the targets and fills in user and port. Throws an `Error` as `requireApart` and `nameTargets` do. */
function completeTargets(requests, defaults) {
    requireApart(requests.map((request) => withDefaults(named(request, wishedName(request)), defaults)));
    return nameTargets(requests, defaults.port).map((target) => withDefaults(target, defaults));
}

/***/ }),

/***/ 577:
/***/ ((__webpack_module__, __unused_webpack___webpack_exports__, __nccwpck_require__) => {

__nccwpck_require__.a(__webpack_module__, async (__webpack_handle_async_dependencies__, __webpack_async_result__) => { try {
/* harmony import */ var _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(795);
/* harmony import */ var _domain_inventory_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(378);
/* harmony import */ var _domain_matrix_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(493);
/* harmony import */ var _domain_target_js__WEBPACK_IMPORTED_MODULE_15__ = __nccwpck_require__(389);
/* harmony import */ var _git_commit_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(925);
/* harmony import */ var _github_action_input_js__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(882);
/* harmony import */ var _report_annotations_js__WEBPACK_IMPORTED_MODULE_14__ = __nccwpck_require__(59);
/* harmony import */ var _github_cancellation_js__WEBPACK_IMPORTED_MODULE_13__ = __nccwpck_require__(278);
/* harmony import */ var _github_inventory_log_js__WEBPACK_IMPORTED_MODULE_5__ = __nccwpck_require__(402);
/* harmony import */ var _github_matrix_outputs_js__WEBPACK_IMPORTED_MODULE_6__ = __nccwpck_require__(711);
/* harmony import */ var _github_report_js__WEBPACK_IMPORTED_MODULE_7__ = __nccwpck_require__(648);
/* harmony import */ var _github_runner_temp_js__WEBPACK_IMPORTED_MODULE_8__ = __nccwpck_require__(567);
/* harmony import */ var _github_workflow_log_js__WEBPACK_IMPORTED_MODULE_9__ = __nccwpck_require__(195);
/* harmony import */ var _inputs_matrix_js__WEBPACK_IMPORTED_MODULE_10__ = __nccwpck_require__(670);
/* harmony import */ var _nix_toplevels_js__WEBPACK_IMPORTED_MODULE_11__ = __nccwpck_require__(17);
/* harmony import */ var _nix_inventory_js__WEBPACK_IMPORTED_MODULE_12__ = __nccwpck_require__(715);
















const log = new _github_workflow_log_js__WEBPACK_IMPORTED_MODULE_9__/* .WorkflowLog */ .m();
const cancellation = (0,_github_cancellation_js__WEBPACK_IMPORTED_MODULE_13__/* .abortOnSignal */ .I)((signal) => log.annotate("warning", `Cancelled by ${signal}`, "No job was planned."), () => process.exit(130));
const local = { cwd: process.cwd(), signal: cancellation.signal, onLine: (line) => log.line(line) };
let outputs = (0,_domain_matrix_js__WEBPACK_IMPORTED_MODULE_2__/* .renderMatrix */ .CW)([], undefined);
let green = false;
try {
    green = await plan();
}
catch (error) {
    if (!cancellation.signal.aborted)
        (0,_github_report_js__WEBPACK_IMPORTED_MODULE_7__/* .reportProblem */ .k)(error, log);
}
log.resume();
(0,_github_matrix_outputs_js__WEBPACK_IMPORTED_MODULE_6__/* .setMatrixOutputs */ .e)(outputs);
await log.written();
process.exit(green ? 0 : 1);
async function plan() {
    const inputs = (0,_inputs_matrix_js__WEBPACK_IMPORTED_MODULE_10__/* .parseMatrixInputs */ .a)((name) => (0,_github_action_input_js__WEBPACK_IMPORTED_MODULE_4__/* .readInput */ .R)(name));
    const { machines, unusable } = inputs.targets.length > 0 ? { machines: inputs.targets, unusable: [] } : await machinesOfFlake(inputs);
    const wanted = inputs.changedSince === undefined ? machines : await changedMachines(machines, inputs.flake, inputs.changedSince);
    outputs = (0,_domain_matrix_js__WEBPACK_IMPORTED_MODULE_2__/* .renderMatrix */ .CW)(wanted.map(withDefaults(inputs)), inputs.shards);
    log.line(`${wanted.length} of ${machines.length} machines: ${wanted.map(({ name }) => name).join(", ")}`);
    for (const { title, message } of (0,_report_annotations_js__WEBPACK_IMPORTED_MODULE_14__/* .failureAnnotations */ .rb)(unusable.map(_domain_inventory_js__WEBPACK_IMPORTED_MODULE_1__/* .unusableResult */ .BN)))
        log.annotate("error", title, message);
    return unusable.length === 0;
}
async function machinesOfFlake({ flake, selection, port }) {
    const chosen = (0,_domain_inventory_js__WEBPACK_IMPORTED_MODULE_1__/* .chooseMachines */ .A6)(await (0,_nix_inventory_js__WEBPACK_IMPORTED_MODULE_12__/* .readInventory */ .z)(flake, { selection, details: true }, local), selection);
    const choice = (0,_domain_inventory_js__WEBPACK_IMPORTED_MODULE_1__/* .setApart */ .tF)(chosen, ({ request }) => (0,_domain_target_js__WEBPACK_IMPORTED_MODULE_15__/* .placeOf */ .$t)({ address: request.host, port: request.port ?? port ?? 22, via: undefined }));
    (0,_github_inventory_log_js__WEBPACK_IMPORTED_MODULE_5__/* .announceChoice */ .Z)(choice, log);
    return { machines: choice.machines.map(({ name, request, system, tags = [] }) => ({ name, request, system, tags })), unusable: choice.unusable };
}
function withDefaults({ user, port }) {
    return (machine) => ({ ...machine, request: { ...machine.request, user: machine.request.user ?? user, port: machine.request.port ?? port } });
}
/** Leaves out the machines whose system is the same as at that revision. What cannot be told has changed. */
async function changedMachines(machines, flake, revision) {
    const scratch = (0,_github_runner_temp_js__WEBPACK_IMPORTED_MODULE_8__/* .runnerTemp */ .X)();
    const present = await (0,_nix_toplevels_js__WEBPACK_IMPORTED_MODULE_11__/* .checkout */ .Pt)(flake, scratch, local);
    const all = (reason) => {
        log.annotate("notice", "All machines count as changed", reason);
        return machines;
    };
    const reference = await formerReference(present, revision);
    if (reference === undefined)
        return all(`${revision} is no commit of this repository: a first push, or one that has replaced it.`);
    const configurations = machines.flatMap(({ request }) => request.configuration ?? []);
    const former = await (0,_nix_toplevels_js__WEBPACK_IMPORTED_MODULE_11__/* .formerToplevels */ .AJ)(present, { reference, scratch }, configurations, local);
    if (former.kind === "none")
        return all(`The flake at ${revision} does not evaluate: ${former.reason}`);
    if (former.kind === "same")
        return [];
    const now = await (0,_nix_toplevels_js__WEBPACK_IMPORTED_MODULE_11__/* .toplevels */ .j)(present.pinned, configurations, local);
    return machines.filter(({ name, request: { configuration } }) => {
        if (configuration === undefined)
            return true;
        const system = now.get(configuration);
        if (system === undefined)
            log.annotate("warning", name, "Its system does not evaluate, so that nobody can tell whether it has changed. It is deployed.");
        return system === undefined || system !== former.toplevels.get(configuration);
    });
}
/** The flake at that revision; `undefined` where there is no such commit. Throws an `InputError` where that could not be seen. */
async function formerReference({ repository }, revision) {
    const refuse = (problem) => new _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .InputError */ .dz([{ input: "changed-since", problem }]);
    if (repository === undefined)
        throw refuse("needs a flake in a Git work tree on the runner, as `.` or `./nixos`: only there can an older commit be looked at");
    if (/^0+$/.test(revision))
        return undefined;
    const resolved = await (0,_git_commit_js__WEBPACK_IMPORTED_MODULE_3__/* .resolveCommit */ .WL)(repository.directory, revision);
    if (resolved.kind === "commit")
        return repository.referenceAt(resolved.id);
    if (resolved.shallow)
        throw refuse(`${revision} is not in this checkout, which has only the newest commits. Set \`fetch-depth: 0\` in the step with actions/checkout`);
    return undefined;
}
__webpack_async_result__();
} catch(e) { __webpack_async_result__(e); } }, 1);

/***/ }),

/***/ 925:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   WL: () => (/* binding */ resolveCommit)
/* harmony export */ });
/* unused harmony exports isShallow, revParseArguments */
/* harmony import */ var _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(795);
/* harmony import */ var _process_run_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(202);


/** Looks a revision up, as gitrevisions(7) has it. Throws a `RunnerError` without git, a `CommandError` outside of a work tree. */
async function resolveCommit(directory, revision) {
    try {
        const { stdout } = await git(revParseArguments(directory, revision));
        return { kind: "commit", id: stdout.trim() };
    }
    catch (error) {
        if (!(error instanceof _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd) || error.failure.kind !== "exit")
            throw error;
    }
    return { kind: "missing", shallow: await isShallow(directory) };
}
/** Tells whether a checkout lacks the older commits, as actions/checkout makes it unless `fetch-depth` is 0. Throws as `resolveCommit`. */
async function isShallow(directory) {
    return (await git(["-C", directory, "rev-parse", "--is-shallow-repository"])).stdout.trim() === "true";
}
/** Builds the arguments that look a revision up; it is never taken for an option. */
function revParseArguments(directory, revision) {
    return ["-C", directory, "rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
}
async function git(args) {
    try {
        return await (0,_process_run_js__WEBPACK_IMPORTED_MODULE_1__/* .run */ .eF)({ file: "git", args });
    }
    catch (error) {
        if (error instanceof _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd && error.failure.kind === "spawn") {
            throw new _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .RunnerError */ .Rn("git is not on this runner, and changed-since needs it. Add to the workflow, before this step: - run: sudo apt-get update && sudo apt-get install --yes git", {
                cause: error,
            });
        }
        throw error;
    }
}

/***/ }),

/***/ 882:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   R: () => (/* binding */ readInput)
/* harmony export */ });
/* unused harmony export maskSecret */
/* harmony import */ var _actions_core__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(920);

/** The text of an input as the workflow has it, empty where there is none. */
function readInput(name) {
    return _actions_core__WEBPACK_IMPORTED_MODULE_0__.getInput(name, { trimWhitespace: false });
}
/** Has the runner replace the text wherever a log would show it. */
function maskSecret(secret) {
    core.setSecret(secret);
}

/***/ }),

/***/ 278:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   I: () => (/* binding */ abortOnSignal)
/* harmony export */ });
/**
 * Turns the signals of a cancellation into an abort. GitHub's runner sends SIGINT, 7.5 s later SIGTERM and 2.5 s later kills
 * the process tree: the first signal begins an orderly end, a second SIGINT ends at once.
 */
function abortOnSignal(onFirst, onSecond) {
    const controller = new AbortController();
    const handle = (signal) => {
        if (!controller.signal.aborted) {
            onFirst(signal);
            controller.abort();
        }
        else if (signal === "SIGINT") {
            onSecond();
        }
    };
    process.on("SIGINT", handle);
    process.on("SIGTERM", handle);
    return controller;
}

/***/ }),

/***/ 402:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Z: () => (/* binding */ announceChoice)
/* harmony export */ });
/* harmony import */ var _domain_inventory_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(378);

/** Tells which machines the flake names, and warns of what it wants of them that is not done. */
function announceChoice(choice, log) {
    for (const line of (0,_domain_inventory_js__WEBPACK_IMPORTED_MODULE_0__/* .describeChoice */ .be)(choice))
        log.line(line);
    const ignored = (0,_domain_inventory_js__WEBPACK_IMPORTED_MODULE_0__/* .describeIgnored */ .MS)(choice);
    if (ignored !== undefined)
        log.annotate("warning", "The flake asks for what this action does not do", ignored);
}

/***/ }),

/***/ 711:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   e: () => (/* binding */ setMatrixOutputs)
/* harmony export */ });
/* harmony import */ var _actions_core__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(920);

/** Sets every output of the companion action. */
function setMatrixOutputs(outputs) {
    for (const [name, value] of Object.entries(outputs))
        _actions_core__WEBPACK_IMPORTED_MODULE_0__.setOutput(name, value);
}

/***/ }),

/***/ 648:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  k: () => (/* binding */ reportProblem)
});

// UNUSED EXPORTS: reportEnd

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(598);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(24);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __nccwpck_require__(760);
// EXTERNAL MODULE: external "node:util"
var external_node_util_ = __nccwpck_require__(975);
// EXTERNAL MODULE: ./out/src/domain/errors.js
var errors = __nccwpck_require__(795);
// EXTERNAL MODULE: ./node_modules/@actions/core/lib/core.js + 22 modules
var lib_core = __nccwpck_require__(920);
;// CONCATENATED MODULE: ./out/src/github/outputs.js



// GitHub takes 1 MB of outputs a job, counted as UTF-16: half of that for us.
const longestResults = 250_000;
/** Renders every output of the action, by its name in `action.yml`; one that has no value is empty. */
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
        inhibitors: result.plan?.inhibitors ?? [],
        seconds: result.seconds,
        error: result.error === undefined ? null : shorten(renderFailure(result.error), longestError),
    })));
    for (let longestError = 10_000;; longestError = Math.floor(longestError / 2)) {
        const text = render(longestError);
        if (text.length <= longestResults || longestError === 0)
            return text;
    }
}
function shorten(text, length) {
    return text.length <= length ? text : `${text.slice(0, length)}…`;
}
/** Sets every output. */
function outputs_setOutputs(report) {
    for (const [name, value] of Object.entries(renderOutputs(report)))
        core.setOutput(name, value);
}
/** The status of a whole run. */
function outputs_statusOf(results, endedEarly) {
    const worst = worstStatus(results);
    // Hosts that a run has skipped because it ended early do not make it a success.
    return endedEarly && !isFailure(worst) ? "failed" : worst;
}
// EXTERNAL MODULE: ./out/src/github/runner-temp.js + 1 modules
var runner_temp = __nccwpck_require__(567);
// EXTERNAL MODULE: ./out/src/report/printable.js
var report_printable = __nccwpck_require__(251);
;// CONCATENATED MODULE: ./out/src/report/summary/markdown.js

// What machines print stands in code spans, of which Markdown obeys nothing, in fenced blocks whose every line begins with a
// sign of ours, or as escaped text in `<pre>` and `<code>`, which are HTML. In all of them GitHub makes no mentions, links or emoji.
/** Escapes a text for HTML. */
function escapeHtml(text) {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
/**
 * Renders one line of text as a code span (CommonMark 6.1) that may stand in a table. Tables are split at pipes before
 * anything else is read, and a backslash before an escaped one splits all the same: a pipe becomes a broken bar.
 */
function markdown_codeSpan(text) {
    const line = markdown_oneLine(text).replaceAll("|", "¦");
    const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
    const fence = "`".repeat(longest + 1);
    return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}
/** Renders one line of text as code in HTML. */
function markdown_htmlCode(text) {
    return `<code>${escapeHtml(markdown_oneLine(text))}</code>`;
}
// A store path has up to 255 characters; whatever is longer is no name that helps.
const longestLine = 300;
/** The text as one line without what cannot be seen, and not too long; a text of which nothing can be seen is a question mark. */
function markdown_oneLine(text) {
    const line = visible(text.replaceAll(/\s+/g, " ")).trim() || "?";
    return line.length <= longestLine ? line : `${Array.from(line).slice(0, longestLine).join("")}…`;
}
/** A line without control characters, and without those that turn the direction of the text around them. */
function visible(line) {
    return printable(line).replaceAll(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, "");
}
function markdown_byteLength(text) {
    return Buffer.byteLength(text);
}
/** Renders a text of several lines as a block; one that needs more bytes than these loses its middle. */
function markdown_preformatted(text, bytes) {
    return `<pre>${markdown_shorten(text, bytes)}</pre>\n`;
}
function markdown_shorten(text, bytes) {
    // A character needs at least one byte: what is beyond cannot fit, and is not even looked at.
    const cut = text.length > 2 * bytes ? `${text.slice(0, bytes)}\n${text.slice(-bytes)}` : text;
    const lines = cut.split("\n").map(visible).join("\n");
    const whole = escapeHtml(lines);
    if (cut === text && markdown_byteLength(whole) <= bytes)
        return whole;
    const characters = Array.from(lines);
    const beginning = fitting(characters, bytes / 2);
    const end = fitting(characters.toReversed(), bytes / 2);
    return `${escapeHtml(beginning.join(""))}\n… the middle is left out; the log has it …\n${escapeHtml(end.toReversed().join(""))}`;
}
/** The first characters that need no more than these bytes once they are escaped. */
function fitting(characters, bytes) {
    let left = bytes;
    const beyond = characters.findIndex((character) => (left -= markdown_byteLength(escapeHtml(character))) < 0);
    return characters.slice(0, beyond === -1 ? undefined : beyond);
}
;// CONCATENATED MODULE: ./out/src/report/summary/headline.js


// As many as fit on a line.
const mostNamed = 8;
/** What a reader sees first: how it ended, the counts, who failed, and what was deployed. */
function headline_renderHeadline(results, flake, endedEarly, reason) {
    const below = [counts(results), failed(results), flake === undefined ? "" : describeFlake(flake)].filter((line) => line !== "");
    const why = reason === undefined ? "" : `: ${codeSpan(reason)}`;
    return `### ${headline(results, endedEarly)}${why}\n\n${below.join("  \n")}\n\n`;
}
function headline(results, endedEarly) {
    const failures = results.filter(({ status }) => isFailure(status)).length;
    if (results.length === 0)
        return endedEarly ? "❌ The deployment ended before any host was worked on" : "✅ No host was to be deployed";
    const hosts = results.length === 1 ? "1 host" : `${results.length} hosts`;
    if (failures > 0)
        return `❌ ${failures} of ${hosts} failed${endedEarly ? ", and the run ended early" : ""}`;
    if (endedEarly && results.every(({ status }) => status === "skipped"))
        return `❌ No host was deployed (${hosts} skipped)`;
    if (endedEarly)
        return `❌ The run ended early; of ${hosts} none failed`;
    const done = results.filter(({ status }) => status !== "skipped");
    const skipped = results.length - done.length;
    const { sign, word } = achieved(done);
    return skipped === 0 ? `${sign} ${hosts} ${word}` : `⚠️ ${done.length} of ${hosts} ${word}, ${skipped} skipped`;
}
/** What became of hosts of which none failed. */
function achieved(hosts) {
    if (hosts.some(({ status }) => status === "degraded"))
        return { sign: "⚠️", word: "deployed, with units that failed" };
    if (hosts.every(({ status }) => status === "unchanged"))
        return { sign: "✅", word: "unchanged" };
    return { sign: "✅", word: hosts.every(({ status }) => status === "planned" || status === "unchanged") ? "planned" : "deployed" };
}
function counts(results) {
    const numbers = statuses.toReversed().map((status) => ({ status, count: results.filter((result) => result.status === status).length }));
    const texts = numbers.flatMap(({ status, count }) => (count === 0 ? [] : [`${count} ${status}`]));
    const end = Math.max(0, ...results.flatMap(({ timeline }) => timeline.map((span) => span.end)));
    return texts.length === 0 ? "" : [...texts.map((text) => `**${text}**`), ...(end === 0 ? [] : [duration(end)])].join(" · ");
}
function failed(results) {
    const names = results.filter(({ status }) => isFailure(status)).map(({ name, phase }) => `${codeSpan(name)} (${phase})`);
    // One is the only row that is red in any case.
    if (names.length === 0 || results.length === 1)
        return "";
    const more = names.length - mostNamed;
    return `Not as asked for: ${names.slice(0, mostNamed).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
function describeFlake({ source, revision, subdirectory, dirty }) {
    return [
        revision === undefined ? "Flake without a revision" : `Flake at revision ${codeSpan(revision)}`,
        subdirectory === "" ? "" : `, directory ${codeSpan(subdirectory)}`,
        dirty ? ", with changes that are not committed" : "",
        `, source ${codeSpan(source)}`,
    ].join("");
}
/** Seconds as a reader counts them: `9 s`, `2 min 14 s`. */
function duration(seconds) {
    const whole = Math.round(seconds);
    return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
;// CONCATENATED MODULE: ./out/src/report/summary/table.js



const table_tableHead = "| | host | status | phase | generation | packages | size | seconds |\n|---|---|---|---|---|---|--:|--:|\n";
/** The row of one host. */
function table_renderRow(result) {
    const { name, target, configuration, status, phase, seconds, difference } = result;
    const where = tellsMore(target, name) ? ` ${codeSpan(target)}` : "";
    const what = configuration === undefined || configuration === name ? "" : ` ${codeSpan(`#${configuration}`)}`;
    const size = difference === undefined ? "" : signedSize(difference.bytes).replace(" ", "\u00A0");
    return `| ${[table_mark(result), codeSpan(name) + where + what, status, phase, generation(result), table_packages(difference), size, seconds.toFixed(1)].join(" | ")} |\n`;
}
/** Whether a target says more than the name: `web1` stands for `root@web1` and for `root@web1.example.org`. */
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
/** The sign that stands for a status. */
function table_mark({ status }) {
    return marks[status];
}
function generation({ previousGeneration: old, generation: now }) {
    if (now === undefined)
        return old === undefined ? "" : String(old);
    return old === now ? String(now) : `${old ?? "–"} → ${now}`;
}
/** How many packages came, went and changed: `+2 −1 ~14`. */
function table_packages(difference) {
    if (difference === undefined)
        return "";
    const { added, removed, changed } = countChanges(difference);
    const counts = [added > 0 ? `+${added}` : "", removed > 0 ? `−${removed}` : "", changed > 0 ? `~${changed}` : ""].filter((text) => text !== "");
    return counts.length === 0 ? "–" : counts.join(" ");
}
;// CONCATENATED MODULE: ./out/src/report/summary/section.js








const longestName = 120;
/** What went wrong on a host, in no more than about these bytes; empty where nothing did. */
function section_errorPart({ status, error }, bytes) {
    return isFailure(status) || error !== undefined ? `${preformatted(error === undefined ? status : explained(error), bytes)}\n` : "";
}
/** A sentence in each line: in one line, nobody could read them without scrolling. */
function explained(error) {
    return [failureSentences(error).join(".\n"), ...renderFailureLines(error)].join("\n");
}
/** What the new system of a host brings: packages and units; empty where nothing is known of it. */
function section_detailsPart({ target, status, difference, plan, systemPath, previousSystemPath }, limits) {
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
function section_renderSection(result, error, details) {
    if (error === "" && details === "")
        return "";
    const { name, status, difference } = result;
    const what = isFailure(status) ? verdict(result) : status;
    const changes = difference === undefined ? "" : `, ${brief(difference)}`;
    return `<details><summary>${mark(result)} ${htmlCode(name)}: ${what}${changes}</summary>\n\n${error}${details}</details>\n\n`;
}
/** Folds many sections under one title. */
function section_foldSections(sections, title) {
    return `<details><summary>${title}</summary>\n\n${sections.join("")}</details>\n\n`;
}
function brief(difference) {
    const { added, removed, changed } = countChanges(difference);
    const counts = Object.entries({ added, removed, changed }).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
    return `${counts.length === 0 ? "no package changed" : counts.join(", ")}, ${signedSize(difference.bytes)}`;
}
const signs = { added: "+", removed: "-", changed: "!" };
/** A fenced block that GitHub colours as a diff. No line of it can end it: each begins with a sign of its own. */
function renderDifference(difference, most) {
    const { packages, files } = difference;
    const order = ["changed", "added", "removed"];
    const sorted = order.flatMap((kind) => packages.filter((change) => changeKind(change) === kind));
    const lines = sorted.slice(0, most).map((change) => `${signs[changeKind(change)]} ${packageLine(change)}`);
    const rest = packages.length - lines.length;
    if (rest > 0)
        lines.push(`# and ${rest} more packages`);
    const beside = files === 0 ? "" : `; ${files === 1 ? "1 generated file" : `${files} generated files`}`;
    const block = lines.length === 0 ? "" : `\`\`\`diff\n${lines.join("\n")}\n\`\`\`\n\n`;
    return `${describeCounts(difference).replace(/^p/, "P")}${beside}\n\n${block}`;
}
function packageLine(change) {
    const line = oneLine(describeChange(change));
    const short = line.length <= longestName ? line : `${line.slice(0, longestName)}…`;
    return change.bytes === 0 ? short : `${short} (${signedSize(change.bytes)})`;
}
const verbs = {
    activation: { stop: "stopped", restart: "restarted", reload: "reloaded", start: "started", again: "ran again", keep: "changed, not restarted" },
    rehearsal: {
        stop: "would stop",
        restart: "would restart",
        reload: "would reload",
        start: "would start",
        again: "would run again",
        keep: "would not restart, though changed",
    },
    "unit-files": {
        stop: "would stop",
        restart: "would restart",
        reload: "would reload",
        start: "would start",
        again: "would run again",
        keep: "would not restart, though changed",
    },
};
const sources = {
    activation: "Units, as the activation told",
    rehearsal: "Units, as `dry-activate` tells",
    "unit-files": "Units, by a comparison of their files",
};
function renderPlan(plan, status, most) {
    const before = status === "rolled-back" && plan.source === "activation" ? " before the way back" : "";
    const title = `${sources[plan.source]}${before}`;
    const inhibitors = plan.inhibitors.map((inhibitor) => `- inhibited: ${codeSpan(inhibitor)}: \`switch\` and \`test\` would be refused\n`).join("");
    if (touchesNoUnit(plan))
        return `${title}: none\n\n${inhibitors === "" ? "" : `${inhibitors}\n`}`;
    const lists = unitActions.flatMap((action) => {
        const units = plan[action];
        if (units.length === 0)
            return [];
        const more = units.length - most;
        const names = units.slice(0, most).map((unit) => codeSpan(unit));
        return [`- ${verbs[plan.source][action]}: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}\n`];
    });
    const systemd = plan.reexecutes ? `- systemd ${plan.source === "activation" ? "was" : "would be"} re-executed\n` : "";
    return `${title}:\n\n${lists.join("")}${systemd}${inhibitors}\n`;
}
;// CONCATENATED MODULE: ./out/src/report/summary/timeline.js

// Mermaid draws nothing of a text above 50,000 characters, and a chart of more rows than these is no picture any more.
const mostHosts = 60;
const mostSpans = 12;
const timeline_longestName = 40;
/**
 * Renders the phases of the hosts over time as a Gantt chart of Mermaid, one row a host; empty where there is nothing to see.
 * Where there are too many hosts, those that failed and those that took longest stay.
 */
function timeline_renderTimeline(results) {
    const seen = results.filter(({ timeline }) => timeline.length > 0);
    if (seen.length === 0)
        return "";
    const worst = seen.toSorted((one, other) => Number(isFailure(other.status)) - Number(isFailure(one.status)) || other.seconds - one.seconds);
    const chosen = new Set(worst.slice(0, mostHosts));
    const hosts = seen.filter((result) => chosen.has(result));
    const left = seen.length - hosts.length;
    const total = Math.max(...hosts.flatMap(({ timeline }) => timeline.map(({ end }) => end)));
    return [
        `<details open><summary>Timeline${left > 0 ? ` (without ${left} of the faster hosts)` : ""}</summary>\n`,
        "```mermaid",
        "---",
        "displayMode: compact",
        "config:",
        "  gantt:",
        "    barHeight: 14",
        "    barGap: 3",
        "    fontSize: 10",
        "    sectionFontSize: 12",
        // Mermaid puts the axis 50 above the lower edge, whatever it is told.
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
// Seconds. Left to itself, Mermaid sets ticks at parts of a second, which the labels do not tell.
const ticks = (/* unused pure expression or super */ null && ([1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600]));
const mostTicks = 12;
function tickInterval(total) {
    const seconds = ticks.find((step) => total / step <= mostTicks) ?? 86_400;
    if (seconds < 60)
        return `${seconds}second`;
    return seconds < 3600 ? `${seconds / 60}minute` : `${seconds / 3600}hour`;
}
// The four looks that Mermaid has for a task.
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
 * The name as Mermaid obeys nothing of it: `;`, `#`, `:`, `%` and quotes mean something to it, and it looks names up in an object
 * that already has `constructor` and the like.
 */
function sectionName(name) {
    const plain = name.replaceAll(/[^A-Za-z0-9_.-]/g, "_").slice(0, timeline_longestName) || "_";
    return plain in {} ? `${plain}_` : plain;
}
function legend(hosts) {
    const failed = hosts.some(({ status }) => isFailure(status));
    return `Grey: connect and copy. Light: build. Dark: activate and confirm.${failed ? " Red: the phase that failed, and the way back." : ""} Minutes and seconds since the run began.\n`;
}
;// CONCATENATED MODULE: ./out/src/report/summary/page.js






/** The page of a workflow run. GitHub refuses a summary above 1,048,576 bytes a step as a whole. */
const page_jobSummary = { bytes: 1_000_000, name: "summary above 1 MiB" };
/** A comment on an issue or pull request, which has at most 65,536 characters; some are left for a line of whoever posts it. */
const page_comment = { bytes: 64_000, name: "comment above 65,536 characters" };
// Of one host, where there is room.
const mostBytesOfError = 16_000;
const leastBytesOfError = 400;
const mostPackages = 300;
const leastPackages = 10;
const mostUnits = 100;
// Sections of hosts that are as they should be which stand on the page by themselves.
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
 * timeline, what is new on hosts that are as they should be, the same of those that failed, rows of hosts that are as they should
 * be, errors, rows of failed hosts. The last line then says what is missing.
 */
function page_renderSummary(results, flake, { endedEarly = false, reason, place = page_jobSummary } = {}) {
    const head = renderHeadline(results, flake, endedEarly, reason);
    const failed = results.filter(({ status }) => isFailure(status));
    const fine = results.filter(({ status }) => !isFailure(status));
    const budget = new Budget(place.bytes - byteLength(head) - byteLength(tableHead) - bytesOfNote);
    const rowsOfFailed = budget.take(failed, renderRow);
    // A part is kept for what comes after, as long as each can still say something.
    const share = (hosts) => Math.floor((budget.left * 0.8) / Math.max(1, hosts.length)) - bytesOfFold;
    const bytesOfError = Math.min(mostBytesOfError, Math.max(leastBytesOfError, share(failed)));
    const errors = budget.take(failed, (result) => renderSection(result, errorPart(result, bytesOfError), ""));
    const rowsOfFine = budget.take(fine, renderRow);
    const packages = Math.min(mostPackages, Math.max(leastPackages, Math.floor(share(results) / bytesOfPackage)));
    const limits = { packages, units: Math.min(mostUnits, packages) };
    const details = budget.take([...failed, ...fine], (result) => renderSection(result, "", detailsPart(result, limits)));
    const timeline = renderTimeline(results);
    const timelineFits = budget.fits(timeline);
    const rows = results.filter((result) => rowsOfFailed.has(result) || rowsOfFine.has(result)).map(renderRow);
    const section = (result) => renderSection(result, errors.has(result) ? errorPart(result, bytesOfError) : "", details.has(result) ? detailsPart(result, limits) : "");
    const sectionsOfFine = fine.map(section).filter((text) => text !== "");
    return [
        head,
        // What a reader looks for first.
        ...failed.map(section),
        rows.length === 0 ? "" : `${tableHead}${rows.join("")}\n`,
        timelineFits ? timeline : "",
        ...(sectionsOfFine.length > mostUnfolded ? [foldSections(sectionsOfFine, `What is new on ${sectionsOfFine.length} hosts`)] : sectionsOfFine),
        note(place, [
            timelineFits ? "" : "the timeline",
            missing("what is new on", fine, details),
            missing("what is new on", failed, details, " that failed"),
            missing("", fine, rowsOfFine, " that are as they should be"),
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
    const told = parts.filter((part) => part !== "");
    return told.length === 0 ? "" : `Left out, because GitHub takes no ${name}: ${told.join(", ")}. The log has them all.\n`;
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











// Of a command line with an expression in it, the beginning says which command it is.
const longestCommand = 300;
/** Tells what ended the run before the machines did. What is none of the action's own errors is shown with its stack. */
function reportProblem(problem, log) {
    if (problem instanceof errors/* InputError */.dz || problem instanceof errors/* RunnerError */.Rn)
        log.annotate("error", "The deployment cannot begin", problem.message);
    else if (problem instanceof errors/* EvaluationError */.ZN)
        log.annotate("error", "The flake does not evaluate; no machine was changed", problem.message);
    else if (problem instanceof errors/* CommandError */.Qd) {
        log.annotate("error", "A command on the runner failed; no machine was changed", [problem.message.slice(0, longestCommand), ...problem.stderr.trim().split("\n").slice(-20)].join("\n"));
    }
    else if (isSystemError(problem)) {
        const place = problem.path === undefined ? "" : ` Check the space and the permissions of ${(0,external_node_path_.dirname)(problem.path)}.`;
        log.annotate("error", "A file on the runner cannot be used; no machine was changed", `${problem.message}.${place}`);
    }
    else
        log.annotate("error", "A fault in nix-flake-deploy", problem instanceof Error ? (problem.stack ?? problem.message) : String(problem));
}
// What no program can help: a full or read-only disk, a quota, missing rights.
const systemErrors = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "EIO"]);
function isSystemError(problem) {
    return external_node_util_.types.isNativeError(problem) && "syscall" in problem && "code" in problem && systemErrors.has(String(problem.code));
}
function messageOf(error) {
    return types.isNativeError(error) ? error.message : String(error);
}
/**
 * Sets the outputs, annotates every failed host, writes the summary, and tells whether the step is green. A channel that cannot be
 * written stops none of the others; without outputs the step is not green.
 */
function reportEnd({ results, arrived, flake, sent, endedEarly, reason, summary }, log) {
    log.resume();
    const summaryPath = writeComment(() => renderSummary(results, flake, { endedEarly, reason, place: comment }), log);
    const outputsAreSet = setAllOutputs({
        results,
        status: statusOf(results, endedEarly),
        storePath: arrived ? flake?.source : undefined,
        flakeReference: referenceFor(flake, sent),
        summaryPath,
    }, log);
    // A run that ended early has annotated its reason already; its hosts only ended with it.
    if (endedEarly)
        log.line(`The run ended early${reason === undefined ? "" : `: ${reason}`}`);
    else
        annotateHosts(results, log);
    const failed = results.some((result) => isFailure(result.status));
    if (failed)
        log.line(failureSummary(results));
    if (summary)
        writeSummary(() => renderSummary(results, flake, { endedEarly, reason, place: jobSummary }), log);
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
    for (const { title, message } of failureAnnotations(results))
        log.annotate("error", title, message);
    for (const { title, message } of skippedAnnotations(results))
        log.annotate("warning", title, message);
}
function setAllOutputs(report, log) {
    try {
        setOutputs(report);
        return true;
    }
    catch (error) {
        log.annotate("error", "The outputs could not be set", `Later steps see none or some of them: ${messageOf(error)}`);
        return false;
    }
}
/** Writes the summary into a file that outlives the step: the runner clears its directory after the job. Returns its path. */
function writeComment(render, log) {
    const file = join(runnerTemp(), `nix-flake-deploy-summary-${randomBytes(6).toString("hex")}.md`);
    try {
        writeFileSync(file, render(), { flag: "wx" });
        return file;
    }
    catch (error) {
        log.annotate("warning", "The file of the summary could not be written", messageOf(error));
        return undefined;
    }
}
/** Appends to the job summary. Synchronous, as the process ends right after; a summary that cannot be written fails nothing. */
function writeSummary(render, log) {
    const file = process.env["GITHUB_STEP_SUMMARY"];
    if (file === undefined || file === "")
        return;
    try {
        appendFileSync(file, render());
    }
    catch (error) {
        log.annotate("warning", "The job summary could not be written", messageOf(error));
    }
}

/***/ }),

/***/ 567:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  X: () => (/* binding */ runnerTemp)
});

;// CONCATENATED MODULE: external "node:os"
const external_node_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");
;// CONCATENATED MODULE: ./out/src/github/runner-temp.js

/** The directory for files of this job, which the runner clears; the system's own where the runner names none. */
function runnerTemp() {
    return process.env["RUNNER_TEMP"] || (0,external_node_os_namespaceObject.tmpdir)();
}

/***/ }),

/***/ 195:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   m: () => (/* binding */ WorkflowLog)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(598);
/* harmony import */ var _actions_core__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(920);
/* harmony import */ var _report_printable_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(251);



/**
 * The step's log. GitHub's runner obeys workflow commands wherever it reads them, also in what a machine or Nix has printed:
 * every line is written while the runner is told to stop obeying, under a token that nobody can guess.
 */
class WorkflowLog {
    #token;
    /** Writes one line that is not obeyed, whatever is in it. */
    line(text) {
        if (this.#token === undefined) {
            this.#token = (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomUUID)();
            write(`::stop-commands::${this.#token}`);
        }
        write((0,_report_printable_js__WEBPACK_IMPORTED_MODULE_2__/* .printable */ .g)(text));
    }
    /** Writes lines that are folded under a title. */
    group(title, lines) {
        this.resume();
        _actions_core__WEBPACK_IMPORTED_MODULE_1__.startGroup((0,_report_printable_js__WEBPACK_IMPORTED_MODULE_2__/* .printable */ .g)(title));
        for (const line of lines)
            this.line(line);
        this.resume();
        _actions_core__WEBPACK_IMPORTED_MODULE_1__.endGroup();
    }
    /** Writes an annotation, which the workflow's page shows. */
    annotate(level, title, message) {
        this.resume();
        _actions_core__WEBPACK_IMPORTED_MODULE_1__[level](message.split("\n").map(_report_printable_js__WEBPACK_IMPORTED_MODULE_2__/* .printable */ .g).join("\n"), { title: (0,_report_printable_js__WEBPACK_IMPORTED_MODULE_2__/* .printable */ .g)(title) });
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

/***/ 670:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  a: () => (/* binding */ parseMatrixInputs)
});

// UNUSED EXPORTS: matrixInputNames

// EXTERNAL MODULE: ./out/src/domain/errors.js
var errors = __nccwpck_require__(795);
// EXTERNAL MODULE: ./out/src/domain/inventory.js
var inventory = __nccwpck_require__(378);
// EXTERNAL MODULE: ./out/src/domain/target.js
var domain_target = __nccwpck_require__(389);
// EXTERNAL MODULE: ./out/src/domain/selection.js
var domain_selection = __nccwpck_require__(952);
;// CONCATENATED MODULE: ./out/src/domain/target-list.js


const acceptedTargets = `a target a line (${domain_target/* acceptedTarget */.Lb}), or a JSON array of such texts or of objects with host, user, port, configuration and name`;
/**
 * Reads a list of targets: one a line, where an empty line and one that begins with `#` are passed over, or a JSON array.
 * Never throws; every bad entry is a problem of its own.
 */
function parseTargetList(text) {
    const trimmed = text.trim();
    // A line may begin with a bracket too: the one of an IPv6 address.
    if (trimmed.startsWith("[") && !/^\[[0-9A-Fa-f.]*:[^\s"\]]*\]/.test(trimmed))
        return parseJson(trimmed);
    const list = collector();
    for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
        const target = line.trim();
        if (target !== "" && !target.startsWith("#"))
            list.add(`line ${index + 1}`, target, () => (0,domain_target/* parseTarget */.hu)(target));
    }
    return list;
}
function parseJson(text) {
    let items;
    try {
        items = JSON.parse(text);
    }
    catch (error) {
        return { requests: [], problems: [`is not JSON (${(0,errors/* messageOf */.bD)(error)}); accepted is ${acceptedTargets}`] };
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
            problems.push(`${place} (${JSON.stringify(shown).slice(0, 120)}): ${(0,errors/* messageOf */.bD)(error)}; accepted is ${domain_target/* acceptedTarget */.Lb}`);
        }
    };
    return { requests, problems, add };
}
const fields = ["host", "user", "port", "configuration", "name"];
function parseItem(item) {
    if (typeof item === "string")
        return (0,domain_target/* parseTarget */.hu)(item);
    if (typeof item !== "object" || item === null || Array.isArray(item))
        throw new Error("is neither a text nor an object");
    const record = { ...item };
    const unknown = Object.keys(record).find((field) => !fields.includes(field));
    if (unknown !== undefined)
        throw new Error(`has an unknown field ${JSON.stringify(unknown)}; known are ${fields.join(", ")}`);
    const text = (field) => {
        const value = record[field] ?? undefined;
        if (value !== undefined && typeof value !== "string")
            throw new Error(`its ${field} is not a text`);
        return value;
    };
    const host = text("host");
    if (host === undefined)
        throw new Error("has no host");
    const port = record["port"] ?? undefined;
    if (port !== undefined && typeof port !== "number" && !(typeof port === "string" && /^\d{1,5}$/.test(port)))
        throw new Error("its port is not a number from 1 to 65535");
    return (0,domain_target/* checkTarget */.e$)({
        host: host.replace(/^\[(.*:.*)\]$/, "$1"),
        user: text("user"),
        port: port === undefined ? undefined : Number(port),
        configuration: text("configuration"),
        name: text("name"),
    });
}
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(598);
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
    return `SHA256:${createHash("sha256").update(Buffer.from(key.key, "base64")).digest("base64").replace(/=+$/, "")}`;
}
/** The line that would let ssh accept the key. */
function knownHostsLine(key) {
    return `${key.host} ${key.type} ${key.key}`;
}
/**
 * Checks the form of known_hosts lines (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), since ssh passes over a bad one without a word.
 * Returns what is wrong with each bad line.
 */
function host_key_knownHostsProblems(text) {
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
;// CONCATENATED MODULE: ./out/src/inputs/readers.js






// The readers of single inputs. Each gives what is wrong to `refuse`, in words that say what is accepted, and goes on.
/** An input as a message shows it. */
function shown(text) {
    return text === "" ? "an empty text" : JSON.stringify(text.slice(0, 100));
}
/** Does the work, and takes the message of what it throws for a problem. */
function collect(work, onProblem) {
    try {
        work();
    }
    catch (error) {
        onProblem((0,errors/* messageOf */.bD)(error));
    }
}
/** Reads known_hosts lines; there must be some where host keys are checked strictly. */
function readKnownHosts(text, strict, refuse) {
    const lines = text.replaceAll(/\r\n?/g, "\n").trim();
    if (lines === "" && strict) {
        refuse("is empty, and ssh-strict is true; accepted are the machines' known_hosts lines (`ssh-keyscan HOST`, run where you trust the network, and compared with the machine)");
    }
    for (const problem of knownHostsProblems(lines))
        refuse(problem);
    return lines;
}
/** Reads lines of ssh_config(5). */
function readSshConfig(text, refuse) {
    const lines = text.replaceAll(/\r\n?/g, "\n").trim();
    if (/[^\P{C}\n\t]/u.test(lines))
        refuse("holds control characters; accepted are lines of ssh_config(5)");
    return lines;
}
// What sudo itself takes (SUDO_CONV_REPL_MAX).
const longestPassword = 1023;
/** Reads a password of one line; `undefined` where there is none. */
function readPassword(text, refuse) {
    const password = text.replace(/\r?\n$/, "");
    if (/[\r\n\0]/.test(password))
        refuse("holds a line end or a NUL character; accepted is one line");
    if (Buffer.byteLength(password) > longestPassword)
        refuse(`is longer than ${longestPassword} bytes, the most that sudo accepts`);
    return password === "" ? undefined : password;
}
/** Reads an OpenSSH user certificate; `undefined` where there is none. */
function readCertificate(text, refuse) {
    const line = text.trim();
    if (line === "")
        return undefined;
    if (/^[\w-]+-cert-v01@openssh\.com AAAA[A-Za-z0-9+/]+=*(?: [^\p{C}]*)?$/u.test(line))
        return line;
    refuse("is not an OpenSSH certificate; accepted is the content of a file such as id_ed25519-cert.pub, which `ssh-keygen -s` makes");
    return undefined;
}
/** Reads a command for /bin/sh; `undefined` where there is none. */
function readCommand(text, refuse) {
    if (/[^\P{C}\n\t]/u.test(text))
        refuse("holds control characters; accepted is a command for /bin/sh");
    return text === "" ? undefined : text;
}
/** Reads the sizes of batches. */
function readBatches(text, refuse) {
    let batches = [];
    collect(() => (batches = parseBatches(text)), (problem) => refuse(`${problem}; accepted are sizes with commas between, each ${acceptedAmount} above 0, for example \`1, 25%, 100%\``));
    return batches;
}
/** Reads a number of hosts or a share of them. */
function readAmount(text, refuse) {
    const amount = parseAmount(text);
    if (amount === undefined)
        refuse(`${shown(text)} is not accepted; accepted is ${acceptedAmount}`);
    return amount ?? { kind: "count", count: 0 };
}
/** Reads a flake reference without `#`. */
function readFlakeReference(text, refuse) {
    const accepted = "accepted is a flake reference without #, for example `.`, `./nixos` or `github:org/repo`";
    if (text === "")
        refuse(`is empty; ${accepted}`);
    else if (text.startsWith("-"))
        refuse(`${shown(text)} begins with -, which nix would take for an option; ${accepted}`);
    else if (/[\n\r\0]/.test(text))
        refuse(`${shown(text)} holds line ends; ${accepted}`);
    else if (text.includes("#"))
        refuse(`${shown(text)} holds a #; the configuration belongs to the targets (host#configuration); ${accepted}`);
    return text;
}
/** Reads arguments, one per line, and checks them against the options of their program. Blank lines, and blanks around a line, are left out. */
function readArguments(text, table, refuse) {
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
/** Reads a selection. */
function readSelection(text, refuse) {
    let selection = [];
    collect(() => (selection = (0,domain_selection/* parseSelection */.gO)(text)), (problem) => refuse(`${problem}; accepted are ${domain_selection/* acceptedSelection */.ax}`));
    return selection;
}
/** Reads a list of targets; none where there is no text, or where one of them is bad. */
function readRequests(text, refuse) {
    // Not the same as a list in which every line is a comment: that one must not mean every machine.
    if (text.trim() === "")
        return [];
    const { requests, problems } = parseTargetList(text);
    for (const problem of problems)
        refuse(problem);
    if (problems.length > 0)
        return [];
    if (requests.length === 0)
        refuse(`names no machine; accepted is ${acceptedTargets}`);
    return requests;
}
;// CONCATENATED MODULE: ./out/src/inputs/misplaced-secrets.js
// How private keys begin, as text and as base64 of the whole file or of its first line.
const beginnings = /PRIVATE KEY-|PuTTY-User-Key-File|AGE-SECRET-KEY-|LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdjE/;
// A line of base64 in a PEM body has 64 or 70 characters.
const shortestLine = 40;
/**
 * Tells whether a text that is not meant to hold the ssh key does so: a private key of any kind, or a line of this one. Such a text
 * must not be shown and not be used.
 */
function holdsPrivateKey(text, sshKey) {
    if (beginnings.test(text))
        return true;
    // ssh-key may hold something else by mistake, such as the public half that belongs into other inputs.
    if (!beginnings.test(sshKey))
        return false;
    return sshKey.split(/\s+/).some((line) => line.length >= shortestLine && text.includes(line));
}
/** What is said of an input that holds a private key. */
const misplacedKey = "holds a private key, which belongs in ssh-key alone; its text is not shown. Store the key as a secret, and replace it if it was not one";
;// CONCATENATED MODULE: ./out/src/inputs/matrix.js





/** Every input of the companion action, by its name in `matrix/action.yml`. */
const matrixInputNames = ["flake", "targets", "select", "changed-since", "shards", "ssh-user", "ssh-port"];
const mostShards = 256;
/** Reads and checks the inputs as `parseInputs` does those of the main action. Throws an `InputError` that names every bad one. */
function parseMatrixInputs(read) {
    const problems = [];
    const refusing = (input) => (problem) => {
        problems.push({ input, problem });
    };
    const trimmed = (name) => read(name).trim() || undefined;
    const number = (name, maximum) => {
        const text = trimmed(name);
        if (text === undefined)
            return undefined;
        const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
        if (value >= 1 && value <= maximum)
            return value;
        refusing(name)(`${JSON.stringify(text.slice(0, 100))} is not accepted; accepted is a whole number from 1 to ${maximum}, or nothing`);
        return undefined;
    };
    const user = trimmed("ssh-user");
    if (user !== undefined)
        collect(() => (0,domain_target/* checkUser */.Og)(user), refusing("ssh-user"));
    const port = number("ssh-port", 65_535);
    const selection = readSelection(read("select"), refusing("select"));
    const inputs = {
        flake: readFlakeReference(trimmed("flake") ?? "", refusing("flake")),
        targets: readExplicit(read("targets"), selection, port ?? 22, refusing),
        selection,
        changedSince: readRevision(trimmed("changed-since"), refusing("changed-since")),
        shards: number("shards", mostShards),
        user,
        port,
    };
    const misplaced = matrixInputNames.filter((name) => holdsPrivateKey(read(name), ""));
    if (misplaced.length > 0)
        throw new errors/* InputError */.dz(misplaced.map((input) => ({ input, problem: misplacedKey })));
    if (problems.length > 0)
        throw new errors/* InputError */.dz(problems);
    return inputs;
}
function readExplicit(text, selection, port, refusing) {
    const requests = readRequests(text, refusing("targets"));
    let machines = [];
    collect(() => {
        // Only for the names, and to find a machine that stands there twice.
        const targets = (0,domain_target/* completeTargets */.q4)(requests, { user: "", port });
        machines = requests.map((request, index) => ({ name: targets[index]?.name ?? "", request, system: undefined, tags: [] }));
    }, refusing("targets"));
    const looks = machines.map((machine) => ({ machine, name: machine.name, configuration: machine.request.configuration }));
    const { chosen, unmatched } = machines.length === 0 ? { chosen: looks, unmatched: undefined } : (0,inventory/* selectTargets */.Dv)(looks, selection);
    if (unmatched !== undefined)
        refusing("select")(unmatched);
    return chosen.map(({ machine }) => machine);
}
function readRevision(text, refuse) {
    if (text !== undefined && !/^[^\s\p{C}-][^\s\p{C}]*$/u.test(text)) {
        refuse(`${JSON.stringify(text.slice(0, 100))} is not accepted; accepted is a Git revision, as \${{ github.event.before }}`);
    }
    return text;
}

/***/ }),

/***/ 534:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   K: () => (/* binding */ evaluateApart)
/* harmony export */ });
/* harmony import */ var _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(795);

// An evaluation of a large fleet takes minutes: a fault that all machines share is not looked for in each of them.
const mostEvaluations = 60;
/**
 * Evaluates for all names at once, and where that fails, in halves, until those that fail stand alone. Nix ends an evaluation at
 * the first missing attribute, abort or endless recursion (`builtins.tryEval` catches none of them), and one such machine must
 * not hide the others. After 60 evaluations, a group that still fails as a whole is not divided any further.
 */
async function evaluateApart(names, evaluate) {
    const found = new Map();
    const groups = names.length === 0 ? [] : [names];
    let evaluations = 0;
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
        try {
            evaluations += 1;
            const values = await evaluate(group);
            for (const [name, value] of values)
                found.set(name, { value });
        }
        catch (error) {
            if (!(error instanceof _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd) || !isOfTheEvaluation(error))
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
function isOfTheEvaluation({ failure }) {
    // A signal is what a stack that is too small, or a memory that is full, ends in.
    return failure.kind === "exit" || failure.kind === "signal";
}

/***/ }),

/***/ 650:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   lr: () => (/* binding */ applyToFlake),
/* harmony export */   z7: () => (/* binding */ nixString)
/* harmony export */ });
/* unused harmony export applyArguments */
/* harmony import */ var _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(795);
/* harmony import */ var _evaluation_message_js__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(481);
/* harmony import */ var _flake_failure_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(889);
/* harmony import */ var _flake_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(354);
/* harmony import */ var _nix_command_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(186);





const shownLines = 20;
/**
 * Applies an expression, a function of its arguments and then of a flake's outputs, to a flake, in one pure evaluation. Returns
 * what it prints as JSON. Throws an `InputError` for a flake that cannot be had, a `RunnerError` for a Nix that is too old, an
 * `EvaluationError` for what does not evaluate, and a `CommandError` for an evaluation that was stopped.
 */
async function applyToFlake(reference, expression, args, options) {
    const warnings = beforeError(options.onLine);
    try {
        const { stdout } = await (0,_nix_command_js__WEBPACK_IMPORTED_MODULE_3__/* .runNix */ .dI)(applyArguments(reference, expression, args), {
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
    return ["eval", "--json", "--show-trace", ..._flake_js__WEBPACK_IMPORTED_MODULE_2__/* .neverLock */ .sO, `${reference}#.`, "--apply", `(${expression}) { ${bindings.join(" ")} }`];
}
// The trace quotes the expression, and is thousands of lines long for a real NixOS: what it says is told at the end.
function beforeError(onLine) {
    let failed = false;
    return (line) => {
        failed ||= line.startsWith("error:");
        if (!failed)
            onLine(line);
    };
}
function readable(error, reference) {
    if (!(error instanceof _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd))
        return undefined;
    const { failure, stderr } = error;
    if (failure.kind === "signal" && failure.signal === "SIGKILL") {
        const why = "nix was killed by SIGKILL, which Linux sends when memory runs out; each NixOS configuration needs some 500 MB to evaluate";
        return new _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .EvaluationError */ .ZN(reference, [why, "Use a runner with more memory, or select fewer machines"], error);
    }
    if (failure.kind !== "exit" && failure.kind !== "signal")
        return undefined;
    const message = (0,_evaluation_message_js__WEBPACK_IMPORTED_MODULE_4__/* .evaluationMessage */ .U)(stderr);
    const lines = message.length > 0
        ? message
        : stderr
            .split("\n")
            .filter((line) => line.trim() !== "")
            .slice(-shownLines);
    const file = (0,_evaluation_message_js__WEBPACK_IMPORTED_MODULE_4__/* .missingFile */ .B)(stderr);
    const hint = `${file} is not in the source of the flake. If it is in the work tree, Git does not track it: run \`git add ${file}\` and commit it`;
    return new _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .EvaluationError */ .ZN(reference, file === undefined ? lines : [...lines.slice(0, shownLines - 1), hint], error);
}
function explainApply(error, reference) {
    if (error instanceof _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd && /does not provide attribute .*or '\.'/.test(error.stderr)) {
        return new _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .RunnerError */ .Rn("nix on this runner is too old to read the machines from the flake, which needs 2.19. Write the targets yourself, or update Nix", {
            cause: error,
        });
    }
    return (0,_flake_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .explainFlake */ .V)(error, reference);
}
function nixValue(value) {
    if (typeof value === "string")
        return nixString(value);
    if (typeof value === "boolean" || value === null)
        return String(value);
    return `[ ${value.map(nixString).join(" ")} ]`;
}
/** Quotes a text for Nix, where a `$` before a brace would begin an expression. */
function nixString(text) {
    return `"${text
        .replaceAll(/["\\$]/g, String.raw `\$&`)
        .replaceAll("\n", String.raw `\n`)
        .replaceAll("\r", String.raw `\r`)}"`;
}

/***/ }),

/***/ 481:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   B: () => (/* binding */ missingFile),
/* harmony export */   U: () => (/* binding */ evaluationMessage)
/* harmony export */ });
const shownLines = 20;
// Of Nix's own message, so that the place below it is shown too.
const messageLines = 12;
const longestLine = 400;
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
    return [...text, ...own, ...context].map((line) => withoutRoot(line, root).slice(0, longestLine)).slice(0, shownLines);
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

/***/ }),

/***/ 889:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  V: () => (/* binding */ explainFlake)
});

// EXTERNAL MODULE: ./out/src/domain/errors.js
var errors = __nccwpck_require__(795);
// EXTERNAL MODULE: ./out/src/nix/evaluation-message.js
var evaluation_message = __nccwpck_require__(481);
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
    const error = (0,evaluation_message/* evaluationMessage */.U)(output)[0] ?? "";
    // What git and ssh print stands above Nix's own error, which only says that git has failed.
    if (/Failed to fetch git repository|program 'git' failed|revspec '.*' not found|unable to fetch/i.test(error)) {
        if (/^Host key verification failed/m.test(output))
            return { why: "the runner does not know the host key of its server", next: `Add the key to ~/.ssh/known_hosts in a step before. ${deployKey}` };
        if (/Permission denied \(/.test(output))
            return { why: "its server does not accept an ssh key of the runner", next: deployKey };
        if (/could not read (?:Username|Password)|Authentication failed|terminal prompts disabled/.test(output)) {
            return {
                why: "its server asks for a user name and password",
                next: "Give Git the credentials before this step, for example with `git config --global url.https://x-access-token:$TOKEN@github.com/.insteadOf https://github.com/`",
            };
        }
        if (/[Rr]epository .*not found|does not appear to be a git repository/.test(output))
            return { why: "its server has no such repository for the runner", next: `Check the address. If the repository is private: ${deployKey}` };
    }
    const status = /HTTP error (401|403|404)/.exec(error)?.[1];
    if (status !== undefined) {
        const why = status === "404" ? "HTTP error 404, which is also GitHub's answer for a private repository" : `HTTP error ${status}: access is denied`;
        return { why, next: "For a private repository set NIX_CONFIG in env: `access-tokens = github.com=TOKEN`, with a token that may read it" };
    }
    const unreachable = /(?:[Cc]ould ?n[o']t resolve host|Could not connect|Couldn't connect|[Cc]onnection timed out|Resolving timed out)/.test(error);
    return unreachable ? { why: error.replace(/^error: /, ""), next: "Check the address and the runner's network" } : undefined;
}
;// CONCATENATED MODULE: ./out/src/nix/flake-failure.js


/** What is to be said of a flake that cannot be had; `undefined` where Nix says it better. */
function explainFlake(error, reference) {
    if (!(error instanceof errors/* CommandError */.Qd))
        return undefined;
    const { stderr } = error;
    const flake = (problem, advice) => new errors/* InputError */.dz([{ input: "flake", problem, advice }]);
    if (/requires lock file changes/.test(stderr)) {
        return flake(`the flake ${reference} has inputs that its flake.lock does not have (or it has no flake.lock, or the file is not in Git)`, "Run `nix flake lock`, commit flake.lock, and deploy again: a deployment never chooses versions by itself");
    }
    const owned = /repository path '([^']*)' is not owned by current user|dubious ownership in repository at '([^']*)'/.exec(stderr);
    if (owned !== null) {
        const directory = owned[1] ?? owned[2];
        return flake(`Git refuses ${directory}, because another user owns it, as in a job that runs in a container`, `Add this step before: - run: git config --global --add safe.directory '${directory}'`);
    }
    if (/lock ?file contains (?:mutable lock|unlocked input)/i.test(stderr)) {
        return flake(`the flake.lock of ${reference} has an input without a fixed version`, `Nix and Lix write a relative input (\`path:./x\`) in different ways, and each refuses the other's: run \`nix flake lock\` with the implementation that the runner and the machines have`);
    }
    if (/unexpected flake input attribute 'submodules'/.test(stderr)) {
        return flake(`the flake ${reference} sets inputs.self.submodules, which Nix on the runner does not know`, "It needs Nix 2.27 or newer there; the Nix of the machines does not matter");
    }
    const unfetched = explainInput(stderr, reference);
    if (unfetched !== undefined)
        return flake(unfetched.problem, unfetched.advice);
    const accepted = "Accepted is a directory with a flake.nix (`.`, `./nixos`), or any reference that Nix knows";
    if (/flake\.nix' .*is not tracked by Git/.test(stderr)) {
        return flake(`the flake.nix at ${reference} is not in Git, and what Git does not track does not belong to a flake`, "Run `git add` for it, and commit it");
    }
    if (/could not find a flake\.nix file|does not contain a '\/?(?:.*\/)?flake\.nix'|is not part of a flake|path '.*flake\.nix' does not exist/.test(stderr)) {
        return flake(`there is no flake.nix at ${reference}`, `${accepted}. Is there an actions/checkout step before this one?`);
    }
    // A path in the store is a file that the flake itself lacks.
    if (/(?:getting status of|path) ['"](?!\/nix\/store\/)[^'"]*['"](?:: No such file or directory| does not exist)/.test(stderr) &&
        !/^[a-z+]+:/.test(reference)) {
        return flake(`there is no directory ${reference}`, `${accepted}. Is there an actions/checkout step before this one?`);
    }
    const [, unknown] = /cannot find flake '(?:flake:)?([^']*)' in the flake registries/.exec(stderr) ?? [];
    if (unknown !== undefined && unknown !== reference.replace(/[?#].*/, "")) {
        return flake(`the input ${unknown} of the flake ${reference} has no address, and Nix finds no flake of this name in its registries`, `Add \`inputs.${unknown}.url\` to the flake`);
    }
    if (unknown !== undefined) {
        return flake(`Nix takes ${reference} for a name in its registries, where it is not`, `A directory is written ./${reference}. ${accepted}`);
    }
    return undefined;
}

/***/ }),

/***/ 354:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  MS: () => (/* binding */ archiveOnRunner),
  sO: () => (/* binding */ neverLock)
});

// UNUSED EXPORTS: configurationNames, parseArchive, parseMetadata

// EXTERNAL MODULE: ./out/src/domain/errors.js
var errors = __nccwpck_require__(795);
// EXTERNAL MODULE: ./out/src/domain/store-path.js
var store_path = __nccwpck_require__(863);
// EXTERNAL MODULE: ./out/src/nix/flake-failure.js + 1 modules
var flake_failure = __nccwpck_require__(889);
// EXTERNAL MODULE: ./out/src/nix/json.js
var nix_json = __nccwpck_require__(483);
// EXTERNAL MODULE: ./out/src/nix/nix-command.js
var nix_command = __nccwpck_require__(186);
;// CONCATENATED MODULE: ./out/src/nix/nar-hash.js
// Nix's base 32: without e, o, t, u.
const alphabet = "0123456789abcdfghijklmnpqrsvwxyz";
const hashBytes = 32;
/**
 * Converts what `nix-store --query --hash` prints, `sha256:` and base 32 in Nix's own alphabet and order (the last character has
 * the lowest bits; `printHash32` in Nix's sources), to the form of lock files, `sha256-` and base64 (SRI). Throws an `Error` for
 * anything else.
 */
function sriHash(printed) {
    const text = printed.trim();
    if (/^sha256-[A-Za-z0-9+/]{43}=$/.test(text))
        return text;
    const digits = /^sha256:([0-9a-z]{52})$/.exec(text)?.[1];
    if (digits === undefined)
        throw new Error(`not a SHA-256 hash of a store path: ${JSON.stringify(text.slice(0, 100))}`);
    let value = 0n;
    for (const digit of digits) {
        const number = alphabet.indexOf(digit);
        if (number === -1)
            throw new Error(`not a base 32 digit of Nix: ${digit}`);
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
 * `nix flake archive` comes first, with the user's own reference: it copies the source into the store in every version, where
 * `nix flake metadata` of Nix 2.35 prints a path that is not there, and that of Determinate Nix with lazy trees none at all.
 */
async function archiveOnRunner(reference, options) {
    const call = { cwd: options.cwd, signal: options.signal, onStderrLine: options.onLine };
    try {
        const archive = parseArchive((await (0,nix_command/* runNix */.dI)(["flake", "archive", "--json", ...neverLock, reference], call)).stdout);
        const metadata = await (0,nix_command/* runNix */.dI)(["flake", "metadata", "--json", ...neverLock, reference], call);
        const { path, locks, resolved, ...identity } = parseMetadata(metadata.stdout);
        if (path !== undefined && path !== archive.source)
            throw changedMeanwhile(reference);
        const hash = await (0,nix_command/* runNixStore */.wg)(["--query", "--hash", archive.source], options);
        return { flake: { ...archive, ...identity, narHash: sriHash(hash.stdout) }, locks, resolved };
    }
    catch (error) {
        throw (0,flake_failure/* explainFlake */.V)(error, reference) ?? error;
    }
}
function changedMeanwhile(reference) {
    return new errors/* InputError */.dz([{ input: "flake", problem: `the files of ${reference} changed while the flake was read. Does another step still write to them?` }]);
}
/** Lists the attributes of `nixosConfigurations`; they are not evaluated. `reference` is one of Nix. Throws a `CommandError`. */
async function configurationNames(reference, options) {
    const args = ["eval", "--json", ...neverLock, `${reference}#nixosConfigurations`, "--apply", "builtins.attrNames"];
    const { stdout } = await runNix(args, { signal: options.signal });
    const names = JSON.parse(stdout);
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}
/**
 * Parses what `nix flake metadata --json` prints; Determinate Nix with lazy trees leaves out `path` and `locked.narHash`:
 *
 *     {"path":"/nix/store/…-source","resolved":{"dir":"nixos",…},"locked":{"narHash":"sha256-…",…},
 *      "revision":"4f1c…","dirtyRevision":"4f1c…-dirty","revCount":7,"lastModified":1700000000,"locks":{"nodes":{…},…},…}
 */
function parseMetadata(json) {
    const data = JSON.parse(json);
    const locked = (0,nix_json/* field */.ZZ)(data, "locked");
    const directory = (0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)((0,nix_json/* field */.ZZ)(data, "resolved"), "dir")) ?? (0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)(locked, "dir")) ?? "";
    const dirtyRevision = (0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)(data, "dirtyRevision")) ?? (0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)(locked, "dirtyRev"));
    const scheme = (0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)((0,nix_json/* field */.ZZ)(data, "resolved"), "type"));
    const revision = (0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)(data, "revision")) ?? (0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)(locked, "rev"));
    return {
        path: (0,store_path/* optionalStorePath */.vD)((0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)(data, "path"))),
        subdirectory: directory.replace(/^\/+|\/+$/g, ""),
        revision,
        revisionCount: revision === undefined ? undefined : ((0,nix_json/* number */.ai)((0,nix_json/* field */.ZZ)(data, "revCount")) ?? (0,nix_json/* number */.ai)((0,nix_json/* field */.ZZ)(locked, "revCount"))),
        lastModified: (0,nix_json/* number */.ai)((0,nix_json/* field */.ZZ)(data, "lastModified")) ?? (0,nix_json/* number */.ai)((0,nix_json/* field */.ZZ)(locked, "lastModified")),
        // Nix before 2.17 has no dirtyRev: a Git tree without a revision is a dirty one.
        dirty: dirtyRevision !== undefined || (scheme === "git" && revision === undefined),
        locks: (0,nix_json/* field */.ZZ)(data, "locks"),
        resolved: (0,nix_json/* field */.ZZ)(data, "resolved"),
    };
}
/**
 * Parses the store paths of a flake and of all its inputs from what `nix flake archive --json` prints:
 * `{"path":P,"inputs":{NAME:{"path":P,"inputs":{…}}}}`. An input that lies inside its parent's tree has no path (but with Lix),
 * and one that follows another is missing. Throws an `Error` for what is no store path.
 */
function parseArchive(json) {
    const data = JSON.parse(json);
    const source = (0,store_path/* storePath */.TJ)((0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)(data, "path")) ?? "");
    const found = new Set();
    const walk = (node) => {
        const path = (0,nix_json/* text */.Qq)((0,nix_json/* field */.ZZ)(node, "path"));
        if (path !== undefined)
            found.add((0,store_path/* storePath */.TJ)(path));
        const inputs = (0,nix_json/* field */.ZZ)(node, "inputs");
        if (typeof inputs === "object" && inputs !== null)
            for (const input of Object.values(inputs))
                walk(input);
    };
    walk(data);
    found.delete(source);
    return { source, inputs: [...found] };
}

/***/ }),

/***/ 715:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  z: () => (/* binding */ readInventory)
});

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(24);
// EXTERNAL MODULE: ./out/src/domain/errors.js
var errors = __nccwpck_require__(795);
// EXTERNAL MODULE: ./out/src/domain/selection.js
var domain_selection = __nccwpck_require__(952);
// EXTERNAL MODULE: ./out/src/nix/evaluate-each.js
var evaluate_each = __nccwpck_require__(534);
// EXTERNAL MODULE: ./out/src/nix/evaluate.js
var evaluate = __nccwpck_require__(650);
// EXTERNAL MODULE: ./out/src/domain/inventory.js
var inventory = __nccwpck_require__(378);
// EXTERNAL MODULE: ./out/src/domain/target.js
var target = __nccwpck_require__(389);
// EXTERNAL MODULE: ./out/src/nix/json.js
var nix_json = __nccwpck_require__(483);
;// CONCATENATED MODULE: ./out/src/nix/inventory-entry.js




/**
 * Reads what `inventory.nix` says of one machine, but for one that is broken:
 *
 *     {"kind":"deploy-rs","host":"web1.example.org","user":"admin","profileUser":"root","sshOptions":["-p","2222"],
 *      "buildOnTarget":null,"configured":true,"system":"x86_64-linux","tags":["web"]}
 */
function readEntry(name, raw) {
    const kind = (0,nix_json/* field */.ZZ)(raw, "kind");
    if (kind === "other")
        return { kind, name, reason: String((0,nix_json/* field */.ZZ)(raw, "reason")) };
    const tags = textList((0,nix_json/* field */.ZZ)(raw, "tags"));
    try {
        refuse(name, raw);
        const system = (0,nix_json/* field */.ZZ)(raw, "system");
        return {
            kind: "machine",
            name,
            request: (0,inventory/* checkedRequest */.lr)(name, {
                host: host((0,nix_json/* field */.ZZ)(raw, "host")),
                user: optionalText((0,nix_json/* field */.ZZ)(raw, "user"), "user"),
                port: portOption((0,nix_json/* field */.ZZ)(raw, "sshOptions")) ?? optionalPort((0,nix_json/* field */.ZZ)(raw, "port")),
                configuration: kind === "hive" ? `${target/* hivePrefix */.$q}${name}` : name,
            }),
            system: typeof system === "string" ? system : undefined,
            tags,
            buildOnTarget: (0,nix_json/* field */.ZZ)(raw, "buildOnTarget") === true,
            ignored: [...listed("deployment.keys", (0,nix_json/* field */.ZZ)(raw, "keys")), ...listed("the profiles", (0,nix_json/* field */.ZZ)(raw, "otherProfiles"))],
        };
    }
    catch (error) {
        return {
            kind: "unusable",
            name,
            error: `the flake's words for the machine cannot be used: ${(0,errors/* messageOf */.bD)(error)}`,
            tags,
        };
    }
}
function refuse(name, raw) {
    if ((0,nix_json/* field */.ZZ)(raw, "uncertain") === true) {
        throw new Error(`colmena.${name} imports modules, which colmena alone can read. Add \`colmenaHive = colmena.lib.makeHive self.outputs.colmena;\` to the flake's outputs, as colmena itself wants it, or set deployment.targetHost beside the imports`);
    }
    if ((0,nix_json/* field */.ZZ)(raw, "configured") === false) {
        const hint = (0,nix_json/* field */.ZZ)(raw, "kind") === "deploy-rs"
            ? "Give the node the name of its configuration, or write the targets yourself (host#configuration)"
            : "Add `colmenaHive = colmena.lib.makeHive self.outputs.colmena;` to the flake's outputs, as colmena itself wants it";
        throw new Error(`there is no nixosConfigurations.${name}. ${hint}`);
    }
    const user = (0,nix_json/* field */.ZZ)(raw, "profileUser") ?? "root";
    if (user !== "root")
        throw new Error(`its profile system is for the user ${JSON.stringify(user)}; a NixOS system is root's`);
}
function host(value) {
    if (value === null || value === undefined)
        throw new Error("it has no host");
    if (typeof value !== "string")
        throw new Error(`its host is no text (${shown(value)})`);
    return value.replace(/^\[(.*:.*)\]$/, "$1");
}
function optionalText(value, what) {
    if (value === null || value === undefined)
        return undefined;
    if (typeof value !== "string")
        throw new Error(`its ${what} is no text (${shown(value)})`);
    return value;
}
function optionalPort(value) {
    if (value === null || value === undefined)
        return undefined;
    if (typeof value !== "number")
        throw new Error(`its port is no number (${shown(value)})`);
    return value;
}
/** The port of a list of ssh's options. As with ssh, the first one counts. Throws an `Error` that names every other option. */
function portOption(value) {
    if (value === null || value === undefined)
        return undefined;
    const options = Array.isArray(value) ? value : [value];
    const ports = [];
    const others = [];
    for (let index = 0; index < options.length; index += 1) {
        const option = options[index];
        const attached = typeof option === "string" ? /^-p(.+)$/.exec(option)?.[1] : undefined;
        if (option !== "-p" && attached === undefined)
            others.push(shown(option));
        else {
            if (attached === undefined)
                index += 1;
            const port = attached ?? options[index];
            const number = typeof port === "string" && /^\s*\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
            (0,target/* checkPort */.Yn)(number);
            ports.push(number);
        }
    }
    if (others.length > 0) {
        throw new Error(`its ssh options ${others.join(" ")} are not taken; accepted is -p PORT. Write what it needs into the input ssh-config, below \`Host\` with the machine's host`);
    }
    return ports[0];
}
function textList(value) {
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
}
function listed(what, value) {
    const names = textList(value) ?? [];
    return names.length === 0 ? [] : [`${what} ${names.join(", ")}`];
}
function shown(value) {
    return typeof value === "string" ? value : JSON.stringify(value);
}
;// CONCATENATED MODULE: ./out/src/nix/inventory.js







// Machines whose error Nix is asked for one by one.
const mostExplained = 8;
const shownLines = 20;
/**
 * Reads from a flake where its machines are, in one evaluation. A machine that does not evaluate is asked for alone, so that
 * Nix's own words can be told, and hides none of the others. Throws as `applyToFlake` where the flake itself does not evaluate.
 */
async function readInventory(reference, { selection, details }, options) {
    const tagged = (0,domain_selection/* looksAtTags */.lf)(selection);
    const patterns = selection.length === 0 || tagged ? null : selection.map((rule) => rule.expression);
    const expression = (0,external_node_fs_.readFileSync)(__nccwpck_require__.ab + "inventory.nix", "utf8");
    const query = async (args, onLine = () => undefined) => readAnswer(await (0,evaluate/* applyToFlake */.lr)(reference, expression, { patterns, names: null, details: details || tagged, careful: true, ...args }, { ...options, onLine }));
    const { names, machines } = await atOnce(query, options.onLine);
    const entries = [];
    let broken = 0;
    for (const [name, seen] of machines) {
        if ("error" in seen)
            entries.push(doesNotEvaluate(name, seen.error, seen.together));
        else if ((0,nix_json/* field */.ZZ)(seen.value, "kind") !== "broken")
            entries.push(readEntry(name, seen.value));
        else
            entries.push((broken += 1) <= mostExplained ? await askAgain(name, query) : doesNotEvaluate(name, undefined));
    }
    return { names, entries };
}
async function atOnce(query, onLine) {
    try {
        const { names, machines } = await query({}, onLine);
        return { names, machines: new Map([...machines].map(([name, value]) => [name, { value }])) };
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || error.failure.kind === "aborted")
            throw error;
    }
    // Names need no machine: where even they cannot be told, it is the flake itself that does not evaluate.
    const { names, wanted } = await query({ names: [] });
    return { names, machines: await (0,evaluate_each/* evaluateApart */.K)(wanted, async (some) => (await query({ names: some })).machines) };
}
/** Asks for a machine that throws, this time to hear what. */
async function askAgain(name, query) {
    try {
        const { machines } = await query({ names: [name], careful: false });
        return readEntry(name, machines.get(name));
    }
    catch (error) {
        if (!(error instanceof errors/* CommandError */.Qd) || error.failure.kind === "aborted")
            throw error;
        return doesNotEvaluate(name, error);
    }
}
function doesNotEvaluate(name, error, together = [name]) {
    const which = together.length === 1 ? "its configuration" : `one of ${together.length} configurations, this one or another,`;
    const reason = `${which} does not evaluate on the runner, so that nobody knows where the machine is`;
    const lines = error?.stderr.split("\n") ?? [`Nix was asked for the first ${mostExplained} alone: see what it says of them`];
    return { kind: "unusable", name, tags: undefined, error: reason, lines: lines.slice(-shownLines) };
}
function readAnswer(json) {
    const machines = (0,nix_json/* field */.ZZ)(json, "machines");
    return {
        names: texts((0,nix_json/* field */.ZZ)(json, "names")),
        wanted: texts((0,nix_json/* field */.ZZ)(json, "wanted")),
        machines: new Map(typeof machines === "object" && machines !== null ? Object.entries(machines) : []),
    };
}
function texts(value) {
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/***/ }),

/***/ 483:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Qq: () => (/* binding */ text),
/* harmony export */   Xy: () => (/* binding */ objectOf),
/* harmony export */   ZZ: () => (/* binding */ field),
/* harmony export */   ai: () => (/* binding */ number)
/* harmony export */ });
/** A property of what may be an object; `undefined` where there is none. */
function field(data, name) {
    return typeof data === "object" && data !== null ? new Map(Object.entries(data)).get(name) : undefined;
}
/** A text that is not empty, else `undefined`. */
function text(value) {
    return typeof value === "string" && value !== "" ? value : undefined;
}
/** A number, else `undefined`. */
function number(value) {
    return typeof value === "number" ? value : undefined;
}
/** A copy of an object's properties; empty for anything else. */
function objectOf(value) {
    return typeof value === "object" && value !== null ? { ...value } : {};
}

/***/ }),

/***/ 186:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   dI: () => (/* binding */ runNix),
/* harmony export */   wg: () => (/* binding */ runNixStore)
/* harmony export */ });
/* unused harmony export nixCommand */
/* harmony import */ var _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(795);
/* harmony import */ var _process_run_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(202);


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
        return await (0,_process_run_js__WEBPACK_IMPORTED_MODULE_1__/* .run */ .eF)(command, options);
    }
    catch (error) {
        throw explainMissing(error) ?? error;
    }
}
function explainMissing(error) {
    if (!(error instanceof _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .CommandError */ .Qd))
        return undefined;
    const step = "- uses: cachix/install-nix-action@v31";
    if (error.failure.kind === "spawn" && error.failure.code === "ENOENT") {
        return new _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .RunnerError */ .Rn(`nix is not on this runner. Add this step before the deployment: ${step}`, { cause: error });
    }
    const feature = /experimental Nix feature '([\w-]+)' is disabled|unrecognised flag '--(?:json|to)'|'flake' is not a recognised command/.exec(error.stderr);
    if (feature !== null) {
        return new _domain_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .RunnerError */ .Rn(`nix on this runner has flakes switched off (the experimental features nix-command and flakes). Add this step before the deployment, which switches them on: ${step}; or set NIX_CONFIG: "experimental-features = nix-command flakes" in env`, { cause: error });
    }
    return undefined;
}

/***/ }),

/***/ 17:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  Pt: () => (/* binding */ checkout),
  AJ: () => (/* binding */ formerToplevels),
  j: () => (/* binding */ toplevels)
});

// UNUSED EXPORTS: repositoryOf

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(24);
;// CONCATENATED MODULE: external "node:url"
const external_node_url_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:url");
// EXTERNAL MODULE: ./out/src/domain/errors.js
var errors = __nccwpck_require__(795);
;// CONCATENATED MODULE: ./out/src/domain/flake.js
/** Every store path that a machine needs to evaluate the flake. */
function sentPaths({ outer, flake }) {
    return [outer, flake.source, ...flake.inputs];
}
/** Renders the reference that a machine builds. No `#configuration`. */
function outerReference({ outer }) {
    return `path:${outer}`;
}
/**
 * Renders the reference to which a machine's own Nix resolves the same flake, for use by hand. With `narHash`, Nix takes revision
 * and date as given; without, Lix and Nix before 2.25 refuse the date. A subdirectory needs Nix 2.26.
 */
function flakeReference(flake) {
    const query = Object.entries({
        dir: flake.subdirectory === "" ? undefined : flake.subdirectory,
        rev: flake.revision,
        revCount: flake.revisionCount,
        lastModified: flake.lastModified,
        narHash: flake.narHash,
    }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeValue(String(value))}`]));
    return `path:${flake.source}?${query.join("&")}`;
}
// A slash needs no escape in a query, and reads better without (RFC 3986, 3.4).
function encodeValue(text) {
    return encodeURIComponent(text).replaceAll("%2F", "/");
}
// EXTERNAL MODULE: ./out/src/nix/evaluate-each.js
var evaluate_each = __nccwpck_require__(534);
// EXTERNAL MODULE: ./out/src/nix/evaluate.js
var nix_evaluate = __nccwpck_require__(650);
// EXTERNAL MODULE: ./out/src/nix/flake.js + 1 modules
var nix_flake = __nccwpck_require__(354);
// EXTERNAL MODULE: ./out/src/nix/json.js
var json = __nccwpck_require__(483);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __nccwpck_require__(760);
// EXTERNAL MODULE: ./out/src/domain/store-path.js
var store_path = __nccwpck_require__(863);
// EXTERNAL MODULE: ./out/src/nix/nix-command.js
var nix_command = __nccwpck_require__(186);
;// CONCATENATED MODULE: ./out/src/nix/nix-config.js




/**
 * Reads the attribute `nixConfig` of a flake in the runner's store, as Nix text for another `flake.nix`; `undefined` where there is
 * none. Whether a machine follows it is for its own `accept-flake-config` to say. Throws a `CommandError` for a flake.nix that does
 * not evaluate.
 */
async function readNixConfig(flake, options) {
    const file = (0,external_node_path_.join)(flake.source, flake.subdirectory, "flake.nix");
    // Nearly no flake has one, and the text costs no process.
    if (!/\bnixConfig\b/.test((0,external_node_fs_.readFileSync)(file, "utf8")))
        return undefined;
    const { stdout } = await (0,nix_command/* runNix */.dI)(["eval", "--json", "--file", file, "--apply", "flake: flake.nixConfig or { }"], options);
    const settings = JSON.parse(stdout);
    const text = nixLiteral(settings);
    return text === "{ }" ? undefined : text;
}
/** Renders what JSON holds as a literal of Nix: Nix accepts nothing that it would have to evaluate in `nixConfig`. */
function nixLiteral(value) {
    if (typeof value === "string")
        return (0,nix_evaluate/* nixString */.z7)(value);
    if (Array.isArray(value))
        return `[ ${value.map((item) => `(${nixLiteral(item)})`).join(" ")} ]`;
    if (typeof value !== "object" || value === null)
        return String(value);
    const settings = Object.entries(value).map(([name, setting]) => `${(0,nix_evaluate/* nixString */.z7)(name)} = ${nixLiteral(setting)};`);
    return ["{", ...settings, "}"].join(" ");
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
    const nodes = new Map(Object.entries((0,json/* objectOf */.Xy)((0,json/* field */.ZZ)(locks, "nodes"))));
    const root = String((0,json/* field */.ZZ)(locks, "root"));
    const free = (wish) => {
        let name = wish;
        while (nodes.has(name))
            name += "_";
        return name;
    };
    const outer = free("outer");
    const locked = {
        type: "path",
        path: flake.source,
        narHash: flake.narHash,
        ...(flake.subdirectory === "" ? {} : { dir: flake.subdirectory }),
        ...(flake.revision === undefined ? {} : { rev: flake.revision }),
        ...(flake.revisionCount === undefined ? {} : { revCount: flake.revisionCount }),
        ...(flake.lastModified === undefined ? {} : { lastModified: flake.lastModified }),
    };
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
    const { inputs, parent, ...rest } = (0,json/* objectOf */.Xy)(node);
    return {
        ...rest,
        ...(inputs === undefined ? {} : { inputs: Object.fromEntries(Object.entries((0,json/* objectOf */.Xy)(inputs)).map(([name, input]) => [name, below(input)])) }),
        ...(parent === undefined ? {} : { parent: below(parent) }),
    };
}
;// CONCATENATED MODULE: ./out/src/nix/outer-flake.js






const templates = {
    plain: __nccwpck_require__.ab + "outer-flake.nix",
    hive: __nccwpck_require__.ab + "outer-hive.nix",
};
/**
 * Makes the outer flake with which a flake is sent to the machines. With `hive`, the nodes of a colmena hive stand among the
 * `nixosConfigurations` under `colmenaHive.nodes.NAME`, since nixos-rebuild looks nowhere else. The flake keeps its identity
 * (`self.rev`, `self.lastModified`, …) and the versions of all inputs. Throws a `CommandError`.
 */
async function wrapFlake({ flake, locks }, hive, options) {
    return { flake, hive, outer: await addOuterFlake(flake, locks, hive, options) };
}
/** Puts an outer flake into the runner's store, without an evaluation. The flake's identity may be another than the true one. */
async function addOuterFlake(flake, locks, hive, { scratch, signal }) {
    const nixConfig = await readNixConfig(flake, { signal });
    const template = templates[hive ? "hive" : "plain"];
    const text = (0,external_node_fs_.readFileSync)(template, "utf8");
    const directory = (0,external_node_fs_.mkdtempSync)((0,external_node_path_.join)(scratch, "outer-flake-"));
    try {
        // The name that Nix itself gives the source of a flake: it then takes the path as it is and copies nothing.
        const tree = (0,external_node_path_.join)(directory, "source");
        (0,external_node_fs_.mkdirSync)(tree);
        (0,external_node_fs_.writeFileSync)((0,external_node_path_.join)(tree, "flake.nix"), nixConfig === undefined ? text : text.replace("{", () => `{\n  nixConfig = ${nixConfig};`));
        (0,external_node_fs_.writeFileSync)((0,external_node_path_.join)(tree, "flake.lock"), lockAround(flake, locks));
        return (0,store_path/* storePath */.TJ)((await (0,nix_command/* runNixStore */.wg)(["--add", tree], { signal })).stdout.trim());
    }
    finally {
        (0,external_node_fs_.rmSync)(directory, { recursive: true, force: true });
    }
}
;// CONCATENATED MODULE: ./out/src/nix/toplevels.js









// An evaluation keeps every configuration that it has looked into: some hundred megabytes each, of a real NixOS.
const together = 16;
// With the true ones, system.configurationRevision and the like would differ at every commit; without any, a flake may refuse a dirty
// tree, or fail on a missing attribute.
const sameIdentity = { revision: "1".padStart(40, "0"), lastModified: 1 };
/** Copies a flake and its inputs into the runner's store. `scratch` is a directory for files of a moment. Throws as `archiveOnRunner`. */
async function checkout(reference, scratch, options) {
    const { flake, locks, resolved } = await (0,nix_flake/* archiveOnRunner */.MS)(reference, options);
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
    const url = (0,json/* text */.Qq)((0,json/* field */.ZZ)(resolved, "url"));
    if ((0,json/* field */.ZZ)(resolved, "type") !== "git" || url?.startsWith("file:") !== true)
        return undefined;
    const kept = Object.entries((0,json/* objectOf */.Xy)(resolved)).flatMap(([name, value]) => {
        if (["type", "url", "ref", "rev"].includes(name))
            return [];
        if (typeof value === "boolean")
            return [[name, value ? "1" : "0"]];
        return typeof value === "string" ? [[name, value]] : [];
    });
    return {
        directory: (0,external_node_url_namespaceObject.fileURLToPath)(url),
        referenceAt: (commit) => `git+${url}?${[...kept, ["rev", commit]].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`,
    };
}
/**
 * Instantiates the systems of these configurations, each as `nixos-rebuild` would. `reference` is one of `checkout`. One that does not evaluate does not hide the others.
 */
async function toplevels(reference, configurations, options) {
    const expression = (0,external_node_fs_.readFileSync)(__nccwpck_require__.ab + "toplevels.nix", "utf8");
    const evaluate = async (some) => {
        const found = await (0,nix_evaluate/* applyToFlake */.lr)(reference, expression, { configurations: some }, options);
        return new Map(some.map((name) => [name, (0,json/* text */.Qq)((0,json/* field */.ZZ)(found, name))]));
    };
    if (configurations.length === 0)
        await evaluate([]);
    const all = new Map();
    for (let begin = 0; begin < configurations.length; begin += together) {
        const evaluated = await (0,evaluate_each/* evaluateApart */.K)(configurations.slice(begin, begin + together), evaluate);
        for (const [name, one] of evaluated)
            all.set(name, "value" in one ? one.value : undefined);
    }
    return all;
}
/** Instantiates the systems that a former commit had, unless its source is the present one. Throws only for an abort. */
async function formerToplevels(present, former, configurations, options) {
    try {
        const { pinned } = await checkout(former.reference, former.scratch, options);
        if (pinned === present.pinned)
            return { kind: "same" };
        // What fails for no configuration at all is the flake's own fault, and is not looked for in each.
        await toplevels(pinned, [], options);
        return { kind: "toplevels", toplevels: await toplevels(pinned, configurations, options) };
    }
    catch (error) {
        options.signal?.throwIfAborted();
        return { kind: "none", reason: (0,errors/* briefReason */.DM)(error).replace(/^(?:the flake does not evaluate|error): /, "") };
    }
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
// EXTERNAL MODULE: ./out/src/domain/errors.js
var errors = __nccwpck_require__(795);
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

/***/ 59:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  rb: () => (/* binding */ failureAnnotations)
});

// UNUSED EXPORTS: failureSummary, skippedAnnotations, verdict

// EXTERNAL MODULE: ./out/src/domain/failure.js
var failure = __nccwpck_require__(900);
;// CONCATENATED MODULE: ./out/src/domain/result.js
/** How it ended for one machine, from best to worst. */
const statuses = (/* unused pure expression or super */ null && (["unchanged", "planned", "deployed", "skipped", "degraded", "rolled-back", "failed", "unknown", "rollback-failed"]));
/** The worst status of all, `unchanged` when there is none. */
function worstStatus(results) {
    const worst = Math.max(0, ...results.map((result) => statuses.indexOf(result.status)));
    return statuses[worst] ?? "unchanged";
}
/** Tells whether the machine is not as it was asked for. */
function result_isFailure(status) {
    switch (status) {
        case "unchanged":
        case "planned":
        case "deployed":
        case "skipped":
        // Units where `unit-failures: warn` asks for it, or a user's own activation.
        case "degraded":
            return false;
        case "rolled-back":
        case "failed":
        case "unknown":
        case "rollback-failed":
            return true;
    }
}
;// CONCATENATED MODULE: ./out/src/report/annotations.js


// GitHub shows ten annotations of a kind a step, and the step's own failure is one.
const most = 9;
/** One annotation for each host that failed; where there are too many, the last one names the rest. */
function failureAnnotations(results) {
    const failed = results.filter((result) => result_isFailure(result.status));
    const annotations = failed.map((result) => ({ title: `${result.name}: ${verdict(result)}`, message: message(result) }));
    if (annotations.length <= most)
        return annotations;
    const rest = failed.slice(most - 1);
    return [...annotations.slice(0, most - 1), { title: `${rest.length} more hosts failed`, message: rest.map(brief).join("\n") }];
}
/** One annotation for all hosts that were skipped, with the reasons. */
function skippedAnnotations(results) {
    const skipped = results.filter((result) => result.status === "skipped");
    if (skipped.length === 0)
        return [];
    const reasons = new Map();
    for (const { name, error } of skipped) {
        const reason = error === undefined ? "skipped" : failureSentences(error).join(". ");
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
function message({ error, status }) {
    return error === undefined ? status : (0,failure/* renderFailure */.zt)(error);
}
function brief(result) {
    const reason = result.status === "failed" ? `${result.phase}: ${result.error?.reason ?? "failed"}` : verdict(result);
    return `${result.name} (${reason})`;
}

/***/ }),

/***/ 251:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   g: () => (/* binding */ printable)
/* harmony export */ });
/* harmony import */ var node_util__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(975);

/** The text as one line without control characters and terminal sequences. */
function printable(text) {
    return (0,node_util__WEBPACK_IMPORTED_MODULE_0__.stripVTControlCharacters)(text).replaceAll(/[^\P{Cc}\t]/gu, " ");
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
/******/ var __webpack_exports__ = __nccwpck_require__(577);
/******/ __webpack_exports__ = await __webpack_exports__;
/******/ 
