/** The endpoints of model providers on a real database, called as the HTTP edge calls them. For tests only. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import * as contract from "@atelier/contract/http/ai-providers";
import type { Endpoint } from "@atelier/contract/endpoint";
import { FAILURES } from "@atelier/contract/failures";
import { testDatabase } from "@atelier/testkit/test-database";
import { z } from "zod";
import type { AuditEntry } from "../audit/audit-trail.ts";
import type { Route } from "../http/route.ts";
import { registerEncryptionKeys } from "../vault/encryption-key-actions.ts";
import { createVault } from "../vault/vault.ts";
import { LateGatewayHealth } from "./late-gateway-health.ts";
import { modelProviderRoutes } from "./model-provider-routes.ts";

/** Calls a route as the HTTP edge does: parses what goes in and cuts what comes out. */
async function call(route: Route, request: Record<string, unknown>) {
  const { endpoint, handler } = route;
  const parts = {
    params: endpoint.params.safeParse(request["params"] ?? {}),
    query: endpoint.query.safeParse(request["query"] ?? {}),
    body: (endpoint.body ?? z.undefined()).safeParse(request["body"]),
  };
  const isValid = parts.params.success && parts.query.success && parts.body.success;
  if (!isValid) return { status: 400, code: "request.invalid", body: null, failure: null };
  const values = { params: parts.params.data, query: parts.query.data, body: parts.body.data };
  const outcome = await handler({ ...request, ...values } as never);
  if (!outcome.ok) {
    const { code } = outcome.failure;
    return { status: FAILURES[code].status, code, body: null, failure: outcome.failure };
  }
  const body = endpoint.success.body?.parse(outcome.value) ?? null;
  return { status: endpoint.success.status, code: null, body: body as never, failure: null };
}

type Wire = z.output<typeof contract.ModelProvider>;

export async function startApi() {
  const database = await testDatabase();
  const key = new Secret(randomBytes(32).toString("base64"));
  const created = createVault([key]);
  assert(created.ok);
  const vault = created.value;
  await registerEncryptionKeys({ database, clock: systemClock }, vault);
  const errors = new Map<string, string>();
  let refreshes = 0;
  const status = {
    errorOf: (id: string) => errors.get(id) ?? null,
    refresh: async () => {
      refreshes += 1;
    },
  };
  const deps = {
    database,
    vault,
    clock: systemClock,
    random: systemRandom,
    status,
    health: new LateGatewayHealth(),
  };
  const routes = modelProviderRoutes(deps);
  const entries: AuditEntry[] = [];
  const audit = {
    record: async (...[, entry]: [unknown, AuditEntry]) => {
      entries.push(entry);
    },
    attempted: () => {},
  };
  const send = (endpoint: Endpoint, request: Record<string, unknown> = {}) => {
    const route = routes.find((each) => each.endpoint === endpoint);
    assert(route !== undefined);
    return call(route, { audit, ...request });
  };
  return {
    deps,
    audit,
    database,
    vault,
    key,
    errors,
    entries,
    send,
    refreshes: () => refreshes,
    create: async (body: object): Promise<Wire> => {
      const answer = await send(contract.createModelProvider, { body });
      assert.equal(answer.status, 201, JSON.stringify(answer));
      return answer.body as unknown as Wire;
    },
    async patch(provider: string, body: object) {
      const answer = await send(contract.updateModelProvider, { params: { provider }, body });
      return { ...answer, provider: answer.body as unknown as Wire };
    },
    async get(provider: string) {
      const answer = await send(contract.getModelProvider, { params: { provider } });
      return { ...answer, provider: answer.body as unknown as Wire };
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
