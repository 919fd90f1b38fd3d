/** The steps of the work on one machine, in their order. Every failure names the phase it happened in. */
export const phases = ["connect", "copy", "build", "activate", "confirm", "rollback"] as const;

export type Phase = (typeof phases)[number];
