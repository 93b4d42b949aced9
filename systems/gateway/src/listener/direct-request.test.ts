import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { DirectRequest } from "./direct-request-io.ts";

const LARGE = 20_000;

function requestOf(parts: readonly Buffer[], contentLength: number): DirectRequest {
  const headers = { method: "POST" as const, url: "/", rawHeaders: [], headers: {} };
  const head = { ...headers, contentLength, closes: false };
  const request = new DirectRequest(head, new Socket(), { facts: null });
  for (const part of parts) request.arrived(part);
  return request;
}

test("what a released request had of its own is empty", () => {
  const behindHead = Buffer.allocUnsafeSlow(LARGE + 100).subarray(100);
  const parts = [behindHead, Buffer.allocUnsafeSlow(LARGE)];
  const request = requestOf(parts, 2 * LARGE);
  assert.deepEqual(request.takeBody(), parts);
  request.releaseBody();
  assert.deepEqual(parts.map((part) => part.length), [0, 0]); // prettier-ignore
  request.releaseBody();
});

test("memory in which the next request begins is not released", () => {
  const bytes = Buffer.allocUnsafeSlow(LARGE + 10);
  requestOf([bytes.subarray(0, LARGE)], LARGE).releaseBody();
  assert.equal(bytes.length, LARGE + 10);
});

test("memory that Node shares out among buffers is not released, even where one ends with it", () => {
  const { buffer } = Buffer.allocUnsafe(LARGE);
  const last = Buffer.from(buffer, buffer.byteLength - LARGE);
  requestOf([last], LARGE).releaseBody();
  assert.equal(last.length, LARGE);
});

test("a request that has not arrived whole is not released", () => {
  const part = Buffer.allocUnsafeSlow(LARGE);
  requestOf([part], LARGE + 1).releaseBody();
  assert.equal(part.length, LARGE);
});
