/** Looks into arguments and results of tools: any JSON, of any tool. */

export function fieldIn(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

export function textIn(value: unknown, key: string): string | null {
  const field = fieldIn(value, key);
  return typeof field === "string" && field !== "" ? field : null;
}

export function numberIn(value: unknown, key: string): number | null {
  const field = fieldIn(value, key);
  return typeof field === "number" ? field : null;
}

export function listIn(value: unknown, key: string): readonly unknown[] {
  const field = fieldIn(value, key);
  return Array.isArray(field) ? field : [];
}
