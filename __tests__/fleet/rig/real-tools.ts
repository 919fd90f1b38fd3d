import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";

import { check } from "./command.js";
import type { Container } from "./container.js";
import type { NixStandIn } from "./nix.js";

/** Real programs and source trees that replace stand-ins; CONTRIBUTING.md has the layout of the directory. */
export type RealTools = {
  readonly directory: string;
  /** `nix/VERSION/bin/nix`, by their full paths. */
  readonly nixes: readonly string[];
  /** The store in which the programs have their libraries; `undefined` where they need none. */
  readonly store: string | undefined;
  readonly nixpkgs: string | undefined;
  readonly deployRs: string | undefined;
  readonly colmena: string | undefined;
};

/** Finds what is in the directory that REAL_TOOLS names; `undefined` where it names none. Throws where it holds nothing of all. */
export function realTools(named = process.env["REAL_TOOLS"]): RealTools | undefined {
  if (named === undefined || named === "") return undefined;
  if (!existsSync(named) || !statSync(named).isDirectory()) throw new Error(`REAL_TOOLS names ${named}, which is not a directory`);
  const directory = realpathSync(named);
  const versions = path.join(directory, "nix");
  const nixes = (existsSync(versions) ? readdirSync(versions) : []).toSorted().map((version) => path.join(versions, version, "bin/nix"));
  const tree = (name: string): string | undefined => (existsSync(path.join(directory, name, "flake.nix")) ? path.join(directory, name) : undefined);
  const closure = path.join(directory, "closure/nix/store");
  const tools = {
    directory,
    nixes,
    store: existsSync(closure) ? closure : nixes.some(inStore) ? "/nix/store" : undefined,
    nixpkgs: tree("nixpkgs"),
    deployRs: tree("deploy-rs"),
    colmena: tree("colmena"),
  };
  const activates = existsSync(path.join(directory, "bin"));
  if (found(tools).length === 0 && !activates) {
    throw new Error(`REAL_TOOLS names ${named}, which has none of nix/VERSION/bin/nix, nixpkgs, deploy-rs, colmena, bin`);
  }
  return tools;
}

/** What a run of the tests says that it has found, one per line. */
export function found(tools: RealTools): string[] {
  return [...tools.nixes, tools.nixpkgs, tools.deployRs, tools.colmena].flatMap((one) => (one === undefined ? [] : [one]));
}

const versionOf: Readonly<Record<NixStandIn, RegExp>> = {
  "nix-2.35.2": /^nix \(Nix\) 2\.35/,
  "determinate-3.22.2": /^nix \(Determinate Nix /,
  "determinate-3.22.2-lazy-trees": /^nix \(Determinate Nix /,
  "lix-2.95.3": /^nix \(Lix, like Nix\) /,
};

/** Puts the programs' store below that of a runner. */
export async function mountRealStore(tools: RealTools, root: string, directory: string): Promise<void> {
  if (tools.store === undefined) return;
  const [upper, work] = [path.join(directory, "store-upper"), path.join(directory, "store-work")];
  await check("mkdir", ["-p", upper, work, path.join(root, "nix/store")]);
  await check("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${tools.store},upperdir=${upper},workdir=${work}`, path.join(root, "nix/store")]);
}

/** Puts a real Nix in the place of a stand-in, chosen by what its `nix --version` says, or one that is named. Returns its version. */
export async function useRealNix(container: Container, tools: RealTools, wanted: NixStandIn | { readonly program: string }): Promise<string | undefined> {
  for (const program of typeof wanted === "string" ? tools.nixes : [wanted.program]) {
    const { code, stdout, stderr } = await container.execute(`'${program}' --version`);
    if (code !== 0) throw new Error(`${program} does not run on the rig's runner: ${stderr}`);
    const [version = ""] = stdout.split("\n");
    if (typeof wanted === "string" && !versionOf[wanted].test(version)) continue;
    const lazyTrees = typeof wanted === "string" && wanted.startsWith("determinate") ? `lazy-trees = ${wanted.endsWith("lazy-trees")}` : "";
    const links = `for program in '${path.dirname(program)}'/nix*; do ln -sfn "$program" /usr/bin/"\${program##*/}"; done`;
    await container.execute(`${links}; echo '${lazyTrees}' >> /etc/nix/nix.conf; echo '${lazyTrees}' >> /etc/nix-without-flakes/nix.conf`);
    process.stderr.write(`real tools: the runner has ${version} (${program})\n`);
    return version;
  }
  return undefined;
}

function inStore(program: string): boolean {
  return existsSync(program) && realpathSync(program).startsWith("/nix/store/");
}
