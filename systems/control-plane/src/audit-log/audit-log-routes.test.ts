import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestControlPlane,
  type TestControlPlane,
} from "../control-plane-on-postgres-testkit.ts";

const AUDIT = "/api/v2/audit";

type Row = {
  readonly id: string;
  readonly action: string;
  readonly resource_target: string;
  readonly status_code: number;
};

async function list(
  api: TestControlPlane,
  token: string,
  query = "",
): Promise<{ rows: Row[]; count: number }> {
  const { status, body, text } = await api.call("GET", `${AUDIT}${query}`, { token });
  assert.equal(status, 200, text);
  return { rows: body.audit_logs, count: body.count };
}

function search(text: string): string {
  return `?q=${encodeURIComponent(text)}`;
}

test("a change says who, what, when, from where, and old and new values without secrets", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const ann = await api.addPerson("ann");
  await api.clock.advance(1_000);
  const answer = await api.call("PUT", "/api/v2/users/ann/roles", {
    token: owner.token,
    body: { roles: ["auditor"] },
    headers: { "user-agent": "tester" },
  });
  const { rows, count } = await list(api, owner.token, search("action:write"));
  assert.equal(count, 1);
  assert.deepEqual(
    { ...rows[0], id: "" },
    {
      id: "",
      time: "2026-01-01T00:00:01.000Z",
      user: { id: owner.id, username: "owner", email: "owner@example.com" },
      action: "write",
      resource_type: "user",
      resource_id: ann.id,
      resource_target: "ann",
      // Ann slept until she signed in, which is no change by anybody.
      diff: { roles: { old: [], new: ["auditor"] } },
      status_code: 200,
      additional_fields: {},
      request_id: answer.headers.get("x-request-id"),
      ip: "127.0.0.1",
      user_agent: "tester",
    },
  );
});

test("of a password only that it was set is on record", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  await api.addPerson("ann");
  const { rows } = await list(api, token, search("action:create resource_target:ann"));
  const [row] = rows as unknown as [{ diff: Record<string, unknown> }];
  assert.deepEqual(row.diff["password"], { secret: true });
  assert.deepEqual(row.diff["email"], { old: null, new: "ann@example.com" });
});

test("refused sign-ins are on record with who it was about, throttled ones are not", async () => {
  await using api = await startTestControlPlane();
  const { token, id } = await api.setUp();
  for (let i = 0; i < 7; i += 1) {
    await api.call("POST", "/api/v2/users/login", {
      body: { email: "owner@example.com", password: "wrong" },
    });
  }
  await api.call("POST", "/api/v2/users/login", {
    body: { email: "who@example.com", password: "x" },
  });
  const { rows } = await list(api, token, search("action:login status_code:401"));
  assert.equal(rows.length, 6);
  assert.equal(rows.filter((row) => row.resource_target === "who@example.com").length, 1);
  const { count } = await list(api, token, search("action:login username:owner status_code:401"));
  assert.equal(count, 5);
  assert.equal((await list(api, token, search(`resource_id:${id}`))).count, 1);
});

test("an attempt that was not allowed is on record with its status", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const ann = await api.addPerson("ann");
  await api.call("DELETE", "/api/v2/users/owner", { token: ann.token });
  const { rows } = await list(api, token, search("action:delete"));
  assert.deepEqual(
    rows.map((row) => [row.resource_target, row.status_code]),
    [["owner", 404]],
  );
});

test("pages go back in time without gaps or repeats, also among events of one moment", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  for (let i = 0; i < 7; i += 1) {
    if (i % 3 === 0) await api.clock.advance(1);
    await api.call("PUT", "/api/v2/users/me/profile", { token, body: { name: `Name ${i}` } });
  }
  const all = (await list(api, token)).rows.map(({ id }) => id);
  const paged: string[] = [];
  for (let after = ""; ; after = `&after_id=${paged.at(-1)}`) {
    const { rows, count } = await list(api, token, `?limit=2${after}`);
    assert.equal(count, all.length);
    if (rows.length === 0) break;
    paged.push(...rows.map(({ id }) => id));
  }
  assert.deepEqual(paged, all);
  const lost = "00000000-0000-4000-8000-000000000000";
  assert.equal((await api.call("GET", `${AUDIT}?after_id=${lost}`, { token })).status, 400);
});

test("each filter narrows the list, and a wrong one is refused", async () => {
  await using api = await startTestControlPlane({
    config: { sessionDurationMs: 7 * 86_400_000 },
  });
  const owner = await api.setUp();
  await api.clock.leap(86_400_000);
  const ann = await api.addPerson("ann");
  const renamed = await api.call("PUT", "/api/v2/users/me/profile", {
    token: ann.token,
    body: { name: "A" },
  });
  const countOf = async (text: string) => (await list(api, owner.token, search(text))).count;
  const total = await countOf("");
  const cases: readonly (readonly [string, number])[] = [
    ["resource_type:session", 2],
    ["resource_type:user action:create", 1],
    [`resource_id:${ann.id}`, 2],
    ["resource_target:ann", 3],
    ["username:ANN", 2],
    ['email:"ann@example.com"', 2],
    [`request_id:${renamed.headers.get("x-request-id")}`, 1],
    ["status_code:201", total - 1],
    ["date_from:2026-01-02", 3],
    ["date_to:2026-01-01", 2],
    ["date_from:2026-01-01T00:00:00Z date_to:2026-01-01T00:00:00Z", 2],
  ];
  for (const [text, count] of cases) assert.equal(await countOf(text), count, text);
  for (const text of ["color:red", "action:eat", "ann"]) {
    const answer = await api.call("GET", `${AUDIT}${search(text)}`, { token: owner.token });
    assert.deepEqual([answer.status, answer.body.validations[0].field], [400, "q"]);
  }
});
