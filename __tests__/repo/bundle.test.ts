import { expect, test } from "@jest/globals";

import { uniteLicenses } from "../../scripts/bundle/licenses.js";

test("each licence text is written once, below all packages that have it", () => {
  const written = "@a/one\nMIT\nThe text.\n\n@a/two\nISC\nAnother.\n\n@a/three\nMIT\nThe text.\n\n@a/four\nMIT\n";
  const packages = ["@a/one", "@a/two", "@a/three", "@a/four"];
  expect(uniteLicenses(written, packages)).toBe("@a/one\n@a/three\nMIT\nThe text.\n\n@a/two\nISC\nAnother.\n\n@a/four\nMIT\n");
});
