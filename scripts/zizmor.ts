import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { documents, readDocument, snippetsOf, workflowOf } from "./documents.js";
import { root } from "./paths.js";
import { installMissing, installPackages } from "./system-packages.js";
import { severeFindings } from "./zizmor-findings.js";

// Audits the project's workflows, its examples, complete workflows in documents and all actions with zizmor, offline. Exit code 1
// when a finding is above low.
// zizmor comes from PyPI, in a virtual environment of its own below node_modules/.

const requirements = join(root, "scripts/requirements.txt");
const environment = join(root, "node_modules/.cache/nix-flake-deploy/zizmor");
const installed = join(environment, "installed.txt");

// Shows that an audit with these settings can fail: without it, an audit of nothing would be green.
const unsafeWorkflow = `on: pull_request_target
jobs:
  unsafe:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - run: echo "\${{ github.event.pull_request.title }}"
`;
const expected = ["dangerous-triggers", "template-injection", "unpinned-uses"];

install();
const scratch = mkdtempSync(join(tmpdir(), "nix-flake-deploy-zizmor-"));
try {
  const unsafe = join(scratch, "unsafe.yml");
  writeFileSync(unsafe, unsafeWorkflow);
  const found = audit([unsafe]);
  const missed = expected.filter((rule) => !found.some((finding) => finding.includes(`: ${rule}: `)));
  if (missed.length > 0) throw new Error(`zizmor did not report ${missed.join(", ")} in an unsafe workflow`);

  const examples = readdirSync(join(root, "examples/workflows")).map((name) => `examples/workflows/${name}`);
  // A directory stands for its workflows and dependabot.yml; examples/ is not one that zizmor looks into.
  const problems = audit([".github", "action.yml", "matrix/action.yml", "build/action.yml", ...examples, ...workflowsOfDocuments(scratch)]);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.stdout.write(`zizmor: ${problems.length} findings above low\n`);
  if (problems.length > 0) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Writes the complete workflows of all documents into a directory. Returns their paths. Throws an `Error` if there are none. */
function workflowsOfDocuments(directory: string): string[] {
  const paths = documents()
    .flatMap((path) => snippetsOf(path, readDocument(path)))
    .filter(({ language }) => language === "yaml")
    .flatMap((snippet) => {
      const workflow = workflowOf(snippet);
      if (workflow?.whole !== true) return [];
      const path = join(directory, `${snippet.document.replaceAll("/", "-")}-line-${snippet.line}.yml`);
      writeFileSync(path, workflow.text);
      return [path];
    });
  if (paths.length === 0) throw new Error("no document has a complete workflow");
  return paths;
}

function audit(paths: readonly string[]): string[] {
  const settings = ["--offline", "--quiet", "--no-progress", "--strict-collection", "--no-exit-codes", "--config", ".github/zizmor.yml"];
  const { status, stdout, stderr } = spawnSync(join(environment, "bin/zizmor"), [...settings, "--format=json", ...paths], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`zizmor exited with ${status}: ${stderr}`);
  return severeFindings(stdout);
}

/** Makes the virtual environment unless it has this version. Debian packages Python's part for that on its own. */
function install(): void {
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(installed) && readFileSync(installed, "utf8") === wanted) return;
  installMissing({ python3: "python3" });
  if (spawnSync("python3", ["-c", "import ensurepip, venv"]).status !== 0) installPackages(["python3-venv"]);
  rmSync(environment, { recursive: true, force: true });
  run("python3", ["-m", "venv", environment]);
  run(join(environment, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement", requirements]);
  writeFileSync(installed, wanted);
}

function run(file: string, args: readonly string[]): void {
  const { status, error } = spawnSync(file, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`${file} ${args.join(" ")} exited with ${status}`, { cause: error });
}
