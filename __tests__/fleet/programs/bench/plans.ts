import type { Work } from "./works.js";

/** The rounds of one comparison; `change` comes with `nothing`. */
export type Plan = { readonly work: Exclude<Work, "nothing">; readonly hosts: number; readonly roundTrip: number; readonly rounds: number };

/** What is measured in about two minutes, and what without that limit. */
export const plans: Readonly<Record<"quick" | "full", readonly Plan[]>> = {
  quick: [
    { work: "change", hosts: 1, roundTrip: 0, rounds: 3 },
    { work: "change", hosts: 1, roundTrip: 80, rounds: 2 },
    { work: "change", hosts: 4, roundTrip: 0, rounds: 1 },
    { work: "source tree", hosts: 1, roundTrip: 0, rounds: 1 },
    { work: "closure", hosts: 1, roundTrip: 0, rounds: 1 },
  ],
  full: [
    ...[1, 4, 16].flatMap((hosts) => [0, 80].map((roundTrip): Plan => ({ work: "change", hosts, roundTrip, rounds: hosts === 16 ? 3 : 5 }))),
    { work: "restart", hosts: 1, roundTrip: 0, rounds: 3 },
    { work: "restart", hosts: 1, roundTrip: 80, rounds: 3 },
    { work: "source tree", hosts: 1, roundTrip: 0, rounds: 3 },
    { work: "closure", hosts: 1, roundTrip: 0, rounds: 3 },
  ],
};
