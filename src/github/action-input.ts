import * as core from "@actions/core";

/** The text of an input as the workflow has it, empty where there is none. */
export function readInput(name: string): string {
  return core.getInput(name, { trimWhitespace: false });
}

/** Has the runner replace the text wherever a log would show it. */
export function maskSecret(secret: string): void {
  core.setSecret(secret);
}
