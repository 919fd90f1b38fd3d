import { readFileSync, writeFileSync } from "node:fs";

const limit = "/proc/sys/fs/inotify/max_user_instances";
// Each machine's systemd and services take about ten, and a switch some more; many hosts allow 128 in all.
const perMachine = 40;

/** Lets so many machines run on this host. Returns what sets the limit back. Needs root. */
export function raiseInotifyLimit(machines: number): () => void {
  const before = readFileSync(limit, "utf8");
  const needed = machines * perMachine;
  if (Number(before) >= needed) return () => undefined;
  process.stderr.write(`setting fs.inotify.max_user_instances from ${before.trim()} to ${needed} meanwhile\n`);
  writeFileSync(limit, String(needed));
  return () => writeFileSync(limit, before);
}
