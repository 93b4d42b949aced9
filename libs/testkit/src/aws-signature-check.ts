/**
 * Checks signatures of AWS (Signature Version 4) as AWS publishes the algorithm, written from that text
 * and not with the library that signs: a mistake in one does not hide in the other.
 */
import { createHash, createHmac } from "node:crypto";

export type SignedRequest = {
  readonly method: string;
  /** With the query, as it came. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
};

export type AwsKey = {
  readonly secret: string;
  /** Of temporary credentials. */
  readonly token: string | null;
};

export type CheckedSignature = {
  readonly accessKey: string;
  readonly region: string;
  readonly service: string;
  /** Null: the signature is right. */
  readonly problem: string | null;
};

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

/** Null: the request bears no signature. */
export function checkAwsSignature(
  request: SignedRequest,
  keyOf: (accessKey: string) => AwsKey | undefined,
): CheckedSignature | null {
  const parsed = AUTHORIZATION.exec(headerOf(request, "authorization"));
  if (parsed === null) return null;
  const [, accessKey = "", date = "", region = "", service = "", names = "", given = ""] = parsed;
  const signed = { accessKey, region, service };
  const key = keyOf(accessKey);
  if (key === undefined) return { ...signed, problem: "UnrecognizedClientException" };
  const scope = { date, region, service, headers: names.split(";") };
  const problem = problemOf(request, key, scope);
  if (problem !== null) return { ...signed, problem };
  const right = awsSignature(request, key.secret, scope);
  return { ...signed, problem: right === given ? null : "InvalidSignatureException" };
}

type Scope = {
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** The signed ones' names, sorted. */
  readonly headers: readonly string[];
};

/** What AWS refuses whatever the signature says. */
function problemOf(request: SignedRequest, key: AwsKey, { date, headers }: Scope): string | null {
  const mustBeSigned = [
    "host",
    "x-amz-date",
    ...(key.token === null ? [] : ["x-amz-security-token"]),
  ];
  if (headerOf(request, "content-type") !== "") mustBeSigned.push("content-type");
  if (mustBeSigned.some((name) => !headers.includes(name))) return "IncompleteSignatureException";
  if (!headerOf(request, "x-amz-date").startsWith(date)) return "InvalidSignatureException";
  const token = headerOf(request, "x-amz-security-token");
  if (token !== (key.token ?? "")) return "UnrecognizedClientException";
  const hash = headerOf(request, "x-amz-content-sha256");
  return hash === "" || hash === sha256(request.body) ? null : "InvalidSignatureException";
}

/** In hex. */
export function awsSignature(
  request: SignedRequest,
  secret: string,
  { date, region, service, headers }: Scope,
): string {
  const [path = "/", query = ""] = request.target.split("?");
  const canonical = [
    request.method,
    path.split("/").map(encode).join("/"),
    canonicalQuery(query),
    ...headers.map((name) => `${name}:${headerOf(request, name).trim().replaceAll(/ +/g, " ")}`),
    "",
    headers.join(";"),
    sha256(request.body),
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = [
    "AWS4-HMAC-SHA256",
    headerOf(request, "x-amz-date"),
    scope,
    sha256(Buffer.from(canonical)),
  ].join("\n");
  let key: Buffer = Buffer.from(`AWS4${secret}`);
  for (const part of [date, region, service, "aws4_request", text]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  return key.toString("hex");
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  const pairs = query.split("&").map((pair) => {
    const [name = "", value = ""] = pair.split("=");
    return `${encode(decodeURIComponent(name))}=${encode(decodeURIComponent(value))}`;
  });
  return pairs.toSorted().join("&");
}

/** All but the unreserved characters of RFC 3986. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function headerOf({ headers }: SignedRequest, name: string): string {
  const value = headers[name] ?? "";
  return typeof value === "string" ? value : value.join(",");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
