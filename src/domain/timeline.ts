import type { Phase } from "./phase.js";

/** A phase of one machine: when it began and ended, in seconds since the beginning of the run. */
export type PhaseSpan = { readonly phase: Phase; readonly begin: number; readonly end: number };
