/** A file from its upload to the model and back, through a real server. */
import { startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { setUpChats, watchChat } from "./chat-world.ts";

const MEBIBYTE = 1_048_576;

test("a file is uploaded, sent in a message, and comes back unharmed", async () => {
  await using database = await testDatabase();
  await using server = await startRealServer({ postgresUrl: database.url });
  await using world = await setUpChats(server);
  const { person } = world;
  const path = `${server.url}/api/v2/chats/files`;
  const token = { "coder-session-token": person.token };
  const upload = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
    fetch(path, { method: "POST", headers: { ...token, ...headers }, body });

  const note = Buffer.from("Bees dance.\n");
  const disposition = "attachment; filename*=UTF-8''n%C3%B6te.txt";
  const kept = await upload(note, {
    "content-type": "text/plain",
    "content-disposition": disposition,
  });
  assert.equal(kept.status, 201);
  const { id } = (await kept.json()) as { id: string };
  const chat = await person.create(server, "What do they do?", {
    content: [
      { type: "text", text: "What do they do?" },
      { type: "file", file_id: id },
    ],
  });
  assert.deepEqual(
    chat.files?.map(({ name, size_bytes }) => [name, size_bytes]),
    [["nöte.txt", 12]],
  );
  using view = await watchChat(server, person, chat.id);
  await view.screen.until(() => view.screen.status === "waiting");
  const asked = world.model.requests.map(({ body }) => body.toString());
  assert.ok(
    asked.some((body) => body.includes("Bees dance") || body.includes(note.toString("base64"))),
    "the model has it",
  );

  const back = await fetch(`${path}/${id}`, { headers: token });
  assert.deepEqual(Buffer.from(await back.arrayBuffer()), note);
  assert.equal(back.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(back.headers.get("x-content-type-options"), "nosniff");
  assert.match(back.headers.get("content-security-policy") ?? "", /sandbox/);
  assert.match(back.headers.get("content-disposition") ?? "", /^inline; .*n%C3%B6te\.txt$/);
  assert.equal((await fetch(`${path}/${id}`)).status, 401);

  const statuses = await Promise.all([
    upload(Buffer.alloc(10 * MEBIBYTE, "a"), { "content-type": "text/plain" }),
    upload(Buffer.alloc(10 * MEBIBYTE + 1, "a"), { "content-type": "text/plain" }),
    upload(note, { "content-type": "text/html" }),
    upload(note, { "content-type": "image/png" }),
  ]);
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [201, 413, 415, 400],
  );
});
