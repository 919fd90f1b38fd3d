import { instantiate } from "../../../../src/nix/systems.js";

// Evaluates configurations of a flake as `build-on: runner` and `build/` do, and prints how many there are systems of.
// Arguments: REFERENCE CONFIGURATION... .

const [reference = "", ...configurations] = process.argv.slice(2);
const systems = await instantiate(reference, configurations, {
  cwd: process.cwd(),
  signal: undefined,
  onLine: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${systems.size}\n`);
