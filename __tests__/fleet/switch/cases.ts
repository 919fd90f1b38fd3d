import type { Way } from "./recorded.js";
import { type Scenario, scenarios } from "./scenarios.js";

/** A scenario and the way in which it is switched to. */
export type Case = Scenario & { readonly way: Way; readonly index: number };

// Those where `switch` and `boot` do something that `test` does not, and one for each exit code that a nixos-rebuild passes on or replaces.
const decisive: Readonly<Record<Exclude<Way, "test">, readonly string[]>> = {
  switch: ["changed-service", "unit-fails", "snippet-fails", "boot-loader-fails", "inhibitor-refuses", "check-refuses", "other-init"],
  boot: ["new-service", "snippet-fails", "boot-loader-fails", "inhibitor-refuses", "inhibitor-passes", "check-refuses", "other-init"],
  ng: ["changed-service", "unit-fails", "snippet-fails", "boot-loader-fails", "inhibitor-refuses", "other-init"],
  bash: ["changed-service", "unit-fails", "snippet-fails", "boot-loader-fails", "inhibitor-refuses", "other-init"],
};

const ways: readonly Way[] = ["test", "switch", "boot", "ng", "bash"];

/** `test` of each scenario and the decisive ones of the other ways; with `every`, all of all ways. */
export function casesOf(every: boolean): readonly Case[] {
  return ways.flatMap((way) =>
    scenarios.map((scenario, index) => ({ ...scenario, way, index })).filter(({ name }) => every || way === "test" || decisive[way].includes(name)),
  );
}
