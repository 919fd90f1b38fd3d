import { InputError, messageOf } from "../domain/errors.js";
import { maskSecret } from "../github/action-input.js";
import { identityState } from "../github/state.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import { endMasters } from "../ssh/connection.js";
import { makeIdentityDirectory, removeIdentityDirectory, writeIdentity, writtenKey, type Identity } from "../ssh/identity.js";
import { secretLines } from "../ssh/key.js";

/** The private directory of a run, from its making to its removal: the identity, and what is left nowhere when the run is killed. */
export class RunIdentity {
  readonly #log: WorkflowLog;
  #directory: string | undefined;

  constructor(log: WorkflowLog) {
    this.#log = log;
  }

  /** The path of the directory, which is made with the first use. Throws an `Error` when it cannot be. */
  get directory(): string {
    if (this.#directory === undefined) {
      this.#directory = makeIdentityDirectory(process.env["RUNNER_TEMP"]);
      // Before anything is written into it, so that the post step finds it even when this process is killed.
      identityState.save(this.#directory);
    }
    return this.#directory;
  }

  /** Writes the identity into the directory. Throws an `InputError` for a key that ssh cannot use. */
  async install(identity: Identity): Promise<void> {
    const check = await writeIdentity(this.directory, identity);
    if (check.kind === "unusable") throw new InputError([{ input: "ssh-key", problem: check.problem, topic: check.topic }]);
    if (identity.passphrase !== undefined) for (const line of secretLines(writtenKey(this.directory))) maskSecret(line);
  }

  /** Ends the ssh masters, then removes the key with their sockets. Never throws. */
  async remove(): Promise<void> {
    if (this.#directory !== undefined) await removeIdentity(this.#directory, this.#log);
  }
}

/** Ends the ssh masters of a private directory and removes it. Returns whether that succeeded; where not, it is reported. */
export async function removeIdentity(directory: string, log: WorkflowLog): Promise<boolean> {
  try {
    await endMasters(directory);
    removeIdentityDirectory(directory);
    return true;
  } catch (error) {
    log.annotate("error", "The ssh key may still be on the runner", messageOf(error));
    return false;
  }
}
