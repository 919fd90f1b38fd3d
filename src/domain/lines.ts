// As many as an error message shows.
const shownLines = 20;

/** The last 20 lines, or as many as are asked for, of what a command printed, without blank ones. */
export function lastLines(text: string, most = shownLines): string[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .slice(-most);
}
