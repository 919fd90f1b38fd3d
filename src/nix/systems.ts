import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

import { CommandError } from "../domain/errors.js";
import { mapLimited } from "../domain/map-limited.js";
import { storePath, type StorePath } from "../domain/store-path.js";
import { evaluateEach } from "./evaluate-each.js";
import { type EvaluationRoom, planEvaluation } from "./evaluation-groups.js";
import { applyToFlake, type EvaluateOptions } from "./evaluate.js";
import { field, objectOf, text, texts } from "../domain/json.js";
import { runNixStore } from "./nix-command.js";
import { isOwnActivation, readActivation } from "./profile-activation.js";

/** A system that was instantiated on the runner, and not built. */
export type InstantiatedSystem = {
  readonly derivation: StorePath;
  /** What the derivation builds. */
  readonly toplevel: StorePath;
  /** Nix's name of the platform that builds it: `x86_64-linux`. */
  readonly platform: string | undefined;
  /** For a node of deploy-rs: the attribute of `nixosConfigurations` whose system is in its profile, if it has the node's name. */
  readonly configuration?: string | undefined;
  /** The profile has a script of its own to activate it, which does something else than to switch to the system. */
  readonly ownActivation?: boolean;
};

/** Why there is no system: the flake has no such configuration, or it does not evaluate, in Nix's words. */
export type NoSystem =
  | { readonly kind: "missing"; readonly configurations: readonly string[] }
  /** The profile of a node of deploy-rs has no system of NixOS, or more than one: what it has instead. */
  | { readonly kind: "foreign"; readonly contains: string }
  | {
      readonly kind: "broken";
      readonly lines: readonly string[];
      /** With how many others it was evaluated when that failed. */
      readonly together: number;
    };

export type Systems = ReadonlyMap<string, InstantiatedSystem>;

/** What is said of a configuration whose system could not be instantiated. */
export type OnNoSystem = (configuration: string, why: NoSystem) => void;

// Configurations whose error Nix is asked for one by one.
const mostExplained = 8;

type Answer = { readonly names: readonly string[]; readonly systems: ReadonlyMap<string, unknown> };

/**
 * Instantiates the systems of these configurations, each once and as `nixos-rebuild` would, in groups, as many at a time as cores and
 * memory allow. One that does not evaluate does not hide the others: it is missing in what is returned, and `onNoSystem` hears why.
 * `onProgress` hears how many are done.
 */
export async function instantiate(
  reference: string,
  wanted: readonly string[],
  options: EvaluateOptions,
  hears: { readonly onNoSystem?: OnNoSystem; readonly onProgress?: (done: number) => void } = {},
  room: EvaluationRoom = roomHere(),
): Promise<Systems> {
  // Machines may share one.
  const configurations = [...new Set(wanted)];
  const found = new Map<string, InstantiatedSystem>();
  let explained = 0;
  let done = 0;
  let ofOutputs: Promise<unknown> | undefined;
  // What ends all of it: no further process is started then, and those that run are waited for.
  let fault: unknown;
  const { groups, parallel } = planEvaluation(configurations, room);

  const evaluateGroup = async (group: readonly string[]): Promise<void> => {
    let names: readonly string[] = [];
    const evaluated = await evaluateEach(group, async (some) => {
      try {
        const answer = await ask(reference, some, true, options);
        ({ names } = answer);
        return answer.systems;
      } catch (error) {
        // What fails for no configuration at all is an error of the flake itself, and is not looked for in each.
        if (hears.onNoSystem !== undefined) {
          ofOutputs = ofOutputs ?? errorOfOutputs(reference, options);
          fault = fault ?? (await ofOutputs);
        }
        if (fault === undefined) throw error;
        return new Map<string, unknown>();
      }
    });
    if (fault !== undefined) return;
    for (const name of group) {
      const one = evaluated.get(name);
      const system = one !== undefined && "value" in one ? parseSystem(one.value) : undefined;
      if (system !== undefined) found.set(name, system);
      else if (hears.onNoSystem === undefined || one === undefined) continue;
      else if ("error" in one) hears.onNoSystem(name, broken(one.error, one.together.length));
      else if (one.value !== null) hears.onNoSystem(name, absent(one.value, names));
      else hears.onNoSystem(name, (explained += 1) <= mostExplained ? await askAgain(reference, name, options) : broken(undefined, 1));
    }
    done += group.length;
    hears.onProgress?.(done);
  };

  await mapLimited(groups, parallel, async (group) => {
    if (fault !== undefined) return;
    await evaluateGroup(group).catch((error: unknown) => (fault = fault ?? error));
  });
  if (fault !== undefined) throw fault;
  // In the order of the configurations, whichever group ended first.
  return new Map(
    configurations.flatMap((name) => {
      const system = found.get(name);
      return system === undefined ? [] : [[name, system] as const];
    }),
  );
}

/** Evaluates the outputs of a flake and none of its systems. Throws as `applyToFlake`. */
export async function requireOutputs(reference: string, options: EvaluateOptions): Promise<void> {
  await ask(reference, [], true, options);
}

/** Returns the error of the outputs, if there is one. */
async function errorOfOutputs(reference: string, options: EvaluateOptions): Promise<unknown> {
  try {
    await requireOutputs(reference, options);
    return undefined;
  } catch (error) {
    return error;
  }
}

function roomHere(): EvaluationRoom {
  return { cores: availableParallelism(), memory: process.availableMemory() };
}

async function ask(reference: string, configurations: readonly string[], careful: boolean, options: EvaluateOptions): Promise<Answer> {
  const expression = readFileSync(new URL("./toplevels.nix", import.meta.url), "utf8");
  const found = await applyToFlake(reference, expression, { configurations, careful }, options);
  const systems = field(found, "systems");
  return {
    names: texts(field(found, "names")),
    systems: new Map(await Promise.all(configurations.map(async (name) => [name, await withOutput(field(systems, name), options)] as const))),
  };
}

/** Adds what the expression could not say of derivations: what one builds, and what the script in a profile does. */
async function withOutput(system: unknown, { signal }: EvaluateOptions): Promise<unknown> {
  const derivation = text(field(system, "derivation"));
  const activation = text(field(system, "activation"));
  const script = text(field(system, "script")) ?? (activation === undefined ? undefined : await readActivation(storePath(activation), signal));
  // One that cannot be read is named as well: it is not run either way.
  const ownActivation = activation !== undefined && (script === undefined || isOwnActivation(script));
  const known = { ...objectOf(system), ownActivation };
  if (derivation === undefined || text(field(system, "output")) !== undefined) return system === null ? system : known;
  const { stdout } = await runNixStore(["--query", "--outputs", derivation], { signal });
  return { ...known, output: stdout.trim() };
}

function absent(value: unknown, configurations: readonly string[]): NoSystem {
  const contains = text(field(value, "contains"));
  return contains === undefined ? { kind: "missing", configurations } : { kind: "foreign", contains };
}

/** Evaluates a system that throws, to hear what. */
async function askAgain(reference: string, name: string, options: EvaluateOptions): Promise<NoSystem> {
  try {
    await ask(reference, [name], false, { ...options, onLine: () => undefined });
    return broken(undefined, 1);
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind === "aborted") throw error;
    return broken(error, 1);
  }
}

function broken(error: CommandError | undefined, count: number): NoSystem {
  const lines = error?.stderr.split("\n") ?? [`only the first ${mostExplained} failures are explained one by one; see their messages`];
  return { kind: "broken", lines, together: count };
}

/** Parses what `toplevels.nix` says of one configuration: `{"derivation":"/nix/store/….drv","output":"/nix/store/…","platform":"x86_64-linux"}` */
function parseSystem(value: unknown): InstantiatedSystem | undefined {
  const derivation = text(field(value, "derivation"));
  const output = text(field(value, "output"));
  if (derivation === undefined || output === undefined) return undefined;
  return {
    derivation: storePath(derivation),
    toplevel: storePath(output),
    platform: text(field(value, "platform")),
    configuration: text(field(value, "configuration")),
    ...(field(value, "ownActivation") === true ? { ownActivation: true } : {}),
  };
}
