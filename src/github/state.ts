import * as core from "@actions/core";

const key = "identity-directory";

/** The path of the private directory, as it goes from the main step to the post step. */
export const identityState = {
  save: (directory: string): void => core.saveState(key, directory),
  /** Empty when the main step has made none. */
  load: (): string => core.getState(key),
};
