import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { parseFacts } from "../../../../src/nixos/facts.js";
import { residentScript } from "../../../../src/nixos/script-files.js";
import { base, call, payload, prepareArguments } from "./as-user.js";

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("run starts a job and follows it, and only follows it from a later byte on", () => {
    payload(call(shell, "prepare", prepareArguments("run1")));
    const job = [residentScript("job"), "sh", "-c", "echo one; sleep 0.2; echo two; echo x >>starts; exit 7"];
    const { code, out, err } = payload(call(shell, "run", ["run1", "build", "0", ...job]));
    expect([code, out, parseFacts(err).get("exit")]).toEqual([0, "one\ntwo\n", "7"]);
    expect(payload(call(shell, "run", ["run1", "build", "4", ...job])).out).toBe("two\n");
    expect(payload(call(shell, "run", ["run1", "build", "0", ...job])).out).toBe("one\ntwo\n");
    expect(readFileSync(join(base, "run1", "starts"), "utf8")).toBe("x\n");
  });

  test("run finds no job where the run is gone, and cannot start one without room for it", () => {
    const job = [residentScript("job"), "true"];
    expect(payload(call(shell, "run", ["run1", "build", "0", ...job])).code).toBe(3);
    payload(call(shell, "prepare", prepareArguments("run1")));
    mkdirSync(join(base, "run1", "build.command"));
    expect(payload(call(shell, "run", ["run1", "build", "0", ...job])).code).toBe(1);
    expect(existsSync(join(base, "run1", "build.log"))).toBe(false);
  });
});
