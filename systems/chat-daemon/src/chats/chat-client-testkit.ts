/** For tests: the endpoints of chats, called as the edge calls them. */
import assert from "node:assert/strict";
import type { Result } from "@atelier/base/result";
import type { Chat } from "@atelier/contract/http/chats";
import type {
  ServiceCallerProof,
  ServiceRequestAudit,
} from "@atelier/contract/rpc/endpoint-service";
import { must } from "../state/chat-world-testkit.ts";
import { chatService, type ChatEndpoints } from "./chat-routes.ts";
import type { ChatsWorld } from "./chats-testkit.ts";

type Name = keyof ChatEndpoints;

/** Calls an endpoint as the edge does. */
export function chatClient({ deps, caller }: ChatsWorld, told: unknown[] = []) {
  const service = chatService(deps);
  return async <const N extends Name>(
    name: N,
    input: {
      readonly params?: object;
      readonly query?: object;
      readonly body?: object;
      readonly proof?: ServiceCallerProof;
    },
  ) => {
    const call = service[name] as (request: unknown) => ReturnType<(typeof service)[N]>;
    return call({
      caller,
      params: input.params ?? {},
      query: { limit: 50, ...input.query },
      body: input.body,
      audit: auditOf(told),
      signal: new AbortController().signal,
      proof: input.proof,
    });
  };
}

/** Tells what is named and what is written, and writes nothing. */
export function auditOf(told: unknown[]): ServiceRequestAudit {
  return {
    attempted: (target) => told.push(target),
    record: async (_transaction, { resourceId }) => {
      told.push({ recorded: resourceId });
    },
    piece: ({ resourceId }) => ({
      name: "told",
      text: (first, changed) => `select $${first}::text from ${changed}`,
      values: [resourceId],
      written: () => told.push({ written: resourceId }),
    }),
  };
}

export const HELLO = [{ type: "text", text: "Please make the tests of the parser pass" }] as const;

export async function created(
  call: ReturnType<typeof chatClient>,
  body: object = {},
): Promise<Chat> {
  return must(await call("createChat", { body: { content: HELLO, client_type: "api", ...body } }));
}

export function codeOf(result: Result<unknown, { readonly code: string }>): string {
  assert.ok(!result.ok);
  return result.failure.code;
}
