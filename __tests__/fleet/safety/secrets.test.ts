import { describe, expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { writeFlake } from "../rig/flake.js";
import { createSshKey } from "../rig/ssh-key.js";
import { useTrial, verdictOf } from "./trial.js";

const trial = useTrial(["web1"]);

// What code that runs beside the action finds: written keys, and processes that have the inputs.
const look = `PATH=/usr/bin:/bin
for file in /home/runner/work/*/temp/*/key; do if [ -e "$file" ]; then echo "key"; fi; done
for process in /proc/[0-9]*; do
  if tr '\\0' '\\n' <$process/environ | grep -q '^INPUT_SSH-KEY='; then echo "process $(tr '\\0' ' ' <$process/cmdline)"; fi
done 2>/dev/null`;
const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
const ours = expect.stringMatching(/^process \S+\/node \/action\/dist\/index\.js $/);

describe("code of the flake that is evaluated on the runner", () => {
  test("finds no key on the disk, and inputs in no process but the action's own", async () => {
    const system = process.arch === "arm64" ? "aarch64-linux" : "x86_64-linux";
    const outputs = `deploy.nodes.web1 = {
  hostname = builtins.seq (builtins.readFile (derivation {
    name = "look"; system = "${system}"; builder = "/bin/sh";
    args = [ "-c" ${JSON.stringify(`{ ${look}\n} >/tmp/seen; echo done >$out`).replaceAll("${", String.raw`\${`)} ];
  })) "web1";
  profiles.system.user = "root";
};`;
    const flake = await writeFlake(`${trial.fleet.directory}/look`, { web1: { text: "look" } }, { outputs });
    const run = await trial.fleet.runner.run(trial.step(flake, { targets: "" }));
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
    expect(lines((await trial.fleet.runner.exec("cat /tmp/seen")).stdout)).toEqual([ours]);
  });

  test("control: later, the key is there to be found", async () => {
    const running = trial.fleet.runner.start(trial.step(await trial.flake({ buildScript: "sleep 8" })));
    await until("the key to be written", 30, async () => (await trial.fleet.runner.exec(look)).stdout.includes("key"));
    const found = lines((await trial.fleet.runner.exec(look)).stdout);
    expect(found).toEqual(["key", ours]);
    expect(verdictOf(await running.finished)).toMatchObject({ exit: 0 });
  });
});

const repository = { id: 1 };
const fork = { name: "pull_request", payload: { pull_request: { head: { repo: { id: 2 } }, base: { repo: repository } }, repository } };

test("a pull request from a fork is refused before anything is written, unless it is allowed", async () => {
  const step = { ...trial.step(await trial.flake({})), event: fork };
  const run = await trial.fleet.runner.run(step);
  expect(run.exitCode).toBe(1);
  expect(run.errors).toEqual([expect.stringContaining("allow-unsafe-event: is false, but the pull request of this pull_request event comes from a fork")]);
  expect({ state: run.state, inTemp: run.inTemp }).toEqual({ state: {}, inTemp: [] });
  const allowed = await trial.fleet.runner.run({ ...step, inputs: { ...step.inputs, "allow-unsafe-event": "true" } });
  expect(verdictOf(allowed)).toMatchObject({ exit: 0, status: "deployed" });
});

describe("a runner whose disk is full", () => {
  test("reports a deployment without outputs in annotations and summary", async () => {
    const run = await trial.fleet.runner.run({ ...trial.step(await trial.flake({})), env: { GITHUB_OUTPUT: "/dev/full" } });
    expect(run.exitCode).toBe(1);
    expect(run.annotations).toMatchObject([
      { level: "error", title: "The outputs could not be set", message: expect.stringContaining("no space left on device") },
    ]);
    expect(run.summary).toContain("deployed");
    expect(run.leftInTemp).toEqual([expect.stringMatching(/^nix-flake-deploy-summary-/)]);
  });

  test("is reported in one sentence if RUNNER_TEMP accepts no file", async () => {
    await trial.fleet.runner.exec("mkdir -p /mnt/full && mount -t tmpfs -o nr_inodes=1 none /mnt/full");
    const run = await trial.fleet.runner.run({ ...trial.step(await trial.flake({})), env: { RUNNER_TEMP: "/mnt/full" } });
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(/^ENOSPC: no space left on device, [^\n]*\. Check the space and the permissions of \/mnt\/full\.$/)]);
    expect(run.outputs).toMatchObject({ status: "failed", "summary-path": "" });
  });
});

describe("a RUNNER_TEMP that is mounted noexec", () => {
  test("does no harm, except to an encrypted key, which is reported in one sentence", async () => {
    await trial.fleet.runner.exec("mkdir -p /mnt/noexec && mount -t tmpfs -o noexec none /mnt/noexec");
    const step = { ...trial.step(await trial.flake({})), env: { RUNNER_TEMP: "/mnt/noexec" } };
    const plain = await trial.fleet.runner.run({ ...step, inputs: { ...step.inputs, summary: "true" } });
    expect(plain.exitCode).toBe(0);
    const encrypted = await createSshKey({ passphrase: "open" });
    const run = await trial.fleet.runner.run({ ...step, inputs: { ...step.inputs, "ssh-key": encrypted.secret, "ssh-key-passphrase": "open" } });
    expect(run.errors).toEqual([expect.stringMatching(/^decrypting ssh-key needs [^\n]*, but running one in \/mnt\/noexec was denied/)]);
  });
});
