/** A property of what may be an object; `undefined` where there is none. */
export function field(data: unknown, name: string): unknown {
  return typeof data === "object" && data !== null ? new Map<string, unknown>(Object.entries(data)).get(name) : undefined;
}

/** A text that is not empty, else `undefined`. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A number, else `undefined`. */
export function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** A copy of an object's properties; empty for anything else. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
