/** As many lines of a command's output as an error message shows. */
export const shownLines = 20;

/** The last lines of a command's output without blank ones, by default 20. */
export function lastLines(text: string, most = shownLines): string[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .slice(-most);
}
