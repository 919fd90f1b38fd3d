import { expect, test } from "@jest/globals";

import { buildablePlatforms, parsePlatforms } from "../../../src/nix/platforms.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix } from "./fake-nix.js";

const directory = temporaryDirectory();
const settings = (builders: string, extra: readonly string[] = ["i686-linux"]): string =>
  JSON.stringify({ system: { value: "x86_64-linux" }, "extra-platforms": { value: extra }, builders: { value: builders } });

test.each([
  ["", ["x86_64-linux", "i686-linux"]],
  ["ssh-ng://arm aarch64-linux,armv7l-linux /key 4", ["x86_64-linux", "i686-linux", "aarch64-linux", "armv7l-linux"]],
  ["ssh://a aarch64-linux ; ssh://b riscv64-linux", ["x86_64-linux", "i686-linux", "aarch64-linux", "riscv64-linux"]],
  ["ssh://a - /key", ["x86_64-linux", "i686-linux"]],
  ["ssh://a", ["x86_64-linux", "i686-linux"]],
])("the builders %j", (builders, expected) => {
  expect([...parsePlatforms(settings(builders), () => "")]).toEqual(expected);
});

test("builders in a file", () => {
  const read = (file: string): string => (file === "/etc/nix/machines" ? "# ours\nssh://arm aarch64-linux - 4\n\n@/etc/nix/machines\n" : "");
  expect([...parsePlatforms(settings("@/etc/nix/machines"), read)]).toEqual(["x86_64-linux", "i686-linux", "aarch64-linux"]);
});

test("the older name of the command is tried where the newer one is unknown, and a Nix that knows neither says nothing", async () => {
  const older = `[ "$1" = show-config ] || { echo "error: 'config' is not a recognised command" >&2; exit 1; }; echo '${settings("")}'`;
  expect([...((await withNix(directory, older, async () => await buildablePlatforms(undefined))) ?? [])]).toEqual(["x86_64-linux", "i686-linux"]);
  expect(await withNix(directory, "exit 1", async () => await buildablePlatforms(undefined))).toBeUndefined();
});
