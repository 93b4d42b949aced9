/** The body of a bridged request, and what a model's request says of itself. */
import { fail, ok, type Result } from "@atelier/base/result";
import { BytePieces } from "@atelier/model-wire/byte-pieces";
import {
  readModelRequest,
  type ModelRequest,
  type RequestMistake,
} from "@atelier/model-wire/read-request";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import {
  BODY_BYTES_MAX,
  FAILURE,
  badBody,
  type GatewayFailure,
} from "../failures/gateway-failure.ts";
import type { GatewayRequest } from "./client-exchange.ts";
import { readBody, type BodyMistake } from "./request-body-io.ts";
import { decodeBody } from "./request-decoding-io.ts";

export type BridgedBody = {
  /** As the client sent it. */
  readonly body: BytePieces;
  /** Without its content encoding. */
  readonly decoded: BytePieces;
  readonly request: ModelRequest;
};

/** `client_gone`: there is nobody to answer. */
export function readBridgedBody(
  req: GatewayRequest,
  format: WireFormat,
  silenceMsMax: number,
): ReadBody | Promise<ReadBody> {
  const read = readBody(req, { bytesMax: BODY_BYTES_MAX, silenceMsMax });
  return read instanceof Promise
    ? read.then((body) => readRequest(req, format, body))
    : readRequest(req, format, read);
}

export type ReadBody = Result<BridgedBody, GatewayFailure | "client_gone">;

export function bodyFailure(mistake: BodyMistake): GatewayFailure | "client_gone" {
  switch (mistake) {
    case "too_large":
      return FAILURE.bodyTooLarge;
    case "too_slow":
      return FAILURE.bodyTimeout;
    case "client_gone":
      return "client_gone";
  }
}

function readRequest(
  req: GatewayRequest,
  format: WireFormat,
  body: Result<BytePieces, BodyMistake>,
): ReadBody | Promise<ReadBody> {
  if (!body.ok) return fail(bodyFailure(body.failure));
  const encoding = req.headers["content-encoding"];
  return encoding === undefined
    ? understood(format, body.value, body.value)
    : readEncoded(encoding, format, body.value);
}

async function readEncoded(
  encoding: string,
  format: WireFormat,
  body: BytePieces,
): Promise<Result<BridgedBody, GatewayFailure>> {
  const decoded = await decodeBody(body.whole(), encoding, BODY_BYTES_MAX);
  if (!decoded.ok) {
    switch (decoded.failure) {
      case "unknown_encoding":
        return fail(FAILURE.bodyEncoding);
      case "too_large":
        return fail(FAILURE.bodyTooLarge);
      case "malformed":
        return fail(badBody("the request body does not match its content encoding"));
    }
  }
  return understood(format, body, new BytePieces([decoded.value]));
}

function understood(
  format: WireFormat,
  body: BytePieces,
  decoded: BytePieces,
): Result<BridgedBody, GatewayFailure> {
  const request = readModelRequest(format, decoded);
  if (!request.ok) return fail(badBody(describeMistake(request.failure)));
  return ok({ body, decoded, request: request.value });
}

function describeMistake({ kind, offset }: RequestMistake): string {
  switch (kind) {
    case "empty":
      return "the request body is empty";
    case "not_an_object":
      return "the request body is not a JSON object";
    case "malformed":
      return `the request body is not valid JSON (at byte ${offset})`;
  }
}
