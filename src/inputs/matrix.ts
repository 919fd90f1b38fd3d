import { companionInputNames, parseCompanionInputs, type CompanionInputs } from "./companion.js";

/** Every input of the companion action, by its name in `matrix/action.yml`. */
export const matrixInputNames = [...companionInputNames, "shards"] as const;

export type MatrixInputName = (typeof matrixInputNames)[number];

/** The inputs of the companion action, checked. */
export type MatrixInputs = CompanionInputs & { readonly shards: number | undefined };

/** Parses the inputs; `mostShards` jobs are possible. Throws an `InputError` that names every bad one. */
export function parseMatrixInputs(read: (name: MatrixInputName) => string, mostShards: number): MatrixInputs {
  return parseCompanionInputs(["shards"], read, ({ number }) => ({ shards: number("shards", mostShards) }));
}
