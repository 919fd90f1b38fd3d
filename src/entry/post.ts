import { identityState } from "../github/state.js";
import { WorkflowLog } from "../github/workflow-log.js";
import { removeIdentity } from "./run-identity.js";

/**
 * Runs after the job, also when the main step was killed: ends the ssh masters and removes the key that are left. Returns the exit code.
 */
export async function run(): Promise<number> {
  const log = new WorkflowLog();
  const directory = identityState.load();
  const isRemoved = directory === "" || (await removeIdentity(directory, log));
  await log.written();
  return isRemoved ? 0 : 1;
}
