import type { FleetEnd } from "../deploy/fleet.js";
import type { Flake, SentFlake } from "../domain/flake.js";

/** What a deployment knows so far, for the report at its end. */
export type Known = {
  /** Only where something is built from it. */
  flake: Flake | undefined;
  /** The form in which it was sent. */
  sent: SentFlake | undefined;
  end: FleetEnd;
  /** Show the summary on the page of the run. */
  summary: boolean;
};

/** What is known before the inputs were read. */
export function nothingKnown(): Known {
  return { flake: undefined, sent: undefined, end: { results: [], arrived: false }, summary: true };
}
