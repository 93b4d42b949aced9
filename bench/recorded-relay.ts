/**
 * The floor of strict recording: a relay that does nothing but record each request, whose start is committed before the
 * upstream is called. No caller, no route, no key, no observation. Usage: recorded-relay.ts <upstream> <way>
 *
 * Ways: `bare-insert` is the bare proxy, with one insert for each request by the driver and no record of its end;
 * `bare-recorder` the same proxy with this server's recorder; `raw-recorder` passes bytes unread, and takes each piece
 * that a client sends for a request, which it is for small ones.
 */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { insertInterceptions } from "@atelier/control-plane/ai-usage/usage-record-store";
import { lineageOf, toStartRow } from "@atelier/control-plane/ai-usage/usage-record";
import { startRecording } from "@atelier/control-plane/start-recording";
import { openDatabase, type Database } from "@atelier/database/database";
import { startEmbeddedPostgres } from "@atelier/database/embedded-postgres";
import { migrate } from "@atelier/database/migrate";
import { createMetrics } from "@atelier/host/metrics";
import { Tasks } from "@atelier/host/tasks";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import {
  connect,
  createServer as createSocketServer,
  type AddressInfo,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleEnd, sampleStart } from "./sample-record.ts";

/** Resolves when the start is committed, with what records the end. */
type Recording = () => Promise<() => void>;

const [upstream = "", way = ""] = process.argv.slice(2);
const { hostname: host, port, host: upstreamHost } = new URL(upstream);

const resources = new AsyncDisposableStack();
const dataDir = mkdtempSync(join(tmpdir(), "atelier-bench-"));
resources.defer(() => rmSync(dataDir, { recursive: true }));
const deps = { log: silentLogger, clock: systemClock };
const postgres = resources.use(await startEmbeddedPostgres({ dataDir, ...deps }));
const { connection } = postgres;
const applicationName = "bench";
const database = resources.use(
  openDatabase({ connection, applicationName, connectionsMax: 20, log: silentLogger }),
);
await migrate(database, silentLogger);
const replicaId = systemRandom.uuid();
const recording = way === "bare-insert" ? insertAlone(database) : await withRecorder();
const server = way === "raw-recorder" ? rawServer(recording) : bareServer(recording);
server.listen(0, "127.0.0.1", () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
await new Promise<void>((resolve) => process.once("SIGTERM", () => resolve()));
await resources.disposeAsync();
// Connections that are still open would keep it.
process.exit(0);

function insertAlone({ pool }: Database): Recording {
  let count = 0;
  return async () => {
    count += 1;
    const start = sampleStart(systemRandom.uuid(), count, systemClock.now());
    await insertInterceptions(pool, [toStartRow(start, lineageOf(start, null), replicaId)]);
    return () => {};
  };
}

async function withRecorder(): Promise<Recording> {
  const recorder = await startRecording(
    {
      ...deps,
      database,
      random: systemRandom,
      metrics: createMetrics(),
      tasks: resources.use(new Tasks(silentLogger)),
      replicaId,
      logRecords: false,
      recording: { mode: "strict", dataDir, spoolBytesMax: 0 },
    },
    resources,
  );
  let count = 0;
  return async () => {
    count += 1;
    const own = count;
    const start = sampleStart(systemRandom.uuid(), own, systemClock.now());
    await recorder.start(start);
    return () => recorder.end(sampleEnd(start, own, systemClock.now()));
  };
}

/** As bare-proxy.ts, behind a record. */
function bareServer(record: Recording) {
  const agent = new Agent({ keepAlive: true });
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const end = await record();
    const headers = { ...req.headers, host: upstreamHost };
    const { url: path, method } = req;
    const asked = request({ agent, host, port, path, method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
      answer.on("end", end);
    });
    asked.on("error", () => res.destroy());
    res.on("close", () => asked.destroy());
    req.pipe(asked);
  };
  return createServer((req, res) => {
    serve(req, res).catch(() => res.destroy());
  });
}

/** As raw-relay.ts, behind a record. */
function rawServer(record: Recording) {
  return createSocketServer({ noDelay: true }, (client) => {
    const far = connect({ host, port: Number(port), noDelay: true });
    let end: (() => void) | null = null;
    client.on("data", (piece: Buffer) => {
      record()
        .then((over) => {
          end = over;
          far.write(piece);
        })
        .catch(() => client.destroy());
    });
    far.on("data", (piece: Buffer) => {
      client.write(piece);
      end?.();
      end = null;
    });
    closeTogether(client, far);
  });
}

function closeTogether(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on("error", () => {}); // `close` follows.
    from.on("close", () => to.destroy());
  }
}
