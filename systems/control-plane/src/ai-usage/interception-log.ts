/**
 * Each record as a line of the log (spec gateway 10.2), for deployments that ask for it. The lines
 * hold prompts, tool inputs and thoughts in full: whoever reads the log reads them.
 */
import type { Logger } from "@atelier/base/logger";
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import type { StartRow } from "./usage-record.ts";
import { toTrailColumns } from "./usage-trail.ts";

const MESSAGE = "interception log";

export function logStart(log: Logger, record: InterceptionStart, row: StartRow): void {
  log.info(
    {
      record_type: "interception_start",
      interception_id: row.id,
      initiator_id: row.initiator_id,
      api_key_id: row.api_key_id,
      provider: row.provider,
      provider_name: row.provider_name,
      model: row.model,
      client: row.client,
      client_session_id: row.client_session_id,
      user_agent: record.userAgent,
      started_at: record.startedAt,
      metadata: row.metadata,
      correlating_tool_call_id: record.correlatingToolCallId,
      thread_parent_id: row.thread_parent_id,
      thread_root_id: row.thread_root_id,
      credential_kind: row.credential_kind,
      credential_hint: row.credential_hint,
    },
    MESSAGE,
  );
}

export function logEnd(log: Logger, record: InterceptionEnd): void {
  const about = { interception_id: record.id, created_at: record.endedAt };
  for (const tokens of record.tokens) {
    const fields = {
      msg_id: tokens.responseId,
      input_tokens: tokens.input,
      output_tokens: tokens.output,
      cache_read_input_tokens: tokens.cacheReadInput,
      cache_write_input_tokens: tokens.cacheWriteInput,
      metadata: tokens.extra,
    };
    log.info({ record_type: "token_usage", ...about, ...fields }, MESSAGE);
  }
  for (const { responseId, prompt } of record.prompts) {
    const fields = { msg_id: responseId, prompt, metadata: {} };
    log.info(
      { record_type: "prompt_usage", ...about, created_at: record.startedAt, ...fields },
      MESSAGE,
    );
  }
  for (const { responseId, toolCallId, tool, input } of record.toolCalls) {
    const call = { msg_id: responseId, tool_call_id: toolCallId, tool, input };
    const injection = { server_url: null, injected: false, invocation_error: null };
    log.info({ record_type: "tool_usage", ...about, ...call, ...injection, metadata: {} }, MESSAGE);
  }
  for (const { content, source } of record.thoughts) {
    log.info({ record_type: "model_thought", ...about, content, metadata: { source } }, MESSAGE);
  }
  log.info(
    {
      record_type: "interception_end",
      interception_id: record.id,
      ended_at: record.endedAt,
      ...(record.error && { error_type: record.error.type, error_message: record.error.message }),
      ...toTrailColumns(record.trail),
    },
    MESSAGE,
  );
}
