/**
 * Every failure a client of our own API can see. The code is API: rename it and you break a client.
 * Codes are `subject.reason` and are never reused. The reference page is generated from this table.
 */
type FailureRow = {
  readonly status: number;
  /** For people. No paths, hosts, SQL or keys. */
  readonly message: string;
  /** What the person can do about it; goes to the reference page. */
  readonly remedy: string;
};

export const FAILURES = {
  "request.invalid": {
    status: 400,
    message: "The request is not valid.",
    remedy: "Correct the fields listed in `validations`.",
  },
  "request.too_large": {
    status: 413,
    message: "The request body is too large.",
    remedy: "Send less than 1 MiB, or less than the endpoint says.",
  },
  "request.unauthenticated": {
    status: 401,
    message: "Sign in, or send a session token.",
    remedy:
      "Run `atelier login`, or send a valid token in `Coder-Session-Token` or `Authorization: Bearer`.",
  },
  "request.csrf": {
    status: 403,
    message: "The request does not come from our own pages.",
    remedy:
      "With a cookie, repeat the value of the cookie `atelier_csrf`, over HTTPS `__Host-atelier_csrf`, in the `X-CSRF-Token` header; or use a token header.",
  },
  "request.rate_limited": {
    status: 429,
    message: "You've been rate limited. Please try again later.",
    remedy: "Wait for the seconds in `Retry-After`.",
  },
  "request.route_unknown": {
    status: 404,
    message: "No such route.",
    remedy: "See the API reference for the routes that exist.",
  },
  "request.method_not_allowed": {
    status: 405,
    message: "This route does not take that method.",
    remedy: "Use a method of the `Allow` header.",
  },
  "request.upgrade_required": {
    status: 426,
    message: "This path speaks WebSocket only.",
    remedy: "Open it with a WebSocket client.",
  },
  "request.sockets_exhausted": {
    status: 429,
    message: "You have too many connections open.",
    remedy: "Close some of your terminals, links or watched pages.",
  },
  "resource.not_found": {
    status: 404,
    message: "No such resource, or you may not see it.",
    remedy: "Check the name. Ask an owner for access if it should exist.",
  },
  "setup.already_done": {
    status: 409,
    message: "The first user already exists.",
    remedy: "Sign in. An owner can create more users.",
  },
  "login.refused": {
    status: 401,
    message: "Incorrect email or password.",
    remedy: "Check both. An owner or user admin can set a new password.",
  },
  "login.throttled": {
    status: 429,
    message: "Too many attempts to sign in. Please try again later.",
    remedy: "Wait for the seconds in `Retry-After`.",
  },
  "user.suspended": {
    status: 403,
    message: "Your account is suspended.",
    remedy: "Ask an owner or user admin to activate it.",
  },
  "user.email_taken": {
    status: 409,
    message: "A user with this email already exists.",
    remedy: "Use another email.",
  },
  "user.username_taken": {
    status: 409,
    message: "A user with this username already exists.",
    remedy: "Use another username.",
  },
  "user.last_owner": {
    status: 409,
    message: "This is the last active owner.",
    remedy: "Make somebody else an owner first.",
  },
  "user.self_forbidden": {
    status: 409,
    message: "You cannot do this to your own account.",
    remedy: "Ask another administrator.",
  },
  "user.role_not_assignable": {
    status: 403,
    message: "You may not grant or take away this role.",
    remedy: "Ask an owner.",
  },
  "user.password_wrong": {
    status: 400,
    message: "The old password is not right.",
    remedy: "Send your present password as `old_password`.",
  },
  "api_token.name_taken": {
    status: 409,
    message: "You already have an API token of this name.",
    remedy: "Use another name, or remove the old token.",
  },
  "api_token.scope_exceeds_yours": {
    status: 403,
    message: "A token cannot be given scopes that you do not have here.",
    remedy: "Leave the scope out, or sign in with a wider session.",
  },
  "ai_provider.name_taken": {
    status: 409,
    message: "A model provider of this name already exists.",
    remedy: "Use another name, or change the existing provider.",
  },
  "ai_provider.changed_meanwhile": {
    status: 409,
    message: "Somebody changed this model provider in the meantime. Nothing was done.",
    remedy: "Look at the provider as it is now, and repeat the change.",
  },
  "ai_provider.type_unsupported": {
    status: 400,
    message: "Model providers of this type are not supported yet.",
    remedy: "Use another type. Most services have an API like OpenAI's: type `openai-compat`.",
  },
  "ai_user_key.byok_disabled": {
    status: 403,
    message: "Bring Your Own Key (BYOK) mode is not enabled.",
    remedy: "Ask an operator, who enables it with the option `ai-gateway-allow-byok`.",
  },
  "ai_provider.test_unavailable": {
    status: 503,
    message: "Model providers cannot be tested here at the moment.",
    remedy:
      "Wait until other tests are over. A server whose gateway is switched off tests nothing: ask another.",
  },
  "workspace.name_taken": {
    status: 409,
    message: "There is already a workspace of this name.",
    remedy: "Use another name. Names are unique for each person, without regard to case.",
  },
  "workspace_agent.disconnected": {
    status: 409,
    message: "The workspace is not connected.",
    remedy: "Start the workspace agent on its machine, and see that it reaches this server.",
  },
  "workspace_agent.failed": {
    status: 502,
    message: "The workspace could not do this.",
    remedy: "See `detail`, which is what the machine says.",
  },
  "workspace_agent.refused": {
    status: 422,
    message: "The workspace does not do this.",
    remedy: "See `detail`, which is what the machine says. Asking again changes nothing.",
  },
  "workspace_file.too_large": {
    status: 413,
    message: "This file is too large to be downloaded this way.",
    remedy: "Copy it with the command line: `atelier cp`.",
  },
  "chat.state_conflict": {
    status: 409,
    message: "The chat is in a state that does not allow this.",
    remedy:
      "Look at the chat's status. Interrupt it, wait until it is done, or take it out of the archive first.",
  },
  "chat.queue_full": {
    status: 429,
    message: "Too many messages wait in this chat.",
    remedy: "Wait until some were taken up, or delete some of the queue.",
  },
  "chat_file.type_unsupported": {
    status: 415,
    message: "Files of this type are not taken.",
    remedy: "Send an image (PNG, JPEG, GIF, WebP), a PDF, or text (plain, Markdown, CSV, JSON).",
  },
  "chat_file.too_many_unused": {
    status: 429,
    message: "You have too many files that no chat holds.",
    remedy: "Send them in a message, or wait: what no chat holds is deleted after a day.",
  },
  "chat.workspace_missing": {
    status: 409,
    message: "No workspace is attached to this chat.",
    remedy: "Attach one in the chat's settings, or let the agent make one.",
  },
  "chat.model_missing": {
    status: 409,
    message: "No model is configured for chats.",
    remedy: "Ask an administrator to add one: `atelier chat-models create`.",
  },
  "chat.model_failed": {
    status: 502,
    message: "The model did not answer as needed.",
    remedy: "See `detail`. Try again, or use another model.",
  },
  "chat.usage_limit_reached": {
    status: 409,
    message: "You have spent what you may spend on agents.",
    remedy: "Wait until the period is over, or ask an administrator for a higher limit.",
  },
  "chat.sharing_disabled": {
    status: 403,
    message: "Chats are not shared in this deployment.",
    remedy: "Whoever runs the server decides it: option `chat-sharing-enabled`.",
  },
  "chat_debug.forced": {
    status: 409,
    message: "This deployment records the model calls of all chats.",
    remedy: "Only the server's option `chat-debug-logging-enabled` decides.",
  },
  "chat_debug.not_allowed": {
    status: 403,
    message: "Recording the model calls of one's own chats is not allowed here.",
    remedy: "Ask an administrator to allow it: `atelier chat-settings set --debug-logging on`.",
  },
  "chat.request_key_reused": {
    status: 409,
    message: "This idempotency key came before with other content.",
    remedy: "Use a new key for a new request.",
  },
  "mcp_server.slug_taken": {
    status: 409,
    message: "There is already a tool server with this slug.",
    remedy: "Use another slug: the names of its tools begin with it.",
  },
  "mcp_server.sign_in_not_needed": {
    status: 409,
    message: "Nobody signs in to this tool server.",
    remedy: "Use its tools as they are: an administrator decides how it is asked.",
  },
  "mcp_server.sign_in_failed": {
    status: 502,
    message: "The tool server could not be asked how to sign in.",
    remedy: "See `detail`. An administrator checks the server's URL and its OAuth client.",
  },
  "chat_model.in_use": {
    status: 409,
    message: "This is still needed.",
    remedy: "See `detail` for what needs it.",
  },
  "chat_model.own_choice_off": {
    status: 403,
    message: "People do not choose models for their chats here.",
    remedy: "Ask an administrator, who allows it in the agent settings.",
  },
  "server.stopping": {
    status: 503,
    message: "The server is about to stop.",
    remedy: "Connect again: another server, or this one when it has restarted, will answer.",
  },
  "server.unavailable": {
    status: 503,
    message: "The server cannot reach its database.",
    remedy: "Try again shortly. An operator finds the cause in the server's log.",
  },
  "server.bug": {
    status: 500,
    message: "Something broke on our side.",
    remedy: "Quote the request id to an operator, who finds the cause in the server's log.",
  },
} as const satisfies Record<string, FailureRow>;

export type FailureCode = keyof typeof FAILURES;

/** An expected failure. `detail` and `validations` reach the client: no secrets, no internals. */
export type Failure<Code extends FailureCode = FailureCode> = {
  readonly code: Code;
  readonly detail?: string;
  readonly validations?: readonly Validation[];
  /** Seconds; becomes the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
  /** Only of `chat.usage_limit_reached`; stands beside the message. */
  readonly usageLimit?: UsageLimitFacts;
};

export type UsageLimitFacts = {
  readonly spent_micros: number;
  readonly limit_micros: number;
  /** When the period ends, in which it was spent. */
  readonly resets_at: string;
};

export type Validation = { readonly field: string; readonly detail: string };
