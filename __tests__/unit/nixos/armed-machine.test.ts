import { expect, test } from "@jest/globals";

import type { Activation } from "../../../src/deploy/ports.js";
import { DeployError } from "../../../src/domain/errors.js";
import { GuardedActivation } from "../../../src/nixos/activation.js";
import { ArmedNixosMachine } from "../../../src/nixos/armed-machine.js";
import type { CallScript } from "../../../src/nixos/job.js";
import { makeStorePath } from "../domain/make.js";
import { notesOf } from "./fake-ssh.js";

const system = makeStorePath("nixos-system-new");
const signal = new AbortController().signal;

/** A machine whose watchdog rolls back while it is reached again. */
async function late(confirm: number, reopen: () => Promise<void>): Promise<ArmedNixosMachine> {
  const limits = { activation: 600, confirm, settle: 5, healthCheck: 60, lock: 0 };
  const systems = { toplevel: system, running: system, generation: undefined };
  const activation: Activation = { operation: "switch", system: systems, installBootLoader: false, guarded: true, limits };
  const call: CallScript = async (next) => await Promise.resolve({ kind: "ended", exitCode: next().script === "decide" ? 7 : 0, stdout: "", stderr: "" });
  const log = notesOf([]);
  const guarded = await GuardedActivation.begin(activation, { run: "abc", name: "a run", call, log, signal });
  return new ArmedNixosMachine(guarded, activation, { connection: { reopen }, log, privileged: true, call: () => call });
}

test.each<[string, number, () => Promise<void>, string]>([
  ["whose first connection succeeded after confirm-timeout had a slow login", 0, async () => await Promise.resolve(), "slow-login"],
  ["whose first connection succeeded in time has decided before", 1000, async () => await Promise.resolve(), "late"],
  [
    "that did not answer at first was not reachable",
    0,
    async () => await Promise.reject(new DeployError({ phase: "confirm", reason: "no answer", unreachable: true })),
    "late",
  ],
])("a machine %s", async (_, confirm, reopen, reached) => {
  expect(await (await late(confirm, reopen)).reach(signal)).toBe(reached);
});
