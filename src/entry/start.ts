/** Runs an entry point and ends the process with its exit code: whatever still holds the process open has nothing more to report. */
export async function start(run: () => Promise<number>): Promise<never> {
  // Node looks up each variable in the C library at each reading, and each program that is started gets a copy of all of them: with
  // the 150 variables of a hosted runner, that took milliseconds for each program.
  process.env = { ...process.env };
  process.exit(await run());
}
