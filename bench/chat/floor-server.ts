/**
 * The least that a chat with our promises could be: who asks is looked up; the message is on disk before it is
 * answered, the call before the model is asked, and the first words are committed before they are shown. All else is left out: no
 * turns, no rights, no prompt, one viewer. Its argument is JSON of a `FloorTask`.
 */
import { once } from "node:events";
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { silentLogger } from "@atelier/base/logger";
import { openDatabase } from "@atelier/database/database";
import type { SocketConnection } from "@atelier/database/postgres-process";
import { runTextStatement } from "@atelier/database/text-statement";
import { WebSocket, WebSocketServer } from "ws";

export type FloorTask = { readonly connection: SocketConnection; readonly modelUrl: string };

const { connection, modelUrl } = JSON.parse(process.argv[2] ?? "") as FloorTask;
const database = openDatabase({
  ...{ connection, applicationName: "floor", connectionsMax: 4, log: silentLogger },
});
const { pool } = database;
const agent = new Agent({ keepAlive: true });

/** `more`: a further column of the answer. */
const write = (what: string, content: string, more = "1") =>
  runTextStatement(
    pool,
    {
      name: `floor-${what}`,
      text: `insert into floor_rows (kind, content) values ($1, $2::jsonb) returning id, ${more}`,
    },
    [what, content],
  );

const whoAsks = (token: string) =>
  runTextStatement(
    pool,
    { name: "floor-who", text: "select id, content from floor_rows where id = $1" },
    [token],
  );

function firstWords(body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request(`${modelUrl}/v1/messages`, {
      ...{ agent, method: "POST" },
      headers: { "content-type": "application/json", "x-api-key": "sk-scripted" },
    });
    asking.on("error", reject);
    asking.on("response", (answer) => {
      let text = "";
      answer.on("data", (bytes: Buffer) => {
        text += bytes.toString("utf8");
        if (text.includes("text_delta")) resolve(text);
      });
    });
    asking.end(body);
  });
}

async function turn(message: string): Promise<void> {
  const body = JSON.stringify({
    ...{ model: "claude-scripted", max_tokens: 100, stream: true },
    tools: [{ name: "none", input_schema: { type: "object" } }],
    messages: [{ role: "user", content: message }],
  });
  await write("call", body);
  const words = JSON.stringify([await firstWords(body)]);
  await write("words", words, "set_config('synchronous_commit', 'off', true)");
  for (const viewer of viewers.clients)
    if (viewer.readyState === WebSocket.OPEN) viewer.send(words);
}

async function serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  await whoAsks(asked.headers.authorization ?? "1");
  const [bytes] = (await once(asked, "data")) as [Buffer];
  const { content } = JSON.parse(bytes.toString("utf8")) as { readonly content: string };
  await write("message", JSON.stringify({ content }));
  answer.writeHead(200, { "content-type": "application/json" }).end('{"queued":false}');
  await turn(content);
}

const server = createServer((asked, answer) => {
  serve(asked, answer).catch((error: unknown) => {
    console.error(error);
    answer.destroy();
  });
});
const viewers = new WebSocketServer({ server, perMessageDeflate: false });
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
