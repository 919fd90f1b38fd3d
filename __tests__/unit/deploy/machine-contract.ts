import { expect } from "@jest/globals";

import type { Activation, ArmedMachine, ConnectedMachine, Machine, SystemState } from "../../../src/deploy/ports.js";
import { outerReference, type SentFlake } from "../../../src/domain/flake.js";
import type { CopyProgress } from "../../../src/domain/copy-progress.js";
import { DeployError } from "../../../src/domain/errors.js";
import type { Operation } from "../../../src/domain/operation.js";
import type { StorePath } from "../../../src/domain/store-path.js";
import { rejection } from "../failure-of.js";
import { makeSafety } from "./fake-machine.js";

/** What a clause of the contract is tested with. */
export type Subject = {
  /** A machine of a run of its own. The machine itself runs what the clause before has left. */
  readonly machine: Machine;
  /** What the machine runs and boots before the first clause. */
  readonly old: StorePath;
  /** A flake that the machine does not have, its configuration for the machine, and the system that this is. */
  readonly sent: SentFlake;
  readonly configuration: string;
  readonly built: StorePath;
};

const { signal } = new AbortController();
const { limits } = makeSafety({ limits: { activation: 60, confirm: 30, settle: 0, healthCheck: 5, lock: 10 } });

/** Connects in a run of its own, and ends the run. */
async function inRun<T>({ machine }: Subject, work: (machine: ConnectedMachine) => Promise<T>): Promise<T> {
  try {
    return await work(await machine.connect(signal));
  } finally {
    await machine.release("decided");
  }
}

async function stateOf(subject: Subject): Promise<SystemState> {
  return await inRun(subject, async ({ facts }) => await Promise.resolve(facts.state));
}

async function armed(subject: Subject, operation: Operation, toplevel: StorePath, work: (armed: ArmedMachine) => Promise<void>): Promise<void> {
  const system = { toplevel, running: toplevel, generation: undefined };
  const activation: Activation = { operation, system, installBootLoader: false, guarded: true, limits };
  await inRun(subject, async (machine) => await work(await machine.arm(activation, signal)));
}

async function send(subject: Subject): Promise<CopyProgress> {
  return await inRun(subject, async (machine) => await machine.copyFlake(subject.sent, signal));
}

/**
 * What src/deploy relies on of a machine, in this order: each clause begins with what the one before has left. The fake machine of the
 * unit tests and the real one must pass them alike. A clause asks for a new subject where it begins another run.
 */
export const machineContract: readonly { readonly title: string; readonly holds: (subject: () => Subject) => Promise<void> }[] = [
  {
    title: "connecting tells what runs and what boots, and changes nothing",
    holds: async (subject) => {
      const { old } = subject();
      const [first, second] = [await stateOf(subject()), await stateOf(subject())];
      expect(first).toMatchObject({ running: old, profile: old, failedUnits: [] });
      expect(second).toEqual(first);
    },
  },

  {
    title: "a flake that is sent arrives, and is not sent again",
    holds: async (subject) => {
      const before = await stateOf(subject());
      const [first, again] = [await send(subject()), await send(subject())];
      expect(first.paths).toBeGreaterThan(0);
      expect(first.expectedPaths).toBe(first.paths);
      expect(again).toMatchObject({ paths: 0, expectedPaths: 0 });
      expect(await stateOf(subject())).toEqual(before);
    },
  },

  {
    title: "a build of the flake makes the system, and changes neither what runs nor the profile",
    holds: async (subject) => {
      const { sent, configuration, built } = subject();
      const before = await stateOf(subject());
      const build = async (machine: ConnectedMachine): Promise<StorePath> => {
        await machine.copyFlake(sent, signal);
        return await machine.build({ reference: outerReference(sent), configuration }, signal);
      };
      expect(await inRun(subject(), build)).toBe(built);
      // What is built already is built again by another run, and found.
      expect(await inRun(subject(), build)).toBe(built);
      expect(await stateOf(subject())).toEqual(before);
    },
  },

  {
    title: "a build of a configuration that does not exist fails in its phase, and changes nothing",
    holds: async (subject) => {
      const { sent } = subject();
      const before = await stateOf(subject());
      const failure = await inRun(subject(), async (machine) => {
        await machine.copyFlake(sent, signal);
        return await rejection(DeployError, machine.build({ reference: outerReference(sent), configuration: "unknown" }, signal));
      });
      expect(failure).toMatchObject({ phase: "build", unreachable: false });
      expect(await stateOf(subject())).toEqual(before);
    },
  },

  {
    title: "a machine that has rested can be armed, and nothing has changed",
    holds: async (subject) => {
      const { old, built } = subject();
      const before = await stateOf(subject());
      const system = { toplevel: built, running: built, generation: undefined };
      await inRun(subject(), async (machine) => {
        machine.rest();
        const rested = await machine.arm({ operation: "switch", system, installBootLoader: false, guarded: true, limits }, signal);
        expect(rested.before).toMatchObject({ running: old, profile: old });
        expect(await rested.drop(signal)).toMatchObject({ running: old, profile: old });
      });
      expect(await stateOf(subject())).toEqual(before);
    },
  },

  {
    title: "a switch runs the new system and leaves the profile until it is kept; a rollback brings the old one back",
    holds: async (subject) => {
      const { old, built } = subject();
      const before = await stateOf(subject());
      await armed(subject(), "switch", built, async (machine) => {
        expect(machine.before).toMatchObject({ running: old, profile: old });
        expect(await machine.activate(signal)).toMatchObject({ exitCode: 0, end: "ended", causes: [], after: { running: built, profile: old } });
        expect(await machine.reach(signal)).toMatchObject({ running: built, profile: old });
        expect(await machine.rollBack(signal)).toMatchObject({ exitCode: 0, foreign: false, causes: [], state: { running: old, profile: old } });
      });
      expect(await stateOf(subject())).toMatchObject({ running: old, profile: old, generation: before.generation });
    },
  },

  {
    title: "a boot changes the profile and not what runs",
    holds: async (subject) => {
      const { old, built } = subject();
      const before = await stateOf(subject());
      await armed(subject(), "boot", built, async (machine) => {
        expect(await machine.activate(signal)).toMatchObject({ exitCode: 0, end: "ended", after: { running: old, profile: built } });
        expect(await machine.reach(signal)).toMatchObject({ running: old, profile: built });
        expect(await machine.rollBack(signal)).toMatchObject({ exitCode: 0, foreign: false, state: { running: old, profile: old } });
      });
      expect(await stateOf(subject())).toMatchObject({ running: old, profile: old, generation: before.generation });
    },
  },

  {
    title: "a test that is kept changes what runs and not the profile",
    holds: async (subject) => {
      const { old, built } = subject();
      await armed(subject(), "test", built, async (machine) => {
        expect(await machine.activate(signal)).toMatchObject({ exitCode: 0, end: "ended", after: { running: built, profile: old } });
        expect(await machine.reach(signal)).toMatchObject({ running: built });
        expect(await machine.keep(signal)).toMatchObject({ kind: "done", state: { running: built, profile: old } });
      });
      expect(await stateOf(subject())).toMatchObject({ running: built, profile: old });
    },
  },

  {
    title: "a switch that is kept has a generation more",
    holds: async (subject) => {
      const { built } = subject();
      const before = await stateOf(subject());
      const generation = (before.generation ?? 0) + 1;
      await armed(subject(), "switch", built, async (machine) => {
        expect(machine.before).toMatchObject({ running: built });
        expect(await machine.activate(signal)).toMatchObject({ exitCode: 0, after: { running: built, profile: before.profile } });
        expect(await machine.reach(signal)).toMatchObject({ running: built });
        expect(await machine.checkHealth("true", 5, signal)).toBeUndefined();
        expect(await machine.keep(signal)).toMatchObject({ kind: "done", state: { running: built, profile: built, generation } });
      });
      expect(await stateOf(subject())).toMatchObject({ running: built, profile: built, generation, bootId: before.bootId });
    },
  },
];
