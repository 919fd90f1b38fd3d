import { CommandError } from "../domain/errors.js";

/** The result for a name: a value, or an error and the names that were evaluated together. */
export type Evaluated<T> = { readonly value: T } | { readonly error: CommandError; readonly together: readonly string[] };

export type EvaluatedEach<T> = ReadonlyMap<string, Evaluated<T>>;

// Evaluating a large fleet takes minutes: an error that all machines share is not searched for in each of them.
const mostEvaluations = 60;

/**
 * Evaluates all names at once, and if that fails, in halves, until each failing name is alone. Nix ends an evaluation at the first
 * missing attribute, abort or infinite recursion (`builtins.tryEval` catches none of them), and one such machine must not hide
 * the others. After 60 evaluations, a group that still fails as a whole is not divided any further.
 */
export async function evaluateEach<T>(
  names: readonly string[],
  evaluate: (names: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): Promise<EvaluatedEach<T>> {
  const found = new Map<string, Evaluated<T>>();
  const groups: (readonly string[])[] = names.length === 0 ? [] : [names];
  let evaluations = 0;
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
    try {
      evaluations += 1;
      const values = await evaluate(group);
      for (const [name, value] of values) found.set(name, { value });
    } catch (error) {
      if (!(error instanceof CommandError) || !isOfTheEvaluation(error)) throw error;
      if (group.length === 1 || evaluations + groups.length + 2 > mostEvaluations) for (const name of group) found.set(name, { error, together: group });
      else groups.push(group.slice(0, group.length / 2), group.slice(group.length / 2));
    }
  }
  return new Map(
    names.flatMap((name) => {
      const one = found.get(name);
      return one === undefined ? [] : [[name, one] as const];
    }),
  );
}

function isOfTheEvaluation({ failure }: CommandError): boolean {
  // A stack overflow or a lack of memory ends with a signal.
  return failure.kind === "exit" || failure.kind === "signal";
}
