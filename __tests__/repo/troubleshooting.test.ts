import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { root } from "../../scripts/paths.js";
import { topics } from "../../src/domain/topic.js";

/** The anchors of a document: `<a id="host-key-changed"></a>`. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id);
}

const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");

describe("the topics of messages", () => {
  test("are the anchors of docs/troubleshooting.md", () => {
    expect(anchorsOf(page).toSorted()).toEqual([...topics].toSorted());
  });

  test("are listed once each", () => {
    expect(topics.filter((topic, index) => topics.indexOf(topic) !== index)).toEqual([]);
  });

  test.each(topics)("%s is the topic of a message", (topic) => {
    expect(sources.filter(({ text }) => text.includes(`"${topic}"`)).map(({ path }) => path)).not.toEqual([]);
  });
});

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && path !== "domain/topic.ts")
  .map((path) => ({ path, text: readFileSync(join(root, "src", path), "utf8") }));
