/** For tests of who may what: settings of chats, which nobody serves where the chat daemon is not. */

type ChatSettingCase = {
  readonly params?: () => Promise<Record<string, string>>;
  readonly body?: () => unknown;
  readonly status: 503;
};

const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";

export const CHAT_SETTING_CASES: Readonly<Record<string, ChatSettingCase>> = {
  "GET /api/v2/chats/config/system-prompt": { status: 503 },
  "PUT /api/v2/chats/config/system-prompt": { body: () => ({ system_prompt: "" }), status: 503 },
  "GET /api/v2/chats/config/plan-mode-instructions": { status: 503 },
  "PUT /api/v2/chats/config/plan-mode-instructions": {
    body: () => ({ plan_mode_instructions: "" }),
    status: 503,
  },
  "GET /api/v2/chats/config/advisor": { status: 503 },
  "PUT /api/v2/chats/config/advisor": {
    body: () => ({ enabled: false, max_uses_per_run: 0, max_output_tokens: 1_000 }),
    status: 503,
  },
  "GET /api/v2/chats/config/computer-use-provider": { status: 503 },
  "PUT /api/v2/chats/config/computer-use-provider": {
    body: () => ({ provider: "openai" }),
    status: 503,
  },
  "GET /api/v2/chats/config/debug-logging": { status: 503 },
  "PUT /api/v2/chats/config/debug-logging": { body: () => ({ allow_users: true }), status: 503 },
  "GET /api/v2/chats/config/debug-retention-days": { status: 503 },
  "PUT /api/v2/chats/config/debug-retention-days": {
    body: () => ({ debug_retention_days: 30 }),
    status: 503,
  },
  "GET /api/v2/chats/config/user-debug-logging": { status: 503 },
  "PUT /api/v2/chats/config/user-debug-logging": { body: () => ({ enabled: true }), status: 503 },
  "GET /api/v2/chats/config/personal-model-overrides": { status: 503 },
  "PUT /api/v2/chats/config/personal-model-overrides": {
    body: () => ({ allow_users: false }),
    status: 503,
  },
  "GET /api/v2/chats/config/auto-archive-days": { status: 503 },
  "PUT /api/v2/chats/config/auto-archive-days": {
    body: () => ({ auto_archive_days: 1 }),
    status: 503,
  },
  "GET /api/v2/chats/config/retention-days": { status: 503 },
  "PUT /api/v2/chats/config/retention-days": {
    body: () => ({ retention_days: 1 }),
    status: 503,
  },
  "GET /api/v2/chats/config/user-prompt": { status: 503 },
  "PUT /api/v2/chats/config/user-prompt": { body: () => ({ custom_prompt: "" }), status: 503 },
  "GET /api/v2/chats/config/user-compaction-thresholds": { status: 503 },
  "PUT /api/v2/chats/config/user-compaction-thresholds/:modelConfig": {
    params: async () => ({ modelConfig: UNKNOWN_ID }),
    body: () => ({ threshold_percent: 50 }),
    status: 503,
  },
  "DELETE /api/v2/chats/config/user-compaction-thresholds/:modelConfig": {
    params: async () => ({ modelConfig: UNKNOWN_ID }),
    status: 503,
  },
};
