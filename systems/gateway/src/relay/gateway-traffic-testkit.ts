/** Requests and answers that the gateway's tests share. */
export const CHAT = "/openai/v1/chat/completions";
export const MESSAGES = "/anthropic/v1/messages";
export const RESPONSES = "/openai/v1/responses";
export const CHAT_BODY = `{"model":"gpt-x","messages":[{"role":"user","content":"hi"}]}`;
export const MESSAGES_BODY = `{"model":"claude-x","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}`;
export const CHAT_ANSWER = {
  id: "chatcmpl-1",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } },
};
export const MESSAGE_START = `event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":7,"output_tokens":1}}}\n\n`;
export const MESSAGE_REST = `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"é"}}\n\nevent: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`;
