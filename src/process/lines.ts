import { StringDecoder } from "node:string_decoder";

// A line without an end must not fill the memory: progress bars and binary output have such lines.
const longestLine = 16_384;

/** Cuts a stream of bytes into lines. A CR, a LF and both together end a line; a very long line is cut in pieces. */
export type LineCutter = {
  readonly push: (chunk: Buffer) => void;
  /** Passes on the last line if it has no line ending. */
  readonly end: () => void;
};

/** Creates a cutter that passes each line, without its line ending, to `onLine`. */
export function lineCutter(onLine: (line: string) => void): LineCutter {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const give = (line: string): void => {
    for (let begin = 0; begin === 0 || begin < line.length; begin += longestLine) onLine(line.slice(begin, begin + longestLine));
  };
  const take = (text: string): void => {
    // A CR at the very end may be the first half of CRLF: it waits for what comes next.
    const parts = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = parts.pop() ?? "";
    for (const part of parts) give(part);
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
      if (last !== "") onLine(last);
    },
  };
}
