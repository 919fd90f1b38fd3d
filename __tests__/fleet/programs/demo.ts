import { spawnSync } from "node:child_process";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { commitAll } from "../rig/flake.js";
import { Fleet } from "../rig/fleet.js";
import { cache } from "../rig/host.js";
import type { StepResult } from "../rig/runner.js";
import { compare, stateOf, type MachineState } from "./demo/machine-state.js";
import { Page } from "./demo/page.js";
import { followLog } from "./demo/step-log.js";
import { root } from "../../../scripts/paths.js";
import { isRoot, nodeAsRoot } from "../../../scripts/system-packages.js";

// Boots two machines, deploys examples/flake to both as a workflow step would, shows what happened, and removes everything.
// Exit codes: 0, 1 when anything was not as it should be.

const targets = "root@web1\ndeploy@web2:2222";
// Names the files that hold what is on standard input; exit code 1 when there are none.
const searchForKey = "grep -rlsF -f - /tmp /var/tmp /root /home /run /etc /nix/var";
// As README.md has them.
const page = new Page();

if (process.platform !== "linux") {
  page.line("The demo boots Linux machines, which needs Linux: run it in a virtual machine.");
  process.exitCode = 1;
} else if (isRoot()) {
  process.exitCode = await demo();
} else {
  const [file, ...args] = nodeAsRoot();
  process.exitCode = spawnSync(file, [...args, fileURLToPath(import.meta.url)], { stdio: "inherit" }).status ?? 1;
}

async function demo(): Promise<number> {
  const began = Date.now();
  let fleet: Fleet | undefined;
  try {
    fleet = await boot();
    await introduce(fleet);
    await deployTwice(fleet);
  } catch (error) {
    page.check("the demo runs to its end", false, error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    if (fleet !== undefined) await remove(fleet);
  }
  const seconds = Math.round((Date.now() - began) / 1000);
  page.line();
  page.line(page.failures === 0 ? `All is as it should be, after ${seconds} s.` : `Not as it should be, after ${seconds} s; look for NOT SO above.`);
  return page.failures === 0 ? 0 : 1;
}

async function boot(): Promise<Fleet> {
  page.section("Boot two machines");
  page.line("  Each with its own systemd, sshd, Nix and /nix, on a network of their own. The first time, their root file system");
  page.line("  is made, which takes about a minute.");
  return await Fleet.start(["web1", { name: "web2", sshPort: 2222, rebuild: "bash" }]);
}

async function introduce(fleet: Fleet): Promise<void> {
  for (const [name, what] of [
    ["web1", "deployed as root, with the nixos-rebuild of NixOS 25.11 and later"],
    ["web2", "deployed as a user with one line of sudoers, sshd on port 2222, with the nixos-rebuild of NixOS up to 25.05"],
  ] as const) {
    const machine = fleet.machine(name);
    page.line(`    ${name}  ${machine.ipv4}  ${await machine.output("nix --version")}  ${what}`);
  }
  page.line("  One thing is not real: nixos-rebuild and the systems that it switches to are stand-ins, which need no nixpkgs.");
}

async function deployTwice(fleet: Fleet): Promise<void> {
  page.section("The flake, and the workflow step that deploys it");
  const flake = join(fleet.directory, "machines");
  cpSync(join(root, "examples/flake"), flake, { recursive: true });
  const commit = await commitAll(flake);
  page.line(`  examples/flake, as a Git repository at commit ${commit}`);
  page.block(step());

  const before = await states(fleet);
  page.section("The step's log, live");
  const first = await deploy(fleet, flake);
  page.section("What the workflow gets");
  page.line(`  Outputs, after ${first.seconds.toFixed(1)} s:`);
  page.block(describeOutputs(first));
  page.line();
  page.line("  The job summary, as Markdown:");
  page.block(first.summary);

  page.section("What changed on the machines");
  const after = await states(fleet);
  proveDeployed(fleet, commit, first, before, after);

  page.section("What is left behind");
  await proveNoTrace(fleet, first);

  page.section("The same commit once more");
  const second = await deploy(fleet, flake);
  await proveUnchanged(fleet, second, after);
}

function step(): string {
  return [
    "- uses: org/nix-flake-deploy@v1",
    "  id: deploy",
    "  with:",
    "    ssh-key: ${{ secrets.DEPLOY_KEY }}",
    "    ssh-known-hosts: ${{ vars.KNOWN_HOSTS }}",
    "    targets: |",
    ...targets.split("\n").map((target) => `      ${target}`),
  ].join("\n");
}

/** Runs dist/index.js with those inputs as GitHub's runner does, then dist/post.js. */
async function deploy(fleet: Fleet, workspace: string): Promise<StepResult> {
  for (const machine of fleet.machines) machine.forgetHandshakes();
  const inputs = { "ssh-key": fleet.key.secret, "ssh-known-hosts": fleet.knownHosts(), targets };
  return await followLog(fleet.runner.start({ inputs, workspace }), (line) => page.block(line));
}

function describeOutputs({ outputs }: StepResult): string {
  return Object.entries(outputs)
    .map(([name, value]) =>
      name === "results" ? `results =\n${JSON.stringify(JSON.parse(value), undefined, 2).replaceAll(/^/gm, "  ")}` : `${name} = ${value}`,
    )
    .join("\n");
}

async function states(fleet: Fleet): Promise<Map<string, MachineState>> {
  return new Map(await Promise.all(fleet.machines.map(async (machine) => [machine.name, await stateOf(machine)] as const)));
}

function proveDeployed(
  fleet: Fleet,
  commit: string,
  result: StepResult,
  before: ReadonlyMap<string, MachineState>,
  after: ReadonlyMap<string, MachineState>,
): void {
  page.check("the step is green", result.exitCode === 0, result.log);
  page.check("the output status is deployed", result.outputs["status"] === "deployed", result.outputs["status"]);
  page.check("the job summary says so", result.summary.startsWith("### ✅ 2 hosts deployed\n"), result.summary);
  for (const { name } of fleet.machines) {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === undefined || now === undefined) throw new Error(`nothing is known of ${name}`);
    page.line();
    page.table([name, "before", "after"], compare(old, now));
    page.check(`${name} runs another system than before`, now.running !== old.running);
    page.check(`${name} boots that system the next time, also by its boot loader`, now.profile === now.running && now.bootEntry === now.running);
    page.check(`${name} knows the commit that it runs`, now.revision === commit, now.revision);
    page.check(`${name} runs what the output results says`, result.outputs["results"]?.includes(`"system-path":"${now.running}"`) === true);
  }
}

async function proveNoTrace(fleet: Fleet, result: StepResult): Promise<void> {
  page.check(
    "RUNNER_TEMP holds nothing but the summary after the main step, and after the post step",
    result.inTemp.length + result.leftInTemp.length === 0,
    result.leftInTemp.join("\n"),
  );
  page.check("the post step is green", result.post?.exitCode === 0, result.post?.log);
  const processes = await fleet.runner.processes();
  page.check("no process of the action runs on the runner", processes.length === 0, processes.join("\n"));
  // What all keys of a kind begin with is of no use.
  const secret = fleet.key.secret.split("\n")[2] ?? "";
  // The commands that mask the key are for the runner, which shows none of them.
  const shown = result.log.replaceAll(/^::add-mask::.*$/gm, "");
  page.check("the key is not in the log", secret.length > 40 && result.log !== shown && !shown.includes(secret));
  // Put where it will be found, so that a search that finds nothing says something.
  await fleet.runner.exec("cat > /tmp/key-on-purpose", { stdin: fleet.key.secret });
  const found = await fleet.runner.exec(searchForKey, { stdin: `${secret}\n` });
  await fleet.runner.exec("rm /tmp/key-on-purpose");
  page.check("a key that was left would be found", found.stdout === "/tmp/key-on-purpose\n", found.stdout);
  for (const place of [{ name: "the runner", exec: fleet.runner.exec.bind(fleet.runner) }, ...fleet.machines]) {
    const { code, stdout } = await place.exec(searchForKey, { stdin: `${secret}\n` });
    page.check(`the key is in no file of ${place.name}`, code === 1, stdout);
  }
  for (const machine of fleet.machines) {
    const left = await machine.leftovers();
    page.check(`no file, unit or process of the run is left on ${machine.name}`, left.length === 0, left.join("\n"));
  }
}

async function proveUnchanged(fleet: Fleet, result: StepResult, before: ReadonlyMap<string, MachineState>): Promise<void> {
  page.check("the step is green", result.exitCode === 0, result.log);
  page.check("the output status is unchanged, changed is false", result.outputs["status"] === "unchanged" && result.outputs["changed"] === "false");
  const after = await states(fleet);
  for (const { name } of fleet.machines) {
    const same = JSON.stringify(after.get(name)) === JSON.stringify(before.get(name));
    page.check(`${name} is as it was, without a new generation`, same, JSON.stringify(after.get(name), undefined, 2));
  }
  for (const machine of fleet.machines) {
    const { accepted, lines } = machine.handshakes();
    page.check(`one ssh handshake with ${machine.name} for the whole run, by the log of its sshd`, accepted === 1, lines.join("\n"));
  }
  page.line(`  It took ${result.seconds.toFixed(1)} s.`);
}

async function remove(fleet: Fleet): Promise<void> {
  page.section("Remove everything");
  await fleet.stop();
  page.check("the machines, their disks and the flake's repository are gone", !existsSync(fleet.directory));
  page.check("their network is gone", !existsSync(`/sys/class/net/${fleet.network.bridge}`));
  page.line(`  Kept for the next demo and the tests: the root file system in ${cache} (delete it at any time).`);
}
