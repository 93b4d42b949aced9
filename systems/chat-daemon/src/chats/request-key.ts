/**
 * Repeated requests: the same person with the same key and the same input gets the first answer again
 * (`Idempotency-Key` of other APIs; here a field of the body).
 */
import { hashOf } from "../messages/canonical-json.ts";

export type RequestKey = {
  readonly ownerId: string;
  readonly operation: "create_chat" | "send_message" | "message_agent" | "interrupt_agent";
  readonly key: string;
};

/** Of any JSON, whatever the order of its fields. */
export function inputHash(input: unknown): Buffer {
  return Buffer.from(hashOf(input), "hex");
}
