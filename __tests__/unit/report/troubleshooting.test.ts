import { describe, expect, test } from "@jest/globals";

import { seeAlso, troubleshootingLinks } from "../../../src/report/troubleshooting.js";

describe("the link to a topic", () => {
  test("is the page of the action's own version on GitHub", () => {
    const linkTo = troubleshootingLinks({ GITHUB_ACTION_REPOSITORY: "org/nix-flake-deploy", GITHUB_ACTION_REF: "v1" });
    expect(linkTo("host-key-changed")).toBe("https://github.com/org/nix-flake-deploy/blob/v1/docs/troubleshooting.md#host-key-changed");
  });

  test.each([
    [{}],
    [{ GITHUB_ACTION_REPOSITORY: "", GITHUB_ACTION_REF: "" }],
    [{ GITHUB_ACTION_REPOSITORY: "org/nix-flake-deploy" }],
    [{ GITHUB_ACTION_REPOSITORY: "https://code.example.org/org/nix-flake-deploy", GITHUB_ACTION_REF: "v1" }],
    [{ GITHUB_ACTION_REPOSITORY: "org/nix-flake-deploy", GITHUB_ACTION_REF: "v1) [x](https://b.test" }],
  ])("is the path in the repository for %j", (environment) => {
    expect(troubleshootingLinks(environment)("locked")).toBe("docs/troubleshooting.md#locked");
  });
});

test("a message without a topic has no link", () => {
  const linkTo = troubleshootingLinks({});
  expect(seeAlso(undefined, linkTo)).toEqual([]);
  expect(seeAlso("memory", linkTo)).toEqual(["See docs/troubleshooting.md#memory"]);
});
