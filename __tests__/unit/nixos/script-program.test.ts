import { spawnSync } from "node:child_process";

import { describe, expect, test } from "@jest/globals";

import { followsJob, opening } from "../../../src/nixos/script-files.js";
import { program, question } from "../../../src/nixos/script-program.js";
import { argv, environment, nonce, payload } from "./remote/as-user.js";

test("what follows a job is given up when it is silent", () => {
  const names = ["run", "follow", "confirm", "facts", "start", "decide", "settle"] as const;
  expect(names.filter((name) => followsJob(name))).toEqual(["run", "follow", "confirm"]);
});

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("what a script's child reads is not the rest of the script", () => {
    const text = program("facts", [], nonce).replace("main() {", "main() {\n  cat\n");
    const [file, rest] = argv(shell);
    const result = spawnSync(file, rest, { input: text, encoding: "utf8", env: environment({}) });
    expect(payload(result).code).toBe(0);
  });

  test("a long script that was deflated gets its arguments and does the same, and a short one stays as it is", () => {
    const args = ["/nix/store/before", 'it\'s $HOME\n`id` "x"', "/nonexistent", "5", "10", "5", "10"];
    const run = (text: string) => {
      const [file, rest] = argv(shell);
      return spawnSync(file, rest, { input: `${opening()}${text}exit "$code"\n`, encoding: "utf8", env: environment({}) });
    };
    const plain = question("arm", args, nonce);
    const deflated = question("arm", args, nonce, { deflated: true });
    expect(deflated.length).toBeLessThan(plain.length * 0.6);
    const echo = (text: string): string => text.replace('main "$@"', `printf '<%s>' "$@"; main "$@"`);
    const { out, code } = payload(run(echo(deflated)));
    expect(out).toBe(args.map((word) => `<${word}>`).join(""));
    expect(payload(run(echo(plain)))).toMatchObject({ out, code });
    expect(question("finish", ["run1"], nonce, { deflated: true })).toBe(question("finish", ["run1"], nonce));
  });
});
