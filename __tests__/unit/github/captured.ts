/** What the work writes to standard output, the runner's way to hear from us. */
export function captured(work: () => void): string {
  const { chunks, stop } = capture();
  try {
    work();
  } finally {
    stop();
  }
  return chunks.join("");
}

/** The same for work that takes its time. */
export async function capturedAsync(work: () => Promise<void>): Promise<string> {
  const { chunks, stop } = capture();
  try {
    await work();
  } finally {
    stop();
  }
  return chunks.join("");
}

function capture(): { chunks: string[]; stop: () => unknown } {
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  const chunks: string[] = [];
  stdout.write = (chunk: Uint8Array | string, ...rest: readonly unknown[]): boolean => {
    chunks.push(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
    const taken = rest.at(-1);
    if (typeof taken === "function") process.nextTick(taken);
    return true;
  };
  return { chunks, stop: () => (stdout.write = write) };
}
