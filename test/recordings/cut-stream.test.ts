/** Recorded streams cut at any byte, ended by us, and read by the vendors' own clients. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as anthropic from "@anthropic-ai/sdk";
import { Stream as AnthropicStream } from "@anthropic-ai/sdk/core/streaming";
import { closeLastEvent, cutStreamEnding } from "@atelier/model-wire/cut-stream";
import { observeStream } from "@atelier/model-wire/observe-response";
import { listRecordings, type Recording } from "@atelier/testkit/recordings";
import * as openai from "openai";
import { Stream as OpenaiStream } from "openai/core/streaming";

const MESSAGE = "The provider went away.";
/** Every byte takes some seconds more; this comes to all kinds of places in lines and events. */
const STEP_BYTES = 3;

const recordings = (await listRecordings()).filter(
  // A stream with broken lines cannot be read by these clients at all.
  ({ name, response }) => response.isStream && !name.includes("malformed"),
);

for (const recording of recordings) {
  test(`${recording.name}, cut anywhere, ends in an error that its client understands`, async () => {
    const { length } = recording.response.body;
    const whole = await readCut(recording, length);
    for (let end = 0; end < length; end += STEP_BYTES) {
      const seen = await readCut(recording, end);
      if (seen.isCut) assert.equal(seen.error, MESSAGE, `cut at ${end}`);
      // No half event reached the client as if it were one: half a command would be run.
      const events = seen.events.filter((event) => failureIn(event) !== MESSAGE);
      if (seen.isCut) assert.deepEqual(events, whole.events.slice(0, events.length));
    }
  });
}

type Seen = { readonly events: unknown[]; error: string; readonly isCut: boolean };

/** The first `end` bytes and, unless the stream is terminated there, our ending. */
async function readCut({ format, response: recorded }: Recording, end: number): Promise<Seen> {
  const observer = observeStream(format);
  const part = recorded.body.subarray(0, end);
  observer.push(part);
  const isCut = observer.end().outcome === "incomplete_stream";
  const ending = isCut
    ? cutStreamEnding(format, observer, { message: MESSAGE })
    : closeLastEvent(format, observer);
  const response = new Response(Buffer.concat([part, ending]));
  const controller = new AbortController();
  const stream: AsyncIterable<unknown> =
    format === "messages"
      ? AnthropicStream.fromSSEResponse(response, controller)
      : OpenaiStream.fromSSEResponse(response, controller);
  const seen: Seen = { events: [], error: "", isCut };
  try {
    for await (const event of stream) {
      seen.events.push(event);
      seen.error = failureIn(event) ?? seen.error;
    }
  } catch (error) {
    const isFromApi = error instanceof openai.APIError || error instanceof anthropic.APIError;
    if (!isFromApi) throw error;
    const text = error.message;
    seen.error = text.includes(MESSAGE) ? MESSAGE : text;
  }
  return seen;
}

/** The client of the responses format hands the last event out. */
function failureIn(event: unknown): string | null {
  const { type, response } = event as { type?: string; response?: { error: { message: string } } };
  return type === "response.failed" ? (response?.error.message ?? null) : null;
}
