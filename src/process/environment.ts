// What the runner gives to the action alone: the inputs (the key among them), what the main step leaves for the post step, tokens
// for the runner's own services, and the files by which a step sets outputs and the environment of later steps.
const withheld = /^(?:INPUT_|STATE_|ACTIONS_)|^GITHUB_(?:OUTPUT|STATE|ENV|PATH|STEP_SUMMARY)$/i;

/** Removes from an environment what child processes must not see. */
export function childEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined && !withheld.test(name)) kept[name] = value;
  return kept;
}
