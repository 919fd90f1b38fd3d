import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { inputDefaults, inputVariable } from "../../rig/action-inputs.js";
import { median } from "./record.js";

/** Milliseconds from the start of Node: to the first program that the action starts, and to the end of an empty program. */
export type ColdStart = { readonly firstProgram: number; readonly emptyProgram: number };

// The first that is started ends the action, so that both times are from a start to an end.
const endsParent = "#!/bin/sh\nkill -KILL $PPID\n";
const programs = ["git", "nix", "nix-store", "prlimit", "ssh", "ssh-keygen"];

/** Measures the start of the action in `dist` on this host, whose caches are warm. Returns medians. Throws where it starts no program. */
export function measureColdStart({ node, dist, key, rounds }: { node: string; dist: string; key: string; rounds: number }): ColdStart {
  const directory = mkdtempSync(join(tmpdir(), "nix-flake-deploy-cold-start-"));
  try {
    for (const program of programs) writeFileSync(join(directory, program), endsParent, { mode: 0o755 });
    for (const file of ["output", "state", "summary"]) writeFileSync(join(directory, file), "");
    const inputs = { ...inputDefaults(), "ssh-key": key, "ssh-strict": "false", targets: "root@web1" };
    const env = {
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [inputVariable(name), value])),
      PATH: `${directory}:${process.env["PATH"]}`,
      GITHUB_OUTPUT: join(directory, "output"),
      GITHUB_STATE: join(directory, "state"),
      GITHUB_STEP_SUMMARY: join(directory, "summary"),
      RUNNER_TEMP: directory,
    };
    const started = Array.from({ length: rounds }, () => {
      const action = timed(node, [join(dist, "index.js")], env);
      if (action.signal !== "SIGKILL") throw new Error(`the action started no program:\n${action.output}`);
      return { firstProgram: action.milliseconds, emptyProgram: timed(node, ["--eval", "0"], env).milliseconds };
    });
    return { firstProgram: median(started.map((one) => one.firstProgram)), emptyProgram: median(started.map((one) => one.emptyProgram)) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function timed(node: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const began = performance.now();
  const { signal, stdout, stderr } = spawnSync(node, args, { env, encoding: "utf8" });
  return { milliseconds: performance.now() - began, signal, output: `${stdout}${stderr}` };
}
