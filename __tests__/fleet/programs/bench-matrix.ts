import { mkdirSync, writeFileSync } from "node:fs";

import { commitAll } from "../rig/flake.js";
import { Fleet } from "../rig/fleet.js";
import { isRoot } from "../../../scripts/system-packages.js";

// Compares matrix/ with one plain `nix eval` of the same attributes, over 300 configurations, on the runner of the fleet: once
// with configurations that cost nothing, where the start of two programs is all there is, and once with some work in each. A
// real NixOS takes several hundred milliseconds. Both are run in turn, so that a machine that becomes busy slows both. Needs
// root. Exit code: 0 when both gave the same machines.

const configurations = 300;
const pairs = 7;
const options = [0, 2000];

// What the matrix has of each machine, as one would ask Nix for it by hand.
const plainly =
  "builtins.mapAttrs (name: { config, ... }: { host = config.networking.fqdnOrHostName; inherit (config) deployment; system = config.nixpkgs.hostPlatform.system; })";

if (!isRoot()) throw new Error("the fleet's runner needs root");
const fleet = await Fleet.start([]);
try {
  for (const count of options) await compare(count);
} finally {
  await fleet.stop();
}
process.exit();

async function compare(optionCount: number): Promise<void> {
  const workspace = `${fleet.directory}/machines-${optionCount}`;
  mkdirSync(workspace);
  writeFileSync(`${workspace}/flake.nix`, flakeText(optionCount));
  await commitAll(workspace);
  const environment = "env INPUT_FLAKE=. INPUT_SHARDS=2 GITHUB_OUTPUT=$PWD/../output";
  const plain = async (): Promise<number> =>
    await milliseconds(workspace, `nix eval --json --no-update-lock-file '.#nixosConfigurations' --apply '${plainly}' > ../plain.json`);
  const matrix = async (): Promise<number> => await milliseconds(workspace, `: > ../output; ${environment} node /action/dist/matrix.js > ../log`);
  // The first of each fills caches.
  await plain();
  await matrix();
  const times: { plain: number; matrix: number }[] = [];
  for (let pair = 0; pair < pairs; pair += 1) times.push({ plain: await plain(), matrix: await matrix() });
  const [one, other] = [median(times.map((time) => time.plain)), median(times.map((time) => time.matrix))];
  const each = `${configurations} configurations of ${(one / configurations).toFixed(1)} ms each`;
  process.stdout.write(
    `${each}, median of ${pairs}: plain nix eval ${one} ms, matrix/ ${other} ms (${other - one} ms more), ratio ${(other / one).toFixed(2)}\n`,
  );
  const { stdout } = await fleet.runner.exec(`cd ${workspace}; jq length ../plain.json; grep -A 1 '^count<<' ../output | tail -n 1`);
  if (stdout !== `${configurations}\n${configurations}\n`) {
    process.stderr.write(`not ${configurations} machines by both ways: ${stdout}\n`);
    process.exitCode = 1;
  }
}

async function milliseconds(directory: string, script: string): Promise<number> {
  const { code, stdout, stderr } = await fleet.runner.exec(
    `cd ${directory}; began=$(date +%s%N); ${script}; code=$?; echo $(( ($(date +%s%N) - began) / 1000000 )); exit $code`,
  );
  if (code !== 0) throw new Error(stderr);
  return Number(stdout);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Configurations that look at so many options before they tell anything. */
function flakeText(optionCount: number): string {
  return `{
  outputs = { self }: {
    nixosConfigurations = builtins.listToAttrs (builtins.genList (number: let
      name = "host\${toString number}";
      options = builtins.listToAttrs (builtins.genList (option: {
        name = "option\${toString option}";
        value = builtins.hashString "sha256" "\${name} \${toString option}";
      }) ${optionCount});
    in {
      inherit name;
      value.config = builtins.deepSeq options {
        networking.fqdnOrHostName = name;
        deployment.tags = [ "all" ];
        nixpkgs.hostPlatform.system = "x86_64-linux";
      };
    }) ${configurations});
  };
}
`;
}
