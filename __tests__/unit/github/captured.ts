/** What the work writes to standard output, the runner's way to hear from us. */
export function captured(work: () => void): string {
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  const chunks: string[] = [];
  stdout.write = (chunk: Uint8Array | string): boolean => {
    chunks.push(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
    return true;
  };
  try {
    work();
  } finally {
    stdout.write = write;
  }
  return chunks.join("");
}
