import { definition, opening, type ScriptName } from "./script-files.js";

/**
 * The script with its arguments, for a shell that has read the opening. It is one command, so that no shell has to read its next line
 * before its end, and runs in a subshell, which leaves nothing behind for the next script. With `reads`, it gets the rest of standard input.
 */
export function question(script: ScriptName, args: readonly string[], nonce: string, reads = false): string {
  return [
    "{ (",
    ...definition(script, args),
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

/** A whole session with one script, as `/bin/sh` reads it. Its exit code is that of the script. */
export function program(script: ScriptName, args: readonly string[], nonce: string): string {
  return `${opening()}${question(script, args, nonce)}exit "$code"\n`;
}
