import { gzipSync } from "node:zlib";

import { definition, opening, type ScriptName } from "./script-files.js";

// A shorter text is not worth the two programs that inflate it.
const worthwhileCharacters = 4096;

/** How a script is sent. */
export type Form = {
  /** It reads the rest of standard input. */
  readonly reads?: boolean | undefined;
  /** The machine has gzip and base64. OpenSSH 10.6 compresses by Huffman codes alone, which saves a third where gzip saves two. */
  readonly deflated?: boolean | undefined;
};

/**
 * The script with its arguments, for a shell that has read the opening. It is one command, so that no shell has to read its next line
 * before its end, and runs in a subshell, which leaves nothing behind for the next script.
 */
export function question(script: ScriptName, args: readonly string[], nonce: string, { reads = false, deflated = false }: Form = {}): string {
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

function inflating(text: string): string {
  return `eval "$(echo ${gzipSync(text, { level: 9 }).toString("base64")} | base64 -d | gzip -dc)"`;
}

/** A whole session with one script, as `/bin/sh` reads it. Its exit code is that of the script. */
export function program(script: ScriptName, args: readonly string[], nonce: string): string {
  return `${opening()}${question(script, args, nonce)}exit "$code"\n`;
}
