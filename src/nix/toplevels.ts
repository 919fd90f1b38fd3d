import { fileURLToPath } from "node:url";

import { briefReason } from "../domain/errors.js";
import { renderReference } from "../domain/flake-reference.js";
import { outerReference } from "../domain/flake.js";
import type { Checkout, FormerToplevels, Toplevels } from "../machines/ports.js";
import type { EvaluateOptions } from "./evaluate.js";
import { archiveOnRunner } from "./flake.js";
import { entries, field, text } from "../domain/json.js";
import { addOuterFlake } from "./outer-flake.js";
import { instantiate, requireOutputs } from "./systems.js";

// With the true ones, system.configurationRevision and the like would differ at every commit; without any, a flake may refuse a dirty
// tree, or fail on a missing attribute.
const sameIdentity = { revision: "1".padStart(40, "0"), lastModified: 1 } as const;

/** Copies a flake and its inputs into the runner's store. `scratch` is a directory for files of a moment. Throws as `archiveOnRunner`. */
export async function checkout(reference: string, scratch: string, options: EvaluateOptions): Promise<Checkout> {
  const { flake, locks, resolved } = await archiveOnRunner(reference, options);
  const identity = { ...sameIdentity, revisionCount: flake.revisionCount === undefined ? undefined : 1 };
  const outer = await addOuterFlake({ ...flake, ...identity }, locks, false, { scratch, signal: options.signal });
  return { pinned: outerReference({ outer }), repository: repositoryOf(resolved) };
}

/**
 * Parses where the work tree is from `resolved` of what `nix flake metadata --json` prints:
 *
 *     {"dir":"nixos","shallow":true,"type":"git","url":"file:///home/runner/work/machines/machines"}
 */
export function repositoryOf(resolved: unknown): Checkout["repository"] {
  const url = text(field(resolved, "url"));
  if (field(resolved, "type") !== "git" || url?.startsWith("file:") !== true) return undefined;
  const kept = entries(resolved).flatMap(([name, value]) => {
    if (["type", "url", "ref", "rev"].includes(name)) return [];
    if (typeof value === "boolean") return [[name, value ? "1" : "0"] as const];
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return {
    directory: fileURLToPath(url),
    referenceAt: (commit) => renderReference(`git+${url}`, { ...Object.fromEntries(kept), rev: commit }),
  };
}

/**
 * Instantiates the systems of these configurations. `reference` is one of `checkout`, `where` ends the lines of progress. One that does not
 * evaluate does not hide the others.
 */
export async function toplevels(reference: string, configurations: readonly string[], options: EvaluateOptions, where = ""): Promise<Toplevels> {
  const count = new Set(configurations).size;
  const systems = await instantiate(reference, configurations, options, {
    onProgress: (done) => options.onLine(`evaluated ${done} of ${count}${where}`),
  });
  return new Map(configurations.map((name) => [name, systems.get(name)?.derivation]));
}

/** Instantiates the systems that a former commit had, unless its source is the present one. Throws only for an abort. */
export async function formerToplevels(
  present: Checkout,
  former: { readonly reference: string; readonly scratch: string },
  configurations: readonly string[],
  options: EvaluateOptions,
): Promise<FormerToplevels> {
  try {
    const { pinned } = await checkout(former.reference, former.scratch, options);
    if (pinned === present.pinned) return { kind: "same" };
    // What fails for no configuration at all is the flake's own fault, and is not looked for in each.
    await requireOutputs(pinned, options);
    return { kind: "toplevels", toplevels: await toplevels(pinned, configurations, options, " as they were") };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { kind: "none", reason: briefReason(error).replace(/^(?:the flake does not evaluate|error): /, "") };
  }
}
