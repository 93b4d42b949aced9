/**
 * Amazon Bedrock without a model: it checks signatures and keys as AWS does, keeps what it was sent, and
 * answers InvokeModel with what a test prepares, streams in AWS's binary framing. It also gives out the
 * credentials of roles, as AWS's security token service does.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";
import { checkAwsSignature, type AwsKey, type CheckedSignature } from "./aws-signature-check.ts";

export type BedrockCall = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  /** Null: it bore a key, or nothing. */
  readonly signature: CheckedSignature | null;
};

/** What the model says: events of the messages format in JSON, or a whole message. */
export type BedrockReply =
  | { readonly kind: "message"; readonly message: unknown }
  | {
      readonly kind: "events";
      readonly events: readonly string[];
      /** Behind the events, in place of the stream's end. */
      readonly exception?: { readonly name: string; readonly message: string };
      /** In pieces of so many bytes. Default: in one. */
      readonly chunkBytes?: number;
    }
  | {
      readonly kind: "refusal";
      readonly status: number;
      readonly name: string;
      readonly message: string;
    }
  | { readonly kind: "bytes"; readonly type: string; readonly bytes: Uint8Array };

export type AssumedRole = {
  readonly roleArn: string;
  readonly externalId: string;
  readonly by: string;
};

export type ScriptedBedrockOptions = {
  readonly reply: (call: BedrockCall) => BedrockReply;
  /** How long the credentials of roles last. */
  readonly roleLifeMs?: number;
  readonly now?: () => Date;
};

export type ScriptedBedrock = AsyncDisposable & {
  readonly url: string;
  /** All but those to the token service, with the refused ones. */
  readonly calls: readonly BedrockCall[];
  /** Access keys that are accepted. */
  readonly keys: Map<string, AwsKey>;
  /** Of them, those that have expired. */
  readonly expired: Set<string>;
  /** Bedrock API keys that are accepted. */
  readonly bearers: Set<string>;
  readonly roles: readonly AssumedRole[];
};

export async function startScriptedBedrock(
  options: ScriptedBedrockOptions,
): Promise<ScriptedBedrock> {
  const calls: BedrockCall[] = [];
  const roles: AssumedRole[] = [];
  const world = { keys: new Map<string, AwsKey>(), expired: new Set<string>(), bearers: new Set<string>() }; // prettier-ignore
  const server = createServer((req, res) => {
    read(req, world.keys).then(
      (call) => {
        const role = roleAsked(call);
        if (role !== null) return giveRole(res, { call, role, roles, world, options });
        calls.push(call);
        const refusal = refusalOf(call, world);
        answer(res, refusal ?? options.reply(call));
      },
      () => res.destroy(), // The client left: the test sees what it waits for.
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
  return {
    ...world,
    url: `http://127.0.0.1:${port}`,
    calls,
    roles,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
}

/** A frame of AWS's event stream with text headers. */
export function eventStreamFrame(
  headers: Readonly<Record<string, string>>,
  payload: Uint8Array,
): Buffer {
  const encoded = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const text = Buffer.from(value);
      const length = Buffer.of(TEXT_HEADER, text.length >> 8, text.length & 0xff);
      return Buffer.concat([Buffer.of(name.length), Buffer.from(name), length, text]);
    }),
  );
  const prelude = Buffer.concat([
    uint32(PRELUDE_BYTES + encoded.length + payload.length + CHECKSUM_BYTES),
    uint32(encoded.length),
  ]);
  const head = Buffer.concat([prelude, uint32(crc32(prelude)), encoded, payload]);
  return Buffer.concat([head, uint32(crc32(head))]);
}

/** One event of the model, as InvokeModelWithResponseStream sends it. */
export function bedrockChunk(event: string): Buffer {
  const headers = { ":event-type": "chunk", ":content-type": "application/json", ":message-type": "event" }; // prettier-ignore
  const payload = { bytes: Buffer.from(event).toString("base64"), p: "abcdefgh" };
  return eventStreamFrame(headers, Buffer.from(JSON.stringify(payload)));
}

export function bedrockException(name: string, message: string): Buffer {
  const headers = { ":exception-type": name, ":content-type": "application/json", ":message-type": "exception" }; // prettier-ignore
  return eventStreamFrame(headers, Buffer.from(JSON.stringify({ message })));
}

const TEXT_HEADER = 7;
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

async function read(req: IncomingMessage, keys: ReadonlyMap<string, AwsKey>): Promise<BedrockCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { method = "", url: path = "", headers } = req;
  const signature = checkAwsSignature({ method, target: path, headers, body }, (id) =>
    keys.get(id),
  );
  return { method, path, headers, body, signature };
}

type World = Pick<ScriptedBedrock, "keys" | "expired" | "bearers">;

function refusalOf({ headers, signature }: BedrockCall, world: World): BedrockReply | null {
  const refused = (name: string): BedrockReply => {
    return { kind: "refusal", status: 403, name, message: `refused: ${name}` };
  };
  if (signature === null) {
    const bearer = headers.authorization?.replace(/^Bearer /, "") ?? "";
    return world.bearers.has(bearer) ? null : refused("AccessDeniedException");
  }
  if (signature.problem !== null) return refused(signature.problem);
  return world.expired.has(signature.accessKey) ? refused("ExpiredTokenException") : null;
}

function answer(res: ServerResponse, reply: BedrockReply): void {
  res.setHeader("x-amzn-requestid", "4f1c1ab0-0001-4000-8000-000000000000");
  switch (reply.kind) {
    case "message":
      res.writeHead(200, { "content-type": "application/json" });
      res.end(JSON.stringify(reply.message));
      return;
    case "refusal":
      res.writeHead(reply.status, {
        "content-type": "application/json",
        "x-amzn-errortype": `${reply.name}:http://internal.amazon.com/coral/`,
      });
      res.end(JSON.stringify({ message: reply.message }));
      return;
    case "bytes":
      res.writeHead(200, { "content-type": reply.type });
      res.end(reply.bytes);
      return;
    case "events": {
      const { exception, chunkBytes = Number.MAX_SAFE_INTEGER } = reply;
      const frames = reply.events.map((event) => bedrockChunk(event));
      if (exception !== undefined) frames.push(bedrockException(exception.name, exception.message));
      const bytes = Buffer.concat(frames);
      res.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        res.write(bytes.subarray(at, at + chunkBytes));
      }
      res.end();
    }
  }
}

/** Null: the call is not to the token service. */
function roleAsked({ path, body, headers }: BedrockCall): URLSearchParams | null {
  if (path !== "/" || headers["content-type"]?.includes("form-urlencoded") !== true) return null;
  return new URLSearchParams(body.toString());
}

type RoleCall = {
  readonly call: BedrockCall;
  readonly role: URLSearchParams;
  readonly roles: AssumedRole[];
  readonly world: World;
  readonly options: ScriptedBedrockOptions;
};

function giveRole(res: ServerResponse, { call, role, roles, world, options }: RoleCall): void {
  const { signature } = call;
  if (signature === null || signature.problem !== null || signature.service !== "sts") {
    res.writeHead(403, { "content-type": "text/xml" });
    res.end(`<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${signature?.problem ?? "unsigned"}</Message></Error></ErrorResponse>`); // prettier-ignore
    return;
  }
  const text = (name: string): string => role.get(name) ?? "";
  roles.push({ roleArn: text("RoleArn"), externalId: text("ExternalId"), by: signature.accessKey });
  const accessKey = `ASIAROLE${roles.length}`;
  const given = { secret: `role-secret-${roles.length}`, token: `role-token-${roles.length}` };
  world.keys.set(accessKey, given);
  const { now = () => new Date(), roleLifeMs = 3_600_000 } = options;
  const expiration = new Date(now().getTime() + roleLifeMs).toISOString();
  res.writeHead(200, { "content-type": "text/xml" });
  res.end(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA:atelier</AssumedRoleId><Arn>${text("RoleArn")}</Arn></AssumedRoleUser><Credentials><AccessKeyId>${accessKey}</AccessKeyId><SecretAccessKey>${given.secret}</SecretAccessKey><SessionToken>${given.token}</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>`); // prettier-ignore
}
