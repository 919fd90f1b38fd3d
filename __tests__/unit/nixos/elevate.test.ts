import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { beforeProgram, remoteCommand } from "../../../src/nixos/remote-shell.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();

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
  const place = join(directory, "elevation");
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
