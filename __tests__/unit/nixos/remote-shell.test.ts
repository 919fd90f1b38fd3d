import { spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { parseFacts } from "../../../src/nixos/facts.js";
import { beforeProgram, program, remoteCommand, residentCall, residentScript, type ScriptName } from "../../../src/nixos/remote-shell.js";

// The scripts run for real, as a user without root: where the tests run as root, as nobody.
const isRoot = userInfo().uid === 0;
const uid = isRoot ? 65_534 : userInfo().uid;
const nonce = "0123456789abcdef";
const runtime = mkdtempSync(join(tmpdir(), "unit-remote-"));
chmodSync(runtime, 0o777);
// As pam_systemd makes it.
if (isRoot) chownSync(runtime, uid, uid);
afterAll(() => {
  rmSync(runtime, { recursive: true, force: true });
});

const base = join(runtime, `nix-flake-deploy-${uid}`);

function argv(shell: string): [string, string[]] {
  const drop = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", shell, "-s"];
  return isRoot ? ["setpriv", drop.slice(1)] : [shell, ["-s"]];
}

function environment(overrides: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], XDG_RUNTIME_DIR: runtime, HOME: "/nonexistent", ...overrides };
}

/** Runs a script as a machine does. */
function call(shell: string, script: ScriptName, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
  const [file, rest] = argv(shell);
  return spawnSync(file, rest, {
    input: program(script, args, nonce),
    encoding: "utf8",
    cwd: "/",
    env: environment(env),
    timeout: 20_000,
    maxBuffer: 10_000_000,
  });
}

/** What the script itself printed, between its two marks. */
function payload({ stdout, stderr }: SpawnSyncReturns<string>): { out: string; err: string; code: number } {
  const end = new RegExp(`^end ${nonce} (\\d+)\\n`, "m").exec(stderr);
  if (end === null || !stdout.startsWith(`begin ${nonce}\n`)) throw new Error(`the script did not come to its end: ${stdout}${stderr}`);
  return { out: stdout.slice(`begin ${nonce}\n`.length), err: stderr.slice(0, end.index), code: Number(end[1]) };
}

async function waitFor(path: string): Promise<void> {
  for (let tries = 0; tries < 500 && !existsSync(path); tries += 1) await sleep(10);
}

beforeEach(() => {
  rmSync(base, { recursive: true, force: true });
});

test("the command is one that a rule can name", () => {
  expect(remoteCommand({ kind: "none" })).toBe("/bin/sh -s");
  expect(remoteCommand({ kind: "passwordless", program: "sudo" })).toBe("sudo -n -- /bin/sh -s");
  expect(remoteCommand({ kind: "passwordless", program: "doas" })).toBe("doas -n -- /bin/sh -s");
  expect(remoteCommand({ kind: "passwordless", program: "run0" })).toBe("run0 --no-ask-password -- /bin/sh -s");
  expect(remoteCommand({ kind: "passwordless", program: "run0-with-manager" })).toBe("run0 --no-ask-password --lightweight=no -- /bin/sh -s");
  expect(remoteCommand({ kind: "password", password: "open sesame" })).not.toMatch(/sesame|\n|[^ ]'[^ ]/);
});

// What must stay one line of text on every way, and do nothing as a line of a shell.
const oddPasswords = [
  "touch pwned",
  "$(touch pwned)",
  "`touch pwned`",
  "'; touch pwned; '",
  '"; touch pwned; "',
  "-n",
  "---",
  "# open",
  " open  sesame ",
  String.raw`back\slash\n%s\c`,
  "ÄÖÜ",
  "x".repeat(200),
];

describe.each(["dash", "bash"])("a password for sudo under %s", (shell) => {
  const place = join(runtime, "elevation");
  /** Runs the whole, with a sudo of that behaviour, and gives what sudo was answered and what the root shell was given to read. */
  const elevate = (password: string, sudo: string): { answers: string[]; read: string; code: number | null; err: string } => {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(join(place, "bin"), { recursive: true });
    mkdirSync(join(place, "run"));
    writeFileSync(join(place, "bin/sudo"), `#!/bin/sh\n[ "$*" = "-k -A -p  -- /bin/sh -s" ] || exit 9\ncd ${place}\n${sudo}\ncat >read\nexit 7\n`, {
      mode: 0o755,
    });
    // bash that is not called sh reads .bashrc where it takes its standard input for an ssh session.
    symlinkSync(`/bin/${shell}`, join(place, "bin/sh"));
    const { status, stderr } = spawnSync("/bin/sh", ["-c", remoteCommand({ kind: "password", password }).replace("/bin/sh", "sh")], {
      input: `${beforeProgram({ kind: "password", password })}the script\nof two lines\n`,
      encoding: "utf8",
      // Names that the script uses are exported: none may carry the password on.
      env: { PATH: `${join(place, "bin")}:${process.env["PATH"]}`, XDG_RUNTIME_DIR: join(place, "run"), word: "x", line: "x", place: "x" },
      cwd: place,
      timeout: 20_000,
    });
    expect(readdirSync(join(place, "run"))).toEqual([]);
    const text = (name: string): string => (existsSync(join(place, name)) ? readFileSync(join(place, name), "utf8") : "");
    return { answers: text("answers").split("\n").slice(0, -1), read: text("read"), code: status, err: stderr };
  };
  const ask = '"$SUDO_ASKPASS" "" </dev/null >>answers; echo "asked: $?" >>answers';
  const script = "the script\nof two lines\n";

  test.each(oddPasswords)("%j goes to sudo as it is, and not to the root shell", (password) => {
    expect(elevate(password, ask)).toEqual({ answers: [password, "asked: 0"], read: script, code: 7, err: "" });
    expect(existsSync(join(place, "pwned"))).toBe(false);
  });

  test.each(oddPasswords)("%j goes nowhere when sudo does not ask", (password) => {
    expect(elevate(password, ":")).toEqual({ answers: [], read: script, code: 7, err: "" });
    expect(existsSync(join(place, "pwned"))).toBe(false);
  });

  test("is given once: a second question is not answered, and nobody waits", () => {
    expect(elevate("open sesame", `${ask}\n${ask}`)).toMatchObject({ answers: ["open sesame", "asked: 0", expect.stringMatching(/^asked: [^0]/)], code: 7 });
  });

  test("is in no environment, no argument list and no file while sudo runs", () => {
    const look = `${ask}
for process in /proc/[0-9]*; do cat $process/cmdline $process/environ 2>/dev/null; done | grep -c "open[s]esame" >>answers
grep -r "open[s]esame" run | wc -l >>answers`;
    expect(elevate("opensesame", look).answers).toEqual(["opensesame", "asked: 0", "0", "0"]);
  });
});

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("facts reports everything requested", () => {
    const { out, code } = payload(call(shell, "facts"));
    expect(code).toBe(0);
    const facts = parseFacts(out);
    expect([...facts.keys()].filter((key) => !["free-kib", "doas", "run0"].includes(key))).toEqual([
      "user",
      "uid",
      "hostname",
      "sudo",
      "nix",
      "nixos-rebuild",
      "systemd",
      "memory-kib",
      "older-generation",
      "specialisation",
      "unfinished",
      "machine-id",
      "pid-namespace",
      "running",
      "booted",
      "profile",
      "generation",
      "boot-id",
      "failed-units",
      "reboot-needed",
    ]);
    expect(facts.get("uid")).toBe(String(uid));
    expect(facts.get("memory-kib")).toMatch(/^\d+$/);
    expect(facts.get("hostname")).toBe(readFileSync("/proc/sys/kernel/hostname", "utf8").trim());
    expect(facts.get("boot-id")).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    expect(facts.get("sudo")).toMatch(/^(?:missing|ready|refused)$/);
    expect(facts.get("reboot-needed")).toBe("no");
  });

  test("what a script's child reads is not the rest of the script", () => {
    const text = program("facts", [], nonce).replace("main() {", "main() {\n  cat\n");
    const [file, rest] = argv(shell);
    const result = spawnSync(file, rest, { input: text, encoding: "utf8", env: environment({}) });
    expect(payload(result).code).toBe(0);
  });

  test("prepare makes a directory for its user alone, and may be run again", () => {
    for (let time = 0; time < 2; time += 1) expect(payload(call(shell, "prepare", ["run1"]))).toMatchObject({ code: 0, out: "", err: "" });
    expect(readdirSync(base)).toEqual(["run1"]);
    const { stdout } = spawnSync("stat", ["-c", "%a %u", base, join(base, "run1")], { encoding: "utf8" });
    expect(stdout).toBe(`700 ${uid}\n700 ${uid}\n`);
  });

  test("prepare passes over paths that have not arrived yet", () => {
    expect(payload(call(shell, "prepare", ["run1", "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-none"])).code).toBe(0);
  });

  test.each<[string, () => void]>([
    ["a link", () => symlinkSync(runtime, base)],
    // Only root can make a directory that is not its user's.
    ...(isRoot ? [["a directory", () => mkdirSync(base)] satisfies [string, () => void]] : []),
  ])("prepare refuses %s of somebody else", (_, make) => {
    make();
    const { code, err } = payload(call(shell, "prepare", ["run1"]));
    expect(code).toBe(1);
    expect(err).toContain(`${base} is owned by another user`);
  });

  test("prepare removes what a dead run has left, and nothing younger", () => {
    for (const run of ["old", "young"]) payload(call(shell, "prepare", [run]));
    spawnSync("touch", ["-d", "2 days ago", join(base, "old")]);
    payload(call(shell, "prepare", ["run1"]));
    expect(readdirSync(base).toSorted()).toEqual(["run1", "young"]);
  });

  test("prepare says where it cannot make its directory", () => {
    const long = payload(call(shell, "prepare", ["x".repeat(300)], { XDG_RUNTIME_DIR: "" }));
    expect(long).toMatchObject({ code: 1, err: expect.stringMatching(/^\/tmp\/nix-flake-deploy-\d+-x+ cannot be made\n$/) });
  });

  describe.each(["", "/nonexistent", "/"])("without a directory of the user's own (XDG_RUNTIME_DIR: %j)", (XDG_RUNTIME_DIR) => {
    const run = `${randomBytes(6).toString("hex")}-web1`;
    const place = `/tmp/nix-flake-deploy-${uid}-${run}`;
    // The name that everybody can guess.
    const guessed = `/tmp/nix-flake-deploy-${uid}`;
    afterEach(() => {
      rmSync(place, { recursive: true, force: true });
      rmSync(guessed, { recursive: true, force: true });
    });
    const here = { XDG_RUNTIME_DIR };

    test("a run makes one that nobody can guess, for this user alone, whatever else is in /tmp", () => {
      mkdirSync(guessed, { recursive: true });
      expect(payload(call(shell, "prepare", [run], here)).code).toBe(0);
      expect(statSync(place).mode & 0o777).toBe(0o700);
      expect(statSync(place).uid).toBe(uid);
      payload(call(shell, "prepare", [run], here));
      payload(call(shell, "start", [run, "build", residentScript("job"), "pwd"], here));
      expect(payload(call(shell, "follow", [run, "build", "0"], here)).out).toBe(`${place}\n`);
      payload(call(shell, "finish", [run], here));
      expect(existsSync(place)).toBe(false);
    });

    test("prepare refuses a link that is there already", () => {
      symlinkSync("/etc", place);
      expect(payload(call(shell, "prepare", [run], here))).toMatchObject({ code: 1, err: `${place} is owned by another user\n` });
      rmSync(place);
    });

    test("prepare removes what a dead run of the user has left, and nothing of others", () => {
      const [old, foreign] = [`${place}old`, `${place}foreign`];
      payload(call(shell, "prepare", [`${run}old`], here));
      mkdirSync(foreign);
      spawnSync("touch", ["-d", "2 days ago", old, foreign]);
      payload(call(shell, "prepare", [run], here));
      expect([existsSync(old), existsSync(foreign)]).toEqual([false, isRoot]);
      rmSync(foreign, { recursive: true, force: true });
    });
  });

  test("start and follow show a job as it goes, and how it ended", () => {
    payload(call(shell, "prepare", ["run1"]));
    expect(
      payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", 'echo "one $1"; sleep 0.3; echo two >&2; exit 7', "sh", "a 'b' $c"])),
    ).toMatchObject({
      code: 0,
      out: "",
    });
    const { out, err, code } = payload(call(shell, "follow", ["run1", "build", "0"]));
    expect(code).toBe(0);
    expect(out).toBe("one a 'b' $c\ntwo\n");
    const facts = parseFacts(err);
    expect(facts.get("exit")).toBe("7");
    expect(facts.get("result")).toBe("");
    expect(facts.has("boot-id")).toBe(true);
  });

  test("a job starts in the directory of its run, without nixos-rebuild's re-exec and without input", () => {
    payload(call(shell, "prepare", ["run1"]));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", 'pwd; echo "$_NIXOS_REBUILD_REEXEC"; cat; ln -s /proc result']));
    const { out, err } = payload(call(shell, "follow", ["run1", "build", "0"]));
    expect(out).toBe(`${join(base, "run1")}\n1\n`);
    expect(parseFacts(err).get("result")).toBe("/proc");
  });

  test("follow goes on from a byte, without gap and repetition", () => {
    payload(call(shell, "prepare", ["run1"]));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "printf", String.raw`0123456789\né\n`]));
    expect(payload(call(shell, "follow", ["run1", "build", "0"])).out).toBe("0123456789\né\n");
    expect(payload(call(shell, "follow", ["run1", "build", "4"])).out).toBe("456789\né\n");
    expect(payload(call(shell, "follow", ["run1", "build", "14"])).out).toBe("");
  });

  test("follow shows a long log whole", () => {
    payload(call(shell, "prepare", ["run1"]));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "seq", "1", "200000"]));
    const { out } = payload(call(shell, "follow", ["run1", "build", "0"]));
    expect(out.length).toBe(1_288_895);
    expect(out.endsWith("\n199999\n200000\n")).toBe(true);
  });

  test("follow shows what is there before the job has ended", async () => {
    payload(call(shell, "prepare", ["run1"]));
    // It ends only once its first line has been seen.
    const job = "echo first; until [ -e go ]; do sleep 0.05; done; echo second";
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", job]));
    const [file, rest] = argv(shell);
    const child = spawn(file, rest, { env: environment({}), cwd: "/" });
    let seen = "";
    child.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes("first")) writeFileSync(join(base, "run1", "go"), "");
    });
    child.stdin.end(program("follow", ["run1", "build", "0"], nonce));
    await new Promise((resolve) => child.once("close", resolve));
    expect(seen).toContain("first\nsecond\n");
  });

  test("a job goes on when nobody follows it", async () => {
    payload(call(shell, "prepare", ["run1"]));
    payload(call(shell, "start", ["run1", "activate", residentScript("job"), "sh", "-c", "sleep 0.5; touch done"]));
    await waitFor(join(base, "run1", "activate.status"));
    expect(existsSync(join(base, "run1", "done"))).toBe(true);
    expect(parseFacts(payload(call(shell, "follow", ["run1", "activate", "0"])).err).get("exit")).toBe("0");
  });

  test("a command that there is not ends the job with 127", () => {
    payload(call(shell, "prepare", ["run1"]));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "no-such-program-here"]));
    const { out, err } = payload(call(shell, "follow", ["run1", "build", "0"]));
    expect(parseFacts(err).get("exit")).toBe("127");
    expect(out).toContain("no-such-program-here");
  });

  test("a job that was killed is reported as lost", () => {
    payload(call(shell, "prepare", ["run1"]));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", "kill -KILL 0"]));
    expect(parseFacts(payload(call(shell, "follow", ["run1", "build", "0"])).err).get("exit")).toBe("lost");
  });

  test("follow knows no job that was not started, start no run that was not prepared", () => {
    expect(payload(call(shell, "follow", ["run1", "build", "0"])).code).toBe(3);
    expect(payload(call(shell, "start", ["run1", "build", residentScript("job"), "true"])).code).toBe(1);
    payload(call(shell, "prepare", ["run1"]));
    expect(payload(call(shell, "follow", ["run1", "build", "0"])).code).toBe(3);
  });

  test("difference reports paths and sizes, and bounds each list", () => {
    const { before, after, path } = twoSystems();
    const { code, out } = payload(call(shell, "difference", [before, after, "5", "100"], { PATH: path }));
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      "- /nix/store/old",
      `- ${before}`,
      "-size 14",
      `-size ${before.length}`,
      "+ /nix/store/new",
      `+ ${after}`,
      "+size 14",
      `+size ${after.length}`,
      "end",
      "",
    ]);
    const bounded = payload(call(shell, "difference", [before, after, "5", "1"], { PATH: path })).out;
    expect(bounded.split("\n").filter((line) => /^[-+] /.test(line))).toHaveLength(2);
  });

  test("difference exits with 1 if Nix does not list the closures, also if it takes too long", () => {
    const { before, path } = twoSystems();
    expect(payload(call(shell, "difference", [before, "/nix/store/unknown", "5", "100"], { PATH: path }))).toMatchObject({
      code: 1,
      err: "error: unknown path\n",
    });
    expect(payload(call(shell, "difference", [before, "/nix/store/hangs", "0.2", "100"], { PATH: path }))).toMatchObject({ code: 1 });
  });

  test("follow ends when someone removes the run in the middle of a job", async () => {
    payload(call(shell, "prepare", ["run1"]));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", "echo first; sleep 5"]));
    const [file, rest] = argv(shell);
    const child = spawn(file, rest, { env: environment({}), cwd: "/" });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.stdin.end(program("follow", ["run1", "build", "0"], nonce));
    await new Promise((resolve) => child.stdout.on("data", (chunk: Buffer) => chunk.includes("first") && resolve(undefined)));
    rmSync(join(base, "run1"), { recursive: true });
    await ended;
    expect(stderr).toContain(`end ${nonce} 3\n`);
  });

  test("finish does the same from a file on the machine", () => {
    for (const run of ["run1", "run2"]) payload(call(shell, "prepare", [run]));
    const text = join(base, "run1", "finish.sh");
    writeFileSync(text, residentCall("finish", ["run1"]));
    const [file, rest] = argv(shell);
    const { status, stdout, stderr } = spawnSync(file, [...rest.slice(0, -1), text], { encoding: "utf8", env: environment({}), cwd: "/" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readdirSync(base)).toEqual(["run2"]);
  });

  test("finish ends the build with its children, and leaves nothing", async () => {
    payload(call(shell, "prepare", ["run1"]));
    writeFileSync(join(runtime, "pid"), "");
    chmodSync(join(runtime, "pid"), 0o666);
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", `sleep 300 & echo $! >${runtime}/pid; wait`]));
    for (let tries = 0; tries < 500 && readFileSync(join(runtime, "pid"), "utf8") === ""; tries += 1) await sleep(10);
    const pid = readFileSync(join(runtime, "pid"), "utf8").trim();
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    expect(payload(call(shell, "finish", ["run1"]))).toMatchObject({ code: 0, out: "", err: "" });
    for (let tries = 0; tries < 200 && /State:\s+[^ZX]/.test(stateOf(pid)); tries += 1) await sleep(10);
    expect(stateOf(pid)).not.toMatch(/State:\s+[^ZX]/);
    expect(existsSync(base)).toBe(false);
  });

  test("finish leaves an activation alone, and other runs", async () => {
    for (const run of ["run1", "run2"]) payload(call(shell, "prepare", [run]));
    payload(
      call(shell, "start", [
        "run1",
        "activate",
        residentScript("job"),
        "sh",
        "-c",
        `touch ${runtime}/begun-${shell}; sleep 0.5; touch ${runtime}/activated-${shell}`,
      ]),
    );
    await waitFor(join(runtime, `begun-${shell}`));
    payload(call(shell, "finish", ["run1"]));
    await waitFor(join(runtime, `activated-${shell}`));
    expect(existsSync(join(runtime, `activated-${shell}`))).toBe(true);
    expect(readdirSync(base)).toEqual(["run2"]);
  });

  test("finish twice, and without a run, is no harm", () => {
    payload(call(shell, "prepare", ["run2"]));
    expect(payload(call(shell, "finish", ["run1"])).code).toBe(0);
    expect(payload(call(shell, "finish", [""])).code).toBe(0);
    expect(readdirSync(base)).toEqual(["run2"]);
  });
});

/** Two systems with unit files, and a PATH with a nix-store that knows their closures; every size is the length of the path. */
function twoSystems(): { before: string; after: string; path: string } {
  const [before, after, bin] = ["before", "after", "bin"].map((name) => join(runtime, name));
  if (before === undefined || after === undefined || bin === undefined) throw new Error("three directories");
  for (const directory of [before, after, bin]) rmSync(directory, { recursive: true, force: true });
  for (const directory of [before, after]) mkdirSync(directory);
  mkdirSync(bin);
  writeFileSync(
    join(bin, "nix-store"),
    `#!/bin/sh
case "$2 $3" in
  "--requisites ${before}") printf '%s\n' /nix/store/both /nix/store/old ${before} ;;
  "--requisites ${after}") printf '%s\n' /nix/store/both /nix/store/new ${after} ;;
  "--requisites /nix/store/hangs") exec sleep 60 ;;
  --requisites*) echo "error: unknown path" >&2; exit 1 ;;
  *) shift 2; for path; do echo "\${#path}"; done ;;
esac
`,
  );
  chmodSync(join(bin, "nix-store"), 0o755);
  return { before, after, path: `${bin}:${process.env["PATH"]}` };
}

function stateOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
