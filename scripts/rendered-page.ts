import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { installMissing, isOnPath } from "./system-packages.js";

// Renders Markdown as GitHub does: cmark-gfm is GitHub's own renderer, github-markdown-css its look, and Mermaid draws what is
// fenced as such. GitHub also removes most of HTML afterwards; here it stays, so that what gets through is seen.

const extensions = ["table", "strikethrough", "autolink", "tagfilter", "tasklist"];
const browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

// Of GitHub's page of a workflow run, on a usual screen.
const width = 1012;

/** A page that a browser can open: a directory with an `index.html` and what it needs. `remove` ends it. */
export type RenderedPage = { readonly url: string; readonly remove: () => void };

/** Installs what is missing of cmark-gfm and a browser (Debian's packages). */
export function installRenderer(): void {
  installMissing({ "cmark-gfm": "cmark-gfm", ...(browsers.some(isOnPath) ? {} : { chromium: "chromium" }) });
}

/** Renders Markdown into a page; the sections of the hosts in `unfold` are open. Throws an `Error` when cmark-gfm fails. */
export function renderPage(markdown: string, { unfold = [] }: { readonly unfold?: readonly string[] } = {}): RenderedPage {
  const directory = mkdtempSync(join(tmpdir(), "rendered-page-"));
  const args = ["--unsafe", "--github-pre-lang", ...extensions.flatMap((name) => ["--extension", name])];
  const { status, stdout, stderr } = spawnSync("cmark-gfm", args, { input: markdown, encoding: "utf8", maxBuffer: 100_000_000 });
  if (status !== 0) throw new Error(`cmark-gfm ended with ${status}: ${stderr}`);
  const require = createRequire(import.meta.url);
  copyFileSync(require.resolve("github-markdown-css/github-markdown-light.css"), join(directory, "github.css"));
  copyFileSync(join(dirname(require.resolve("@mermaid-js/tiny/package.json")), "dist/mermaid.tiny.js"), join(directory, "mermaid.js"));
  writeFileSync(join(directory, "index.html"), document(stdout, unfold));
  return { url: `file://${directory}/index.html`, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

function document(body: string, unfold: readonly string[]): string {
  return `<!doctype html>
<html><head><meta charset="utf-8"><link rel="stylesheet" href="github.css">
<style>
  body { margin: 0; background: #fff; }
  .markdown-body { box-sizing: border-box; width: ${width}px; padding: 24px 32px; }
  /* GitHub's colours of a diff. */
  .line-added { color: #116329; background: #dafbe1; }
  .line-removed { color: #82071e; background: #ffebe9; }
  .line-changed { color: #953800; background: #ffd8b5; }
</style></head>
<body><article class="markdown-body">
${body}
</article>
<script src="mermaid.js"></script>
<script>
  const problems = [];
  window.addEventListener("error", (event) => problems.push(String(event.message)));
  for (const pre of document.querySelectorAll('pre[lang="diff"]')) {
    const code = pre.querySelector("code");
    const looks = { "+": "line-added", "-": "line-removed", "!": "line-changed" };
    code.replaceChildren(...code.textContent.split("\\n").slice(0, -1).map((line) => {
      const span = document.createElement("span");
      span.className = looks[line[0]] ?? "";
      span.textContent = line + "\\n";
      return span;
    }));
  }
  const unfold = new Set(${JSON.stringify(unfold)});
  for (const section of document.querySelectorAll("details"))
    if (unfold.has(section.querySelector("summary > code")?.textContent)) section.open = true;
  const charts = [...document.querySelectorAll('pre[lang="mermaid"]')].map((pre) => {
    const chart = document.createElement("div");
    chart.className = "mermaid";
    chart.textContent = pre.textContent;
    pre.replaceWith(chart);
    return chart;
  });
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
  mermaid.run({ nodes: charts }).catch((error) => problems.push(String(error?.message ?? error))).finally(() => {
    const article = document.querySelector("article");
    const elements = {};
    for (const { localName } of article.querySelectorAll("*")) elements[localName] = (elements[localName] ?? 0) + 1;
    const texts = [];
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (walker.currentNode.parentElement.closest("code, pre, svg") === null) texts.push(walker.currentNode.data);
    const all = (selector) => [...article.querySelectorAll(selector)].map((element) => element.textContent);
    const report = {
      problems, elements, text: texts.join(""), height: document.documentElement.scrollHeight,
      rows: article.querySelectorAll("tbody tr").length,
      cells: [...article.querySelectorAll("tbody tr")].map((row) => row.children.length),
      folded: all("details:not([open]) > summary"), unfolded: all("details[open] > summary"),
      charts: article.querySelectorAll("svg").length, chartTexts: all("svg text"), chartRows: all("svg .sectionTitle"),
      bars: article.querySelectorAll("svg rect.task").length,
    };
    const bytes = new TextEncoder().encode(JSON.stringify(report));
    document.documentElement.dataset.report = btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(""));
  });
</script></body></html>
`;
}

/** What a browser says of a page after everything on it has run. */
export type PageReport = {
  /** Errors of its scripts, and of Mermaid. */
  readonly problems: readonly string[];
  /** How many elements there are of each name, in the Markdown and what came of it. */
  readonly elements: Readonly<Record<string, number>>;
  /** The text that stands neither in code nor in a chart: where GitHub would make links and mentions. */
  readonly text: string;
  /** Pixels. */
  readonly height: number;
  /** Rows of tables, and how many cells each has. */
  readonly rows: number;
  readonly cells: readonly number[];
  /** Titles of sections. */
  readonly folded: readonly string[];
  readonly unfolded: readonly string[];
  readonly charts: number;
  readonly chartTexts: readonly string[];
  readonly chartRows: readonly string[];
  readonly bars: number;
};

/** Opens a page, in that time zone. Throws an `Error` when it did not come to its end. */
export function inspect(page: RenderedPage, timeZone = "UTC"): PageReport {
  const dom = browse(page, ["--dump-dom", `--window-size=${width},1000`], timeZone);
  const report = /<html[^>]* data-report="([^"]+)"/.exec(dom)?.[1];
  if (report === undefined) throw new Error(`the page did not come to its end: ${dom.slice(0, 2000)}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the script of the page, above, writes it
  return JSON.parse(Buffer.from(report, "base64").toString("utf8")) as PageReport;
}

/** Takes a picture of the page, that many pixels high. */
export function takePicture(page: RenderedPage, file: string, height: number): void {
  browse(page, [`--screenshot=${file}`, `--window-size=${width},${height}`]);
}

function browse(page: RenderedPage, args: readonly string[], timeZone = "UTC"): string {
  const browser = browsers.find(isOnPath);
  if (browser === undefined) throw new Error("there is no browser: apt-get install chromium");
  const profile = mkdtempSync(join(tmpdir(), "rendered-page-profile-"));
  try {
    const common = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", `--user-data-dir=${profile}`, "--virtual-time-budget=20000"];
    const env = { ...process.env, TZ: timeZone };
    const { status, stdout, stderr } = spawnSync(browser, [...common, ...args, page.url], { encoding: "utf8", maxBuffer: 100_000_000, timeout: 120_000, env });
    if (status !== 0) throw new Error(`${browser} ended with ${status}: ${stderr}`);
    return stdout;
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}
