import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { agentSocket } from "../../../src/ssh/agent.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();

test("the socket of an agent is accepted", async () => {
  const path = join(directory, "agent.1");
  const server = createServer().listen(path);
  await new Promise((resolve) => server.once("listening", resolve));
  expect(agentSocket(path)).toBe(path);
  server.close();
});

test("what is no socket is refused", () => {
  const file = join(directory, "file");
  writeFileSync(file, "");
  for (const path of [undefined, ""]) expect(() => agentSocket(path)).toThrow(/^is agent, but SSH_AUTH_SOCK is not set\. Start an agent/);
  for (const path of ["relative", "/a b", "/a%h", "/$HOME/x"])
    expect(() => agentSocket(path)).toThrow(/^is agent, but SSH_AUTH_SOCK is ".*"; expected an absolute path/);
  for (const path of [file, "/nonexistent"]) expect(() => agentSocket(path)).toThrow(/^is agent, but no agent is listening at/);
});
