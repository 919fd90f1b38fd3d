import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { parse } from "yaml";

import { actionFiles } from "./action-metadata.js";
import { differingFiles, filesOf } from "./directory-difference.js";
import { root } from "./paths.js";
import { buildTwice } from "./release/build-twice.js";
import { marketplaceProblems } from "./release/marketplace.js";
import { releaseNotes, withAbsoluteLinks } from "./release/notes.js";
import { makeSbom, sbomProblems } from "./release/sbom.js";
import { releaseVersion } from "./release/version.js";

// All checks of a release that need no GitHub. Exit codes: 0, 1 when something is not ready for a release.
// With `--out DIR` it leaves there what the release publishes beside the archive: notes.md and sbom.cdx.json.
// GITHUB_REF_NAME, where it is a tag, must be the version of package.json.

const { values } = parseArgs({ options: { out: { type: "string" } } });
const problems: string[] = [];
const manifest = json("package.json");
const { version, tag, problems: wrongVersion } = releaseVersion(manifest, json("package-lock.json"), process.env);
problems.push(...wrongVersion);
for (const { path } of actionFiles) problems.push(...marketplaceProblems(path, parse(text(path))));

const notes = attempt(() => {
  const server = process.env["GITHUB_SERVER_URL"] ?? "https://github.com";
  const repository = process.env["GITHUB_REPOSITORY"] ?? "org/nix-flake-deploy";
  const base = `${server}/${repository}/blob/v${version}/`;
  return withAbsoluteLinks(releaseNotes(text("CHANGELOG.md"), { version, tagged: tag !== undefined }), base);
});

const scratch = mkdtempSync(join(tmpdir(), "nix-flake-deploy-release-"));
let sbom: string | undefined;
try {
  const [first, second] = buildTwice(scratch);
  if (first === undefined || second === undefined || first.dist.size === 0) throw new Error("nothing was built");
  compare(`${first.directory} and ${second.directory} build different files`, differingFiles(first.dist, second.dist));
  compare("the committed dist/ is not what src/ builds; run npm run build and commit dist/", differingFiles(first.dist, filesOf(join(root, "dist"))));
  sbom = makeSbom(first.directory);
  problems.push(...sbomProblems(sbom, manifest));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

if (values.out !== undefined && notes !== undefined) {
  const out = resolve(values.out);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "notes.md"), notes);
  writeFileSync(join(out, "sbom.cdx.json"), sbom);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`release ${version}: ${problems.length === 0 ? "ready" : `${problems.length} problems`}\n`);
if (problems.length > 0) process.exitCode = 1;

function text(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function json(path: string): unknown {
  return JSON.parse(text(path));
}

function attempt(make: () => string): string | undefined {
  try {
    return make();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

function compare(difference: string, files: readonly string[]): void {
  if (files.length > 0) problems.push(`${difference}. Differing:\n${files.map((file) => `  ${file}`).join("\n")}`);
}
