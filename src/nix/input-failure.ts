import { evaluationMessage } from "./evaluation-message.js";

/** Why an input could not be fetched, and what to do, each without a full stop at the end. */
type Cause = { readonly why: string; readonly next: string };

const deployKey = "Load a key that may read it before this step, for example with webfactory/ssh-agent; the input ssh-key is used for the machines only";

/**
 * Explains that the flake, or one of its inputs, could not be fetched: which one, why, and what to do. `undefined` where that is not
 * what failed. From Nix 2.20 the output names the input:
 *
 *     error:
 *            … while updating the flake input 'p'
 *
 *            … while fetching the input 'git+ssh://git@github.com/org/p.git'
 *
 *            error: Failed to fetch git repository 'ssh://git@github.com/org/p.git'
 */
export function explainInput(output: string, reference: string): { readonly problem: string; readonly advice: string } | undefined {
  const cause = causeOf(output);
  if (cause === undefined) return undefined;
  const address = [...output.matchAll(/… while fetching the input '([^']+)'/g)].at(-1)?.[1];
  const what =
    address === undefined ? `the flake ${reference} or one of its inputs` : address === reference ? `the flake ${reference}` : `the flake's input ${address}`;
  return { problem: `${what} could not be fetched: ${cause.why}`, advice: cause.next };
}

function causeOf(output: string): Cause | undefined {
  const error = evaluationMessage(output)[0] ?? "";
  // The messages of git and ssh are above Nix's own error, which only says that git has failed.
  if (/Failed to fetch git repository|program 'git' failed|revspec '.*' not found|unable to fetch/i.test(error)) {
    if (/^Host key verification failed/m.test(output))
      return { why: "the runner does not know the host key of its server", next: `Add the key to ~/.ssh/known_hosts in an earlier step. ${deployKey}` };
    if (/Permission denied \(/.test(output)) return { why: "its server does not accept an ssh key of the runner", next: deployKey };
    if (/could not read (?:Username|Password)|Authentication failed|terminal prompts disabled/.test(output)) {
      return {
        why: "its server asks for a user name and password",
        next: "Give Git the credentials before this step, for example with `git config --global url.https://x-access-token:$TOKEN@github.com/.insteadOf https://github.com/`",
      };
    }
    if (/[Rr]epository .*not found|does not appear to be a git repository/.test(output))
      return { why: "its server did not find the repository", next: `Check the address. If the repository is private: ${deployKey}` };
  }
  const status = /HTTP error (401|403|404)/.exec(error)?.[1];
  if (status !== undefined) {
    const why = status === "404" ? "HTTP error 404, which GitHub also returns for a private repository" : `HTTP error ${status}: access is denied`;
    return { why, next: "For a private repository set NIX_CONFIG in env: `access-tokens = github.com=TOKEN`, with a token that may read it" };
  }
  const unreachable = /(?:[Cc]ould ?n[o']t resolve host|Could not connect|Couldn't connect|[Cc]onnection timed out|Resolving timed out)/.test(error);
  return unreachable ? { why: error.replace(/^error: /, ""), next: "Check the address and the runner's network" } : undefined;
}
