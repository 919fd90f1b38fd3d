import { expect, test } from "@jest/globals";

import { workflowRunName } from "../../../src/github/run-name.js";

const runner = { GITHUB_SERVER_URL: "https://github.com", GITHUB_REPOSITORY: "octocat/machines", GITHUB_RUN_ID: "42", GITHUB_JOB: "deploy" };

test("a run is named by its address and its job", () => {
  expect(workflowRunName(runner)).toBe("https://github.com/octocat/machines/actions/runs/42, job deploy");
  expect(workflowRunName({ ...runner, GITHUB_JOB: undefined })).toBe("https://github.com/octocat/machines/actions/runs/42");
});

test.each(["GITEA_ACTIONS", "FORGEJO_ACTIONS"])("with %s, the address has the number of the run", (marker) => {
  expect(workflowRunName({ ...runner, GITHUB_RUN_NUMBER: "7", [marker]: "true" })).toBe("https://github.com/octocat/machines/actions/runs/7, job deploy");
});

test("a name is one line", () => {
  expect(workflowRunName({ ...runner, GITHUB_JOB: "a\nholder=b" })).toBe("https://github.com/octocat/machines/actions/runs/42, job aholder=b");
});

test("outside of a runner there is no name", () => {
  expect(workflowRunName({})).toBeUndefined();
});
