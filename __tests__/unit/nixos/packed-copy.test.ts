import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import type { Compress } from "../../../src/domain/compress.js";
import type { CopyProgress } from "../../../src/domain/copy-progress.js";
import { storePath, type StorePath } from "../../../src/domain/store-path.js";
import { Pack } from "../../../src/nix/pack.js";
import { copyPacked } from "../../../src/nixos/packed-copy.js";
import { callOnce } from "../../../src/nixos/reconnect.js";
import { RemoteShell } from "../../../src/nixos/remote-shell.js";
import { run } from "../../../src/process/run.js";
import { temporaryDirectory } from "../temporary.js";
import { withProgram } from "../nix/fake-nix.js";
import { notesOf } from "./fake-ssh.js";

const directory = temporaryDirectory();
const { signal } = new AbortController();
const source = storePath(`/nix/store/${"1".repeat(32)}-source`);
const input = storePath(`/nix/store/${"2".repeat(32)}-source`);
const library = storePath(`/nix/store/${"3".repeat(32)}-library`);
let packs = 0;

type Sides = {
  readonly sizes?: readonly [number, number];
  readonly missing?: string;
  readonly onCopy?: string;
  readonly compress?: Compress;
  readonly sh?: string;
  /** What Nix says that the trees refer to. */
  readonly references?: readonly StorePath[];
  /** What the machine lacks once it has downloaded. */
  readonly afterDownload?: string;
};

/** Both sides in one: the programs of the runner and of a machine that is a shell of this computer. */
async function copy(
  { sizes = [10, 5_000_000], missing = input, onCopy = "", compress = "auto", sh = "dash", references = [], afterDownload }: Sides,
  notes: string[] = [],
): Promise<CopyProgress> {
  packs += 1;
  const pack = join(directory, `pack-${packs}`);
  mkdirSync(join(pack, "nar"), { recursive: true });
  writeFileSync(join(pack, "nix-cache-info"), "StoreDir: /nix/store\n");
  writeFileSync(`${directory}/calls`, "");
  writeFileSync(`${directory}/missing`, missing.replaceAll(" ", "\n"));
  const nixStore = `case "$1 $2" in
"--query --references") printf '%s\\n' ${references.join(" ")} ;;
--check-validity*) echo asked >>${directory}/calls; cat ${directory}/missing ;;
esac`;
  const nix = `case "$*" in
*" --to "*) echo "packed $#" >>${directory}/calls
  ls ${pack} >${directory}/before
  for path in ${source} ${input}; do
    name=\${path#/nix/store/}; name=\${name%%-*}
    case "$*" in *"$path"*) echo "URL: nar/$name.nar.zst" >${pack}/$name.narinfo; echo "the nar of $path" >${pack}/nar/$name.nar.zst ;; esac
  done ;;
*" --from "*) ${onCopy}
  cd "$(printf '%s\\n' "$@" | sed -n 's,^file://,,p')" && ls nar >${directory}/received ;;
esac`;
  const shell = new RemoteShell({ run: async (options) => await run({ file: sh, args: ["-s"] }, options) }, { kind: "none" });
  const download = async (lacking: readonly StorePath[]): Promise<void> => {
    appendFileSync(`${directory}/calls`, `download ${lacking.join(" ")}\n`);
    writeFileSync(`${directory}/missing`, afterDownload ?? "");
    return await Promise.resolve();
  };
  const fileOf = (path: StorePath): string => join(directory, "store", basename(path));
  mkdirSync(join(directory, "store"), { recursive: true });
  for (const [index, path] of [source, input].entries()) {
    writeFileSync(fileOf(path), "");
    truncateSync(fileOf(path), sizes[index]);
  }
  const options = {
    pack: new Pack(pack),
    fileOf,
    run: `run${packs}`,
    compress,
    privileged: false,
    download: afterDownload === undefined ? undefined : download,
    shell,
    call: callOnce(shell, signal),
    log: notesOf(notes),
    signal,
  };
  return await withProgram(
    directory,
    "nix-store",
    nixStore,
    async () => await withProgram(directory, "nix", nix, async () => await copyPacked([source, input], options)),
  );
}

const calls = (): string[] =>
  readFileSync(`${directory}/calls`, "utf8")
    .trim()
    .split("\n")
    .filter((line) => line !== "");

describe("source trees travel compressed", () => {
  test("under bash as well", async () => {
    expect(await copy({ sh: "bash" })).toMatchObject({ paths: 1 });
    expect(readdirSync("/var/tmp").filter((name) => name.startsWith("nix-flake-deploy-pack-run"))).toEqual([]);
  });

  test("if the machine lacks more than a mebibyte of them, and only those that it lacks", async () => {
    const copied = await copy({});
    expect(copied).toMatchObject({ paths: 1, expectedPaths: 1 });
    expect(copied.bytes).toBeGreaterThan(0);
    expect(readFileSync(`${directory}/received`, "utf8")).toBe(`${basename(input).slice(0, 32)}.nar.zst\n`);
    expect(calls()).toEqual(["asked", "packed 5"]);
  });

  test.each<[string, Sides, string[]]>([
    ["not if all of them are small, which asks the machine nothing", { sizes: [10, 20] }, []],
    ["not if what is missing is small", { missing: source }, ["asked"]],
    ["not if nothing is missing", { missing: "" }, ["asked"]],
    ["never with compress: false", { compress: "false" }, []],
  ])("%s", async (_, sides, expected) => {
    expect(await copy(sides)).toMatchObject({ paths: 0 });
    expect(calls()).toEqual(expected);
  });

  test("also small ones with compress: true", async () => {
    expect(await copy({ sizes: [10, 20], missing: `${source} ${input}`, compress: "true" })).toMatchObject({ paths: 2 });
  });

  test("without what the machine downloads from its own binary caches", async () => {
    expect(await copy({ sizes: [3_000_000, 5_000_000], missing: `${source} ${input}`, afterDownload: source })).toMatchObject({ paths: 1 });
    expect(readFileSync(`${directory}/received`, "utf8")).toBe(`${basename(source).slice(0, 32)}.nar.zst\n`);
    expect(calls()).toEqual(["asked", `download ${source} ${input}`, "asked", "packed 5"]);
    expect(await copy({ missing: input, afterDownload: "" })).toMatchObject({ paths: 0 });
    expect(calls()).toEqual(["asked", `download ${input}`, "asked"]);
    // Nothing is downloaded where the plain copy does all.
    expect(await copy({ missing: source, afterDownload: "" })).toMatchObject({ paths: 0 });
    expect(calls()).toEqual(["asked"]);
  });

  test("with a placeholder for a path that the machine has and one of them refers to", async () => {
    const description = (path: string): string => `${basename(path).slice(0, 32)}.narinfo`;
    expect(await copy({ references: [library, input] })).toMatchObject({ paths: 1 });
    expect(readFileSync(`${directory}/before`, "utf8").trim().split("\n").toSorted()).toEqual(["nar", "nix-cache-info", description(library)].toSorted());
    expect(readdirSync(join(directory, `pack-${packs}`)).toSorted()).toEqual(["nar", "nix-cache-info", description(input)].toSorted());
  });

  test.each(["dash", "bash"])("until the run is cleaned up on the machine, also if no more of them come (%s)", async (sh) => {
    const uid = process.getuid?.() ?? 0;
    // As common.sh defines it; the archive never ends.
    const script = `uid=${uid}\n${readFileSync(new URL("../../../src/nixos/remote/unpack.sh", import.meta.url), "utf8")}\nmain hanging${sh} ${source}`;
    writeFileSync(`${directory}/unpack-${sh}`, script);
    const hanging = run({ file: sh, args: [`${directory}/unpack-${sh}`] }, { feed: () => undefined, timeout: 60 });
    const own = (): string[] => readdirSync("/var/tmp").filter((name) => name.startsWith(`nix-flake-deploy-pack-hanging${sh}-`));
    while (own().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const name of own()) rmSync(`/var/tmp/${name}`, { recursive: true });
    await expect(hanging).rejects.toMatchObject({ failure: { kind: "exit" } });
    expect(own()).toEqual([]);
  });

  test("and what a machine does not accept so is left to the plain copy, with the reason", async () => {
    const notes: string[] = [];
    expect(await copy({ onCopy: "echo 'error: no luck today' >&2; exit 1" }, notes)).toMatchObject({ paths: 0 });
    // xargs has an exit code of its own.
    expect(notes).toEqual([expect.stringMatching(/^the compressed copy failed \(error: no luck today\); copying without compression$/)]);
  });
});
