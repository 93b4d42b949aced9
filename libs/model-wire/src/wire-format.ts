/**
 * The three wire formats that this product relays. A format is what a request and its answer look
 * like, not who serves it: many providers speak `chat_completions`.
 */
export type WireFormat = "chat_completions" | "responses" | "messages";
