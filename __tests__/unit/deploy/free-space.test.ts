import { expect, test } from "@jest/globals";

import { spaceWarning } from "../../../src/deploy/free-space.js";

const gibibyte = 1024 * 1024;

test("little free space is reported with its size", () => {
  expect(spaceWarning(gibibyte - 1)).toMatch(/^only 1024.0 MiB are free for the Nix store on the machine/);
  expect(spaceWarning(0)).toMatch(/^only 0 B are free/);
});

test("nothing is reported if there is enough, or if the machine does not know", () => {
  expect(spaceWarning(gibibyte)).toBeUndefined();
  expect(spaceWarning(undefined)).toBeUndefined();
});
