import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { root } from "../../scripts/paths.js";
import { topics } from "../../src/domain/topic.js";
import { literalsBelow, literalsOf } from "./literals.js";

/** The anchors of a document: `<a id="host-key-changed"></a>`. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id);
}

const literals = literalsBelow("src");
const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");

describe("the topics of messages", () => {
  test("are the anchors of docs/troubleshooting.md", () => {
    expect(anchorsOf(page).toSorted()).toEqual([...topics].toSorted());
  });

  test("are listed once each", () => {
    expect(topics.filter((topic, index) => topics.indexOf(topic) !== index)).toEqual([]);
  });

  test.each(topics)("%s is the topic of a message", (topic) => {
    expect([...literals].filter(([path, texts]) => path !== "domain/topic.ts" && texts.includes(topic)).map(([path]) => path)).not.toEqual([]);
  });
});

/** The modules whose texts have all of a message; … in it stands for what differs from case to case. */
function modulesWith(message: string, modules: ReadonlyMap<string, readonly string[]>): string[] {
  // The name of an input stands in front of what is wrong with it.
  const pieces = message
    .replace(/^[a-z-]+: /, "")
    .split("…")
    .map((piece) => piece.trim());
  return [...modules].filter(([, texts]) => pieces.every((piece) => texts.some((text) => text.includes(piece)))).map(([path]) => path);
}

describe("the messages of docs/troubleshooting.md", () => {
  const rows = page.split("\n").filter((line) => line.startsWith("| ") && line.includes("`") && !line.startsWith("| ---"));
  const messages = rows.flatMap((line) => [...(line.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));

  test("have a stable anchor each, once", () => {
    const anchors = rows.map((row) => /^\| <a id="([a-z0-9-]+)"><\/a>`/.exec(row)?.[1]);
    expect(anchors).not.toContain(undefined);
    expect(new Set(anchors).size).toBe(anchors.length);
    expect(messages.length).toBeGreaterThan(50);
  });

  test.each(messages)("are what one module still says: %s", (message) => {
    expect(modulesWith(message, literals)).not.toEqual([]);
  });

  test("are not found in comments, in names, or in pieces of several modules", () => {
    const modules = new Map([
      ["a.ts", literalsOf("// the disk is full\nconst full = `the disk ${name} is slow`;")],
      ["b.ts", literalsOf('throw new Error("is full");')],
    ]);
    expect(modulesWith("the disk is full", modules)).toEqual([]);
    expect(modulesWith("the disk … is full", modules)).toEqual([]);
    expect(modulesWith("disk: the disk … is slow", modules)).toEqual(["a.ts"]);
  });
});
