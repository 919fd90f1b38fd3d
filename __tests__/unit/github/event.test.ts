import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { readEvent, untrustedCode } from "../../../src/github/event.js";
import { temporaryDirectory } from "../temporary.js";

const ours = { id: 1, full_name: "org/machines" };
const fork = { id: 2, full_name: "stranger/machines" };
const pullRequest = (head: unknown): unknown => ({ pull_request: { head: { repo: head }, base: { repo: ours } }, repository: ours });
const workflowRun = (head: unknown): unknown => ({ workflow_run: { head_repository: head }, repository: ours });

describe("untrustedCode", () => {
  test.each([
    ["push", {}],
    ["workflow_dispatch", {}],
    ["schedule", undefined],
    ["", undefined],
    ["pull_request", pullRequest(ours)],
    ["pull_request_review", pullRequest(ours)],
    ["workflow_run", workflowRun(ours)],
    ["issue_comment", { issue: { number: 1 } }],
  ])("%s is trusted: %j", (name, payload) => {
    expect(untrustedCode({ name, payload })).toBeUndefined();
  });

  test.each([
    ["pull_request_target", pullRequest(ours)],
    ["pull_request_target", pullRequest(fork)],
    ["pull_request", pullRequest(fork)],
    ["pull_request_review", pullRequest(fork)],
    ["pull_request_review_comment", pullRequest(fork)],
    // A fork that was deleted.
    ["pull_request", pullRequest(null)],
    ["pull_request", {}],
    ["pull_request", undefined],
    ["workflow_run", workflowRun(fork)],
    ["workflow_run", workflowRun(null)],
    ["workflow_run", undefined],
    ["issue_comment", { issue: { number: 1, pull_request: { url: "https://github.test" } } }],
    ["issue_comment", undefined],
  ])("%s is not: %j", (name, payload) => {
    expect(untrustedCode({ name, payload })).toContain(name.split("_")[0]);
  });
});

describe("readEvent", () => {
  const file = join(temporaryDirectory(), "event.json");

  test("reads what the runner has written", () => {
    writeFileSync(file, JSON.stringify({ repository: ours }));
    expect(readEvent({ GITHUB_EVENT_NAME: "push", GITHUB_EVENT_PATH: file })).toEqual({ name: "push", payload: { repository: ours } });
  });

  test.each([undefined, "/nonexistent/event.json"])("knows no payload without the file: %s", (path) => {
    expect(readEvent({ GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: path })).toEqual({ name: "pull_request", payload: undefined });
    expect(readEvent({})).toEqual({ name: "", payload: undefined });
  });

  test("knows no payload of a file that is not JSON", () => {
    writeFileSync(file, "{");
    expect(readEvent({ GITHUB_EVENT_PATH: file }).payload).toBeUndefined();
  });
});
