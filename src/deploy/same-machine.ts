import { DeployError } from "../domain/errors.js";
import { displayTarget, type Target } from "../domain/target.js";

/**
 * Knows which machines the targets of a run have turned out to be. The first target that comes to a machine has it; one that
 * comes later is refused at once, and the first is not to be activated either: nobody knows which of the two is meant.
 */
export class MachinesOfRun {
  readonly #owners = new Map<string, Target>();
  readonly #rivals = new Map<Target, Target>();

  /** Takes a machine for a target. Throws a `DeployError` where another target has it. */
  claim(target: Target, identity: string | undefined): void {
    if (identity === undefined) return;
    const owner = this.#owners.get(identity) ?? target;
    this.#owners.set(identity, owner);
    if (owner === target) return;
    if (!this.#rivals.has(owner)) this.#rivals.set(owner, target);
    throw sameMachine(owner);
  }

  /** What stands against the activation of a target whose machine another one has come to as well. */
  objection(target: Target): DeployError | undefined {
    const rival = this.#rivals.get(target);
    return rival === undefined ? undefined : sameMachine(rival);
  }
}

function sameMachine(other: Target): DeployError {
  return new DeployError({
    phase: "connect",
    reason: `this is the same machine as ${other.name} (${displayTarget(other)}); one run can deploy only one configuration per machine`,
    hint: "Nothing was activated on it. Remove one of the two targets",
    topic: "same-machine",
  });
}
