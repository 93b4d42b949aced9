/** Commands from words to exit code: what is printed where, exit codes, help. */
import assert from "node:assert/strict";
import test from "node:test";
import { FAILURES } from "@atelier/contract/failures";
import { renderCliReference } from "./cli-reference.ts";
import { ANN, cli, SIGNED_IN } from "./cli-scene.test.ts";
import { COMMANDS } from "./commands/all.ts";

// What is printed where.

test("a list is a table on stdout, with what is not shown said on stderr", async () => {
  const run = await cli(["users", "list", "--limit", "1"], {
    variables: SIGNED_IN,
    "GET /api/v2/users": () => ({ users: [ANN], count: 7 }),
  });
  assert.equal(run.exitCode, 0);
  assert.match(run.out, /^USERNAME +EMAIL +NAME +ROLES +STATUS +LAST SEEN\nann +ann@example\.com/);
  assert.equal(run.err, "Showing 1 of 7. More: --limit <count> or --all.\n");
});

test("an empty list is a sentence", async () => {
  const run = await cli(["users", "list"], {
    variables: SIGNED_IN,
    "GET /api/v2/users": () => ({ users: [], count: 0 }),
  });
  assert.equal(run.out, "No such users.\n");
});

test("--json prints one document and nothing else, before or after the command", async () => {
  for (const words of [
    ["users", "list", "--limit", "1", "--json"],
    ["--json", "users", "list", "--limit", "1"],
  ]) {
    const run = await cli(words, {
      variables: SIGNED_IN,
      "GET /api/v2/users": () => ({ users: [ANN], count: 7 }),
    });
    assert.deepEqual(JSON.parse(run.out), { users: [ANN], count: 7 });
    assert.equal(run.err, "");
  }
});

test("what the server says cannot move the cursor", async () => {
  const name = "x\u001b[2J\u009b1m";
  for (const json of [[], ["--json"]]) {
    const run = await cli(["users", "list", ...json], {
      variables: SIGNED_IN,
      "GET /api/v2/users": () => ({ users: [{ ...ANN, name }], count: 1 }),
    });
    assert.doesNotMatch(run.out, /(?!\n)\p{Cc}/u);
  }
});

test("a terminal gets colors, unless --no-color or NO_COLOR says otherwise", async () => {
  const shown = async (words: string[], variables = {}) => {
    const run = await cli(words, {
      variables: { ...SIGNED_IN, ...variables },
      columns: 80,
      "GET /api/v2/users": () => ({ users: [ANN], count: 1 }),
    });
    return run.out.includes("\u001b[");
  };
  assert.equal(await shown(["users", "list"]), true);
  assert.equal(await shown(["users", "list", "--no-color"]), false);
  assert.equal(await shown(["--no-color", "users", "list"]), false);
  assert.equal(await shown(["users", "list"], { NO_COLOR: "1" }), false);
});

test("--verbose shows requests without the token", async () => {
  const run = await cli(["whoami", "-v"], {
    variables: SIGNED_IN,
    "GET /api/v2/users/:user": () => ANN,
  });
  assert.equal(run.err, "GET http://atelier.test/api/v2/users/me\n");
});

// Exit codes.

for (const [code, exitCode] of [
  ["request.unauthenticated", 3],
  ["resource.not_found", 4],
  ["user.username_taken", 5],
  ["server.unavailable", 6],
  ["user.role_not_assignable", 1],
  ["request.rate_limited", 1],
] as const) {
  test(`${code} ends with exit code ${exitCode}, as text and as JSON`, async () => {
    const failing = { variables: SIGNED_IN, "GET /api/v2/users/:user": () => code };
    const text = await cli(["users", "show", "bob"], failing);
    assert.equal(text.exitCode, exitCode);
    assert.equal(text.out, "");
    assert.ok(text.err.startsWith(`Error: ${FAILURES[code].message}\n`), text.err);
    const json = await cli(["users", "show", "bob", "--json"], failing);
    assert.equal(json.exitCode, exitCode);
    assert.equal(json.out, "");
    const { error } = JSON.parse(json.err) as { error: Record<string, unknown> };
    assert.equal(error["code"], code);
    assert.equal(error["request_id"], "r-1");
    assert.equal(error["exit_code"], exitCode);
  });
}

test("an unreachable server is 6, Ctrl-C is 130", async () => {
  const unreachable = { code: "client.unreachable", message: "Cannot reach it." } as const;
  assert.equal((await cli(["whoami"], { variables: SIGNED_IN, network: unreachable })).exitCode, 6);
  const cancelled = { code: "client.cancelled", message: "Cancelled." } as const;
  assert.equal((await cli(["whoami"], { variables: SIGNED_IN, network: cancelled })).exitCode, 130);
});

test("without a sign-in a command ends with 3 and makes no request", async () => {
  const run = await cli(["users", "list"], {});
  assert.equal(run.exitCode, 3);
  assert.deepEqual(run.requests, []);
  assert.match(run.err, /atelier login/);
});

for (const words of [
  ["user"],
  ["users"],
  ["users", "lst"],
  ["users", "show"],
  ["users", "list", "--limit", "0"],
  ["users", "list", "--status", "asleep"],
  ["users", "list", "--colour"],
  ["tokens", "create", "--lifetime", "soon"],
  ["users", "edit-roles", "bob"],
  ["--url", "ftp://x", "whoami"],
]) {
  test(`"${words.join(" ")}" is a usage mistake`, async () => {
    const run = await cli(words, { variables: SIGNED_IN });
    assert.equal(run.exitCode, 2);
    assert.equal(run.out, "");
    assert.notEqual(run.err, "");
  });
}

test("a mistyped command gets a suggestion, also in JSON", async () => {
  assert.match((await cli(["user"], {})).err, /Did you mean users\?/);
  const { error } = JSON.parse((await cli(["user", "--json"], {})).err) as {
    error: { message: string };
  };
  assert.match(error.message, /^unknown command 'user' \(Did you mean users\?\)$/);
});

// Help.

test("the bare name and every command have help with an example", async () => {
  assert.match((await cli([], {})).out, /Exit codes:/);
  for (const { name, summary, passesThrough } of COMMANDS) {
    assert.doesNotMatch(summary, /[\n.]$/, name);
    if (passesThrough === true) continue;
    const run = await cli([...name.split(" "), "--help"], {});
    assert.equal(run.exitCode, 0);
    assert.match(run.out, /Examples?:\n {2}\$ /, name);
    assert.ok(run.out.includes(`atelier ${name}`), name);
  }
});

test("examples are command lines that parse", async () => {
  for (const { name, examples, passesThrough } of COMMANDS) {
    for (const example of passesThrough === true ? [] : examples) {
      const line = example
        .replaceAll("\\\n", " ")
        .replace(/^.*?\batelier /, "")
        .replace(/[)<>].*$/, "");
      const words = line
        .trim()
        .split(/\s+/)
        .filter((word) => word !== "");
      assert.ok(line.startsWith(name), example);
      // `--help` comes after all else was parsed as far as names of options and choices go.
      // Behind `--` it would be a word of the command that is run.
      const end = words.includes("--") ? words.indexOf("--") : words.length;
      const run = await cli(words.toSpliced(end, 0, "--help"), {});
      assert.equal(run.exitCode, 0, `${example}: ${run.err}`);
    }
  }
});

test("the reference has a section for every command", () => {
  const reference = renderCliReference();
  for (const { name } of COMMANDS) assert.ok(reference.includes(`### \`atelier ${name}\`\n`), name);
});

// The server.

test("all words after `server` go to the server, and its exit code is ours", async () => {
  const words = ["server", "--json", "dbcrypt", "--help", "--", "-x"];
  const run = await cli(words, {});
  assert.deepEqual(run.serverWords, words.slice(1));
  assert.equal(run.exitCode, 42);
});
