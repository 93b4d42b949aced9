/** Whether a client says on whose account a provider is to work. */
import type { IncomingHttpHeaders } from "node:http";

export function namesAccount(headers: IncomingHttpHeaders): boolean {
  return headers["openai-organization"] !== undefined || headers["openai-project"] !== undefined;
}
