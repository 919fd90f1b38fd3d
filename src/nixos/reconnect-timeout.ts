import type { Phase } from "../domain/phase.js";
import type { Limits } from "../deploy/ports.js";

// For a machine to be reachable again after its watchdog has acted: a rollback is an activation, too.
const wayBackSeconds = 60;

/**
 * Seconds for which a lost connection is tried again, by phase: a machine that rolls back on its own answers only afterwards.
 * `connectTimeout` is in seconds too.
 */
export function reconnectTimeout(
  connectTimeout: number,
  { rollback, limits }: { readonly rollback: boolean; readonly limits: Limits },
): (phase: Phase) => number {
  const plain = connectTimeout + wayBackSeconds;
  if (!rollback) return () => plain;
  return (phase) => {
    if (phase === "activate") return plain + limits.activation + limits.confirm;
    return phase === "confirm" || phase === "rollback" ? plain + limits.confirm + limits.settle + limits.healthCheck : plain;
  };
}
