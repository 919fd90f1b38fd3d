import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { actionFiles, readActionMetadata } from "../../scripts/action-metadata.js";
import { withTables } from "../../scripts/docs-tables.js";
import { documents } from "../../scripts/documents.js";
import { entries, field } from "../../src/domain/json.js";
import { root } from "../../scripts/paths.js";
import { operations } from "../../src/domain/operation.js";
import { statuses } from "../../src/domain/result.js";
import { targetFields } from "../../src/domain/target-list.js";
import { renderResults } from "../../src/github/outputs.js";
import { leastRights, passwordRights } from "../fleet/rig/machine-files.js";
import { makeResult } from "../unit/domain/make.js";
import { buildInputNames } from "../../src/inputs/build.js";
import { inputNames } from "../../src/inputs/deploy.js";
import { matrixInputNames } from "../../src/inputs/matrix.js";

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

const readInputs = { "action.yml": inputNames, "matrix/action.yml": matrixInputNames, "build/action.yml": buildInputNames } as const;

describe.each(actionFiles)("$path", (file) => {
  const action = readActionMetadata(file.path);

  test("its inputs are those that the action reads", () => {
    expect(action.inputs.map(({ name }) => name).toSorted()).toEqual([...readInputs[file.path]].toSorted());
  });

  test("every input and output is described", () => {
    expect([...action.inputs, ...action.outputs].filter(({ description }) => description.length < 18)).toEqual([]);
  });

  test("a changed description is noticed", () => {
    const [first, ...rest] = action.inputs;
    if (first === undefined) throw new Error(`${file.path} has no inputs`);
    const changed = { ...action, inputs: [{ ...first, description: "Something else." }, ...rest] };
    expect(withTables(read(file.document), changed, file)).not.toBe(read(file.document));
  });

  test("what it runs is bundled", () => {
    const [main = ""] = /^ {2}main: .*$/m.exec(read(file.path)) ?? [];
    expect(existsSync(join(root, dirname(file.path), main.replace("  main: ", "")))).toBe(true);
  });
});

/**
 * The names under which a Markdown text can be linked to: those of its headings, as GitHub makes them (small letters, a dash for
 * each blank, nothing else that is not a letter, digit or `_`, and `-1` for the second of a name), and its `<a id="…">`.
 */
function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  const headings = [...markdown.replaceAll(/^( *)```.*?^\1```$/gms, "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => {
    const name = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
  return [...headings, ...[...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id)];
}

/** The links of a document to files and headings of the checkout that do not exist. */
function brokenLinks(document: string, markdown: string): string[] {
  const links = [...markdown.matchAll(/\]\((?!https?:)([^)\s]+)\)|(?:href|src)="(?!https?:)([^"]+)"/g)].map((match) => match[1] ?? match[2] ?? "");
  return links.filter((link) => {
    const [file = "", anchor] = link.split("#");
    const path = file === "" ? document : join(dirname(document), file);
    if (!existsSync(join(root, path))) return true;
    return anchor !== undefined && path.endsWith(".md") && !anchorsOf(file === "" ? markdown : read(path)).includes(anchor);
  });
}

/** A document's text without its fenced blocks. */
function prose(markdown: string): string {
  return markdown.replaceAll(/^( *)```.*?^\1```$/gms, "");
}

const documentTexts = documents().map((path) => ({ path, text: read(path) }));

describe("the links of the documents", () => {
  test.each(documentTexts)("lead to files and headings that exist: $path", ({ path, text }) => {
    expect(brokenLinks(path, text)).toEqual([]);
  });

  test.each(["[a](docs/missing.md)", "[a](docs/safety.md#missing)", "[a](#missing)", '<img src="docs/missing.png">', "[a](docs/troubleshooting.md#missing)"])(
    "%s is broken",
    (link) => {
      expect(brokenLinks("README.md", link)).toHaveLength(1);
    },
  );

  test.each(["[a](docs/safety.md#what-it-cannot-do)", "[a](docs/troubleshooting.md#locked)", "## One\n## One\n[a](#one-1)"])("%j is not broken", (text) => {
    expect(brokenLinks("README.md", text)).toEqual([]);
  });

  test("reach every page of docs/ from README.md", () => {
    const pages = documents().filter((path) => path.startsWith("docs/"));
    expect(pages.filter((path) => !read("README.md").includes(`(${path})`))).toEqual([]);
  });
});

/** Programs, keys of workflows, settings of Nix and subcommands of colmena that the documents mention. */
const namesOfOthers = `nix-daemon nixos-rebuild nixos-version nixos-rebuild-switch-to-configuration ssh-keygen ssh-keyscan switch-to-configuration unrs-resolver
  cancel-in-progress environment fetch-depth permissions pull-requests timeout-minutes uses
  accept-flake-config allowed-users upload-keys`.split(/\s+/);

describe("the names in the documents", () => {
  const names = new Set([
    ...inputNames,
    ...matrixInputNames,
    ...buildInputNames,
    ...actionFiles.flatMap(({ path }) => readActionMetadata(path).outputs.map(({ name }) => name)),
    ...targetFields,
    ...statuses,
    ...operations,
    ...Object.keys(resultFields()),
    ...namesOfOthers,
  ]);

  /** Backquoted words that look like an input, an output or a status (`max-failures`, `rollback: false`), and are none. */
  const unknownNames = (markdown: string): string[] =>
    [...prose(markdown).matchAll(/`([a-z]+(?:-[a-z]+)+)`|`([a-z]+(?:-[a-z]+)*): /g)]
      .map((match) => match[1] ?? match[2] ?? "")
      .filter((name) => !names.has(name));

  // docs/arguments.md has the options of other programs, and is written from the tables that check them.
  test.each(documentTexts.filter(({ path }) => path !== "docs/arguments.md"))("exist: $path", ({ text }) => {
    expect(unknownNames(text)).toEqual([]);
  });

  test.each(["`build-elsewhere`", "`no-such-input: true`", "`half-deployed`"])("%s does not exist", (text) => {
    expect(unknownNames(text)).toHaveLength(1);
  });

  /** Outputs of steps that neither action has. */
  const unknownOutputs = (text: string): string[] => {
    const outputs = actionFiles.flatMap(({ path }) => readActionMetadata(path).outputs.map(({ name }) => name));
    return [...text.matchAll(/\bsteps\.(?:deploy|plan)\.outputs\.([A-Za-z0-9_-]+)/g)].map((match) => match[1] ?? "").filter((name) => !outputs.includes(name));
  };

  test("of outputs exist in documents and examples", () => {
    const examples = readdirSync(join(root, "examples/workflows")).map((name) => read(`examples/workflows/${name}`));
    expect([...documentTexts.map(({ text }) => text), ...examples].flatMap(unknownOutputs)).toEqual([]);
    expect(unknownOutputs("${{ steps.deploy.outputs.no-such-output }}")).toEqual(["no-such-output"]);
  });

  test("README.md has every status in its table, and docs/plan-and-summary.md every field of a result", () => {
    const cells = (markdown: string): string[] =>
      markdown.split("\n").flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
    const section = (path: string, heading: string): string => read(path).split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
    expect(cells(section("README.md", "Statuses")).toSorted()).toEqual([...statuses].toSorted());
    expect(cells(section("docs/plan-and-summary.md", "Results")).toSorted()).toEqual(Object.keys(resultFields()).toSorted());
  });

  /** Backquoted paths of the checkout, and `npm run` scripts, that do not exist. */
  const missingFiles = (markdown: string): string[] => {
    const paths = [...markdown.matchAll(/`((?:src|docs|scripts|__tests__|examples|matrix|build|stand-ins|\.github|\.ci)\/[^`\s*…]*)`/g)].map(
      (match) => match[1] ?? "",
    );
    const scripts = [...markdown.matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map((match) => match[1] ?? "");
    const known = entries(field(JSON.parse(read("package.json")), "scripts")).map(([name]) => name);
    // The user's own file.
    const missing = paths.filter((path) => path !== ".github/workflows/deploy.yml" && path !== ".github/dependabot.yml");
    return [...missing.filter((path) => !existsSync(join(root, path))), ...scripts.filter((name) => !known.includes(name))];
  };

  test.each(documentTexts)("of files and scripts exist: $path", ({ text }) => {
    expect(missingFiles(text)).toEqual([]);
  });

  test("of a missing file or script are found", () => {
    expect(missingFiles("`docs/missing.md`, `src/missing/`, `npm run missing`")).toEqual(["docs/missing.md", "src/missing/", "missing"]);
  });
});

function resultFields(): object {
  const result = field(JSON.parse(renderResults([makeResult()])), "0");
  if (typeof result !== "object" || result === null) throw new Error("the results have no object");
  return result;
}

describe("docs/how-it-works.md", () => {
  const text = read("docs/how-it-works.md");

  test("names every script that runs on a machine", () => {
    const scripts = readdirSync(join(root, "src/nixos/remote"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sh"));
    expect(scripts.length).toBeGreaterThan(15);
    expect(scripts.filter((name) => !text.includes(`(../src/nixos/remote/${name})`))).toEqual([]);
  });

  test.each([leastRights, passwordRights.replace("pwsudo", "deploy")])("shows the sudoers line of the fleet's users: %s", (line) => {
    expect(text).toContain(`\n\`\`\`\n${line}\`\`\`\n`);
  });
});

describe("docs/safety.md", () => {
  const rows = read("docs/safety.md")
    .split("\n")
    .filter((line) => line.includes("](../__tests__/fleet/safety/"));

  /** Whether a test of this title is in the source: as it is written there, or made from `%s` or `$name` and texts in the file. */
  const hasTest = (source: string, title: string): boolean => {
    const templates = [...source.matchAll(/\b(?:test|describe)(?:\.each(?:<[^(]*>)?\([^]*?\)|)\(\s*"((?:[^"\\]|\\.)+)"/g)].map((match) => match[1] ?? "");
    return templates.some((template) => {
      const pattern = template.replaceAll(/[.*+?^{}()|[\]\\]/g, String.raw`\$&`).replaceAll(/%s|\$[a-z]+/g, "(.+)");
      const filled = new RegExp(`^${pattern}$`).exec(title);
      return filled !== null && filled.slice(1).every((part) => source.includes(`"${part}"`));
    });
  };

  const cited = rows.map((row) => {
    const [, file = "", title = ""] = /\]\(\.\.\/(__tests__\/fleet\/safety\/[a-z-]+\.test\.ts)\): `([^`]+)` \|$/.exec(row) ?? [];
    return { row, file, title };
  });

  test("has rows", () => {
    expect(cited.length).toBeGreaterThan(30);
  });

  test.each(cited)("names a test that exists: $title", ({ file, title }) => {
    expect(hasTest(read(file), title)).toBe(true);
  });

  test("a test that does not exist is noticed", () => {
    const source = read("__tests__/fleet/safety/activation.test.ts");
    expect(["a unit fails", "a unit never fails", "operation: build fails"].map((title) => hasTest(source, title))).toEqual([true, false, false]);
  });
});

describe("docs/migrating.md", () => {
  const inventory = read("src/nix/inventory.nix");
  const page = read("docs/migrating.md");
  /** The names in backticks, and the verdict, of the rows below a heading. */
  const rows = (heading: string): [names: string[], verdict: string][] =>
    (page.split(`## ${heading}`)[1] ?? "")
      .split("\n## ")[0]
      ?.split("\n")
      .flatMap((line): [string[], string][] => {
        const [, first = "", verdict = ""] = /^\|([^|]*)\| *(honoured|warned|refused) *\|/.exec(line) ?? [];
        return verdict === "" ? [] : [[[...first.matchAll(/`([a-zA-Z]+)`/g)].map(([, name = ""]) => name), verdict]];
      }) ?? [];
  const documented = (heading: string): string[] => rows(heading).flatMap(([names]) => names);
  /** The strings of a list in the expression. */
  const listIn = (name: string): string[] =>
    [...(new RegExp(`  ${name} = \\[([^\\]]*)\\]`).exec(inventory)?.[1] ?? "").matchAll(/"(\w+)"/g)].map(([, one = ""]) => one);

  // src/data.rs of deploy-rs, and src/nix/hive/options.nix of colmena.
  const ofNodes = ["hostname", "path", "profiles", "profilesOrder", "profilePath"];
  const ofMeta = ["name", "description", "nixpkgs", "nodeNixpkgs", "nodeSpecialArgs", "machinesFile", "specialArgs", "allowApplyAll"];

  test.each([
    ["From deploy-rs", [...listIn("genericSettings"), ...ofNodes]],
    ["From colmena", [...listIn("deploymentOptions"), ...ofMeta]],
  ])("has a row with a verdict for each setting, %s", (heading, settings) => {
    expect(settings.length).toBeGreaterThan(15);
    expect(documented(heading).toSorted()).toEqual(expect.arrayContaining(settings.toSorted()));
    expect(documented(heading).filter((name, index, all) => all.indexOf(name) !== index || name === "ignored")).toEqual([]);
  });

  test("calls no setting honoured or refused that the inventory does not read", () => {
    // They are part of the evaluation by colmena, or have nothing to do with a deployment over ssh.
    const unread = ["name", "description", "allowLocalDeployment"];
    const decided = ["From deploy-rs", "From colmena"].flatMap((heading) => rows(heading).flatMap(([names, verdict]) => (verdict === "warned" ? [] : names)));
    expect(decided.length).toBeGreaterThan(10);
    expect(decided.filter((name) => !unread.includes(name) && !new RegExp(`[.\\s"]${name}\\b`).test(inventory))).toEqual([]);
  });
});

test("no change of CONTRIBUTING.md needs more than four files", () => {
  const [, table = ""] = read("CONTRIBUTING.md").split("## Where to change what");
  const changes = (table.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("| ") && line.includes("`"));
  expect(changes.length).toBeGreaterThanOrEqual(10);
  // Of "a or b" and "a, or b and c", the first is not needed beside the others.
  const files = (change: string): number => [...change.replaceAll(/`[^`]+`,? or (?=`)/g, "").matchAll(/`src\/[^`]+`/g)].length;
  expect(changes.filter((change) => files(change) > 4)).toEqual([]);
});

test("README.md has at most 200 lines", () => {
  expect(read("README.md").split("\n").length - 1).toBeLessThanOrEqual(200);
});

test("CHANGELOG.md has at most 15 bullets of one line each for a version", () => {
  const versions = read("CHANGELOG.md").split(/^## /m).slice(1);
  for (const version of versions) {
    expect(version.split("\n").filter((line) => line.startsWith("- ")).length).toBeLessThanOrEqual(15);
    expect(version).not.toMatch(/^ {2,}\S/m);
  }
});

describe("the checkout", () => {
  const files = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
    .stdout.split("\0")
    .filter((path) => path !== "");

  // Where packages come from is for each machine's own settings to say.
  const registries = /registry\.npmjs\.org|registry\.yarnpkg\.com|npm\.pkg\.github\.com|deb\.debian\.org|archive\.ubuntu\.com/;

  test("no file names the host of a package registry", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((path) => registries.test(read(path)))).toEqual([]);
  });

  test("the lock file reports no download address", () => {
    const packages = entries(field(JSON.parse(read("package-lock.json")), "packages"));
    const addresses = packages.map(([, entry]) => field(entry, "resolved"));
    expect(addresses.filter((address) => address !== undefined)).toEqual(["stand-ins/http-client"]);
  });
});
