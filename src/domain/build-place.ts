/** Where a system is evaluated or built: what the flake says, else the machine itself; the machine itself; the runner. */
export const buildPlaces = ["auto", "target", "runner"] as const;

export type Place = (typeof buildPlaces)[number];

/**
 * How a machine gets its system: it evaluates and builds it by itself; it builds the derivation that the runner has evaluated; or
 * it receives what the runner has built.
 */
export type Way = "rebuilt-there" | "realised-there" | "built-here";

/** What the inputs say for all machines. */
export type PlaceSettings = { readonly buildOn: Place; readonly evaluateOn: Place };

/**
 * Decides how a machine gets its system. `own` is what its entry in `targets` says, which counts before the input; `flake` what the
 * flake says, which counts after it.
 */
export function wayOf({ buildOn, evaluateOn }: PlaceSettings, own: Place | undefined, flake: Place | undefined): Way {
  const place = [own, buildOn, flake].find((said) => said !== undefined && said !== "auto");
  if (place === "runner") return "built-here";
  return evaluateOn === "runner" ? "realised-there" : "rebuilt-there";
}

/** Tells whether the runner evaluates the system, and so has to know the name of its configuration. */
export function evaluatesHere(way: Way | "built-before"): boolean {
  return evaluated[way];
}

const evaluated: Readonly<Record<Way | "built-before", boolean>> = {
  "rebuilt-there": false,
  "realised-there": true,
  "built-here": true,
  "built-before": false,
};
