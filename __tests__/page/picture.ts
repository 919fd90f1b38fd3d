import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

import { fiftyHosts, flake } from "./fifty-hosts.js";
import { renderSummary } from "../../src/report/summary/page.js";
import { root } from "../../scripts/paths.js";
import { installMissing } from "../../scripts/system-packages.js";
import { inspect, installRenderer, renderPage, takePicture } from "../../scripts/rendered-page.js";

// Makes docs/summary.png: the summary of a mixed run of fifty hosts, as GitHub shows it. The summary's own code renders results
// that were recorded on nine real machines (record-results.ts); how they became fifty, fifty-hosts.ts tells.

const file = join(root, "docs/summary.png");

installRenderer();
installMissing({ pngquant: "pngquant" });
const page = renderPage(renderSummary(fiftyHosts(), flake), { unfold: ["edge1"] });
try {
  takePicture(page, file, inspect(page).height);
} finally {
  page.remove();
}
// A page of text needs few colours.
const { status, stderr } = spawnSync("pngquant", ["--force", "--speed", "1", "--strip", "--output", file, "64", file], { encoding: "utf8" });
if (status !== 0) throw new Error(`pngquant ended with ${status}: ${stderr}`);
process.stdout.write(`${file}: ${Math.round(statSync(file).size / 1024)} KiB\n`);
