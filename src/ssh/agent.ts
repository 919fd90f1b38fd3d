import { lstatSync } from "node:fs";

/**
 * Checks the socket of an ssh agent (SSH_AUTH_SOCK). Throws an `Error` if it is missing, and for a path that ssh would split or
 * expand in its configuration.
 */
export function agentSocket(path: string | undefined): string {
  const start = "Start an agent in an earlier step that sets SSH_AUTH_SOCK for the job, for example webfactory/ssh-agent";
  if (path === undefined || path === "") throw new Error(`is agent, but SSH_AUTH_SOCK is not set. ${start}`);
  if (!/^\/[\w/.@+,:=-]*$/.test(path))
    throw new Error(`is agent, but SSH_AUTH_SOCK is ${JSON.stringify(path)}; expected an absolute path of letters, digits and /.@+,:=-_`);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true)
    throw new Error(`is agent, but no agent is listening at ${path} (SSH_AUTH_SOCK). ${start}`);
  return path;
}
