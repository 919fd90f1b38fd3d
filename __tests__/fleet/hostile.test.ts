import { writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";

import { statuses } from "./host-results.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";
import { workflowCommands } from "./rig/workflow-commands.js";

jest.setTimeout(120_000);

/** A shell script that prints everything with which a machine could try to command the runner. */
function hostileScript(place: string): string {
  return [
    `echo '::error::hostile from ${place}'`,
    `echo '   ::set-output name=status::hostile from ${place}'`,
    `echo '::save-state name=identity-directory::hostile-${place}'`,
    `echo '::add-mask::deployed'`,
    `echo 'text before ##[error]hostile from ${place}'`,
    `echo '##[add-mask]unchanged'`,
    `echo '::stop-commands::hostile'; echo '::hostile::'`,
    `echo '::endgroup::'; echo '::group::hostile from ${place}'`,
    String.raw`printf 'progress\r::warning::hostile from ${place}\rdone\n'`.replace("${place}", place),
    String.raw`printf '\033[31m::notice::hostile from ${place}\033[0m\n'`.replace("${place}", place),
    String.raw`printf '\033]0;title\007::error::hostile from ${place}\v::error::hostile from ${place}\f::error::hostile\n'`.replaceAll("${place}", place),
    String.raw`printf 'not UTF-8: \377\376 \303( end of ${place}\n'`.replace("${place}", place),
    String.raw`printf 'line separators \342\200\250::error::hostile \302\205::error::hostile\n'`,
    `head -c 50000 /dev/zero | tr '\\0' 'x'; echo; head -c 16384 /dev/zero | tr '\\0' 'y'; echo '::error::hostile from ${place}'`,
    `echo 'last line of ${place}'`,
  ].join("\n");
}

// What stands in the noise and must never be the action's word.
const hostileMessage = /hostile/;

function isMaskOfKey({ name, message }: { readonly name: string; readonly message: string }): boolean {
  return name === "add-mask" && fleet.key.secret.includes(message);
}

let fleet: Fleet;
let run: StepResult;
let failed: StepResult;

beforeAll(async () => {
  fleet = await Fleet.start(["ng", { name: "bash", rebuild: "bash" }]);
  const behaviour = {
    buildScript: hostileScript("build"),
    switchScript: `echo '::error::hostile first line of the switch'\n${hostileScript("switch")}`,
    activationScript: hostileScript("activation"),
  };
  for (const { root } of fleet.machines) {
    // To standard output only where Nix does not speak its protocol over it.
    writeFileSync(
      path.join(root, "root/.bashrc"),
      `{ ${hostileScript("login").replaceAll("\n", "; ")}; } >&2\ncase $BASH_EXECUTION_STRING in *nix-daemon*) ;; *) ${hostileScript("login").replaceAll("\n", "; ")} ;; esac\n`,
    );
  }
  const inputs = { "ssh-key": fleet.key.secret, "ssh-known-hosts": fleet.knownHosts(), targets: "root@ng\nroot@bash", "rebuild-args": "--print-build-logs" };
  run = await fleet.runner.run({ inputs, workspace: await writeFlake(path.join(fleet.directory, "good"), { ng: behaviour, bash: behaviour }) });
  const failing = { text: "fails", buildScript: `${hostileScript("build")}\nexit 1` };
  failed = await fleet.runner.run({
    inputs,
    workspace: await writeFlake(path.join(fleet.directory, "bad"), {
      ng: failing,
      bash: { text: "throws", evaluationError: "\n::error::hostile\r::error::hostile\n##[error]hostile" },
    }),
  });
});

afterAll(async () => {
  await fleet?.stop();
});

/** The lines of the log, as a reader of bytes sees them. */
function lines(log: string): string[] {
  return log.split("\n");
}

function groupOf(log: string, name: string): string[] {
  const all = lines(log);
  const begin = all.findIndex((line) => new RegExp(`^::group::. ${name}: `).test(line));
  if (begin === -1) throw new Error(`no group of ${name} in:\n${log.slice(-5000)}`);
  // Not one that the machine has printed: the runner obeys again by then.
  const end = all.findIndex((line, index) => index > begin && line === "::endgroup::" && /^::[0-9a-f-]{36}::$/.test(all[index - 1] ?? ""));
  return all.slice(begin + 1, end);
}

test("the noise arrives, and would be obeyed without the action", () => {
  expect(statuses(run)).toEqual({ ng: "deployed", bash: "deployed" });
  for (const place of ["build", "switch", "activation"]) expect(run.log).toContain(`hostile from ${place}`);
  const unguarded = workflowCommands(run.log.replaceAll(/^::stop-commands::.*$/gm, "").replaceAll(/^\[\w+\] /gm, ""));
  expect(unguarded.filter(({ message }) => hostileMessage.test(message)).length).toBeGreaterThan(20);
});

describe.each<[string, () => StepResult]>([
  ["a run that succeeds", () => run],
  ["a run that fails", () => failed],
])("in %s", (_, result) => {
  test("no command of a machine is obeyed", () => {
    const { log, outputs, state, masks, env } = result();
    const allowed = new Set(["error", "warning", "group", "endgroup"]);
    // The action masks the lines of its key, and nothing else.
    const commands = workflowCommands(log).filter((command) => !isMaskOfKey(command));
    expect(commands.filter(({ name }) => !allowed.has(name))).toEqual([]);
    // An annotation may quote the machine, but never is the machine's own.
    for (const command of commands.filter(({ name }) => name === "error" || name === "warning")) {
      expect(command.properties["title"]).toMatch(/^(ng|bash): /);
      expect(command.message).not.toMatch(/^hostile/);
    }
    expect(commands.filter(({ name, message }) => name === "group" && hostileMessage.test(message))).toEqual([]);
    expect(masks.filter((mask) => !fleet.key.secret.includes(mask))).toEqual([]);
    expect(env).toEqual({});
    expect(Object.values(state).join(" ")).not.toMatch(hostileMessage);
    expect(outputs["status"]).not.toMatch(hostileMessage);
    expect(result().post?.commands).toEqual([]);
    expect(result().leftInTemp).toEqual([]);
  });

  test("workflow commands are stopped with a token that is never repeated, and resumed", () => {
    const tokens = [...result().log.matchAll(/^::stop-commands::([0-9a-f-]{36})$/gm)].map((match) => match[1] ?? "");
    expect(tokens.length).toBeGreaterThan(2);
    expect(new Set(tokens).size).toBe(tokens.length);
    for (const token of tokens) expect(lines(result().log).filter((line) => line === `::${token}::`)).toHaveLength(1);
    // Nothing stands behind the last one.
    expect(workflowCommands(`${result().log}\n::notice::after the step`).at(-1)).toMatchObject({ name: "notice" });
  });

  test("no control character reaches the log", () => {
    expect(result().log.match(/[^\P{Cc}\n\t]/gu)).toBeNull();
  });

  test("every host has one group with its whole log, without prefix", () => {
    for (const name of ["ng", "bash"]) {
      const live = lines(result().log).flatMap((line) => (line.startsWith(`[${name}] `) ? [line.slice(name.length + 3)] : []));
      const group = groupOf(result().log, name).filter((line) => !/^::(stop-commands::)?[0-9a-f-]{36}(::)?$/.test(line));
      expect(group.length).toBeGreaterThan(5);
      // The live lines, but for the error of a host that failed.
      expect(live.slice(0, group.length)).toEqual(group);
      expect(live.slice(group.length).length).toBeLessThan(25);
      expect(result().log).toMatch(new RegExp(`^\\[\\d/2\\] ${name}: (deployed|failed) after [\\d.]+ (?:min \\d+ )?s$`, "m"));
      expect(lines(result().log).filter((line) => line.startsWith("::group::") && line.includes(` ${name}: `))).toHaveLength(1);
    }
  });
});

test("very long lines are cut in pieces, and nothing of them is lost", () => {
  const group = groupOf(run.log, "ng");
  expect(Math.max(...lines(run.log).map((line) => line.length))).toBeLessThan(17_000);
  const x = group.filter((line) => /^x+$/.test(line)).map((line) => line.length);
  // The switch and the activation have each written one of 50,000.
  expect(x.reduce((sum, length) => sum + length, 0)).toBeGreaterThanOrEqual(100_000);
});

test("the failed hosts are annotated with what the machine said, as text", () => {
  expect(failed.exitCode).toBe(1);
  expect(statuses(failed)).toEqual({ ng: "failed", bash: "failed" });
  expect(failed.annotations.filter(({ level }) => level === "error").map(({ title }) => title)).toEqual(["ng: build failed", "bash: build failed"]);
  expect(failed.errors[0]).toContain("last line of build");
});

test("lines are streamed while the machine works", async () => {
  const step = fleet.runner.start({
    inputs: { "ssh-key": fleet.key.secret, "ssh-known-hosts": fleet.knownHosts(), targets: "root@ng", "rebuild-args": "--print-build-logs" },
    workspace: await writeFlake(path.join(fleet.directory, "live"), {
      ng: { buildScript: "echo '::error::hostile now'; until [ -e /tmp/seen ]; do sleep 0.1; done; echo '::error::hostile later'" },
    }),
  });
  await step.waitFor(/^\[ng\] .*::error::hostile now$/m, 30);
  expect(step.running()).toBe(true);
  expect(step.output()).not.toContain("hostile later");
  expect(workflowCommands(step.output()).filter((command) => !isMaskOfKey(command))).toEqual([]);
  await fleet.machine("ng").output("touch /tmp/seen");
  const result = await step.finished;
  expect(result.exitCode).toBe(0);
  expect(result.annotations).toEqual([]);
});

test("the end of the log is not lost when the runner reads slowly", async () => {
  const directory = path.join(fleet.directory, "slow");
  const entry = path.join(directory, "read-slowly.mjs");
  const workspace = await writeFlake(directory, { ng: { text: "slow", buildScript: `${hostileScript("build")}\n${hostileScript("build")}\nexit 1` } });
  writeFileSync(
    entry,
    `import { execFileSync, spawn } from "node:child_process";
    import { closeSync, openSync } from "node:fs";
    execFileSync("mkfifo", ["/tmp/slow"]);
    spawn("/bin/sh", ["-c", "exec 3< /tmp/slow; sleep 5; cat <&3"], { stdio: ["ignore", "inherit", "inherit"] });
    const pipe = openSync("/tmp/slow", "w");
    const action = spawn(process.execPath, ["/action/dist/index.js"], { stdio: ["ignore", pipe, "inherit"] });
    closeSync(pipe);
    action.on("exit", (code) => (process.exitCode = code));
    `,
  );
  const result = await fleet.runner.run({
    entry,
    timeout: 60,
    inputs: { "ssh-key": fleet.key.secret, "ssh-known-hosts": fleet.knownHosts(), targets: "root@ng", "rebuild-args": "--print-build-logs" },
    workspace,
  });
  // Control: more than a pipe holds.
  expect(result.log.length).toBeGreaterThan(100_000);
  expect(result.annotations.map(({ title }) => title)).toEqual(["ng: build failed"]);
  expect(result.exitCode).toBe(1);
});
