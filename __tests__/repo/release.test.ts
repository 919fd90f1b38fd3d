import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";

import { actionFiles } from "../../scripts/action-metadata.js";
import { differingFiles, filesOf } from "../../scripts/directory-difference.js";
import { entries, field } from "../../src/domain/json.js";
import { root } from "../../scripts/paths.js";
import { marketplaceProblems } from "../../scripts/release/marketplace.js";
import { releaseNotes, withAbsoluteLinks } from "../../scripts/release/notes.js";
import { sbomProblems } from "../../scripts/release/sbom.js";
import { releaseVersion } from "../../scripts/release/version.js";

describe("marketplaceProblems", () => {
  const complete = { name: "deploy", description: "x".repeat(124), author: "someone", branding: { icon: "grid", color: "blue" } };

  test.each(actionFiles)("has nothing against $path", ({ path }) => {
    expect(marketplaceProblems(path, parse(readFileSync(join(root, path), "utf8")))).toEqual([]);
  });

  test("accepts a description of 124 characters and refuses one of 125", () => {
    expect(marketplaceProblems("action.yml", complete)).toEqual([]);
    const tooLong = { ...complete, description: "x".repeat(125) };
    expect(marketplaceProblems("action.yml", tooLong)).toEqual(["the description of action.yml has 125 characters; the Marketplace accepts 124"]);
  });

  test("names everything that is missing", () => {
    const missing = ["name", "description", "author", "branding.icon", "branding.color"].map((key) => `action.yml has no ${key}`);
    expect(marketplaceProblems("action.yml", {})).toEqual(missing);
    expect(marketplaceProblems("action.yml", { ...complete, author: " " })).toEqual(["action.yml has no author"]);
  });

  test("refuses a color that GitHub does not have", () => {
    const pink = { ...complete, branding: { icon: "grid", color: "pink" } };
    expect(marketplaceProblems("action.yml", pink)).toEqual([expect.stringContaining("the color pink of action.yml is not one of white, black")]);
  });
});

describe("releaseVersion", () => {
  const [manifest, lock] = [{ version: "1.2.3" }, { version: "1.2.3" }];

  test.each([
    ["without a tag", {}, undefined],
    ["on a branch", { GITHUB_REF_NAME: "main", GITHUB_REF_TYPE: "branch" }, undefined],
    ["on its tag", { GITHUB_REF_NAME: "v1.2.3", GITHUB_REF_TYPE: "tag" }, "v1.2.3"],
    ["with the name of its tag alone", { GITHUB_REF_NAME: "v1.2.3" }, "v1.2.3"],
  ])("accepts the version %s", (_, environment, tag) => {
    expect(releaseVersion(manifest, lock, environment)).toEqual({ version: "1.2.3", tag, problems: [] });
  });

  test.each(["v1.2.4", "1.2.3", "v1", "v1.2.3-rc.1"])("refuses the tag %s", (tag) => {
    const { problems } = releaseVersion(manifest, lock, { GITHUB_REF_NAME: tag, GITHUB_REF_TYPE: "tag" });
    expect(problems).toEqual([`the tag is ${tag}, but package.json has version 1.2.3, whose tag is v1.2.3`]);
  });

  test("refuses another version in the lock file", () => {
    const { problems } = releaseVersion(manifest, { version: "1.2.2" }, {});
    expect(problems).toEqual(["package-lock.json has version 1.2.2, package.json has 1.2.3; run npm install"]);
  });

  test("refuses a version that is not three numbers", () => {
    const { problems } = releaseVersion({ version: "1.2" }, { version: "1.2" }, {});
    expect(problems).toEqual(["the version 1.2 of package.json is not of the form 1.2.3"]);
  });
});

describe("releaseNotes", () => {
  const changelog = [
    "# Changelog\n",
    "## [Unreleased]\n\n### Added\n\n- Something new\n",
    "## [1.1.0] - 2026-12-01\n\n### Fixed\n\n- A bug\n",
    "## [1.0.0] - 2026-11-27\n\n- The first\n",
    "[1.1.0]: https://example.org/compare\n",
  ].join("\n");

  test("are the section of the version, without those beside it and the link definitions", () => {
    expect(releaseNotes(changelog, { version: "1.1.0", tagged: true })).toBe("### Fixed\n\n- A bug\n");
    expect(releaseNotes(changelog, { version: "1.0.0", tagged: true })).toBe("- The first\n");
  });

  test("of a version without a section are what is unreleased, but not once it has a tag", () => {
    expect(releaseNotes(changelog, { version: "1.2.0", tagged: false })).toBe("### Added\n\n- Something new\n");
    const tagged = (): string => releaseNotes(changelog, { version: "1.2.0", tagged: true });
    expect(tagged).toThrow("CHANGELOG.md has no section for 1.2.0; its heading must be: ## [1.2.0] - YYYY-MM-DD");
  });

  test.each([
    ["without any section", "# Changelog\n", "CHANGELOG.md has no section for 1.0.0"],
    ["without a date", "## [1.0.0]\n\n- The first\n", "the section of CHANGELOG.md for 1.0.0 has no date"],
    ["with an empty section", "## [1.0.0] - 2026-11-27\n\n## [0.9.0] - 2026-01-01\n\n- Old\n", "the section of CHANGELOG.md for 1.0.0 is empty"],
  ])("fail %s", (_, text, message) => {
    expect(() => releaseNotes(text, { version: "1.0.0", tagged: false })).toThrow(message);
  });

  test("point to the files of the release", () => {
    const text = "[a](docs/a.md#b), [c](https://example.org), [d](#d)";
    expect(withAbsoluteLinks(text, "https://host/blob/v1.0.0/")).toBe("[a](https://host/blob/v1.0.0/docs/a.md#b), [c](https://example.org), [d](#d)");
  });
});

describe("sbomProblems", () => {
  const manifest = { version: "1.0.0", dependencies: { "@actions/core": "3.0.1", "@actions/http-client": "file:stand-ins/http-client" } };
  const components = [
    { name: "@actions/core", version: "3.0.1" },
    { name: "http-client", version: "4.0.0" },
  ];
  const sbom = { bomFormat: "CycloneDX", metadata: { component: { version: "1.0.0" } }, components };

  test("accepts a bill that lists every dependency", () => {
    expect(sbomProblems(JSON.stringify(sbom), manifest)).toEqual([]);
  });

  test.each([
    ["without components", { ...sbom, components: [] }, ["the SBOM does not list @actions/core 3.0.1", expect.stringContaining("@actions/http-client")]],
    [
      "with another version of a dependency",
      { ...sbom, components: [{ name: "@actions/core", version: "3.0.0" }, components[1]] },
      ["the SBOM does not list @actions/core 3.0.1"],
    ],
    ["of another version", { ...sbom, metadata: { component: { version: "0.9.0" } } }, ["the SBOM is for version 0.9.0, package.json has 1.0.0"]],
    ["in another format", { ...sbom, bomFormat: "SPDX" }, ["the SBOM is not in CycloneDX format"]],
  ])("refuses a bill %s", (_, bill, problems) => {
    expect(sbomProblems(JSON.stringify(bill), manifest)).toEqual(problems);
  });
});

describe("the release workflow", () => {
  const workflow: unknown = parse(readFileSync(join(root, ".github/workflows/release.yml"), "utf8"));
  const needsOf = (job: string): unknown[] => [field(workflow, "jobs", job, "needs") ?? []].flat();
  /** All jobs that have passed before a job starts. */
  const before = (job: string): string[] => needsOf(job).flatMap((needed) => [String(needed), ...before(String(needed))]);

  test("publishes after everything has passed, and moves the major version last", () => {
    expect(new Set(before("publish"))).toEqual(new Set(["tag", "checks", "build"]));
    expect(new Set(before("major"))).toEqual(new Set(entries(field(workflow, "jobs")).flatMap(([job]) => (job === "major" ? [] : [job]))));
  });

  test("lets only the jobs that publish write", () => {
    const writing = entries(field(workflow, "jobs")).flatMap(([job, value]) =>
      JSON.stringify(field(value, "permissions") ?? {}).includes("write") ? [job] : [],
    );
    expect(writing).toEqual(["publish", "major"]);
  });
});

describe("differingFiles", () => {
  let scratch: string;

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "directory-difference-"));
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  function directory(name: string, files: Readonly<Record<string, string>>): ReadonlyMap<string, Buffer> {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(join(scratch, name, file, ".."), { recursive: true });
      writeFileSync(join(scratch, name, file), content);
    }
    return filesOf(join(scratch, name));
  }

  test("finds none between copies", () => {
    const files = { "index.js": "one", "post/index.js": "two" };
    expect(differingFiles(directory("a", files), directory("b", files))).toEqual([]);
  });

  test("finds a file that is missing on either side, and one that differs in a byte", () => {
    const one = directory("a", { "index.js": "one", "post/index.js": "two", "old.js": "" });
    const other = directory("b", { "index.js": "one ", "post/index.js": "two", "post/new.js": "" });
    expect(differingFiles(one, other)).toEqual(["index.js", "old.js", "post/new.js"]);
  });
});
