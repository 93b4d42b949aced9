/**
 * Repeated requests: the same person with the same key and the same input gets the first answer again
 * (`Idempotency-Key` of other APIs; here a field of the body).
 */
import { createHash } from "node:crypto";

export type RequestKey = {
  readonly ownerId: string;
  readonly operation: "create_chat" | "send_message";
  readonly key: string;
};

/** Of any JSON, whatever the order of its fields. */
export function inputHash(input: unknown): Buffer {
  return createHash("sha256").update(canonical(input)).digest();
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.join()}}`;
}
