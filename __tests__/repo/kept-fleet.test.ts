import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { deploymentProblems, machinesOf } from "../fleet/programs/kept-fleet/deployed.js";
import { filesIn, readInputs, type StepInputs, waitForFile } from "../fleet/programs/kept-fleet/files.js";
import { renderMasks, renderOutputs } from "../fleet/programs/kept-fleet/step-outputs.js";

const inputs: StepInputs = {
  "ssh-key": "-----BEGIN KEY-----\nAAAA\nBBBB\n-----END KEY-----\n",
  "ssh-known-hosts": "web1,10.0.0.1 ssh-ed25519 AAAA\n",
  targets: "root@10.213.0.10#web1\ndeploy@10.213.0.11:2222#web2",
};

test("every line of the key is masked, but for those that all keys have", () => {
  expect(renderMasks(inputs)).toBe("::add-mask::AAAA\n::add-mask::BBBB\n");
});

describe("renderOutputs", () => {
  test("writes each input as an output of several lines", () => {
    const [key, , targets] = [inputs["ssh-key"], "", inputs.targets];
    const text = renderOutputs(inputs, "end");
    expect(text).toContain(`ssh-key<<end\n${key}\nend\n`);
    expect(text).toContain(`targets<<end\n${targets}\nend\n`);
  });

  test("refuses a value that has the line that ends it", () => {
    expect(() => renderOutputs(inputs, "AAAA")).toThrow("ssh-key has the line AAAA");
  });
});

describe("machinesOf", () => {
  test("reads user, address, port and configuration of each target", () => {
    expect(machinesOf(inputs)).toEqual([
      { user: "root", address: "10.213.0.10", port: "22", configuration: "web1" },
      { user: "deploy", address: "10.213.0.11", port: "2222", configuration: "web2" },
    ]);
  });

  test("refuses a target without a configuration", () => {
    expect(() => machinesOf({ ...inputs, targets: "root@10.213.0.10" })).toThrow("root@10.213.0.10 is not user@address[:port]#configuration");
  });
});

describe("deploymentProblems", () => {
  const machine = { user: "root", address: "10.213.0.10", port: "22", configuration: "web1" };
  const results = [{ configuration: "web1", "system-path": "/nix/store/new" }];
  const deployed = { running: "/nix/store/new", profile: "/nix/store/new", greeting: "Hello from web1" };

  test("has nothing against a machine that runs and boots the reported system", () => {
    expect(deploymentProblems(results, machine, deployed)).toEqual([]);
  });

  test.each([
    [{ running: "/nix/store/old" }, 'web1: the running system is "/nix/store/old", not "/nix/store/new"'],
    [{ profile: "/nix/store/old" }, 'web1: the system profile is "/nix/store/old", not "/nix/store/new"'],
    [{ greeting: "as installed" }, 'web1: the text is "as installed", not "Hello from web1"'],
  ])("reports a machine with %j", (difference, problem) => {
    expect(deploymentProblems(results, machine, { ...deployed, ...difference })).toEqual([problem]);
  });

  test.each([[[]], [undefined], [[{ configuration: "web1", "system-path": "" }]]])("reports a machine without a system in the results %j", (reported) => {
    expect(deploymentProblems(reported, machine, deployed)).toEqual(["web1: the results have no system-path for it"]);
  });
});

describe("the files of a kept fleet", () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kept-fleet-test-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("hold the inputs", () => {
    writeFileSync(filesIn(directory).inputs, JSON.stringify(inputs));
    expect(readInputs(directory)).toEqual(inputs);
    writeFileSync(filesIn(directory).inputs, JSON.stringify({ ...inputs, targets: undefined }));
    expect(() => readInputs(directory)).toThrow("has no targets");
  });

  test("are waited for until they exist, or until a reason to give up", async () => {
    const file = join(directory, "made");
    mkdirSync(file);
    await waitForFile(file, true, () => "not needed");
    await expect(waitForFile(join(directory, "never"), true, () => "the machines did not boot")).rejects.toThrow("the machines did not boot");
  });
});
