import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import type { Fleet } from "./rig/fleet.js";

const directory = "/opt/counted";

/** Waits for a file of the directory, for ten seconds at most. */
function waitFor(name: string): string {
  return `for _ in $(seq 200); do [ ! -s ${directory}/${name} ] || break; sleep 0.05; done`;
}

// Adds the outer flake, which is the last that the runner does before it can send the flake.
const nixStore = `#!/bin/sh
echo "nix-store $1" >>${directory}/programs
[ -e ${directory}/flake-first ] || { ${waitFor("answers")}; }
/usr/bin/nix-store "$@" || exit
echo yes >${directory}/stored
`;

// What an ssh is for, by its arguments; a session also leaves what it was answered.
const ssh = `#!/bin/sh
case " $* " in
  *" -N "*) kind=master ;;
  *" -O "*) kind=control ;;
  *nix-daemon*) kind=nix ;;
  *"/bin/sh -s "*) kind=session ;;
  *) kind=other ;;
esac
echo "ssh $kind" >>${directory}/programs
if [ "$kind" = master ] && [ -e ${directory}/flake-first ]; then ${waitFor("stored")}; fi
[ "$kind" = session ] || exec /usr/bin/ssh "$@"
pipe=${directory}/pipe.$$
mkfifo "$pipe"
tee -a ${directory}/answers <"$pipe" &
/usr/bin/ssh "$@" >"$pipe"
code=$?
wait
rm "$pipe"
exit "$code"
`;

/** Programs of the runner that write down each of their starts. */
export class CountedPrograms {
  readonly #root: string;

  constructor(fleet: Fleet) {
    this.#root = path.join(fleet.runner.root, directory);
    mkdirSync(this.#root, { recursive: true });
    this.order("flake");
    const other = (program: string): string => `#!/bin/sh\necho "${program} $1" >>${directory}/programs\nexec /usr/bin/${program} "$@"\n`;
    const programs = ["ssh-keygen", "nix", "git", "prlimit"].map((program) => [program, other(program)] as const);
    for (const [program, text] of [["ssh", ssh] as const, ["nix-store", nixStore] as const, ...programs]) {
      const file = path.join(this.#root, program);
      writeFileSync(file, text);
      chmodSync(file, 0o755);
    }
  }

  /** Has the machine connected only when the flake can be sent, or that only when the machine has answered its first script. */
  order(first: "flake" | "machine"): void {
    const file = path.join(this.#root, "flake-first");
    if (first === "flake") writeFileSync(file, "");
    else rmSync(file, { force: true });
  }

  /** For the environment of a step. */
  get searchPath(): string {
    return `${directory}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  }

  /** Returns what was started since it was asked last, and how many scripts of the machines have answered. */
  take(): { readonly programs: Readonly<Record<string, number>>; readonly scripts: number } {
    this.#taken("stored");
    const programs: Record<string, number> = {};
    for (const line of this.#taken("programs").split("\n").filter(Boolean).toSorted()) programs[line] = (programs[line] ?? 0) + 1;
    return { programs, scripts: this.#taken("answers").match(/^begin [0-9a-f]{16}$/gm)?.length ?? 0 };
  }

  #taken(name: string): string {
    const file = path.join(this.#root, name);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    rmSync(file, { force: true });
    return text;
  }
}
