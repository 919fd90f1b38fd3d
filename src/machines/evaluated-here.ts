import { evaluatesHere } from "../domain/build-place.js";
import { isProfile } from "../domain/configuration.js";
import type { Target } from "../domain/target.js";
import type { MadeSystems, WantedSystem } from "./ports.js";

/** Returns whether the runner evaluates a system: also one that its machine builds, where only that tells which one is meant. */
export function isEvaluatedHere({ way, configuration }: Pick<WantedSystem, "way" | "configuration">): boolean {
  return evaluatesHere(way) || (way !== "built-before" && isProfile(configuration));
}

/**
 * Says how machines of deploy-rs get the system in their profile. That of the configuration with the node's name can be rebuilt there;
 * of any other, the machine builds the derivation.
 */
export function withProfiles(wanted: ReadonlyMap<string, WantedSystem>, made: MadeSystems | undefined): ReadonlyMap<string, WantedSystem> {
  return new Map(
    [...wanted].map(([name, one]): [string, WantedSystem] => {
      const isOther = isProfile(one.configuration) && configurationOf(one, made) === undefined;
      return [name, isOther && one.way === "rebuilt-there" ? { ...one, way: "realised-there" } : one];
    }),
  );
}

/** The target with the configuration whose system is in its profile. */
export function withConfiguration<T extends Target>(target: T, wanted: ReadonlyMap<string, WantedSystem>, made: MadeSystems | undefined): T {
  const one = wanted.get(target.name);
  const name = one === undefined || !isProfile(one.configuration) ? undefined : configurationOf(one, made);
  return name === undefined ? target : { ...target, configuration: { kind: "nixos", name } };
}

function configurationOf({ configuration = "" }: WantedSystem, made: MadeSystems | undefined): string | undefined {
  return made?.systems.get(configuration)?.configuration;
}
