import { shownLines } from "../domain/lines.js";

// Of Nix's own message, so that the place below it is shown too.
const messageLines = 12;
const longestLine = 400;

const errorHead = /^\s*error: ?(.*)$/;
const frameHead = /^\s*… (.*)$/;
const placeLine = /^\s*at (.+):(\d+):(\d+):?$/;
const hint = /^\s*\((?:stack trace truncated|use '--show-trace')/;

/** A part of an error: its message or one frame of its trace, with its place and the source lines shown there. */
type Part = {
  readonly kind: "message" | "frame";
  readonly text: string[];
  place: { readonly file: string; readonly at: string; readonly code: string[] } | undefined;
};

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
export function evaluationMessage(output: string): string[] {
  const parts = parseParts(output);
  const message = parts.findLast((part) => part.kind === "message" && part.text.some((line) => line !== ""));
  if (message === undefined) return [];
  const frames = parts.filter((part) => part.kind === "frame");
  const root = flakeRoot([...frames, message]);
  const inFlake = (part: Part): boolean => part.place !== undefined && rootOf(part.place.file) === root;
  const frame = inFlake(message) ? undefined : frames.findLast(inFlake);
  const text = message.text.length > messageLines ? [...message.text.slice(0, messageLines - 1), "…"] : message.text;
  const own = message.place === undefined || isInternal(message.place.file) ? [] : renderPlace(message.place);
  const context = frame?.place === undefined ? [] : [`… ${frame.text.join(" ")}`, ...renderPlace(frame.place)];
  return [...text, ...own, ...context].map((line) => withoutRoot(line, root).slice(0, longestLine)).slice(0, shownLines);
}

function parseParts(output: string): Part[] {
  const lines = output.split("\n");
  const parts: Part[] = [];
  for (const line of lines.slice(lines.findIndex((candidate) => candidate.startsWith("error:")))) {
    const current = parts.at(-1);
    const error = errorHead.exec(line);
    const frame = frameHead.exec(line);
    const place = placeLine.exec(line);
    if (error !== null) parts.push({ kind: "message", text: error[1] === "" ? [] : [`error: ${error[1]}`], place: undefined });
    else if (frame !== null) parts.push({ kind: "frame", text: [frame[1] ?? ""], place: undefined });
    else if (current === undefined || line.trim() === "" || hint.test(line)) continue;
    else if (place !== null) current.place ??= { file: place[1] ?? "", at: `${place[1]}:${place[2]}:${place[3]}`, code: [] };
    else if (current.place !== undefined) current.place.code.push(line);
    // A message that quotes source lines without a place is not known.
    else current.text.push(line.replace(/^ {7}/, ""));
  }
  return parts;
}

function renderPlace({ at, code }: NonNullable<Part["place"]>): string[] {
  return [`at ${at}:`, ...code.slice(0, 4).map((line) => line.replace(/^ {7}/, ""))];
}

// Evaluation begins in the action's expression, and the first file after it is the flake's own.
function flakeRoot(parts: readonly Part[]): string | undefined {
  const first = parts.find(({ place }) => place !== undefined && !isInternal(place.file));
  return first?.place === undefined ? undefined : rootOf(first.place.file);
}

/** The source that a file belongs to: a store path, a fetched tree as `«git+file:///…»`, or everything on the runner's own disk. */
function rootOf(file: string): string {
  return /^(?:\/nix\/store\/[^/]+|«[^»]+»)(?=\/)/.exec(file)?.[0] ?? "";
}

function isInternal(file: string): boolean {
  return /^(?:«(?:string|stdin|none|unknown|nix-internal|flakes-internal)|<nix\/|\(string\)|\(stdin\))/.test(file);
}

function withoutRoot(line: string, root: string | undefined): string {
  return root === undefined || root === "" ? line : line.replaceAll(`${root}/`, "");
}

/**
 * The file, relative to the root of its flake, that an evaluation did not find in the store: `path '/nix/store/…-source/x.nix' does
 * not exist` (from 2.34 on also `path '«path:/nix/store/…-source»/x.nix'`), `opening file '…': No such file or directory`, and up to Nix 2.18 `getting status of '…': No such file or directory`.
 */
export function missingFile(output: string): string | undefined {
  const file = `['"](?:/nix/store/[^/'"]+|«[^»]+»)/([^'"]+)['"]`;
  const pattern = new RegExp(`error: (?:path ${file} does not exist|(?:opening file|getting status of) ${file}: No such file or directory)`);
  const match = pattern.exec(output);
  return match?.[1] ?? match?.[2];
}
