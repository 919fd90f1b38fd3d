import { messageOf } from "../domain/errors.js";
import { identityState } from "../github/state.js";
import { WorkflowLog } from "../github/workflow-log.js";
import { endMasters } from "../ssh/connection.js";
import { removeIdentityDirectory } from "../ssh/identity.js";

// Runs after the job, also when the main step was killed: ends the ssh masters and removes the key that are left.
const directory = identityState.load();
if (directory !== "") {
  try {
    await endMasters(directory);
    removeIdentityDirectory(directory);
  } catch (error) {
    new WorkflowLog().annotate("error", "The ssh key may still be on the runner", messageOf(error));
    process.exitCode = 1;
  }
}
