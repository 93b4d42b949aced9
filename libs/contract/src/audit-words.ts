/** The words of the audit log. */
export const AUDIT_ACTIONS = ["create", "write", "delete", "login", "logout", "register"] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export const AUDIT_RESOURCES = [
  "user",
  "api_key",
  "session",
  "ai_provider",
  "ai_provider_key",
  "ai_user_key",
  "ai_price",
  "workspace",
  "workspace_agent_token",
  "workspace_process",
  "workspace_terminal",
  "chat",
  "chat_file",
  "chat_model",
  "chat_setting",
  "mcp_server",
] as const;
export type AuditResource = (typeof AUDIT_RESOURCES)[number];
