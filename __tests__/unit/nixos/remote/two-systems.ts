import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { runtime } from "./as-user.js";

/** Two systems, and a PATH with a nix that knows their closures; every size is the length of the path. */
export function twoSystems(): { before: string; after: string; path: string } {
  const [before, after, bin] = ["before", "after", "bin"].map((name) => join(runtime, name));
  if (before === undefined || after === undefined || bin === undefined) throw new Error("three directories");
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin);
  writeFileSync(
    join(bin, "nix"),
    `#!/bin/sh
[ "$*" = "--extra-experimental-features nix-command path-info --recursive --size $6" ] || exit 3
case $6 in
  ${before}) set -- /nix/store/old /nix/store/both ${before} ;;
  ${after}) set -- /nix/store/both /nix/store/new ${after} ;;
  /nix/store/hangs) exec sleep 60 ;;
  *) echo "error: unknown path" >&2; exit 1 ;;
esac
for path; do printf '%-30s\\t%11d\\n' "$path" "\${#path}"; done
`,
  );
  chmodSync(join(bin, "nix"), 0o755);
  return { before, after, path: `${bin}:${process.env["PATH"]}` };
}
