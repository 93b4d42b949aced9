/**
 * Signs requests to AWS with Signature Version 4. Only what AWS must believe is signed: the host, the
 * content type and AWS's own headers; a proxy may then change the others.
 */
import type { Secret } from "@atelier/base/secret";
import { SignatureV4 } from "@smithy/signature-v4";
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";

export type AwsCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Null: they are not temporary. */
  readonly sessionToken: Secret | null;
};

export type UnsignedRequest = {
  readonly method: string;
  readonly origin: URL;
  /** As it is sent. */
  readonly path: string;
  /** Raw pairs. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
};

export type SigningScope = {
  readonly credentials: AwsCredentials;
  readonly region: string;
  readonly service: string;
  readonly at: Date;
};

/** The headers to send besides, as raw pairs. */
export async function signAwsRequest(
  request: UnsignedRequest,
  { credentials, region, service, at }: SigningScope,
): Promise<string[]> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new SignatureV4({
    service,
    region,
    sha256: NodeSha256,
    credentials: {
      accessKeyId,
      secretAccessKey: secretAccessKey.reveal(),
      ...(sessionToken === null ? {} : { sessionToken: sessionToken.reveal() }),
    },
  });
  const [path = "", query = ""] = splitOnce(request.path, "?");
  const given = signedHeaders(request);
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: request.origin.protocol,
      hostname: request.origin.hostname,
      path,
      query: queryOf(query),
      headers: given,
      body: request.body ?? undefined,
    },
    { signingDate: at },
  );
  return Object.entries(signed.headers)
    .filter(([name]) => !Object.hasOwn(given, name))
    .flat();
}

function signedHeaders({ origin, headers }: UnsignedRequest): Record<string, string> {
  const given: Record<string, string> = { host: origin.host };
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? "").toLowerCase();
    if (name !== "content-type" && !name.startsWith("x-amz")) continue;
    const value = headers[i + 1] ?? "";
    given[name] = given[name] === undefined ? value : `${given[name]},${value}`;
  }
  return given;
}

function queryOf(text: string): Record<string, string[]> {
  const query: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) (query[name] ??= []).push(value);
  return query;
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

type HashInput = string | ArrayBuffer | ArrayBufferView;

/** The crypto of Node: several times faster than the one in JavaScript. */
class NodeSha256 {
  readonly #secret: Uint8Array | string | null;
  #hash: Hash | Hmac;

  constructor(secret?: HashInput) {
    this.#secret = secret === undefined ? null : toInput(secret);
    this.#hash = this.#open();
  }

  update(data: HashInput): void {
    this.#hash.update(toInput(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#open();
  }

  #open(): Hash | Hmac {
    return this.#secret === null ? createHash("sha256") : createHmac("sha256", this.#secret);
  }
}

function toInput(data: HashInput): Uint8Array | string {
  if (typeof data === "string") return data;
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
