import { tmpdir } from "node:os";

/** The directory for files of this job, which the runner clears; the system's own where the runner names none. */
export function runnerTemp(): string {
  return process.env["RUNNER_TEMP"] || tmpdir();
}
