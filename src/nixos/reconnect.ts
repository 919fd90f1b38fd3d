import { setTimeout as sleep } from "node:timers/promises";

import { DeployError } from "../domain/errors.js";
import type { Phase } from "../domain/phase.js";
import type { Connection } from "../ssh/connection.js";
import { RemoteShell, type ScriptCall, type ScriptOutcome } from "./remote-shell.js";

/** A script that ran to its end. */
export type ScriptEnd = Extract<ScriptOutcome, { kind: "ended" }>;

export type Reconnection = {
  readonly phase: Phase;
  /** Seconds in which a lost connection may come back. */
  readonly seconds: number;
  readonly signal: AbortSignal | undefined;
  readonly onLost: (message: string) => void;
};

// Between two tries to connect again, while nothing answers.
const pauseMilliseconds = 1000;

/**
 * Runs a script, again after each loss of the connection until it has run to its end. `call` is evaluated for each attempt, so
 * that a script that shows a log continues where it stopped. For scripts that may safely run twice.
 *
 * Throws a `DeployError` that is `unreachable` when the connection does not come back in time, and the abort's `CommandError`.
 */
export async function runToItsEnd(connection: Connection, shell: RemoteShell, call: () => ScriptCall, reconnection: Reconnection): Promise<ScriptEnd> {
  for (;;) {
    const outcome = await shell.run({ ...call(), signal: reconnection.signal });
    if (outcome.kind === "ended") return outcome;
    reconnection.onLost(`the connection was lost; reconnecting for up to ${reconnection.seconds} s`);
    await reconnect(connection, outcome.cause, reconnection);
    reconnection.onLost("reconnected");
  }
}

/** Calls scripts over a connection that is not made again. A call throws the `CommandError` of a connection that is lost. */
export function callOnce(shell: RemoteShell, signal: AbortSignal): (call: () => ScriptCall) => Promise<ScriptEnd> {
  return async (call) => {
    const outcome = await shell.run({ ...call(), signal });
    if (outcome.kind === "ended") return outcome;
    throw outcome.cause;
  };
}

async function reconnect(connection: Connection, cause: unknown, { phase, seconds, signal }: Reconnection): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown = cause;
  for (;;) {
    try {
      await connection.reopen(signal);
      return;
    } catch (error) {
      if (!(error instanceof DeployError)) throw error;
      if (!error.unreachable) throw new DeployError({ ...partsOf(error), phase });
      last = error;
    }
    if (performance.now() >= deadline) break;
    await sleep(pauseMilliseconds, undefined, { signal }).catch(() => undefined);
  }
  const reason = `the connection was lost and could not be restored within ${seconds} s`;
  throw new DeployError({ phase, reason, lines: last instanceof DeployError ? [last.reason] : [], exitCode: 255, unreachable: true, cause: last });
}

function partsOf({ failure, unreachable, cause }: DeployError): Omit<ConstructorParameters<typeof DeployError>[0], "phase"> {
  const { reason, hint, lines, exitCode, topic } = failure;
  return { reason, hint, lines, exitCode, topic, unreachable, cause };
}
