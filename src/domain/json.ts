/** Parses JSON; `undefined` for any other text. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** A property of a value that may be an object, or a nested one by its path; `undefined` where it does not exist. */
export function field(data: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === "object" && inner !== null && Object.hasOwn(inner, name) ? Reflect.get(inner, name) : undefined),
    data,
  );
}

/** A text that is not empty, else `undefined`. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A number, else `undefined`. */
export function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** The strings of a list; none for any other value. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** Returns whether a value is an object, and neither a list nor null. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A copy of an object's own properties; empty for anything else. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** The properties of what may be an object, each with its name; none for anything else. */
export function entries(value: unknown): [string, unknown][] {
  return Object.entries(objectOf(value));
}
