import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, startTestControlPlane } from "../control-plane-on-postgres-testkit.ts";

const FIRST = { email: "owner@example.com", username: "owner", password: PASSWORD };

test("the first user can be made once, and not without a body that fits", async () => {
  await using api = await startTestControlPlane();
  assert.equal((await api.call("GET", "/api/v2/users/first")).status, 404);
  const weak = await api.call("POST", "/api/v2/users/first", { body: { ...FIRST, password: "x" } });
  assert.equal(weak.status, 400);
  assert.deepEqual(weak.body.validations, [
    { field: "password", detail: "Use at least 8 characters." },
  ]);
  const made = await api.call("POST", "/api/v2/users/first", { body: { ...FIRST, trial: false } });
  assert.equal(made.status, 201);
  assert.deepEqual(Object.keys(made.body).toSorted(), ["organization_id", "user_id"]);
  assert.equal((await api.call("GET", "/api/v2/users/first")).status, 200);
  const again = await api.call("POST", "/api/v2/users/first", { body: FIRST });
  assert.equal(again.status, 409);
  assert.equal(again.body.code, "setup.already_done");
  const token = await api.logIn("owner");
  const me = await api.call("GET", "/api/v2/users/me", { token });
  assert.deepEqual(
    { roles: me.body.roles, status: me.body.status, organizations: me.body.organization_ids },
    { roles: ["owner"], status: "active", organizations: [made.body.organization_id] },
  );
});

test("of many first users at once exactly one is made", async () => {
  await using api = await startTestControlPlane();
  const answers = await Promise.all(
    Array.from({ length: 5 }, (_, i) =>
      api.call("POST", "/api/v2/users/first", {
        body: { ...FIRST, email: `o${i}@example.com`, username: `o${i}` },
      }),
    ),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409, 409, 409, 409],
  );
});

test("a user is made, found by id and by name of any case, renamed and deleted", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const ann = await api.addPerson("Ann", ["auditor"]);
  for (const ref of [ann.id, "ann", "ANN"]) {
    const found = await api.call("GET", `/api/v2/users/${ref}`, { token: owner.token });
    assert.equal(found.body.id, ann.id);
  }
  const renamed = await api.call("PUT", `/api/v2/users/ann/profile`, {
    token: ann.token,
    body: { username: "anne", name: " Anne A. " },
  });
  assert.deepEqual(
    [renamed.status, renamed.body.username, renamed.body.name],
    [200, "anne", "Anne A."],
  );
  assert.equal(
    (await api.call("DELETE", "/api/v2/users/anne", { token: owner.token })).status,
    204,
  );
  assert.equal((await api.call("GET", "/api/v2/users/anne", { token: owner.token })).status, 404);
  assert.equal((await api.call("GET", "/api/v2/users/me", { token: ann.token })).status, 401);
  // Both names are free again.
  await api.addPerson("ANN");
});

test("names that are taken are refused, in any case, also by renaming", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  await api.addPerson("ann");
  await api.addPerson("bob");
  const make = (username: string, email: string) =>
    api.call("POST", "/api/v2/users", { token, body: { username, email, password: PASSWORD } });
  assert.equal((await make("ANN", "new@example.com")).body.code, "user.username_taken");
  assert.equal((await make("new", "ANN@example.com")).body.code, "user.email_taken");
  const renamed = await api.call("PUT", "/api/v2/users/bob/profile", {
    token,
    body: { username: "Ann" },
  });
  assert.deepEqual([renamed.status, renamed.body.code], [409, "user.username_taken"]);
});

test("names that stand for routes are reserved", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  for (const username of ["me", "First", "login", "roles", "validate-password"]) {
    const body = { username, email: "a@example.com", password: PASSWORD };
    assert.equal((await api.call("POST", "/api/v2/users", { token, body })).status, 400, username);
  }
});

test("the list pages by username, and filters by text, status and role", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  for (const name of ["dora", "Bob", "ann", "carl-x"]) await api.addPerson(name);
  await api.call("PUT", "/api/v2/users/bob/roles", { token, body: { roles: ["auditor"] } });
  await api.call("PUT", "/api/v2/users/dora/status/suspend", { token });
  const list = async (query: string): Promise<[string[], number]> => {
    const { status, body, text } = await api.call("GET", `/api/v2/users${query}`, { token });
    assert.equal(status, 200, text);
    return [body.users.map((user: { username: string }) => user.username), body.count];
  };
  assert.deepEqual(await list(""), [["ann", "Bob", "carl-x", "dora", "owner"], 5]);
  const first = await api.call("GET", "/api/v2/users?limit=2", { token });
  const after = first.body.users.at(-1).id;
  assert.deepEqual(await list(`?limit=2&after_id=${after}`), [["carl-x", "dora"], 5]);
  assert.deepEqual(await list("?q=OB"), [["Bob"], 1]);
  assert.deepEqual(await list("?q=%25"), [[], 0]);
  assert.deepEqual(await list("?status=suspended"), [["dora"], 1]);
  assert.deepEqual(await list("?role=auditor"), [["Bob"], 1]);
  assert.deepEqual((await list("?role=member"))[1], 5);
  for (const query of [
    "?after_id=nobody",
    "?limit=0",
    "?limit=201",
    "?nonsense=1",
    "?limit=1&limit=2",
  ]) {
    assert.equal((await api.call("GET", `/api/v2/users${query}`, { token })).status, 400, query);
  }
});

test("the last owner cannot be demoted, suspended or deleted", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const requests: readonly (readonly [string, string, unknown])[] = [
    ["PUT", "/api/v2/users/me/roles", { roles: [] }],
    ["PUT", "/api/v2/users/me/status/suspend", undefined],
    ["DELETE", "/api/v2/users/me", undefined],
  ];
  for (const [method, path, body] of requests) {
    const answer = await api.call(method, path, { token, body });
    assert.deepEqual([answer.status, answer.body.code], [409, "user.last_owner"], path);
  }
  // A suspended owner does not count.
  await api.addPerson("ann", ["owner"]);
  await api.call("PUT", "/api/v2/users/ann/status/suspend", { token });
  const answer = await api.call("PUT", "/api/v2/users/me/roles", { token, body: { roles: [] } });
  assert.equal(answer.body.code, "user.last_owner");
});

test("two owners who demote each other at once do not both succeed", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  for (let round = 0; round < 5; round += 1) {
    const ann = await api.addPerson(`ann${round}`, ["owner"]);
    const demote = (token: string, who: string) =>
      api.call("PUT", `/api/v2/users/${who}/roles`, { token, body: { roles: [] } });
    await Promise.all([demote(owner.token, ann.id), demote(ann.token, owner.id)]);
    const owners = await api.database.pool.query(
      "select id from users where 'owner' = any(roles) and deleted_at is null",
    );
    assert.equal(owners.rows.length, 1);
    // The first owner is needed for the next round.
    if (owners.rows[0].id === ann.id) {
      const body = { roles: ["owner"] };
      await api.call("PUT", "/api/v2/users/owner/roles", { token: ann.token, body });
      await api.call("PUT", `/api/v2/users/${ann.id}/roles`, {
        token: owner.token,
        body: { roles: [] },
      });
    }
  }
});

test("two owners who demote themselves at once leave one", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const ann = await api.addPerson("ann", ["owner"]);
  const answers = await Promise.all(
    [owner, ann].map(({ token }) =>
      api.call("PUT", "/api/v2/users/me/roles", { token, body: { roles: [] } }),
    ),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409],
  );
});

test("nobody suspends or deletes themselves", async () => {
  await using api = await startTestControlPlane();
  await api.setUp();
  const admin = await api.addPerson("adam", ["user-admin"]);
  for (const [method, path] of [
    ["PUT", "/api/v2/users/me/status/suspend"],
    ["DELETE", "/api/v2/users/me"],
  ] as const) {
    const answer = await api.call(method, path, { token: admin.token });
    assert.deepEqual([answer.status, answer.body.code], [409, "user.self_forbidden"]);
  }
});

test("a user admin governs members and auditors, but no owner and no other user admin", async () => {
  await using api = await startTestControlPlane();
  await api.setUp();
  await api.addPerson("root", ["owner"]);
  const { token } = await api.addPerson("adam", ["user-admin"]);
  await api.addPerson("eve", ["user-admin"]);
  await api.addPerson("audrey", ["auditor"]);
  const attempts = (who: string) =>
    [
      ["PUT", `/api/v2/users/${who}/password`, { password: "another good one" }],
      ["PUT", `/api/v2/users/${who}/status/suspend`, undefined],
      ["PUT", `/api/v2/users/${who}/status/activate`, undefined],
      ["PUT", `/api/v2/users/${who}/roles`, { roles: [] }],
      ["DELETE", `/api/v2/users/${who}`, undefined],
    ] as const;
  for (const who of ["root", "eve"]) {
    for (const [method, path, body] of attempts(who)) {
      const answer = await api.call(method, path, { token, body });
      assert.deepEqual([answer.status, answer.body.code], [403, "user.role_not_assignable"], path);
    }
  }
  for (const [method, path, body] of attempts("audrey")) {
    assert.ok((await api.call(method, path, { token, body })).status < 300, path);
  }
  for (const role of ["owner", "user-admin"]) {
    const body = { email: "z@example.com", username: "zed", password: PASSWORD, roles: [role] };
    const answer = await api.call("POST", "/api/v2/users", { token, body });
    assert.equal(answer.body.code, "user.role_not_assignable");
    const own = await api.call("PUT", "/api/v2/users/me/roles", { token, body: { roles: [role] } });
    assert.equal(own.status, role === "owner" ? 403 : 200);
  }
});

test("a token without the scope for roles cannot make an owner", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const made = await api.call("POST", "/api/v2/users/me/keys/tokens", {
    token: owner.token,
    body: { scopes: ["user:create"] },
  });
  const body = { email: "z@example.com", username: "zed", password: PASSWORD };
  const token = made.body.key;
  const refused = await api.call("POST", "/api/v2/users", {
    token,
    body: { ...body, roles: ["owner"] },
  });
  assert.equal(refused.body.code, "user.role_not_assignable");
  assert.equal((await api.call("POST", "/api/v2/users", { token, body })).status, 201);
});

test("a new password needs the old one, and ends all other sessions and tokens", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const ann = await api.addPerson("ann");
  const other = await api.logIn("ann");
  const made = await api.call("POST", "/api/v2/users/me/keys/tokens", { token: ann.token });
  const change = (body: unknown) =>
    api.call("PUT", "/api/v2/users/me/password", { token: ann.token, body });
  assert.equal((await change({ password: "another good one" })).body.code, "user.password_wrong");
  const wrong = await change({ old_password: "not this one", password: "another good one" });
  assert.deepEqual([wrong.status, wrong.body.code], [400, "user.password_wrong"]);
  const weak = await change({ old_password: PASSWORD, password: "ann@example.com" });
  assert.equal(weak.body.code, "request.invalid");
  assert.equal(
    (await change({ old_password: PASSWORD, password: "another good one" })).status,
    204,
  );

  const statusOf = async (token: string) =>
    (await api.call("GET", "/api/v2/users/me", { token })).status;
  assert.deepEqual(
    await Promise.all([ann.token, other, made.body.key, owner.token].map(statusOf)),
    [200, 401, 401, 200],
  );
  await api.logIn("ann", "another good one");
  // An administrator needs no old password, and ends all of them.
  const body = { password: "yet another good one" };
  const set = await api.call("PUT", "/api/v2/users/ann/password", { token: owner.token, body });
  assert.equal(set.status, 204);
  assert.equal(await statusOf(ann.token), 401);
});

test("suspension refuses at once, and activation lets in again", async () => {
  await using api = await startTestControlPlane();
  const owner = await api.setUp();
  const ann = await api.addPerson("ann");
  const suspended = await api.call("PUT", "/api/v2/users/ann/status/suspend", {
    token: owner.token,
  });
  assert.equal(suspended.body.status, "suspended");
  assert.equal((await api.call("GET", "/api/v2/users/me", { token: ann.token })).status, 401);
  await api.call("PUT", "/api/v2/users/ann/status/activate", { token: owner.token });
  assert.equal((await api.call("GET", "/api/v2/users/me", { token: ann.token })).status, 200);
});

test("new users sleep until they first sign in", async () => {
  await using api = await startTestControlPlane();
  const { token } = await api.setUp();
  const body = { email: "ann@example.com", username: "ann", password: PASSWORD };
  const made = await api.call("POST", "/api/v2/users", { token, body });
  assert.equal(made.body.status, "dormant");
  await api.logIn("ann");
  assert.equal((await api.call("GET", "/api/v2/users/ann", { token })).body.status, "active");
});

test("a password's verdict is the same before it is set", async () => {
  await using api = await startTestControlPlane();
  const judge = async (password: string) =>
    (await api.call("POST", "/api/v2/users/validate-password", { body: { password } })).body;
  assert.deepEqual(await judge(PASSWORD), { valid: true, details: "" });
  assert.equal((await judge("password1")).valid, false);
});

test("the roles say what each grants, and which the caller may assign", async () => {
  await using api = await startTestControlPlane();
  await api.setUp();
  const { token } = await api.addPerson("adam", ["user-admin"]);
  const { body } = await api.call("GET", "/api/v2/users/roles", { token });
  const assignable = body.roles.filter((role: { assignable: boolean }) => role.assignable);
  assert.equal(body.count, 4);
  assert.deepEqual(
    assignable.map((role: { name: string }) => role.name),
    ["auditor"],
  );
});
