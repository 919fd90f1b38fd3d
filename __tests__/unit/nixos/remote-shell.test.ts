import { expect, test } from "@jest/globals";

import { remoteCommand } from "../../../src/nixos/remote-shell.js";

test("the command is one that a rule can name", () => {
  expect(remoteCommand({ kind: "none" })).toBe("/bin/sh -s");
  expect(remoteCommand({ kind: "passwordless", program: "sudo" })).toBe("sudo -n -- /bin/sh -s");
  expect(remoteCommand({ kind: "passwordless", program: "doas" })).toBe("doas -n -- /bin/sh -s");
  expect(remoteCommand({ kind: "passwordless", program: "run0" })).toBe("run0 --no-ask-password -- /bin/sh -s");
  expect(remoteCommand({ kind: "passwordless", program: "run0-with-manager" })).toBe("run0 --no-ask-password --lightweight=no -- /bin/sh -s");
  expect(remoteCommand({ kind: "password", password: "open sesame" })).not.toMatch(/sesame|\n|[^ ]'[^ ]/);
});
