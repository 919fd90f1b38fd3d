import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll } from "@jest/globals";

import type { HostLog } from "../../../src/deploy/ports.js";
import { Connection } from "../../../src/ssh/connection.js";
import { makeTarget } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";

/** A program `ssh` in front of PATH for the tests of a file. */
export type FakeSsh = {
  readonly connection: Connection;
  /** A connection of another user than root. */
  readonly connectionAs: (user: string) => Connection;
  readonly directory: string;
  /** Does this with the command for the machine, which is "$command"; and, where it is a master, that. */
  readonly does: (session: string, master?: string) => void;
  /**
   * Has the machine print a file, and that on standard error, in place of what the script would print, and end with that code. Before it
   * ends, it waits until the file `awaits` has something in it; it makes the file `touches` when it has answered.
   */
  readonly answers: (answer: {
    readonly file?: string;
    readonly exitCode?: number;
    readonly stderr?: string;
    readonly awaits?: string;
    readonly touches?: string;
  }) => void;
};

export function useFakeSsh(): FakeSsh {
  const directory = temporaryDirectory();
  const path = process.env["PATH"];
  beforeAll(() => {
    mkdirSync(join(directory, "bin"));
    // In place of the systemd of whatever runs the tests, which may be none and is then asked again and again: no unit has failed.
    writeFileSync(join(directory, "bin", "systemctl"), "#!/bin/sh\n", { mode: 0o755 });
    process.env["PATH"] = `${join(directory, "bin")}:${path}`;
  });
  afterAll(() => {
    process.env["PATH"] = path;
  });
  const does = (session: string, master = "exit 0"): void => {
    const script = `#!/bin/sh\nfor command; do :; done\ncase " $* " in *" -N "*) ${master} ;; *" -O "*) exit 0 ;; esac\n${session}\n`;
    writeFileSync(join(directory, "bin", "ssh"), script);
    chmodSync(join(directory, "bin", "ssh"), 0o755);
  };
  return {
    connection: new Connection(makeTarget(), 0, directory, 5),
    connectionAs: (user) => new Connection(makeTarget({ user }), 0, directory, 5),
    directory,
    does,
    // Scripts come on standard input, one after the other, with the line that their output begins with.
    answers: ({ file = "/dev/null", exitCode = 0, stderr = "", awaits, touches = "/dev/null" }) => {
      const answer = join(directory, "next-answer.sh");
      const waiting = awaits === undefined ? "" : `until [ -s '${awaits}' ]; do sleep 0.01; done`;
      writeFileSync(answer, `cat '${file}'\nprintf '${stderr}' >&2\n${waiting}\ncode=${exitCode}\n`);
      does(`while IFS= read -r line; do
  case $line in "echo 'begin "*) nonce=\${line#*begin }; nonce=\${nonce%?} ;; *) continue ;; esac
  echo "begin $nonce"
  . '${answer}'
  echo "end $nonce $code"
  echo "end $nonce $code" >&2
  touch '${touches}'
done`);
    },
  };
}

/** A log that keeps what the action itself says. */
export function notesOf(notes: string[]): HostLog {
  const note = (text: string): void => {
    notes.push(text);
  };
  return { phase: () => undefined, ended: () => undefined, copying: () => undefined, output: note, note, warn: note };
}
