import { spawnSync } from "node:child_process";

import { describe, expect, test } from "@jest/globals";

import { loadLate } from "../../scripts/bundle/late-modules.js";
import { uniteLicenses } from "../../scripts/bundle/licenses.js";

test("each licence text is written once, below all packages that have it", () => {
  const written = "@a/one\nMIT\nThe text.\n\n@a/two\nISC\nAnother.\n\n@a/three\nMIT\nThe text.\n\n@a/four\nMIT\n";
  const packages = ["@a/one", "@a/two", "@a/three", "@a/four"];
  expect(uniteLicenses(written, packages)).toBe("@a/one\n@a/three\nMIT\nThe text.\n\n@a/two\nISC\nAnother.\n\n@a/four\nMIT\n");
});

describe("modules of Node in the bundle", () => {
  const head = 'import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";\n';
  const external = (name: string): string => `const external_${name}_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("${name}");\n`;
  const run = (text: string): string => spawnSync(process.execPath, ["--input-type=module", "--eval", text], { encoding: "utf8" }).stdout;
  const program = `${head}${external("crypto")}${external("path")}
const loaded = () => process.moduleLoadList.includes("NativeModule crypto");
const before = loaded();
const hash = external_crypto_namespaceObject.createHash("sha256").update("x").digest("hex").slice(0, 8);
console.log(before, hash, loaded(), (0,external_path_namespaceObject.join)("a", "b"));
`;

  test("are loaded when something of them is used, not before", () => {
    expect(run(loadLate(program))).toBe("false 2d711642 true a/b\n");
    // Without it, all are loaded at the beginning.
    expect(run(program)).toBe("true 2d711642 true a/b\n");
  });

  test.each([
    ["in another form", external("os"), "the bundle does not begin with the import of createRequire"],
    ["that are packages", `${head}${external("left-pad")}`, "left-pad is not a module of Node"],
    ["that are required elsewhere", `${head}f(__WEBPACK_EXTERNAL_createRequire);`, "the bundle uses __WEBPACK_EXTERNAL_createRequire in another way"],
  ])("%s stop the build", (_, text, message) => {
    expect(() => loadLate(text)).toThrow(message);
  });
});
