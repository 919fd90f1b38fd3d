const units = ["KiB", "MiB", "GiB", "TiB"] as const;

/** A number of bytes, 0 or more, for people: `512 B`, `1.5 KiB`, `16 MiB`. */
export function showBytes(bytes: number): string {
  let amount = bytes;
  let shown = "B";
  for (const unit of units) {
    if (amount < 1024) break;
    amount /= 1024;
    shown = unit;
  }
  const digits = shown === "B" || amount >= 100 ? 0 : 1;
  return `${amount.toFixed(digits).replace(/\.0$/, "")} ${shown}`;
}
