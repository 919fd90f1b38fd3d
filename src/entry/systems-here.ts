import type { Failure } from "../domain/failure.js";
import { outerReference, type SentFlake } from "../domain/flake.js";
import type { StorePath } from "../domain/store-path.js";
import { builtBefore, builtHere, realisedThere, rebuiltThere, type RunnerStore, type SystemSource } from "../deploy/system-source.js";
import { isEvaluatedHere } from "../machines/evaluated-here.js";
import type { MadeSystems, WantedSystem } from "../machines/ports.js";
import { buildSystems } from "../nix/build-systems.js";
import type { EvaluateOptions } from "../nix/evaluate.js";
import { buildablePlatforms } from "../nix/platforms.js";
import { buildFailure, evaluationFailure, platformFailure } from "../nix/system-failure.js";
import { instantiate, type InstantiatedSystem } from "../nix/systems.js";

export type HereOptions = EvaluateOptions & {
  readonly buildArgs: readonly string[];
  /** What to do to have a system built by its machine, as part of a sentence. */
  readonly elsewhere: string;
};

/** Evaluates what is evaluated on the runner, then builds what is built there. What does not evaluate or build stops none of the others. */
export async function makeSystems(sent: SentFlake, wanted: readonly WantedSystem[], options: HereOptions): Promise<MadeSystems> {
  const here = wanted.filter(isEvaluatedHere);
  const configurations = namesOf(here);
  const failed = new Map<string, Failure>();
  const systems = await instantiate(outerReference(sent), configurations, options, {
    onNoSystem: (configuration, why) => failed.set(configuration, evaluationFailure(configuration, why)),
    onProgress: (done) => options.onLine(`evaluated ${done} of ${configurations.length}`),
  });
  const build = namesOf(here.filter(({ way }) => way === "built-here"));
  const platforms = build.length === 0 ? undefined : await buildablePlatforms(options.signal);
  const buildable = new Map<string, InstantiatedSystem>();
  for (const configuration of build) {
    const system = systems.get(configuration);
    if (system === undefined) continue;
    const refusal = platformFailure(configuration, system.platform, platforms, options.elsewhere);
    if (refusal === undefined) buildable.set(configuration, system);
    else failed.set(configuration, refusal);
  }
  if (buildable.size > 0) options.onLine(`building ${buildable.size === 1 ? "1 system" : `${buildable.size} systems`} on the runner`);
  const broken = await buildSystems(buildable, { extraArgs: options.buildArgs, signal: options.signal, onLine: options.onLine });
  for (const [configuration, one] of broken) failed.set(configuration, buildFailure(configuration, one, options.elsewhere));
  return { systems, failed };
}

/** What the systems of a run come from. */
export type Sources = {
  /** `flake` and `sent` are the same; there where a system is made of it. */
  readonly flake: Promise<SentFlake> | undefined;
  readonly sent: SentFlake | undefined;
  /** There where the runner evaluates any. */
  readonly made: MadeSystems | undefined;
  readonly runner: RunnerStore;
  /** Whether machines download from their own binary caches. */
  readonly substitutes: boolean;
};

/** The source of a machine's system. */
export function sourceOf(wanted: WantedSystem, { flake, sent, made, runner, substitutes }: Sources): SystemSource {
  switch (wanted.way) {
    case "built-before":
      return builtBefore(wanted.toplevel, runner, { substitutes });
    case "rebuilt-there":
      if (flake === undefined) throw new Error(`no flake is sent for ${wanted.name}`);
      return rebuiltThere(flake);
    case "realised-there":
    case "built-here": {
      const { name, configuration, way } = wanted;
      const system = configuration === undefined ? undefined : made?.systems.get(configuration);
      if (configuration === undefined || system === undefined || sent === undefined) throw new Error(`no system was made for ${name}`);
      // The source of the flake is enough to build the same by hand: its inputs come with flake.lock.
      const beside: StorePath[] = sent.hive ? [sent.flake.source, sent.outer] : [sent.flake.source];
      return way === "built-here" ? builtHere(system.toplevel, beside) : realisedThere(system.derivation, configuration, beside);
    }
  }
}

function namesOf(wanted: readonly WantedSystem[]): string[] {
  return [...new Set(wanted.flatMap(({ configuration }) => configuration ?? []))];
}
