import { describe, expect, test } from "@jest/globals";

import { isOwnActivation, readActivation } from "../../../src/nix/profile-activation.js";
import { makeStorePath } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";
import { withProgram } from "./fake-nix.js";

const directory = temporaryDirectory();

// What activate.nixos of deploy-rs d5eff7f writes for a system with systemd-boot.
const nixos = `#!/nix/store/0123456789abcdfghijklmnpqrsvwxyz-bash-5.2/bin/bash
set -euo pipefail

if [[ "\${DRY_ACTIVATE:-}" == "1" ]]
then
    $PROFILE/bin/switch-to-configuration dry-activate
elif [[ "\${BOOT:-}" == "1" ]]
then
    $PROFILE/bin/switch-to-configuration boot
else
    # work around https://github.com/NixOS/nixpkgs/issues/73404
cd /tmp

$PROFILE/bin/switch-to-configuration switch

# https://github.com/serokell/deploy-rs/issues/31
sed -i '/^default /d' /boot/loader/loader.conf

fi
`;

describe("the script that activates a profile", () => {
  test("is that of deploy-rs, with or without systemd-boot", () => {
    expect(isOwnActivation(nixos)).toBe(false);
    expect(isOwnActivation(nixos.replace(/^sed.*$/m, ""))).toBe(false);
  });

  test.each([
    ["does more", nixos.replace("cd /tmp", "cd /tmp\nsystemctl restart app")],
    ["does not switch", nixos.replace("configuration switch", "configuration boot")],
    ["is another one", "#!/bin/sh\n./bin/hello\n"],
    ["is empty", ""],
  ])("is one of its own where it %s", (_, script) => {
    expect(isOwnActivation(script)).toBe(true);
  });

  test("is read from its derivation, where that has its text", async () => {
    const read = async (script: string): Promise<string | undefined> =>
      await withProgram(directory, "nix-store", script, async () => await readActivation(makeStorePath("x-activate-path.drv"), undefined));
    expect(await read('echo "$*"')).toBe(`--query --binding text ${makeStorePath("x-activate-path.drv")}\n`);
    expect(await read("echo \"error: derivation has no environment binding named 'text'\" >&2; exit 1")).toBeUndefined();
  });
});
