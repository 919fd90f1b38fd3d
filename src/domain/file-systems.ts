import type { Pair } from "./unit-facts.js";

type FileSystem = { readonly device: string; readonly type: string; readonly options: string };
type Table = { readonly mounts: ReadonlyMap<string, FileSystem>; readonly swaps: ReadonlySet<string> };

/** What a switch does because fstab(5) has changed, by the names of mount units. */
export type MountPlan = Readonly<Record<"stop" | "restart" | "reload" | "keep" | "start", readonly string[]>>;

/**
 * Compares two fstab(5) as switch-to-configuration does: another device or type is a restart, other options are a reload, and
 * a removed entry is unmounted. / and /nix are never unmounted.
 */
export function planMounts({ before, after }: Pair<readonly string[]>): MountPlan {
  const plan: Record<keyof MountPlan, string[]> = { stop: [], restart: [], reload: [], keep: [], start: [] };
  const [old, now] = [parse(before), parse(after)];
  for (const [point, mount] of old.mounts) {
    const next = now.mounts.get(point);
    const unit = `${escapePath(point)}.mount`;
    if (next === undefined) plan.stop.push(mount.options.includes("x-systemd.automount") ? `${escapePath(point)}.automount` : unit);
    else {
      const change = changeOf(point, mount, next);
      if (change !== undefined) plan[change].push(unit);
    }
  }
  for (const [point, { options }] of now.mounts) {
    if (!old.mounts.has(point) && !options.split(",").includes("noauto")) {
      plan.start.push(`${escapePath(point)}.${options.includes("x-systemd.automount") ? "automount" : "mount"}`);
    }
  }
  for (const device of old.swaps) if (!now.swaps.has(device)) plan.stop.push(`swap device: ${device}`);
  return plan;
}

function changeOf(point: string, before: FileSystem, after: FileSystem): "restart" | "reload" | "keep" | undefined {
  const options = before.options === after.options ? undefined : "reload";
  if (before.device === after.device && before.type === after.type) return options;
  if (point !== "/" && point !== "/nix") return "restart";
  return options ?? "keep";
}

function parse(lines: readonly string[]): Table {
  const mounts = new Map<string, FileSystem>();
  const swaps = new Set<string>();
  for (const line of lines) {
    const [device, point, type, options = ""] = line.trim().split(/\s+/);
    if (line.includes("#") || device === undefined || point === undefined || type === undefined) continue;
    if (type === "swap") swaps.add(device);
    else mounts.set(point, { device, type, options });
  }
  return { mounts, swaps };
}

/** A path as the name of a unit (systemd-escape(1), `--path`): `/mnt/a-b` is `mnt-a\x2db`. */
export function escapePath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0) return "-";
  const escape = (part: string, index: number): string =>
    [...new TextEncoder().encode(part)]
      .map((byte, position) => {
        const character = String.fromCharCode(byte);
        const plain = /[A-Za-z0-9:_.]/.test(character) && !(character === "." && index === 0 && position === 0);
        return plain ? character : String.raw`\x${byte.toString(16).padStart(2, "0")}`;
      })
      .join("");
  return parts.map(escape).join("-");
}
