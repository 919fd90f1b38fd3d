import * as core from "@actions/core";

/** The text of an input as the workflow sets it, empty where it sets none. */
export function readInput(name: string): string {
  return core.getInput(name, { trimWhitespace: false });
}

/** Makes the runner mask the text in logs. */
export function maskSecret(secret: string): void {
  core.setSecret(secret);
}
