import { existsSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { parseFacts } from "../../../../src/nixos/facts.js";
import { residentScript } from "../../../../src/nixos/script-files.js";
import { base, call, payload, waitFor, prepareArguments } from "./as-user.js";

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("start and follow show a job as it goes, and how it ended", () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
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
    payload(call(shell, "prepare", prepareArguments("run1")));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", 'pwd; echo "$_NIXOS_REBUILD_REEXEC"; cat; ln -s /proc result']));
    const { out, err } = payload(call(shell, "follow", ["run1", "build", "0"]));
    expect(out).toBe(`${join(base, "run1")}\n1\n`);
    expect(parseFacts(err).get("result")).toBe("/proc");
  });

  test("a job goes on when nobody follows it", async () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
    payload(call(shell, "start", ["run1", "activate", residentScript("job"), "sh", "-c", "sleep 0.5; touch done"]));
    await waitFor(join(base, "run1", "activate.status"));
    expect(existsSync(join(base, "run1", "done"))).toBe(true);
    expect(parseFacts(payload(call(shell, "follow", ["run1", "activate", "0"])).err).get("exit")).toBe("0");
  });

  test("a command that there is not ends the job with 127", () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "no-such-program-here"]));
    const { out, err } = payload(call(shell, "follow", ["run1", "build", "0"]));
    expect(parseFacts(err).get("exit")).toBe("127");
    expect(out).toContain("no-such-program-here");
  });

  test("a job that was killed is reported as lost", () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
    payload(call(shell, "start", ["run1", "build", residentScript("job"), "sh", "-c", "kill -KILL 0"]));
    expect(parseFacts(payload(call(shell, "follow", ["run1", "build", "0"])).err).get("exit")).toBe("lost");
  });
});
