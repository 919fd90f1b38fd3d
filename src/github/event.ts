import { readFileSync } from "node:fs";

import { InputError } from "../domain/errors.js";
import { field, parseJson } from "../domain/json.js";

/** The event that started the workflow: its name, and its payload, `undefined` where that cannot be read. */
export type WorkflowEvent = { readonly name: string; readonly payload: unknown };

/** Reads the event from what the runner says of it. */
export function readEvent(environment: Readonly<Record<string, string | undefined>>): WorkflowEvent {
  return { name: environment["GITHUB_EVENT_NAME"] ?? "", payload: readPayload(environment["GITHUB_EVENT_PATH"]) };
}

function readPayload(path: string | undefined): unknown {
  if (path === undefined) return undefined;
  try {
    return parseJson(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Says why the code of an event's run may come from people without write access; `undefined` for an event whose code is trusted.
 * A payload that does not say where the code comes from counts as one from a fork. The fields are those of GitHub's webhook payloads.
 */
export function untrustedCode({ name, payload }: WorkflowEvent): string | undefined {
  switch (name) {
    case "pull_request_target":
      return "pull_request_target gives secrets to runs on pull requests, which anyone may open";
    case "workflow_run":
      return sameRepository(field(payload, "workflow_run", "head_repository"), field(payload, "repository"))
        ? undefined
        : "the workflow_run was started by a run on a fork";
    case "pull_request":
    case "pull_request_review":
    case "pull_request_review_comment":
      return sameRepository(field(payload, "pull_request", "head", "repo"), field(payload, "pull_request", "base", "repo"))
        ? undefined
        : `the pull request of this ${name} event comes from a fork`;
    case "issue_comment":
      // A comment on an issue runs the default branch. One on a pull request does not say whose branch that is.
      if (payload !== undefined && field(payload, "issue", "pull_request") === undefined) return undefined;
      return "anyone may comment on a pull request (issue_comment), and the pull request may come from a fork";
    default:
      return undefined;
  }
}

/** Throws an `InputError` for an event whose code may come from people without write access. */
export function requireTrustedCode(event: WorkflowEvent): void {
  const why = untrustedCode(event);
  if (why === undefined) return;
  const advice = "Deploy from an event such as push or workflow_dispatch";
  throw new InputError([{ input: "allow-unsafe-event", problem: `is false, but ${why}`, advice, topic: "unsafe-event" }]);
}

function sameRepository(head: unknown, base: unknown): boolean {
  const [one, other] = [field(head, "id"), field(base, "id")];
  return typeof one === "number" && one === other;
}
