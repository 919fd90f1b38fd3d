const units = ["KiB", "MiB", "GiB", "TiB"] as const;

/** A number of bytes, 0 or more, for people: `512 B`, `1.5 KiB`, `16.0 MiB`. */
export function renderBytes(bytes: number): string {
  let amount = bytes;
  let shown = "B";
  for (const unit of units) {
    if (amount < 1024) break;
    amount /= 1024;
    shown = unit;
  }
  return shown === "B" ? `${amount} B` : `${amount.toFixed(1)} ${shown}`;
}
