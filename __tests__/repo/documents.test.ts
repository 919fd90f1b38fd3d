import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { actionFiles, readActionMetadata } from "../../scripts/action-metadata.js";
import { withTables } from "../../scripts/docs-tables.js";
import { entries, field } from "../../scripts/fields.js";
import { root } from "../../scripts/paths.js";
import { leastRights, passwordRights } from "../fleet/rig/machine-files.js";
import { inputNames } from "../../src/inputs/deploy.js";
import { matrixInputNames } from "../../src/inputs/matrix.js";

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

const readInputs = { "action.yml": inputNames, "matrix/action.yml": matrixInputNames } as const;

describe.each(actionFiles)("$path", (file) => {
  const action = readActionMetadata(file.path);

  test("its inputs are those that the action reads", () => {
    expect(action.inputs.map(({ name }) => name).toSorted()).toEqual([...readInputs[file.path]].toSorted());
  });

  test("every input and output is described", () => {
    expect([...action.inputs, ...action.outputs].filter(({ description }) => description.length < 18)).toEqual([]);
  });

  test("a changed description does not pass unnoticed", () => {
    const [first, ...rest] = action.inputs;
    if (first === undefined) throw new Error(`${file.path} has no inputs`);
    const changed = { ...action, inputs: [{ ...first, description: "Something else." }, ...rest] };
    expect(withTables(read("README.md"), changed, file)).not.toBe(read("README.md"));
  });

  test("what it runs is bundled", () => {
    const [main = ""] = /^ {2}main: .*$/m.exec(read(file.path)) ?? [];
    expect(existsSync(join(root, dirname(file.path), main.replace("  main: ", "")))).toBe(true);
  });
});

describe("the documents", () => {
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", ...pages.map((name) => `docs/${name}`)];

  /** GitHub's name for a heading: small letters, a dash for each blank, and nothing else that is not a letter, digit or `_`. */
  const anchorsOf = (path: string): string[] =>
    [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
        .replaceAll(" ", "-"),
    );

  test.each(documents)("every file and heading that %s points to is there", (document) => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map((match) => match[1] ?? "");
    const missing = links.filter((link) => {
      const [file = "", anchor] = link.split("#");
      const path = file === "" ? document : join(dirname(document), file);
      return !existsSync(join(root, path)) || (anchor !== undefined && path.endsWith(".md") && !anchorsOf(path).includes(anchor));
    });
    expect(missing).toEqual([]);
  });

  test("README.md names every script that runs on a machine", () => {
    const scripts = readdirSync(join(root, "src/nixos/remote"));
    expect(scripts.filter((name) => !read("README.md").includes(`(src/nixos/remote/${name})`))).toEqual([]);
  });

  test.each([leastRights, passwordRights.replace("pwsudo", "deploy")])("README.md shows the sudoers line that the fleet's users have: %s", (line) => {
    expect(read("README.md")).toContain(`\n\`\`\`\n${line}\`\`\`\n`);
  });

  /** The messages of the troubleshooting tables, `… does not answer`. */
  const messages = read("README.md")
    .slice(read("README.md").indexOf("## Troubleshooting"))
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...(line.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));

  test("README.md has messages to troubleshoot by", () => {
    expect(messages.length).toBeGreaterThan(20);
  });

  test.each(messages)("the action still says: %s", (message) => {
    const said = sources("src");
    // The name of an input stands in front of what is wrong with it, and … for what differs from case to case.
    const pieces = message.replace(/^[a-z-]+: /, "").split("…");
    expect(pieces.filter((piece) => !said.includes(piece.trim()))).toEqual([]);
  });
});

function sources(directory: string): string {
  return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name.endsWith(".ts"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");
}

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

  test("the lock file tells no download address", () => {
    const packages = entries(field(JSON.parse(read("package-lock.json")), "packages"));
    const addresses = packages.map(([, entry]) => field(entry, "resolved"));
    expect(addresses.filter((address) => address !== undefined)).toEqual(["stand-ins/http-client"]);
  });
});
