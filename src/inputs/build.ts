import { attributeOf } from "../domain/configuration.js";
import { buildOptions } from "../nix/build-options.js";
import { companionInputNames, parseCompanionInputs, type CompanionInputs } from "./companion.js";
import { parseArguments } from "./single-inputs.js";

/** Every input of the companion action, by its name in `build/action.yml`. */
export const buildInputNames = [...companionInputNames, "build-args"] as const;

export type BuildInputName = (typeof buildInputNames)[number];

/** The inputs of the companion action, checked. Explicit targets name their configurations. */
export type BuildInputs = CompanionInputs & { readonly buildArgs: readonly string[] };

/** Parses the inputs. Throws an `InputError` that names every bad one. */
export function parseBuildInputs(read: (name: BuildInputName) => string): BuildInputs {
  return parseCompanionInputs(["build-args"], read, ({ refusing }, { targets }) => {
    const unnamed = targets.filter(({ request }) => attributeOf(request.configuration) === undefined);
    if (unnamed.length > 0) {
      const names = unnamed.map(({ name }) => name).join(", ");
      refusing("targets")(`gives no configuration for ${names}, whose hostnames are unknown because no machine is contacted; expected host#configuration`);
    }
    return { buildArgs: parseArguments(read("build-args"), buildOptions, refusing("build-args")) };
  });
}
