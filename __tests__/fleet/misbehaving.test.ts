import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";

import { hostResults, statuses } from "./host-results.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

jest.setTimeout(400_000);

// What a machine does in place of a script that has the word in it, with the nonce of the script and all that came before.
const attacks: Readonly<Record<Attack, readonly [word: string, does: string]>> = {
  // Without any, they are run as they came.
  none: ["no such word", ""],
  hangs: ["older_generation", "exec sleep 10000"],
  // 20 MB a second, and no line ends.
  noise: ["older_generation", "while sleep 0.05; do head -c 1000000 /dev/zero; done"],
  errors: ["older_generation", "while sleep 0.05; do head -c 1000000 /dev/zero >&2; done"],
  long: ["older_generation", 'echo "begin $nonce"; while sleep 0.05; do head -c 1000000 /dev/zero; done'],
  forges: ["older_generation", "printf '%s\\n' \"$script\" | /bin/sh -s | sed 's#^running=.*#running=/nix/store/../../etc#'"],
  drops: ["sweep", "exit 255"],
  silent: ["show_new", 'echo "begin $nonce"; exec sleep 10000'],
  codes: ["show_new", 'echo "begin $nonce"; echo "end $nonce 0"; echo exit=999 >&2; echo "end $nonce 0" >&2'],
  lines: ["show_new", 'echo "begin $nonce"; while sleep 0.02; do yes "a line of no use" | head -n 20000; done'],
  endless: ["show_new", 'echo "begin $nonce"; while sleep 0.05; do head -c 1000000 /dev/zero | tr "\\0" x; done'],
};

type Attack = "none" | "hangs" | "noise" | "errors" | "long" | "forges" | "drops" | "silent" | "codes" | "lines" | "endless";

/** What sshd runs on a machine: a shell that gets one script after the other, until one has the word in it. */
function forcedCommand(attack: Attack): string {
  const [word, does] = attacks[attack];
  return `#!/usr/bin/python3
import base64, gzip, os, re, subprocess, sys
command = os.environ["SSH_ORIGINAL_COMMAND"]
if command != "/bin/sh -s":
    os.execv("/bin/sh", ["/bin/sh", "-c", command])
shell = subprocess.Popen(["/bin/sh", "-s"], stdin=subprocess.PIPE)
before, script, last = b"", b"", b""
for line in iter(sys.stdin.buffer.readline, b""):
    script += line
    if line == b"}\\n" and last.startswith(b'echo "end '):
        packed = re.search(rb"echo ([A-Za-z0-9+/=]+) \\| base64 -d \\| gzip -dc", script)
        text = gzip.decompress(base64.b64decode(packed.group(1))) if packed else script
        if b${JSON.stringify(word)} in text:
            nonce = re.search(rb"^echo 'begin ([0-9a-f]*)'$", script, re.M).group(1)
            os.environ.update({"nonce": nonce.decode(), "script": (before + script).decode()})
            os.execv("/bin/sh", ["/bin/sh", "-c", ${JSON.stringify(does)}])
        shell.stdin.write(script)
        shell.stdin.flush()
        before, script = before + script, b""
    last = line
shell.stdin.write(script)
shell.stdin.close()
sys.exit(shell.wait())
`;
}

const bad = ["bad1", "bad2", "bad3", "bad4", "bad5", "bad6", "bad7", "bad8"] as const;
const names = ["good", ...bad] as const;
let fleet: Fleet;
let flakes = 0;

beforeAll(async () => {
  fleet = await Fleet.start([...names]);
  const attackers = fleet.machines.slice(1);
  for (const machine of attackers) writeFileSync(path.join(machine.root, "etc/ssh/sshd_config.d/attack.conf"), "ForceCommand /usr/local/bin/attack\n");
  await Promise.all(attackers.map(async (machine) => await machine.output("systemctl reload ssh || systemctl restart ssh")));
});

afterAll(async () => {
  await fleet?.stop();
});

/** Deploys to a machine that works and to those that are attackers. Returns with the result how much memory the action took at most, in MiB. */
async function deploy(attackers: readonly Attack[], inputs: Readonly<Record<string, string>> = {}): Promise<StepResult & { readonly memory: number }> {
  const targets = names.slice(0, attackers.length + 1);
  for (const [index, attack] of attackers.entries()) {
    const file = path.join(fleet.machine(names[index + 1] ?? "").root, "usr/local/bin/attack");
    writeFileSync(file, forcedCommand(attack));
    chmodSync(file, 0o755);
  }
  flakes += 1;
  const directory = path.join(fleet.directory, `flake-${flakes}`);
  const behaviours = Object.fromEntries(targets.map((name) => [name, { text: `${name} ${flakes}` }]));
  const workspace = await writeFlake(directory, behaviours);
  const entry = path.join(fleet.directory, "measured.mjs");
  const measured = path.join(fleet.directory, `memory-${flakes}`);
  writeFileSync(
    entry,
    `import { writeFileSync } from "node:fs";
    process.on("exit", () => writeFileSync(${JSON.stringify(measured)}, String(process.resourceUsage().maxRSS / 1024)));
    await import("/action/dist/index.js");`,
  );
  const access = { "ssh-key": fleet.key.secret, "ssh-known-hosts": fleet.knownHosts(), targets: targets.map((name) => `root@${name}`).join("\n") };
  const limits = { "connect-timeout": "5", "settle-time": "0", timeout: "0" };
  const run = await fleet.runner.run({ entry, workspace, timeout: 300, inputs: { ...access, ...limits, ...inputs } });
  return { ...run, memory: Number(readFileSync(measured, "utf8")) };
}

function errorsOf(run: StepResult): Record<string, string> {
  return Object.fromEntries([...hostResults(run)].map(([name, result]) => [name, String(result["error"])]));
}

const unused = 110;

describe("machines that misbehave, without any timeout", () => {
  test("are deployed while they do not (control)", async () => {
    const run = await deploy(["none", "none"]);
    expect(statuses(run)).toEqual({ good: "deployed", bad1: "deployed", bad2: "deployed" });
    expect(run.memory).toBeLessThan(unused + 60);
  });

  test("fail alone, before their first answer or later, within their time and within little memory", async () => {
    const run = await deploy(["hangs", "noise", "errors", "long", "forges", "drops", "silent", "codes"], { operation: "build", retries: "0" });
    const { good, ...others } = statuses(run);
    expect(good).toBe("planned");
    expect(Object.values(others)).toEqual(bad.map(() => "failed"));
    const errors = errorsOf(run);
    for (const name of ["bad1", "bad2", "bad3"]) expect(errors[name]).toContain("the machine is connected, but has not answered within 60 s");
    expect(errors["bad4"]).toContain("the machine has printed more than 4.0 MiB where a short answer was expected");
    expect(errors["bad5"]).toContain('the machine\'s answer cannot be used: running is "/nix/store/../../etc", which is not a path of the Nix store');
    expect(errors["bad6"]).toContain("the connection was lost again and again for 65 s");
    expect(errors["bad7"]).toContain("the machine is connected, but has given no sign of life for 60 s");
    expect(errors["bad8"]).toContain("the machine's answer cannot be used: the job build ended with 999, which is no exit code");
    expect(run.log).not.toMatch(/\.js:\d+/);
    expect(run.seconds).toBeLessThan(150);
    expect(run.memory).toBeLessThan(unused + 5 * 64);
  });
});

test("a machine whose build prints for ever is ended by timeout alone; its lines are counted, and memory is bounded", async () => {
  const run = await deploy(["lines", "endless"], { timeout: "30" });
  expect(statuses(run)).toMatchObject({ bad1: "failed", bad2: "failed" });
  expect(errorsOf(run)["bad1"]).toContain("longer than the timeout of 30 s");
  // Nix has printed some lines of the copy.
  const shown = run.log.split("\n").filter((line) => line.startsWith("[bad1] a line of no use")).length;
  expect([shown > 99_900, shown <= 100_000]).toEqual([true, true]);
  expect(run.log).toMatch(/^… \d+ more lines of this host omitted …$/m);
  expect(run.memory).toBeLessThan(unused + 2 * 64 + 60);
});
