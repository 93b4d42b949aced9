/** `atelier chat …` against scripted servers: what is sent, what is printed, and how it ends. */
import assert from "node:assert/strict";
import test from "node:test";
import { systemClock } from "@atelier/base/system-clock";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { Chat, ChatMessage } from "@atelier/contract/http/chats";
import { cli, ID, SIGNED_IN, TIME, type Parsed, type SocketScript } from "../cli-scene.test.ts";
import { NO_STREAMS } from "../streams-testkit.ts";

const MODEL = "0b8f1f5e-1111-4a4a-8b8b-0a4c1f1e2d3c";
const about = { chat_id: ID };
const CHAT: Chat = {
  ...{ id: ID, organization_id: MODEL, owner_id: MODEL, last_model_config_id: MODEL },
  ...{
    title: "A chat",
    status: "running",
    last_turn_summary: null,
    archived: false,
    shared: false,
  },
  ...{ created_at: TIME, updated_at: TIME, pin_order: 0, mcp_server_ids: [], labels: {} },
  ...{ has_unread: false, client_type: "api", queue_length: 0, children: [] },
  ...{ inbox_section: "working", inbox_since: TIME },
};

const CHANGES = {
  ...{ additions: 12, deletions: 3, changed_files: 2, is_cut: false, repositories: 1 },
  ...{ git_branch: "main", git_remote_origin: "", ahead: 1, behind: 0, refreshed_at: TIME },
};

const text = (each: string): MessagePart => ({ type: "text", text: each });
function message(id: number, role: ChatMessage["role"], ...content: MessagePart[]): ChatMessage {
  return { id, chat_id: ID, created_at: TIME, role, content };
}
const told = (each: ChatMessage): ChatStreamEvent => ({ type: "message", ...about, message: each });
function part(seq: number, each: string): ChatStreamEvent {
  const place = { history_version: 3, generation_attempt: 1, seq };
  return {
    type: "message_part",
    ...about,
    message_part: { role: "assistant", part: text(each), ...place },
  };
}
const status = (each: Chat["status"]): ChatStreamEvent => ({
  type: "status",
  ...about,
  status: { status: each },
});
const RESET: ChatStreamEvent = { type: "preview_reset", ...about };
const QUESTION = told(message(1, "user", text("Hello")));
const ANSWER = [told(message(2, "assistant", text("Hello to you"))), status("waiting"), RESET];

const creating = (sockets: readonly SocketScript[]) =>
  ({
    variables: SIGNED_IN,
    clock: systemClock,
    "POST /api/v2/chats": () => CHAT,
    sockets,
  }) as const;

// From a question to its answer.

test("a new chat is asked with what the command line says, and its answer printed", async () => {
  const bodies: unknown[] = [];
  const run = await cli(["chat", "new", "Hello", "--plan", "--label", "team=core"], {
    ...creating([{ messages: [[QUESTION, status("running")], [part(1, "Hel")], ANSWER] }]),
    "POST /api/v2/chats": ({ body }: Parsed) => {
      bodies.push(body);
      return CHAT;
    },
  });
  assert.deepEqual([run.exitCode, run.out], [0, "Hello to you\n"], run.err);
  assert.match(run.err, new RegExp(ID));
  const { idempotency_key: key, ...body } = bodies[0] as Record<string, unknown>;
  assert.match(String(key), /^[0-9a-f-]{36}$/);
  assert.deepEqual(body, {
    ...{ content: [text("Hello")], client_type: "api" },
    ...{ labels: { team: "core" }, plan_mode: "plan" },
  });
});

test("a connection that is cut in the middle is taken up where it was, without a word twice", async () => {
  const run = await cli(
    ["chat", "new", "Hello"],
    creating([
      {
        messages: [
          [QUESTION, status("running"), RESET],
          [part(1, "Hel"), part(2, "lo ")],
        ],
        closes: 1006,
      },
      { refused: 503 },
      { messages: [[part(2, "lo "), part(3, "to ")]], closes: 1012 },
      { messages: [ANSWER] },
    ]),
  );
  assert.deepEqual([run.exitCode, run.out], [0, "Hello to you\n"], run.err);
  const stream = `/api/v2/chats/${ID}/stream`;
  assert.deepEqual(run.sockets, [
    `${stream}?after_id=0`,
    `${stream}?after_id=1&after_part=3.1.2`,
    `${stream}?after_id=1&after_part=3.1.2`,
    `${stream}?after_id=1&after_part=3.1.3`,
  ]);
});

test("the exit code says how the turn ended", async () => {
  const error = { message: "No key.", kind: "missing_key", retryable: false } as const;
  const tool_calls = [{ tool_call_id: "c", tool_name: "mine", args: {} }];
  const failed = await cli(
    ["chat", "new", "Hello"],
    creating([{ messages: [[QUESTION, status("error"), { type: "error", ...about, error }]] }]),
  );
  assert.equal(failed.exitCode, 7);
  assert.match(failed.err, /Error: No key\. \(missing_key\)\n {2}Add a key/);
  const action = { type: "action_required", ...about, action_required: { tool_calls } };
  const asked = await cli(
    ["chat", "new", "Hello"],
    creating([{ messages: [[QUESTION, status("requires_action"), action]] }]),
  );
  assert.equal(asked.exitCode, 8);
  const gone = await cli(["chat", "new", "Hello"], creating([{ messages: [], closes: 4404 }]));
  assert.equal(gone.exitCode, 4);
  const refused = await cli(["chat", "new", "Hello"], creating([{ refused: 401 }]));
  assert.equal(refused.exitCode, 3);
});

test("--quiet prints the final answer, and --json each event as a line", async () => {
  const looked = message(2, "assistant", text("I look."), {
    type: "tool-call",
    tool_call_id: "c",
    tool_name: "read_file",
    args: { path: "a" },
  });
  const found: MessagePart = {
    ...{ type: "tool-result", tool_call_id: "c", tool_name: "read_file", result: {} },
  };
  const messages = [
    [QUESTION, status("running")],
    [told(looked), told(message(3, "tool", found))],
    [told(message(4, "assistant", text("It is \u001b[31mso.\n"))), status("waiting")],
  ];
  const quiet = await cli(["chat", "new", "Hello", "--quiet"], creating([{ messages }]));
  assert.deepEqual([quiet.out, quiet.err], ["It is \ufffd[31mso.\n", ""]);
  const json = await cli(["chat", "new", "Hello", "--json"], creating([{ messages }]));
  const events = json.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  assert.deepEqual([events, json.err], [messages.flat(), ""]);
});

test("events of a newer server are left out", async () => {
  const messages = [[{ type: "aura", ...about }, QUESTION], "nonsense", ANSWER];
  const run = await cli(["chat", "new", "Hello"], creating([{ messages }]));
  assert.deepEqual([run.exitCode, run.out], [0, "Hello to you\n"]);
});

test("Ctrl-C leaves, and says how to come back", async () => {
  const pressed = new AbortController();
  const run = await cli(["chat", "new", "Hello"], {
    ...creating([{ messages: [[QUESTION, status("running")], [part(1, "Hel")]] }]),
    signal: pressed.signal,
    onOut: () => pressed.abort(),
  });
  assert.deepEqual([run.exitCode, run.out], [130, "Hel\n"]);
  assert.match(run.err, new RegExp(`works on.*atelier chat attach ${ID}`));
});

test("--detach says where to look, and waits for nothing", async () => {
  const run = await cli(["chat", "new", "--detach", "--quiet", "--title", "T", "Hello"], {
    ...creating([]),
    "PATCH /api/v2/chats/:chat": ({ body }: Parsed) => {
      assert.deepEqual(body, { title: "T" });
      return null;
    },
  });
  assert.deepEqual([run.exitCode, run.out, run.sockets], [0, `${ID}\n`, []]);
});

test("without words the text comes from stdin, and nothing is not a message", async () => {
  const bodies: unknown[] = [];
  const scene = {
    ...creating([{ messages: [[QUESTION, ...ANSWER]] }]),
    "POST /api/v2/chats": ({ body }: Parsed) => {
      bodies.push((body as { content: unknown }).content);
      return CHAT;
    },
  };
  await cli(["chat", "new"], { ...scene, stdin: "a\nb\n" });
  assert.deepEqual(bodies, [[text("a\nb")]]);
  const nothing = await cli(["chat", "new"], { ...scene, stdin: " \n" });
  assert.deepEqual([nothing.exitCode, nothing.requests], [2, []]);
});

// A chat that is there already.

const latest = (...messages: ChatMessage[]) => ({
  "GET /api/v2/chats/:chat": () => CHAT,
  "GET /api/v2/chats/:chat/messages": () => ({ messages, queued_messages: [], has_more: false }),
});

test("a message that waits is followed until its own turn is over", async () => {
  const queued = { id: 7, chat_id: ID, content: [text("Next")], created_at: TIME };
  const queue = (...queued_messages: object[]) => ({
    ...{ type: "queue_update", ...about, queued_messages },
  });
  const run = await cli(["chat", "send", ID, "Next"], {
    variables: SIGNED_IN,
    clock: systemClock,
    ...latest(message(1, "user", text("First"))),
    "POST /api/v2/chats/:chat/messages": () => ({ queued: true, queued_message: queued }),
    sockets: [
      {
        messages: [
          [queue(queued), status("running")],
          [told(message(2, "assistant", text("One"))), status("waiting"), RESET],
          [queue(), told(message(3, "user", text("Next"))), status("running")],
          [told(message(4, "assistant", text("Two"))), status("waiting"), RESET],
        ],
      },
    ],
  });
  assert.deepEqual([run.exitCode, run.out], [0, "One\nTwo\n"], run.err);
  assert.match(run.err, /waits in its queue/);
  assert.deepEqual(run.sockets, [`/api/v2/chats/${ID}/stream?after_id=1`]);
});

test("attach shows what was said, then what happens, until the turn is over", async () => {
  const run = await cli(["chat", "attach", ID], {
    variables: SIGNED_IN,
    clock: systemClock,
    ...latest(message(1, "user", text("Hello"))),
    sockets: [{ messages: [[status("running")], [part(1, "Hello ")], ANSWER] }],
  });
  assert.deepEqual([run.exitCode, run.out], [0, "Hello to you\n"]);
  assert.equal(run.err, "› Hello\n");
});

test("a chat is named by the beginning of its id, or as the last one", async () => {
  const other = { ...CHAT, id: "6f0a0000-7a51-4d0b-9d6c-0a4c1f1e2d3c", pin_order: 1 };
  const newer = { ...CHAT, updated_at: "2026-01-02T00:00:00.000Z", turn_message_id: 7 };
  const asked: string[] = [];
  const bodies: unknown[] = [];
  const scene = {
    variables: SIGNED_IN,
    "GET /api/v2/chats": () => [other, newer],
    "POST /api/v2/chats/:chat/interrupt": ({ body }: Parsed) => {
      bodies.push(body);
      return CHAT;
    },
  };
  for (const ref of ["6f0a8", "6F0A8F4E", "last"]) {
    const run = await cli(["chat", "interrupt", ref], scene);
    assert.equal(run.exitCode, 0, run.err);
    asked.push(run.requests.at(-1)?.path ?? "");
  }
  assert.deepEqual(new Set(asked), new Set([`/api/v2/chats/${ID}/interrupt`]));
  // The turn that was found is meant, and none that begins meanwhile.
  assert.deepEqual(bodies, Array(3).fill({ turn_message_id: 7 }));
  const codes = [];
  for (const ref of ["6f0a", "ffff", "6f0", "../x"]) {
    codes.push((await cli(["chat", "interrupt", ref], scene)).exitCode);
  }
  assert.deepEqual(codes, [2, 4, 2, 2]);
});

test("the list shows words for states, and harmless titles", async () => {
  const chats = [
    { ...CHAT, title: "a\u001b[2J", has_unread: true, status: "waiting", queue_length: 2 },
    {
      ...{ ...CHAT, status: "error", diff_status: CHANGES },
      last_error: { message: "No key.", retryable: false },
    },
  ] as const;
  const run = await cli(
    ["chat", "list", "--status", "error", "--status", "waiting", "--archived"],
    {
      variables: SIGNED_IN,
      "GET /api/v2/chats": ({ query }: Parsed) => {
        assert.equal(query["q"], 'status:"error,waiting" archived:true');
        return chats;
      },
      "GET /api/v2/organizations/:organization/chats/models": () => "resource.not_found",
    },
  );
  assert.match(run.out, /6f0a8f4e +answered +a\ufffd\[2J +- +- +- +- +2 +just now\n/);
  assert.match(run.out, /error +A chat +No key\. +- +- +\+12 −3 +- /);
});

test("a chat is shared by names, and its readers are listed; others' chats say whose they are", async () => {
  const bodies: unknown[] = [];
  const reader = { id: MODEL, username: "grace", name: "Grace", role: "read" } as const;
  const scene = {
    variables: SIGNED_IN,
    "GET /api/v2/chats/:chat": () => CHAT,
    "PATCH /api/v2/chats/:chat/acl": ({ body }: Parsed) => {
      bodies.push(body);
      return null;
    },
    "GET /api/v2/chats/:chat/acl": () => ({ sharing_enabled: true, users: [reader] }),
  };
  const looked = await cli(["chat", "share", ID], scene);
  assert.match(looked.out, /grace +Grace +read/);
  assert.equal(bodies.length, 0);
  await cli(["chat", "share", ID, "--with", "grace", "--without", "linus"], scene);
  assert.deepEqual(bodies, [{ user_roles: { grace: "read", linus: "" } }]);
  const list = await cli(["chat", "list", "--shared"], {
    variables: SIGNED_IN,
    "GET /api/v2/chats": ({ query }: Parsed) => {
      assert.equal(query["q"], "source:shared_with_me");
      return [{ ...CHAT, owner_username: "ann", shared: true }];
    },
    "GET /api/v2/organizations/:organization/chats/models": () => "resource.not_found",
  });
  assert.match(list.out, /6f0a8f4e +ann +working/);
});

test("the queue is listed, changed, moved and emptied by the ids of its messages", async () => {
  const queued = { id: 7, chat_id: ID, content: [text("Next")], created_at: TIME };
  const bodies: unknown[] = [];
  const scene = {
    variables: SIGNED_IN,
    "GET /api/v2/chats/:chat": () => CHAT,
    "GET /api/v2/chats/:chat/messages": () => ({
      ...{ messages: [], queued_messages: [queued], has_more: false },
    }),
    "PATCH /api/v2/chats/:chat/queue/:queued": ({ body }: Parsed) => {
      bodies.push(body);
      return queued;
    },
    "DELETE /api/v2/chats/:chat/queue/:queued": () => null,
    "POST /api/v2/chats/:chat/queue/:queued/promote": () => ({ message: null }),
  };
  const queue = (...words: string[]) => cli(["chat", "queue", ...words], scene);
  assert.match((await queue("list", ID)).out, /7 +Next/);
  await queue("edit", ID, "#7", "Later");
  await queue("move", ID, "7", "2");
  assert.deepEqual(bodies, [{ content: [text("Later")] }, { index: 1 }]);
  const deleted = await queue("delete", ID, "7");
  assert.equal(deleted.requests.at(-1)?.path, `/api/v2/chats/${ID}/queue/7`);
  assert.equal((await queue("promote", ID, "7")).exitCode, 0);
  assert.equal((await queue("delete", ID, "x")).exitCode, 2);
});

// Talking at a terminal.

/** Keys that are typed when the test says so. */
function keyboard() {
  const keys: string[] = [];
  let wake = (): void => {};
  return {
    type: (text: string): void => {
      keys.push(text);
      wake();
    },
    streams: {
      ...NO_STREAMS,
      isInputTerminal: true,
      isOutputTerminal: true,
      async *input() {
        for (;;) {
          const next = keys.shift();
          if (next !== undefined) yield new TextEncoder().encode(next);
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    },
  };
}

test("lines typed in a session are messages and commands, and Ctrl-C leaves", async () => {
  const { type, streams } = keyboard();
  const bodies: unknown[] = [];
  const asked: unknown[] = [];
  const run = await cli(["chat", "attach", ID], {
    variables: SIGNED_IN,
    clock: systemClock,
    answers: [],
    streams,
    ...latest(message(1, "user", text("Hello"))),
    sockets: [{ messages: [[status("running")], [part(1, "Hello ")], ANSWER] }],
    "POST /api/v2/chats/:chat/messages": ({ body }: Parsed) => {
      const { idempotency_key: _key, ...sent } = body as Record<string, unknown>;
      bodies.push(sent);
      if (bodies.length === 4) type("\u0003");
      if (bodies.length === 2) type("/nonsense\r/effort high\r/stop\r");
      return { queued: false, message: message(bodies.length + 10, "user", text("")) };
    },
    "POST /api/v2/chats/:chat/interrupt": ({ body }: Parsed) => {
      asked.push(body);
      type("\u001b[200~one\ntwo\u001b[201~\r//slash\\\rmore\r");
      return CHAT;
    },
    onOut: (out) => {
      if (out.includes("Hello to you")) type("Firts\u007f\u007fst\r/etc/hosts is wrong\r");
    },
  });
  assert.equal(run.exitCode, 0, run.err);
  const sent = (each: string) => ({ content: [text(each)], busy_behavior: "queue" });
  const eager = { reasoning_effort: "high" };
  assert.deepEqual(bodies, [
    sent("First"),
    sent("/etc/hosts is wrong"),
    { ...sent("one\ntwo"), ...eager },
    { ...sent("/slash\nmore"), ...eager },
  ]);
  // The turn of what was sent last, though the stream has not shown it yet.
  assert.deepEqual(asked, [{ turn_message_id: 12 }]);
  assert.match(run.out, /There is no \/nonsense/);
  assert.match(run.err, new RegExp(`atelier chat attach ${ID}`));
});

test("/quit leaves, and a refusal is told without leaving", async () => {
  const { type, streams } = keyboard();
  const run = await cli(["chat", "attach", ID], {
    variables: SIGNED_IN,
    clock: systemClock,
    answers: [],
    streams,
    ...latest(),
    sockets: [{ messages: [[status("waiting")]] }],
    "POST /api/v2/chats/:chat/messages": () => {
      type("/quit\r");
      return "chat.queue_full";
    },
    onOut: (out) => {
      if (out.includes("/help shows")) type("One more\r");
    },
  });
  assert.equal(run.exitCode, 0);
  assert.match(run.out, /Too many messages wait/);
});
