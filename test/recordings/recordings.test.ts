/** Every recording, read by the observers: whole, and cut into chunks of any size. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { observeBody, observeStream } from "@atelier/model-wire/observe-response";
import { readModelRequest } from "@atelier/model-wire/read-request";
import { listRecordings, type Recording } from "@atelier/testkit/recordings";
import fc from "fast-check";

const recordings = await listRecordings();

for (const recording of recordings) {
  test(`${recording.name}: the request and the response are read as the recording says`, () => {
    const request = readModelRequest(recording.format, recording.request);
    assert.deepEqual(request, { ok: true, value: recording.expected.request });
    assert.deepEqual(observe(recording, []), recording.expected.response);
  });
}

test("a stream is seen the same however it is cut into chunks", () => {
  const streams = recordings.filter((recording) => recording.response.isStream);
  for (const recording of streams) {
    const positions = fc.array(fc.nat(recording.response.body.length), { maxLength: 40 });
    const property = fc.property(positions, (cuts) => {
      assert.deepEqual(observe(recording, cuts), recording.expected.response);
    });
    fc.assert(property, { numRuns: 50 });
    const everyByte = [...recording.response.body.keys()];
    assert.deepEqual(observe(recording, everyByte), recording.expected.response);
  }
});

/** Chunks share one buffer, as those of a socket may: whoever keeps a view of it reads nonsense. */
function observe({ format, response }: Recording, cuts: readonly number[]): unknown {
  if (!response.isStream) return observeBody(format, response.body);
  const observer = observeStream(format);
  const buffer = new Uint8Array(response.body.length);
  let start = 0;
  for (const end of [...cuts, response.body.length].toSorted((a, b) => a - b)) {
    buffer.set(response.body.subarray(start, end));
    observer.push(buffer.subarray(0, end - start));
    buffer.fill(0x2a);
    start = end;
  }
  const observed = observer.end();
  assert.equal(observer.terminated, observed.outcome !== "incomplete_stream");
  return observed;
}
