/** Runs an entry point and ends the process with its exit code: whatever still holds the process open has nothing more to report. */
export async function start(run: () => Promise<number>): Promise<never> {
  process.exit(await run());
}
