import { stripVTControlCharacters } from "node:util";

/** The text as one line without control characters and terminal sequences. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\t]/gu, " ");
}
