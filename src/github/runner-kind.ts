/**
 * Returns whether the runner is one of Forgejo, Gitea or act, which execute workflow commands but show no annotations. Forgejo's runner
 * sets GITEA_ACTIONS too, act sets ACT.
 */
export function hidesAnnotations(environment: Readonly<Record<string, string | undefined>>): boolean {
  return isForgejoOrGitea(environment) || environment["ACT"] === "true";
}

/** Returns whether the runner is one of Forgejo or Gitea, whose pages of runs have the run's number in their address and not its id. */
export function isForgejoOrGitea(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment["GITEA_ACTIONS"] === "true" || environment["FORGEJO_ACTIONS"] === "true";
}
