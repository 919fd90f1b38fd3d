import type { Fleet } from "../../rig/fleet.js";
import type { UsageGroup } from "./usage.js";

/** A way to deploy the flake of a workspace to machines. */
export type Contender = {
  readonly name: string;
  /** Deploys, and returns the seconds that it took. Throws with its log where it fails. */
  readonly deploy: (workspace: string, names: readonly string[], group: UsageGroup) => Promise<number>;
};

/** All contenders, with that first which the others are compared with. */
export const contenderNames = ["recipe", "nix copy", "xargs -P 10", "this action", "rollback: false"] as const;

/** Where a machine is found: the name and port of its route through the relay. */
export type Place = { readonly name: string; readonly host: string; readonly port: number };

/** The recipe for one machine: the flake travels, and the machine's own nixos-rebuild switches to it. */
const recipe = `set -e
path=$(nix flake archive --json --to "ssh-ng://$1" . | jq -r .path)
ssh "$1" nixos-rebuild switch --flake "path:$path#$1"
`;

/** The same for a system that is built on the runner. */
const copyRecipe = `set -e
system=$(nix build --no-link --print-out-paths ".#nixosConfigurations.$1.config.system.build.toplevel")
nix copy --no-check-sigs --to "ssh-ng://$1" "$system"
ssh "$1" "nix-env --profile /nix/var/nix/profiles/system --set $system && $system/bin/switch-to-configuration switch"
`;

function script(fleet: Fleet, name: string, run: (names: string) => string): Contender {
  return {
    name,
    deploy: async (workspace, names, group) => {
      const began = performance.now();
      const { code, stdout, stderr } = await group.start(async () => await fleet.runner.exec(`cd ${workspace} && ${run(names.join(" "))}`, { timeout: 600 }));
      if (code !== 0) throw new Error(`${name} exited with ${code}:\n${stdout}\n${stderr}`);
      return (performance.now() - began) / 1000;
    },
  };
}

function action(fleet: Fleet, places: ReadonlyMap<string, Place>, knownHosts: string, name: string, inputs: Readonly<Record<string, string>>): Contender {
  return {
    name,
    deploy: async (workspace, names, group) => {
      const targets = names.map((machine) => `root@${places.get(machine)?.host}:${places.get(machine)?.port}#${machine}`).join("\n");
      const step = { inputs: { "ssh-key": fleet.key.secret, "ssh-known-hosts": knownHosts, targets, ...inputs }, workspace, timeout: 600 };
      const result = await group.start(() => fleet.runner.start(step)).finished;
      if (result.exitCode !== 0) throw new Error(`${name} exited with ${result.exitCode}:\n${result.log}`);
      return result.seconds;
    },
  };
}

/** The contenders of one run, by what they are compared in. The runner's own ssh configuration leads through the relay, too. */
export async function makeContenders(
  fleet: Fleet,
  places: readonly Place[],
): Promise<{ readonly flake: readonly Contender[]; readonly closure: readonly Contender[] }> {
  const knownHosts = places.map(({ name, host, port }) => `[${host}]:${port} ${fleet.machine(name).hostKeyLine().split(" ").slice(1).join(" ")}`).join("");
  const hosts = places.map(({ name, host, port }) => `Host ${name}\n  HostName ${host}\n  Port ${port}\n`).join("");
  const common = "Host *\n  User root\n  IdentityFile /root/.ssh/key\n  BatchMode yes\n  LogLevel ERROR\n";
  await put(fleet, "/root/.ssh/key", fleet.key.secret);
  await put(fleet, "/root/.ssh/known_hosts", knownHosts);
  await put(fleet, "/root/.ssh/config", `${hosts}${common}`);
  await put(fleet, "/root/recipe", recipe);
  await put(fleet, "/root/copy-recipe", copyRecipe);
  const byName = new Map(places.map((place) => [place.name, place]));
  const ours = (name: string, inputs: Readonly<Record<string, string>> = {}): Contender => action(fleet, byName, knownHosts, name, inputs);
  const loop =
    (file: string): ((names: string) => string) =>
    (names) =>
      `for name in ${names}; do sh ${file} $name || exit; done`;
  return {
    flake: [
      script(fleet, "recipe", loop("/root/recipe")),
      script(fleet, "xargs -P 10", (names) => `printf '%s\\n' ${names} | xargs -P 10 -n 1 sh /root/recipe`),
      ours("this action"),
      ours("rollback: false", { rollback: "false" }),
    ],
    closure: [script(fleet, "nix copy", loop("/root/copy-recipe")), ours("this action", { "build-on": "runner" })],
  };
}

async function put(fleet: Fleet, file: string, text: string): Promise<void> {
  const { code, stderr } = await fleet.runner.exec(`umask 077; mkdir -p /root/.ssh; cat > ${file}`, { stdin: text });
  if (code !== 0) throw new Error(stderr);
}
