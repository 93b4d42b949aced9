/** Usage over HTTP. Paths and schemas: libs/contract/src/http/ai-usage.ts. */
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/ai-usage";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";
import {
  readFilterValues,
  readInterceptions,
  readSession,
  readSessions,
  type SessionDetail,
  type UsageDeps,
} from "./usage-actions.ts";
import {
  costOfRequest,
  knownCost,
  summaryOf,
  sumTokens,
  type RecordedInterception,
  type TokenSums,
  type UsageSession,
  type UsageThread,
} from "./usage.ts";

export function usageRoutes(deps: UsageDeps): Route[] {
  return [
    route(contract.listAiSessions, async ({ actor, query }) => {
      const { q, limit, offset, after_session_id: afterSessionId } = query;
      const read = await readSessions(deps, actor, { q, limit, offset, afterSessionId });
      if (!read.ok) return read;
      return ok({ sessions: read.value.items.map(toWireSession), count: read.value.count });
    }),

    route(contract.getAiSession, async ({ actor, params, query }) => {
      const { limit, initiator, after_id: afterId, before_id: beforeId } = query;
      const page = { limit, initiator, afterId, beforeId };
      const read = await readSession(deps, actor, { sessionId: params.session, ...page });
      return read.ok ? ok(toWireDetail(read.value)) : read;
    }),

    route(contract.listInterceptions, async ({ actor, query }) => {
      const { q, limit, after_id: afterId } = query;
      const read = await readInterceptions(deps, actor, { q, limit, afterId });
      if (!read.ok) return read;
      return ok({ results: read.value.items.map(toWireInterception), count: read.value.count });
    }),

    route(contract.listUsedModels, async ({ actor, query }) => {
      const { q: prefix = "", limit } = query;
      const read = await readFilterValues(deps, actor, { kind: "model", prefix, limit });
      return read.ok ? ok(toWireValues(read.value)) : read;
    }),

    route(contract.listUsedClients, async ({ actor, query }) => {
      const { q: prefix = "", limit } = query;
      const read = await readFilterValues(deps, actor, { kind: "client", prefix, limit });
      return read.ok ? ok(toWireValues(read.value)) : read;
    }),

    route(contract.listUsedProviders, async ({ actor, query }) => {
      const { q: prefix = "", limit } = query;
      const read = await readFilterValues(deps, actor, { kind: "provider", prefix, limit });
      return read.ok ? ok(toWireValues(read.value)) : read;
    }),
  ];
}

function toWireValues(values: readonly string[]) {
  return { results: [...values], count: values.length };
}

function toWireSession(session: UsageSession): z.input<typeof contract.AiSession> {
  return {
    id: session.id,
    initiator: session.initiator,
    providers: [...session.providers],
    provider_names: [...session.providerNames],
    models: [...session.models],
    client: session.client,
    metadata: session.metadata,
    started_at: session.startedAt.toISOString(),
    ended_at: session.endedAt?.toISOString() ?? null,
    threads: session.threads,
    interceptions: session.interceptions,
    token_usage_summary: toWireTokens(session.tokens),
    cost_micros: knownCost(session.cost),
    unpriced_requests: session.cost.unpricedRequests,
    last_prompt: session.lastPrompt,
    last_active_at: session.lastActiveAt.toISOString(),
    errors: session.errors,
  };
}

function toWireDetail({ session, threads, threadCount }: SessionDetail) {
  return {
    ...toWireSession(session),
    threads: threads.flatMap((thread) => toWireThread(thread) ?? []),
    thread_count: threadCount,
  };
}

function toWireThread(thread: UsageThread): z.input<typeof contract.AiThread> | null {
  const summary = summaryOf(thread);
  if (summary === null) return null;
  const { first, last, prompt, endedAt } = summary;
  return {
    id: thread.id,
    prompt,
    model: first.model,
    provider: first.provider,
    provider_name: first.providerName,
    credential_kind: first.credentialKind,
    credential_hint: last.credentialHint,
    started_at: thread.startedAt.toISOString(),
    ended_at: endedAt?.toISOString() ?? null,
    token_usage: toWireTokens(thread.tokens),
    cost_micros: knownCost(thread.cost),
    unpriced_requests: thread.cost.unpricedRequests,
    error_type: last.errorType,
    error_message: last.errorMessage,
    agentic_actions: thread.interceptions.map(toWireAction),
  };
}

function toWireAction(interception: RecordedInterception): z.input<typeof contract.AgenticAction> {
  const { records } = interception;
  return {
    interception_id: interception.id,
    model: interception.model,
    provider_name: interception.providerName,
    started_at: interception.startedAt.toISOString(),
    ended_at: interception.endedAt?.toISOString() ?? null,
    token_usage: toWireTokens(sumTokens(records.tokens)),
    cost_micros: costOfRequest(records.tokens),
    tool_calls: records.toolCalls.map((call) => ({
      tool: call.tool,
      server_url: call.serverUrl,
      input: call.input,
      injected: call.injected,
      provider_tool_call_id: call.toolCallId,
      created_at: call.createdAt.toISOString(),
    })),
    thinking: records.thoughts.map((thought) => thought.content),
    error_type: interception.errorType,
    error_message: interception.errorMessage,
    trail: interception.trail,
  };
}

function toWireInterception(each: RecordedInterception): z.input<typeof contract.Interception> {
  const { records } = each;
  return {
    id: each.id,
    api_key_id: each.apiKeyId,
    initiator: each.initiator,
    provider: each.provider,
    provider_name: each.providerName,
    model: each.model,
    client: each.client,
    session_id: each.sessionId,
    client_session_id: each.clientSessionId,
    thread_parent_id: each.parentId,
    thread_root_id: each.rootId,
    credential_kind: each.credentialKind,
    credential_hint: each.credentialHint,
    metadata: each.metadata,
    started_at: each.startedAt.toISOString(),
    // Lists hold ended ones only.
    ended_at: (each.endedAt ?? each.startedAt).toISOString(),
    error_type: each.errorType,
    error_message: each.errorMessage,
    trail: each.trail,
    cost_micros: costOfRequest(records.tokens),
    token_usages: records.tokens.map((tokens) => ({
      ...toWireChild(tokens),
      ...toWireTokens(tokens),
      cost_micros: tokens.costMicros,
    })),
    user_prompts: records.prompts.map((prompt) => ({
      ...toWireChild(prompt),
      prompt: prompt.prompt,
    })),
    tool_usages: records.toolCalls.map((call) => ({
      ...toWireChild(call),
      provider_tool_call_id: call.toolCallId,
      tool: call.tool,
      input: call.input,
      injected: call.injected,
      server_url: call.serverUrl,
      invocation_error: call.invocationError,
    })),
    model_thoughts: records.thoughts.map((thought) => ({
      id: thought.id,
      interception_id: thought.interceptionId,
      content: thought.content,
      source: thought.source,
      created_at: thought.createdAt.toISOString(),
    })),
  };
}

function toWireChild(child: {
  readonly id: string;
  readonly interceptionId: string;
  readonly responseId: string;
  readonly metadata: Record<string, unknown>;
  readonly createdAt: Date;
}) {
  return {
    id: child.id,
    interception_id: child.interceptionId,
    provider_response_id: child.responseId,
    metadata: child.metadata,
    created_at: child.createdAt.toISOString(),
  };
}

function toWireTokens(tokens: TokenSums): z.input<typeof contract.TokenTotals> {
  return {
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    cache_read_input_tokens: tokens.cacheReadInput,
    cache_write_input_tokens: tokens.cacheWriteInput,
  };
}
