import { shellProblems, shellScripts } from "./shell-scripts.js";

// Runs shellcheck over all shell scripts of the checkout.

const scripts = shellScripts();
const problems = scripts.flatMap(shellProblems);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`shellcheck: ${scripts.length} scripts, ${problems.length} findings\n`);
if (problems.length > 0) process.exitCode = 1;
