/** What a service of another system is given, and what the audit log gets when it says little. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ok } from "@atelier/base/result";
import { endpoint } from "@atelier/contract/endpoint";
import type { EndpointService } from "@atelier/contract/rpc/endpoint-service";
import type { Sql } from "@atelier/database/database";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { AuditEntry } from "../audit/audit-trail.ts";
import { serviceRoutes } from "./service-routes.ts";

const common = {
  tag: "test",
  summary: "Test",
  path: "/api/v2/things/:thing",
  access: "signed_in",
  params: z.strictObject({ thing: z.string() }),
  query: z.strictObject({}),
  body: null,
  failures: [],
} as const;
const ENDPOINTS = {
  readThing: endpoint({
    ...common,
    method: "GET",
    success: { status: 200, body: z.object({ by: z.string() }) },
    audit: null,
  }),
  dropThing: endpoint({
    ...common,
    method: "DELETE",
    success: { status: 204, body: null },
    audit: { action: "delete", resource: "chat" },
  }),
};

const ACTOR: Actor = {
  userId: "u1",
  username: "ann",
  email: "ann@example.com",
  roles: [],
  scopes: ["all"],
  apiKeyId: "k1",
  keyKind: "session",
};
const SQL = { name: "the pool" } as unknown as Sql;

function world() {
  const recorded: { sql: unknown; entry: AuditEntry }[] = [];
  const served = serviceRoutes(ENDPOINTS, SQL);
  const ask = (method: string) => {
    const route = served.routes.find((each) => each.endpoint.method === method);
    assert.ok(route !== undefined);
    const audit = {
      record: async (sql: unknown, entry: AuditEntry) => {
        recorded.push({ sql, entry });
      },
      attempted: () => {},
      piece: (entry: AuditEntry) => ({
        ...{ name: "entry", text: () => "", values: [] },
        written: () => recorded.push({ sql: "a statement", entry }),
      }),
    };
    const facts = { signal: new AbortController().signal };
    const parts = { params: { thing: "t" }, query: {}, body: undefined, subjectId: null };
    return route.handler({ actor: ACTOR, ...parts, facts, audit } as never);
  };
  return { recorded, served, ask };
}

const service = (
  dropThing: EndpointService<typeof ENDPOINTS>["dropThing"],
): EndpointService<typeof ENDPOINTS> => ({
  readThing: async ({ caller }) =>
    ok({ by: `${caller.username} ${caller.apiKeyId} ${caller.may("chat:create", "u1")}` }),
  dropThing,
});

test("until a service is there, and after it went, it is unavailable", async () => {
  const { served, ask } = world();
  const away = { ok: false, failure: { code: "server.unavailable", retryAfterSeconds: 5 } };
  assert.deepEqual(await ask("GET"), away);
  const serving = served.serveWith(service(async () => ok(undefined)));
  assert.deepEqual(await ask("GET"), { ok: true, value: { by: "ann k1 true" } });
  serving[Symbol.dispose]();
  assert.deepEqual(await ask("GET"), away);
});

test("a service writes its entry into its own transaction", async () => {
  const { served, ask, recorded } = world();
  const transaction = { name: "a transaction" };
  using _ = served.serveWith(
    service(async ({ audit, params }) => {
      const change = { before: { name: "t" }, after: null };
      await audit.record(transaction, { resourceId: "1", target: params.thing, ...change });
      return ok(undefined);
    }),
  );
  await ask("DELETE");
  const diff = { name: { old: "t", new: null } };
  assert.deepEqual(recorded, [{ sql: transaction, entry: { resourceId: "1", target: "t", diff } }]);
});

test("a service that only names the thing has its entry written afterwards, and a failed one none", async () => {
  const { served, ask, recorded } = world();
  let hasFailed = false;
  using _ = served.serveWith(
    service(async ({ audit }) => {
      audit.attempted({ resourceId: "1", target: "t" });
      return hasFailed ? { ok: false, failure: { code: "resource.not_found" } } : ok(undefined);
    }),
  );
  await ask("DELETE");
  hasFailed = true;
  await ask("DELETE");
  assert.deepEqual(recorded, [{ sql: SQL, entry: { resourceId: "1", target: "t" } }]);
});

test("a piece of the service's own statement is the entry once it is written, and none before", async () => {
  const { served, ask, recorded } = world();
  const target = { resourceId: "1", target: "t" };
  let isWritten = true;
  using _ = served.serveWith(
    service(async ({ audit }) => {
      audit.attempted(target);
      const piece = audit.piece(target);
      if (isWritten) piece.written();
      return ok(undefined);
    }),
  );
  await ask("DELETE");
  isWritten = false;
  await ask("DELETE");
  assert.deepEqual(recorded, [
    { sql: "a statement", entry: target },
    { sql: SQL, entry: target },
  ]);
});
