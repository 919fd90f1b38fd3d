import { isForgejoOrGitea } from "./runner-kind.js";

/**
 * Names this job of the workflow for users of a machine: the URL of the run, and the job. `undefined` where the runner does not
 * provide it.
 */
export function workflowRunName(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_JOB: job } = environment;
  const id = environment[isForgejoOrGitea(environment) ? "GITHUB_RUN_NUMBER" : "GITHUB_RUN_ID"];
  if (server === undefined || repository === undefined || id === undefined) return undefined;
  const name = `${server}/${repository}/actions/runs/${id}${job === undefined ? "" : `, job ${job}`}`;
  // It becomes a line of a file on the machine.
  return name.replaceAll(/\p{C}/gu, "");
}
