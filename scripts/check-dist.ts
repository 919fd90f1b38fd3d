import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { differingFiles, filesOf } from "./directory-difference.js";
import { root } from "./paths.js";

// Compares the committed dist/ byte by byte with one that is built anew. It must run before anything that writes dist/.

const scratch = mkdtempSync(join(tmpdir(), "nix-flake-deploy-dist-"));
try {
  const built = join(scratch, "dist");
  const { status } = spawnSync(process.execPath, [join(root, "out/scripts/bundle.js"), "--out", built], { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error("dist/ cannot be built");
  const expected = filesOf(built);
  const differing = differingFiles(expected, filesOf(join(root, "dist")));
  if (differing.length > 0) {
    process.stderr.write(
      `dist/ is not what src/ builds; run npm run build and commit dist/. Differing:\n${differing.map((file) => `  dist/${file}\n`).join("")}`,
    );
    process.exitCode = 1;
  } else {
    process.stdout.write(`dist/ is what src/ builds (${expected.size} files)\n`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
