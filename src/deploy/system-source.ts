import type { CopyProgress } from "../domain/copy-progress.js";
import { DeployError } from "../domain/errors.js";
import { outerReference, type SentFlake } from "../domain/flake.js";
import type { StorePath } from "../domain/store-path.js";
import type { ConnectedMachine, SentPaths } from "./ports.js";

/** The phases in which a machine gets a system; each is logged, timed, and tried again as its kind is. */
export type SystemSteps = {
  /** Sends what the machine lacks; again over a new connection when the network fails. */
  copy(send: (machine: ConnectedMachine) => Promise<CopyProgress>): Promise<void>;
  /** Builds on the machine. Returns the toplevel. */
  build(work: (machine: ConnectedMachine) => Promise<StorePath>): Promise<StorePath>;
};

/**
 * How a system gets into the store of one machine: `obtain` returns the toplevel, which the machine has then. Throws a `DeployError`, or a
 * `NoFlakeError`. Everything after that is the same for all. A machine that evaluates needs the memory for it, and the name of its
 * configuration.
 */
export type SystemSource =
  | {
      readonly evaluatesOnMachine: true;
      /** Returns the flake that is to be sent, if it is known. */
      readonly next: () => SentFlake | undefined;
      obtain(steps: SystemSteps, configuration: string, signal: AbortSignal): Promise<StorePath>;
    }
  | { readonly evaluatesOnMachine: false; obtain(steps: SystemSteps, signal: AbortSignal): Promise<StorePath> };

/** The store of the runner. */
export type RunnerStore = {
  has(path: StorePath): Promise<boolean>;
  /** Downloads a path from the runner's own binary caches. Returns the last lines of Nix where they do not have it. */
  download(path: StorePath): Promise<readonly string[] | undefined>;
};

/** The machine gets the flake, and its own nixos-rebuild evaluates and builds it. */
export function rebuiltThere(flake: Promise<SentFlake>): SystemSource {
  let known: SentFlake | undefined;
  void flake.then(
    (sent) => (known = sent),
    // What waits for it hears of that.
    () => undefined,
  );
  return {
    evaluatesOnMachine: true,
    next: () => known,
    obtain: async (steps, configuration, signal) => {
      const sent = await flake;
      const rebuild = { reference: outerReference(sent), configuration };
      await steps.copy(async (machine) => await machine.copyFlake(sent, signal));
      return await steps.build(async (machine) => await machine.build(rebuild, signal));
    },
  };
}

/** The runner has evaluated the system, and the machine builds its derivation. `beside` is sent too. */
export function realisedThere(derivation: StorePath, configuration: string, beside: readonly StorePath[]): SystemSource {
  const paths: SentPaths = { closures: beside, derivations: [derivation] };
  return {
    evaluatesOnMachine: false,
    obtain: async (steps, signal) => {
      await steps.copy(async (machine) => await machine.copyPaths(paths, signal));
      return await steps.build(async (machine) => await machine.realise(derivation, configuration, signal));
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

/**
 * The system was built before the run. What the runner has, it sends; else the machine downloads it from its own binary caches where
 * `substitutes`; else the runner downloads and sends it.
 */
export function builtBefore(toplevel: StorePath, runner: RunnerStore, { substitutes }: { readonly substitutes: boolean }): SystemSource {
  return {
    evaluatesOnMachine: false,
    obtain: async (steps, signal) => {
      await steps.copy(async (machine) => {
        const copied = await bring(toplevel, runner, machine, substitutes, signal);
        await machine.requireSystem(toplevel, signal);
        return copied;
      });
      return toplevel;
    },
  };
}

async function bring(toplevel: StorePath, runner: RunnerStore, machine: ConnectedMachine, substitutes: boolean, signal: AbortSignal): Promise<CopyProgress> {
  const send = async (): Promise<CopyProgress> => await machine.copyPaths({ closures: [toplevel], derivations: [] }, signal);
  if (await runner.has(toplevel)) return await send();
  const there = substitutes ? await machine.download(toplevel, signal) : undefined;
  if (there?.kind === "downloaded") return there.copied;
  const here = await runner.download(toplevel);
  if (here === undefined) return await send();
  const lines = [...(there === undefined ? [] : ["On the machine:", ...there.lines.slice(-mostLines)]), "On the runner:", ...here.slice(-mostLines)];
  throw new DeployError({
    phase: "copy",
    reason: `${toplevel} is not in the store of the runner, and could not be downloaded ${there === undefined ? "there" : "by the machine or the runner"}`,
    hint: "Push the system to a binary cache after it was built, and have the machine or the runner use this cache (substituters and trusted-public-keys in nix.conf)",
    outcome: "Nothing has changed on the machine",
    lines,
    topic: "system-not-found",
  });
}

// Of each of both sides: a failure shows 20.
const mostLines = 9;
