/**
 * Every endpoint, asked by everybody. What must come out is computed from the contract and the
 * permission table; what a request needs besides stands in CASES, where a new endpoint is missed.
 * Each answer is also searched for secrets, and each attempt must have left its audit row.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hash } from "@node-rs/argon2";
import { systemRandom } from "@atelier/base/system-random";
import type { Endpoint } from "@atelier/contract/endpoint";
import { ENDPOINTS } from "@atelier/contract/http/endpoints";
import { rolesAllow, type Role } from "@atelier/contract/permissions";
import { CHAT_SETTING_CASES } from "./chat-setting-cases-testkit.ts";
import {
  PASSWORD,
  SECRET_CANARY,
  startTestControlPlane,
  type Answer,
  type TestControlPlane,
} from "./control-plane-on-postgres-testkit.ts";
import { insertKey, insertPerson, type Person, type Place } from "./people-testkit.ts";

const CALLERS = {
  nobody: null,
  /** The target is the caller. */
  self: [],
  member: [],
  auditor: ["auditor"],
  "user-admin": ["user-admin"],
  owner: ["owner"],
  /** Everything by role, nothing by the token's scopes. */
  "owner without scope": ["owner"],
} as const satisfies Record<string, readonly Role[] | null>;
type CallerName = keyof typeof CALLERS;

type World = TestControlPlane & Place & { readonly root: Person };

type Case = {
  readonly body?: (target: Person) => unknown;
  /** Where the query needs something. */
  readonly query?: string;
  /** Values of path parameters other than the user's and their keys'. */
  readonly params?: (world: World, target: Person) => Promise<Record<string, string>>;
  /** Where the thing itself decides: the status for those who are admitted. */
  readonly status?: number | Partial<Record<CallerName, number>>;
  /** The answer is the one place where a new token is shown. */
  readonly showsToken?: true;
};

const provider = async (world: World): Promise<Record<string, string>> => {
  const body = providerBody();
  const made = await world.call("POST", "/api/v2/ai/providers", { token: world.root.token, body });
  assert.equal(made.status, 201, made.text);
  return { provider: made.body.name };
};

const providerKey = async (world: World): Promise<Record<string, string>> => {
  const params = await provider(world);
  const path = `/api/v2/ai/providers/${params["provider"]}`;
  const { body } = await world.call("GET", path, { token: world.root.token });
  return { ...params, key: body.api_keys[0].id };
};

/** Of the target: straight into the database, where nobody opens it. */
const ownKey = async (world: World, target: Person): Promise<Record<string, string>> => {
  const params = await provider(world);
  await world.database.pool.query(
    `insert into user_ai_provider_keys (
       user_id, provider_id, sealed_key, masked, created_at, updated_at)
     select $1, id, 'sealed', 'x...y', now(), now() from ai_providers where name = $2`,
    [target.id, params["provider"]],
  );
  return params;
};

/** Of the target: straight into the database, where nobody is asked. */
const workspace = async (world: World, target: Person): Promise<Record<string, string>> => {
  const [id, agent] = [systemRandom.uuid(), systemRandom.uuid()];
  const name = systemRandom.alphanumeric(12);
  await world.database.pool.query(
    `insert into workspaces (id, owner_id, organization_id, name, kind, created_at, updated_at,
       last_used_at)
     select $1, $2, id, $3, 'external', now(), now(), now() from organizations`,
    [id, target.id, name],
  );
  await world.database.pool.query(
    "insert into workspace_agents (id, workspace_id, name) values ($1, $2, 'main')",
    [agent, id],
  );
  return { workspace: id, agent, name, process: "p1", terminal: UNKNOWN_ID };
};

/** Its machine is not connected: who gets as far as that is admitted. */
const AWAY: Case = { params: workspace, status: 409 };

/** Of the target: straight into the database, where no daemon drives it. */
const chat = async (world: World, target: Person): Promise<Record<string, string>> => {
  const [id, model] = [systemRandom.uuid(), systemRandom.uuid()];
  await world.database.pool.query(
    `insert into chat_model_configs (id, organization_id, model, context_limit,
       compression_threshold, created_at, updated_at)
     select $1, id, 'scripted', 1000, 70, now(), now() from organizations`,
    [model],
  );
  await world.database.pool.query(
    `insert into chats (id, organization_id, owner_id, status, last_model_config_id, created_at,
       updated_at)
     select $1, id, $2, 'waiting', $3, now(), now() from organizations`,
    [id, target.id, model],
  );
  return { chat: id, message: "1", queued: "1", run: UNKNOWN_ID, step: UNKNOWN_ID };
};

const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";
const chatModel = async (): Promise<Record<string, string>> => ({
  organization: "default",
  model: UNKNOWN_ID,
  context: "general",
});

/** Signed in is enough to read one's own, but the token needs the scope. */
const READS_OWN: Case = { status: { "owner without scope": 404 } };

const SOME_TEXT = [{ type: "text", text: "Hello" }];

/** A case for each endpoint: `{}` when it needs nothing but the path. */
const CASES: Readonly<Record<string, Case>> = {
  "GET /api/v2/users/first": {},
  "POST /api/v2/users/first": { body: newUserBody, status: 409 },
  "GET /api/v2/users": {},
  "POST /api/v2/users": { body: newUserBody },
  "GET /api/v2/users/:user": {},
  "PUT /api/v2/users/:user/profile": { body: () => ({ name: "New Name" }) },
  "PUT /api/v2/users/:user/password": {
    body: () => ({ old_password: PASSWORD, password: `${SECRET_CANARY}-new-password` }),
  },
  "PUT /api/v2/users/:user/roles": { body: () => ({ roles: ["auditor"] }) },
  "PUT /api/v2/users/:user/status/suspend": {},
  "PUT /api/v2/users/:user/status/activate": {},
  "DELETE /api/v2/users/:user": {},
  "POST /api/v2/users/validate-password": { body: () => ({ password: PASSWORD }) },
  "GET /api/v2/users/roles": {},
  "POST /api/v2/users/login": {
    body: ({ username }) => ({ email: `${username}@example.com`, password: PASSWORD }),
    showsToken: true,
  },
  "POST /api/v2/users/logout": {},
  "GET /api/v2/users/authmethods": {},
  "GET /api/v2/users/:user/sessions": {},
  "DELETE /api/v2/users/:user/sessions/:session": {},
  // A token acts as its user, so that not even an owner makes one for somebody else.
  "POST /api/v2/users/:user/keys/tokens": {
    body: () => ({ token_name: "ci" }),
    status: { owner: 404 },
    showsToken: true,
  },
  "GET /api/v2/users/:user/keys/tokens": {},
  "GET /api/v2/users/:user/keys/:key": {},
  "DELETE /api/v2/users/:user/keys/:key": {},
  "GET /api/v2/auth/scopes": {},
  "GET /api/v2/audit": {},
  "GET /api/v2/buildinfo": {},
  "GET /api/v2/deployment/config": {},
  "GET /api/v2/applications/host": {},
  "GET /api/v2/ai/providers": {},
  "POST /api/v2/ai/providers": { body: providerBody },
  "GET /api/v2/ai/providers/:provider": { params: provider },
  "PATCH /api/v2/ai/providers/:provider": {
    params: provider,
    body: () => ({ display_name: "New", api_keys: [{ api_key: `${SECRET_CANARY}-other-key` }] }),
  },
  "DELETE /api/v2/ai/providers/:provider": { params: provider },
  "PUT /api/v2/ai/providers/:provider/keys/order": {
    params: provider,
    // Not its keys: who gets as far as that is admitted.
    body: () => ({ key_ids: [UNKNOWN_ID] }),
    status: 409,
  },
  "PATCH /api/v2/ai/providers/:provider/keys/:key": {
    params: providerKey,
    body: () => ({ enabled: false }),
  },
  "POST /api/v2/ai/providers/:provider/keys/:key/reset": { params: providerKey },
  "GET /api/v2/users/:user/ai/provider-keys": {},
  // A key pays for what its user asks, so that not even an owner sets somebody else's.
  "PUT /api/v2/users/:user/ai/provider-keys/:provider": {
    params: provider,
    body: () => ({ api_key: `x${SECRET_CANARY}-own-key` }),
    status: { owner: 404 },
  },
  "DELETE /api/v2/users/:user/ai/provider-keys/:provider": { params: ownKey },
  // No gateway runs beside this control plane.
  "POST /api/v2/ai/providers/:provider/test": {
    params: provider,
    body: () => ({}),
    status: 503,
  },
  "GET /api/v2/ai-gateway/sessions": READS_OWN,
  "GET /api/v2/ai-gateway/sessions/:session": {
    params: async () => ({ session: "none" }),
    status: 404,
  },
  "GET /api/v2/ai-gateway/interceptions": READS_OWN,
  "GET /api/v2/ai-gateway/usage": READS_OWN,
  "GET /api/v2/ai-gateway/usage.csv": READS_OWN,
  "GET /api/v2/ai-gateway/prices": {},
  "PUT /api/v2/ai-gateway/prices": {
    body: () => ({ provider: "openai-compat", model: "own", input: 1_000_000, output: 2_000_000 }),
  },
  // There is no such price; who gets as far as that is admitted. It has a test of its own.
  "DELETE /api/v2/ai-gateway/prices": { status: 400 },
  "POST /api/v2/ai-gateway/prices/apply": {
    body: () => ({ from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z" }),
  },
  "GET /api/v2/ai-gateway/models": READS_OWN,
  "GET /api/v2/ai-gateway/clients": READS_OWN,
  "GET /api/v2/ai-gateway/providers": READS_OWN,
  "POST /api/v2/users/:user/workspaces": { body: () => ({ name: "box" }) },
  "GET /api/v2/users/:user/workspace/:name": { params: workspace },
  "GET /api/v2/workspaces": READS_OWN,
  "GET /api/v2/workspaces/:workspace": { params: workspace },
  "PATCH /api/v2/workspaces/:workspace": { params: workspace, body: () => ({ name: "other" }) },
  "DELETE /api/v2/workspaces/:workspace": { params: workspace },
  // Whoever has it can stand in for somebody's machine: not even an owner of the platform gets it.
  "POST /api/v2/workspaces/:workspace/agent-token": { params: workspace, showsToken: true },
  "GET /api/v2/workspaceagents/:agent": { params: workspace },
  "GET /api/v2/workspaceagents/:agent/listening-ports": AWAY,
  "GET /api/v2/workspaceagents/:agent/files": AWAY,
  "GET /api/v2/workspaceagents/:agent/files/text": { ...AWAY, query: "path=/" },
  "GET /api/v2/workspaceagents/:agent/files/content": { ...AWAY, query: "path=/" },
  "GET /api/v2/workspaceagents/:agent/git/repositories": AWAY,
  "GET /api/v2/workspaceagents/:agent/git/state": AWAY,
  "GET /api/v2/workspaceagents/:agent/git/diff": AWAY,
  "GET /api/v2/workspaceagents/:agent/processes": AWAY,
  "GET /api/v2/workspaceagents/:agent/processes/:process/output": AWAY,
  "POST /api/v2/workspaceagents/:agent/processes/:process/signal": {
    ...AWAY,
    body: () => ({ signal: "SIGTERM" }),
  },
  "GET /api/v2/workspaceagents/:agent/stats": AWAY,
  "GET /api/v2/workspaceagents/:agent/terminals": AWAY,
  "DELETE /api/v2/workspaceagents/:agent/terminals/:terminal": AWAY,
  "GET /api/v2/workspaces/:workspace/connections": { params: workspace },
  "GET /api/v2/connectionlog": {},
  // No chat daemon runs beside this control plane: who gets as far as that is admitted.
  "GET /api/v2/organizations/:organization/chats/models": { params: chatModel, status: 503 },
  "POST /api/v2/organizations/:organization/chats/models": {
    params: chatModel,
    body: () => ({ ai_provider_id: UNKNOWN_ID, model: "gpt-x", context_limit: 1_000 }),
    status: 503,
  },
  "GET /api/v2/organizations/:organization/chats/models/:model": { params: chatModel, status: 503 },
  "PATCH /api/v2/organizations/:organization/chats/models/:model": {
    params: chatModel,
    body: () => ({ enabled: false }),
    status: 503,
  },
  "DELETE /api/v2/organizations/:organization/chats/models/:model": {
    params: chatModel,
    status: 503,
  },
  "GET /api/v2/organizations/:organization/chats/model-overrides": {
    params: chatModel,
    status: 503,
  },
  "PUT /api/v2/organizations/:organization/chats/model-overrides/:context": {
    params: chatModel,
    body: () => ({ model_config_id: "" }),
    status: 503,
  },
  "GET /api/v2/organizations/:organization/members/:user/chats/model-overrides": {
    params: chatModel,
    status: 503,
  },
  "PUT /api/v2/organizations/:organization/members/:user/chats/model-overrides/:context": {
    params: chatModel,
    body: () => ({ mode: "chat_default" }),
    status: 503,
  },
  "GET /api/v2/chats": { status: 503 },
  "POST /api/v2/chats": { body: () => ({ content: SOME_TEXT }), status: 503 },
  "POST /api/v2/chats/files": { body: () => "bytes", status: 503 },
  "GET /api/v2/chats/files/:file": { params: async () => ({ file: UNKNOWN_ID }), status: 503 },
  "GET /api/v2/chats/by-workspace": { query: `workspace_ids=${UNKNOWN_ID}`, status: 503 },
  "GET /api/v2/chats/:chat": { params: chat, status: 503 },
  "PATCH /api/v2/chats/:chat": { params: chat, body: () => ({ title: "New" }), status: 503 },
  "GET /api/v2/chats/:chat/diff": { params: chat, status: 503 },
  "GET /api/v2/chats/:chat/messages": { params: chat, status: 503 },
  "POST /api/v2/chats/:chat/messages": {
    params: chat,
    body: () => ({ content: SOME_TEXT }),
    status: 503,
  },
  "PATCH /api/v2/chats/:chat/messages/:message": {
    params: chat,
    body: () => ({ content: SOME_TEXT }),
    status: 503,
  },
  "GET /api/v2/chats/:chat/prompts": { params: chat, status: 503 },
  "DELETE /api/v2/chats/:chat/queue/:queued": { params: chat, status: 503 },
  "PATCH /api/v2/chats/:chat/queue/:queued": {
    params: chat,
    body: () => ({ index: 0 }),
    status: 503,
  },
  "POST /api/v2/chats/:chat/queue/:queued/promote": { params: chat, status: 503 },
  "POST /api/v2/chats/:chat/interrupt": { params: chat, status: 503 },
  "POST /api/v2/chats/:chat/compact": { params: chat, status: 503 },
  "POST /api/v2/chats/:chat/clear": { params: chat, status: 503 },
  "POST /api/v2/chats/:chat/reconcile-invalid": { params: chat, status: 503 },
  "POST /api/v2/chats/:chat/tool-results": {
    params: chat,
    body: () => ({ results: [{ tool_call_id: "1", output: 1 }] }),
    status: 503,
  },
  "POST /api/v2/chats/:chat/title/propose": { params: chat, status: 503 },
  "GET /api/v2/chats/:chat/cost": { params: chat, status: 503 },
  "GET /api/v2/chats/:chat/acl": { params: chat, status: 503 },
  "PATCH /api/v2/chats/:chat/acl": {
    params: chat,
    body: () => ({ user_roles: { ann: "read" } }),
    status: 503,
  },
  "GET /api/v2/chats/usage-limits": { status: 503 },
  "PUT /api/v2/chats/usage-limits": {
    body: () => ({ enabled: true, default_limit_micros: 1, period: "day" }),
    status: 503,
  },
  "GET /api/v2/chats/usage-limits/overrides": { status: 503 },
  "PUT /api/v2/chats/usage-limits/overrides/:user": {
    body: () => ({ spend_limit_micros: 1 }),
    status: 503,
  },
  "DELETE /api/v2/chats/usage-limits/overrides/:user": { status: 503 },
  "GET /api/v2/chats/usage-limits/status": { status: 503 },
  "GET /api/v2/chats/cost/users": { status: 503 },
  "GET /api/v2/chats/cost/:user/summary": { status: 503 },
  "GET /api/v2/chats/:chat/debug/runs": { params: chat, status: 503 },
  "GET /api/v2/chats/:chat/debug/runs/:run": { params: chat, status: 503 },
  "GET /api/v2/chats/:chat/debug/runs/:run/steps/:step": { params: chat, status: 503 },
  ...CHAT_SETTING_CASES,
  "GET /api/v2/mcp-servers": { status: 503 },
  "POST /api/v2/mcp-servers": {
    body: () => ({ slug: "ours", url: "http://127.0.0.1:1/mcp" }),
    status: 503,
  },
  "PATCH /api/v2/mcp-servers/:server": {
    params: async () => ({ server: UNKNOWN_ID }),
    body: () => ({ enabled: false }),
    status: 503,
  },
  "DELETE /api/v2/mcp-servers/:server": {
    params: async () => ({ server: UNKNOWN_ID }),
    status: 503,
  },
  "POST /api/v2/mcp-servers/:server/sign-in": {
    params: async () => ({ server: UNKNOWN_ID }),
    status: 503,
  },
  "DELETE /api/v2/mcp-servers/:server/sign-in": {
    params: async () => ({ server: UNKNOWN_ID }),
    status: 503,
  },
  "GET /api/v2/mcp-servers/oauth2/callback": { status: 503 },
  "POST /api/v2/mcp-servers/:server/test": {
    params: async () => ({ server: UNKNOWN_ID }),
    status: 503,
  },
};

/** One for all: each endpoint is asked by people of its own, about things of their own. */
let world: World;

before(async () => {
  world = await makeWorld();
});
after(() => world[Symbol.asyncDispose]());

test("every endpoint of the contract is served, and every served endpoint has a case", async () => {
  const served = world.plane.routes.map(({ endpoint }) => nameOf(endpoint));
  assert.deepEqual(served.toSorted(), ENDPOINTS.map(nameOf).toSorted());
  assert.deepEqual(Object.keys(CASES).toSorted(), served.toSorted());
});

for (const endpoint of ENDPOINTS) {
  const name = nameOf(endpoint);
  test(`${name} answers everybody as the permission table says, and leaves its audit rows`, async () => {
    const wanted = CASES[name];
    assert.ok(wanted !== undefined, `${name} has a case`);
    for (const caller of Object.keys(CALLERS) as CallerName[]) {
      for (const path of [endpoint.path, ...(endpoint.aliases ?? [])]) {
        const answer = await ask({ endpoint, path, caller, wanted });
        assert.equal(
          answer.status,
          expectedStatus(endpoint, caller, wanted),
          `${caller} ${answer.text}`,
        );
        await checkAudit({ endpoint, caller, answer });
        checkSecrets({ wanted, caller, answer });
      }
    }
  });
}

function nameOf({ method, path }: Endpoint): string {
  return `${method} ${path}`;
}

function expectedStatus(endpoint: Endpoint, caller: CallerName, { status }: Case): number {
  const { access } = endpoint;
  const roles = CALLERS[caller];
  if (access !== "public" && roles === null) return 401;
  const isPermission = access !== "public" && access !== "signed_in";
  if (isPermission) {
    const isOwn = caller === "self" && /:(?:user|workspace|agent|chat)\b/.test(endpoint.path);
    const isAllowed =
      caller !== "owner without scope" && rolesAllow(roles ?? [], access, { isOwn });
    if (!isAllowed) return 404;
  }
  const special = typeof status === "number" ? status : status?.[caller];
  return special ?? endpoint.success.status;
}

async function ask(request: {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly caller: CallerName;
  readonly wanted: Case;
}): Promise<Answer> {
  const { endpoint, caller, wanted } = request;
  const roles = CALLERS[caller];
  const scopes = caller === "owner without scope" ? ["ai_gateway:use"] : ["all"];
  const asking = roles === null ? null : await insertPerson(world, roles, scopes);
  const target = caller === "self" && asking !== null ? asking : await insertPerson(world);
  // Ending one's own session is a test of another endpoint.
  const ending = caller === "self" ? await insertKey(world, target.id, "session") : target;
  const params: Record<string, string> = {
    user: target.id,
    session: ending.keyId,
    key: target.apiTokenId,
    ...(await wanted.params?.(world, target)),
  };
  const path = request.path.replaceAll(/:(\w+)/g, (_, name: string) => params[name] ?? "");
  const query = wanted.query === undefined ? "" : `?${wanted.query}`;
  return world.call(endpoint.method, path + query, {
    token: asking?.token,
    body: wanted.body?.(target),
  });
}

async function checkAudit(asked: {
  readonly endpoint: Endpoint;
  readonly caller: CallerName;
  readonly answer: Answer;
}): Promise<void> {
  const { endpoint, caller, answer } = asked;
  const { rows } = await world.database.pool.query(
    "select action, resource_type, status_code from audit_events where request_id = $1 order by time",
    [answer.headers.get("x-request-id")],
  );
  // Strangers fill no log, unless they tried to sign in or have signed in.
  const isKnown = caller !== "nobody" || answer.status === 201;
  // Nobody is asked who sets the deployment up.
  const isStranger = endpoint.access === "public" && answer.status === 409;
  const isAudited = endpoint.audit !== null && isKnown && !isStranger;
  if (!isAudited) return assert.deepEqual(rows, []);
  assert.ok(rows.length > 0, `${nameOf(endpoint)} by ${caller} leaves a row`);
  for (const row of rows) assert.equal(row.status_code, answer.status);
  if (answer.status >= 400) {
    assert.deepEqual(rows, [
      {
        action: endpoint.audit?.action,
        resource_type: endpoint.audit?.resource,
        status_code: answer.status,
      },
    ]);
  }
  const words = rows.map(({ action, resource_type }) => `${action} ${resource_type}`);
  const isTokenLogout = endpoint.audit?.action === "logout";
  if (!isTokenLogout) {
    assert.ok(words.includes(`${endpoint.audit?.action} ${endpoint.audit?.resource}`));
  }
}

function checkSecrets({
  wanted,
  answer,
}: {
  readonly wanted: Case;
  readonly caller: CallerName;
  readonly answer: Answer;
}): void {
  for (const secret of world.secrets) {
    assert.ok(!answer.text.includes(secret), `no secret in ${answer.text}`);
  }
  if (wanted.showsToken !== true) {
    assert.doesNotMatch(answer.text, /[A-Za-z0-9]{10}-[A-Za-z0-9]{22}\b/);
  }
  assert.doesNotMatch(answer.text, /password_hash|hashed_secret|argon2|select |\.ts:|\bat \w+ \(/);
}

async function makeWorld(): Promise<World> {
  const api = await startTestControlPlane();
  const passwordHash = await hash(PASSWORD, { memoryCost: 1_024, timeCost: 2 });
  const secrets = new Set([PASSWORD, SECRET_CANARY, passwordHash]);
  const parts = { ...api, passwordHash, secrets };
  return { ...parts, root: await insertPerson(parts, ["owner"]) };
}

function newUserBody(): unknown {
  const username = `n${systemRandom.alphanumeric(12)}`;
  return { username, email: `${username}@example.com`, password: `${SECRET_CANARY}-password` };
}

function providerBody(): unknown {
  return {
    type: "openai",
    name: `p-${systemRandom.alphanumeric(12).toLowerCase()}`,
    base_url: "http://127.0.0.1:1/v1",
    api_keys: [`x${SECRET_CANARY}-key-of-a-provider`],
  };
}
