/** What evaluations may take of the runner. */
export type EvaluationRoom = {
  /** Cores that this process may use. */
  readonly cores: number;
  /** Bytes of memory that can be used without swapping. */
  readonly memory: number;
};

/** Configurations that are evaluated in one process each, and how many of these processes run at a time. */
export type EvaluationPlan = { readonly groups: readonly (readonly string[])[]; readonly parallel: number };

// Of one NixOS configuration of a server, measured: an evaluation keeps every configuration that it has looked into.
const bytesEach = 540 * 2 ** 20;
// What all configurations have in common is evaluated once per process: a group of eight saves most of that.
const mostTogether = 8;

/**
 * Splits configurations into groups of about the same size, so that one process per core evaluates them in an equal time, in the memory
 * that is there. With too little memory for two, each configuration is evaluated alone, one after the other.
 */
export function planEvaluation(configurations: readonly string[], { cores, memory }: EvaluationRoom): EvaluationPlan {
  const fitting = Math.max(1, Math.floor(memory / bytesEach));
  const parallel = Math.max(1, Math.min(cores, fitting, configurations.length));
  const together = Math.max(1, Math.min(mostTogether, Math.floor(fitting / parallel)));
  const rounds = Math.ceil(configurations.length / (together * parallel));
  const count = Math.min(configurations.length, rounds * parallel);
  return { groups: inGroups(configurations, count), parallel };
}

/** Splits a list into so many groups, whose sizes differ by one at most. */
function inGroups(names: readonly string[], count: number): (readonly string[])[] {
  return Array.from({ length: count }, (_, index) => names.slice(Math.floor((index * names.length) / count), Math.floor(((index + 1) * names.length) / count)));
}
