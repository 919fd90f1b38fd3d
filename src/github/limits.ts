import type { Place } from "../report/summary/page.js";

// What GitHub accepts. https://docs.github.com/en/actions/reference/limits

/** Jobs of a matrix in one workflow run. */
export const jobsOfMatrix = 256;

/** Characters of the outputs of one step: half of the 1 MB, counted as UTF-16, that a job may have. */
export const charactersOfOutputs = 500_000;

/** Annotations of one kind that the page of a run shows for a step, without the one that GitHub makes of the step's own failure. */
export const annotationsOfStep = 9;

/** The page of a workflow run. GitHub refuses a summary above 1,048,576 bytes a step as a whole. */
export const jobSummary: Place = { bytes: 1_000_000, name: "summary (1 MiB)" };

/** A comment on an issue or pull request, which has at most 65,536 characters; some are left for text added by the workflow. */
export const comment: Place = { bytes: 64_000, name: "comment (65,536 characters)" };
