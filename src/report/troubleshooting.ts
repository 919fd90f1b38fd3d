import type { Topic } from "../domain/topic.js";

/** Returns where to read about a topic: an address, or a path in the action's repository. */
export type LinkTo = (topic: Topic) => string;

/** Links to docs/troubleshooting.md by its path in the repository. */
export const linkToPath: LinkTo = (topic) => `docs/troubleshooting.md#${topic}`;

/**
 * Links to docs/troubleshooting.md on GitHub, in the version of the action that runs. GitHub names repository and version to an
 * action that it has downloaded; without them, as for `uses: ./`, the link is the path in the repository.
 */
export function troubleshootingLinks({
  GITHUB_ACTION_REPOSITORY: repository = "",
  GITHUB_ACTION_REF: ref = "",
}: Readonly<Record<string, string | undefined>>): LinkTo {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository) || !/^[\w./-]+$/.test(ref)) return linkToPath;
  return (topic) => `https://github.com/${repository}/blob/${ref}/${linkToPath(topic)}`;
}

/** The line that says where to read about a topic; no line without one. */
export function seeAlso(topic: Topic | undefined, linkTo: LinkTo): string[] {
  return topic === undefined ? [] : [`See ${linkTo(topic)}`];
}
