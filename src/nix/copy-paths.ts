import type { CopyProgress } from "../domain/copy-progress.js";
import type { StorePath } from "../domain/store-path.js";
import { CopyWatch, runCopy } from "./copy-progress.js";
import type { SendOptions } from "./send.js";

/** How store paths travel to one machine. */
export type CopyOptions = Omit<SendOptions, "extraArgs"> & {
  /** Whether the machine downloads from its own binary caches what they have. */
  readonly substitute: boolean;
};

/** Paths to copy with what they refer to; a derivation without what it builds. */
export type Closures = { readonly closures: readonly StorePath[]; readonly derivations: readonly StorePath[] };

/**
 * Builds the arguments that copy store paths with their closures to the store of a machine. Without `--derivation`, a path that ends
 * in `.drv` stands for what it builds, up to Nix 2.14.
 */
export function copyArguments(
  paths: readonly StorePath[],
  derivations: boolean,
  options: Pick<CopyOptions, "store" | "checkSignatures" | "substitute">,
): string[] {
  return [
    "copy",
    "--to",
    options.store,
    ...(options.checkSignatures ? [] : ["--no-check-sigs"]),
    ...(options.substitute ? ["--substitute-on-destination"] : []),
    ...(derivations ? ["--derivation"] : []),
    ...paths,
  ];
}

/** Copies store paths of the runner to a machine; what is there already does not travel. Returns what has travelled. Throws a `CommandError`. */
export async function copyPaths({ closures, derivations }: Closures, options: CopyOptions): Promise<CopyProgress> {
  const watches: CopyWatch[] = [];
  options.onBegin(() => sum(watches));
  for (const [paths, ofDerivations] of [
    [closures, false],
    [derivations, true],
  ] as const) {
    if (paths.length === 0) continue;
    const watch = new CopyWatch();
    watches.push(watch);
    await runCopy(copyArguments(paths, ofDerivations, options), watch, options);
  }
  return sum(watches);
}

function sum(watches: readonly CopyWatch[]): CopyProgress {
  const all = watches.map(({ progress }) => progress);
  // The last one runs; Linux has forgotten what the others wrote.
  const bytes = all.at(-1)?.bytes;
  const total = (count: (one: CopyProgress) => number): number => all.reduce((whole, one) => whole + count(one), 0);
  return { paths: total(({ paths }) => paths), expectedPaths: total(({ expectedPaths }) => expectedPaths), bytes };
}
