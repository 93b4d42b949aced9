/**
 * Bodies and answers that are bytes, not JSON. An endpoint whose `rawBody` or `rawAnswer` is set has one
 * of these schemas in the place of a JSON one, so that whoever answers it is typed as everywhere else.
 */
import { z } from "zod";

export type RawBody = {
  readonly bytes: Uint8Array;
  /** As the client says, without parameters and in lower case. Null: it does not say. */
  readonly mediaType: string | null;
  /** Of `Content-Disposition`. Null: it does not say. */
  readonly fileName: string | null;
};

export type RawAnswer = {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly fileName: string;
  /** Browsers may show it in place; else they save it. */
  readonly isInline: boolean;
};

export const RawBody = z.custom<RawBody>((value) => hasBytes(value));
export const RawAnswer = z.custom<RawAnswer>((value) => hasBytes(value));

function hasBytes(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "bytes" in value &&
    value.bytes instanceof Uint8Array
  );
}
