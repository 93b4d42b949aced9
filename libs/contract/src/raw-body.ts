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

type AnyAnswer = {
  readonly mediaType: string;
  readonly fileName: string;
  /** Browsers may show it in place; else they save it. */
  readonly isInline: boolean;
};

export type RawAnswer = AnyAnswer & { readonly bytes: Uint8Array };

/** Bytes that are sent while they come, so that memory stays flat. */
export type StreamedAnswer = AnyAnswer & {
  /** Said before they come: fewer of them break the answer. */
  readonly byteLength: number;
  readonly chunks: AsyncIterable<Uint8Array>;
};

export const RawBody = z.custom<RawBody>((value) => hasBytes(value));
export const RawAnswer = z.custom<RawAnswer | StreamedAnswer>(
  (value) => hasBytes(value) || isStreamed(value),
);

function isStreamed(value: unknown): boolean {
  return typeof value === "object" && value !== null && "chunks" in value && "byteLength" in value;
}

function hasBytes(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "bytes" in value &&
    value.bytes instanceof Uint8Array
  );
}
