import { existsSync, readdirSync } from "node:fs";

import { describe, expect, test } from "@jest/globals";

import { run } from "../../../src/entry/deploy.js";
import { withProgram } from "../nix/fake-nix.js";
import { makeKey } from "../ssh/keys.js";
import { temporaryDirectory } from "../temporary.js";
import { runStep, type StepEnd } from "./step.js";

const directory = temporaryDirectory();
const key = makeKey();
const good = { "ssh-key": key.secret, "ssh-known-hosts": `web1 ${key.public.trim()}`, targets: "web1", retries: "0" };

async function deploy(inputs: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}): Promise<StepEnd> {
  return await runStep(directory, { run, inputs, environment });
}

describe("the main action", () => {
  test("reports every bad input, sets the outputs and makes no identity", async () => {
    const { exitCode, annotations, outputs, state, temp } = await deploy({ operation: "dance", "max-parallel": "0" });
    expect(exitCode).toBe(1);
    expect(annotations.map(({ title }) => title)).toEqual(["The deployment could not start"]);
    for (const name of ["ssh-key", "ssh-known-hosts", "operation", "max-parallel"]) expect(annotations[0]?.message).toContain(`  ${name}: `);
    expect(outputs).toMatchObject({ status: "failed", results: "[]", failed: "0", "store-path": "" });
    expect(state).toEqual({});
    expect(readdirSync(temp)).toHaveLength(1);
  });

  test("refuses an event whose code is not trusted before anything is started", async () => {
    const { exitCode, annotations, state } = await deploy(good, { GITHUB_EVENT_NAME: "pull_request_target" });
    expect(exitCode).toBe(1);
    expect(annotations[0]?.message).toContain("  allow-unsafe-event: is false");
    expect(state).toEqual({});
  });

  test("removes the identity when nix is missing and no machine answers", async () => {
    // Nobody listens on port 1 (tcpmux) of the loopback interface.
    const { exitCode, outputs, state, temp } = await withProgram(
      directory,
      "nix",
      "exit 127",
      async () => await deploy({ ...good, targets: "127.0.0.1:1#web1" }),
    );
    expect(exitCode).toBe(1);
    expect(outputs["status"]).toBe("failed");
    expect(state["identity-directory"]).toMatch(new RegExp(`^${temp}/nix-flake-deploy-`));
    expect(existsSync(state["identity-directory"] ?? "")).toBe(false);
  });

  test("writes no key before core dumps are switched off", async () => {
    let inTemp: readonly string[] | undefined;
    let switchOff = (): void => undefined;
    const off = new Promise<void>((resolve) => (switchOff = resolve));
    const nobody = { ...good, targets: "127.0.0.1:1#web1" };
    const whileWaiting = async (): Promise<number> => {
      const end = run(off);
      await new Promise((resolve) => setTimeout(resolve, 200));
      inTemp = readdirSync(process.env["RUNNER_TEMP"] ?? "");
      switchOff();
      return await end;
    };
    const { state } = await withProgram(directory, "nix", "exit 127", async () => await runStep(directory, { run: whileWaiting, inputs: nobody }));
    expect(inTemp).toEqual([]);
    expect(state["identity-directory"]).toBeDefined();
  });

  test("starts again each time it is run", async () => {
    const first = await deploy({ operation: "dance" });
    const second = await deploy({ operation: "switch" });
    expect(first.annotations[0]?.message).toContain("operation");
    expect(second.annotations[0]?.message).not.toContain("operation");
  });
});
