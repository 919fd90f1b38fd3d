import { DeployError } from "../domain/errors.js";
import { renderTarget, type Target } from "../domain/target.js";

/**
 * Knows which machine each target of a run is. The first target that reaches a machine claims it; a later one is refused
 * immediately, and the first is not activated either: which of the two is meant is unknown.
 */
export class MachinesOfRun {
  readonly #owners = new Map<string, Target>();
  readonly #rivals = new Map<Target, Target>();

  /** Claims a machine for a target. Throws a `DeployError` where another target has claimed it. */
  claim(target: Target, identity: string | undefined): void {
    if (identity === undefined) return;
    const owner = this.#owners.get(identity) ?? target;
    this.#owners.set(identity, owner);
    if (owner === target) return;
    if (!this.#rivals.has(owner)) this.#rivals.set(owner, target);
    throw sameMachine(owner);
  }

  /** The error for a target whose machine another target has reached, too; `undefined` where none has. */
  objection(target: Target): DeployError | undefined {
    const rival = this.#rivals.get(target);
    return rival === undefined ? undefined : sameMachine(rival);
  }
}

function sameMachine(other: Target): DeployError {
  return new DeployError({
    phase: "connect",
    reason: `this is the same machine as ${other.name} (${renderTarget(other)}); one run can deploy only one configuration per machine`,
    hint: "Nothing was activated on it. Remove one of the two targets",
    topic: "same-machine",
  });
}
