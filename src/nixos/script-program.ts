import { KeptOutput } from "../process/kept-output.js";
import { definition, type ScriptName } from "./script-files.js";

/**
 * The script with its arguments, as `/bin/sh` reads it. With `reads`, it gets the rest of standard input: all of the program is then one
 * command, so that no shell has to read its next line behind that.
 */
export function program(script: ScriptName, args: readonly string[], nonce: string, reads = false): string {
  const call = [`echo 'begin ${nonce}'`, reads ? 'main "$@"' : 'main "$@" </dev/null', "code=$?", `echo "end ${nonce} $code" >&2`, 'exit "$code"'];
  return [...definition(script, args), ...(reads ? [`{ ${call.join("; ")}; }`] : call), ""].join("\n");
}

/** Parses the end of a script from its standard error, of which it is the last line; `undefined` where the script did not run to its end. */
export function endOfProgram(stderr: string, nonce: string): { readonly exitCode: number; readonly stderr: string } | undefined {
  const end = new RegExp(`^end ${nonce} (\\d{1,3})\\n?`, "m").exec(stderr);
  return end === null ? undefined : { exitCode: Number(end[1]), stderr: stderr.slice(0, end.index) };
}

// Bytes kept of what comes before the line that begins the script's output.
const keptBefore = 64 * 1024;

/**
 * Takes what a script prints: `push` returns nothing until the line that begins its output, before which a login shell may print
 * something itself. That is in `before`, as long as the script has not begun.
 */
export function payloadOfProgram(nonce: string): { push: (chunk: Buffer) => Buffer | undefined; before: () => string | undefined } {
  const marker = Buffer.from(`begin ${nonce}\n`);
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
