import type { CopyProgress } from "../domain/copy-progress.js";
import { outerReference, type SentFlake } from "../domain/flake.js";
import type { StorePath } from "../domain/store-path.js";
import type { ConnectedMachine, SentPaths } from "./ports.js";

/** The phases in which a machine gets a system; each is logged, timed, and tried again as its kind is. */
export type SystemSteps = {
  readonly configuration: string;
  /** Sends what the machine lacks; again over a new connection when the network fails. */
  copy(send: (machine: ConnectedMachine) => Promise<CopyProgress>): Promise<void>;
  /** Builds on the machine. Returns the toplevel. */
  build(work: (machine: ConnectedMachine) => Promise<StorePath>): Promise<StorePath>;
};

/** How a system of the flake gets into the store of one machine. Everything after that is the same for all. */
export type SystemSource = {
  /** The machine needs the memory of an evaluation. */
  readonly evaluatesOnMachine: boolean;
  /** Returns the toplevel, which the machine has then. Throws a `DeployError`, or a `NoFlakeError`. */
  obtain(steps: SystemSteps, signal: AbortSignal): Promise<StorePath>;
};

/** The machine gets the flake, and its own nixos-rebuild evaluates and builds it. */
export function rebuiltThere(flake: Promise<SentFlake>): SystemSource {
  return {
    evaluatesOnMachine: true,
    obtain: async (steps, signal) => {
      const sent = await flake;
      const rebuild = { reference: outerReference(sent), configuration: steps.configuration };
      await steps.copy(async (machine) => await machine.copyFlake(sent, signal));
      return await steps.build(async (machine) => await machine.build(rebuild, signal));
    },
  };
}

/** The runner has evaluated the system, and the machine builds its derivation. `beside` is sent too. */
export function realisedThere(derivation: StorePath, beside: readonly StorePath[]): SystemSource {
  const paths: SentPaths = { closures: beside, derivations: [derivation] };
  return {
    evaluatesOnMachine: false,
    obtain: async (steps, signal) => {
      await steps.copy(async (machine) => await machine.copyPaths(paths, signal));
      return await steps.build(async (machine) => await machine.realise(derivation, steps.configuration, signal));
    },
  };
}

/** The runner has built the system, and the machine only receives it. `beside` is sent too. */
export function builtHere(toplevel: StorePath, beside: readonly StorePath[]): SystemSource {
  const paths: SentPaths = { closures: [toplevel, ...beside], derivations: [] };
  return {
    evaluatesOnMachine: false,
    obtain: async (steps, signal) => {
      await steps.copy(async (machine) => await machine.copyPaths(paths, signal));
      return toplevel;
    },
  };
}
