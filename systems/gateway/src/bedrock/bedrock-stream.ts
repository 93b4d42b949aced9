/**
 * Amazon Bedrock's binary event stream → the messages format's server-sent events.
 *
 * The stream comes in chunks of any size. Each frame is: total length (4 bytes), headers' length (4),
 * checksum of these (4), headers, payload, checksum of all before it (4). Both checksums are verified,
 * the first before the lengths are believed. A frame's payload holds one event of the model in base64;
 * its JSON goes on as it is.
 */
import { GrowingBytes } from "@atelier/model-wire/growing-bytes";
import { listMembers, readText } from "@atelier/model-wire/json-scanner";
import { objectIn, parseLooseJson, textIn } from "@atelier/model-wire/loose-json";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { crc32 } from "node:zlib";
import { exceptionInStream, type BedrockError } from "./bedrock-error.ts";

export type BedrockStreamItem =
  | { readonly kind: "event"; readonly bytes: Uint8Array }
  /** The model's last word. */
  | { readonly kind: "exception"; readonly error: BedrockError };

/** The bytes are no event stream, or were changed on the way. */
export class EventStreamError extends Error {}

const PRELUDE_BYTES = 12;
const LENGTHS_BYTES = 8;
const FRAME_BYTES_MIN = 16;
/** AWS allows payloads of 16 MiB and headers of 128 KiB. */
const FRAME_BYTES_MAX = 24 * 1024 * 1024;

export class BedrockStream {
  /** Of a frame that is not whole. */
  readonly #pending = new GrowingBytes();
  readonly #codec = new EventStreamCodec(
    (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
    (text) => Buffer.from(text, "utf8"),
  );

  /** Whether it ends between two frames. */
  get isBetweenFrames(): boolean {
    return this.#pending.length === 0;
  }

  /** What became whole with this chunk, of whose memory nothing is kept. Throws an EventStreamError. */
  push(chunk: Uint8Array): readonly BedrockStreamItem[] {
    const isFresh = this.#pending.length === 0;
    if (!isFresh) this.#pending.append(chunk);
    const { buffer, byteOffset, byteLength } = isFresh ? chunk : this.#pending.view();
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    const items: BedrockStreamItem[] = [];
    let at = 0;
    for (;;) {
      const frame = frameAt(bytes, at);
      if (frame === null) break;
      at += frame.byteLength;
      const item = this.#read(frame);
      if (item !== null) items.push(item);
    }
    // A large frame comes in many chunks: what is there of it is not copied for each.
    if (!isFresh && at === 0) return items;
    const rest = Buffer.from(bytes.subarray(at));
    this.#pending.clear();
    this.#pending.append(rest);
    return items;
  }

  #read(frame: Uint8Array): BedrockStreamItem | null {
    const { headers, body } = this.#decode(frame);
    const header = (name: string): string => {
      const value = headers[name]?.value;
      return typeof value === "string" ? value : "";
    };
    switch (header(":message-type")) {
      case "exception":
        return { kind: "exception", error: exceptionInStream(header(":exception-type"), body) };
      case "error": {
        const message = new TextEncoder().encode(
          JSON.stringify({ message: header(":error-message") }),
        );
        return { kind: "exception", error: exceptionInStream(header(":error-code"), message) };
      }
      default:
        return header(":event-type") === "chunk" ? toEvent(body) : null;
    }
  }

  #decode(frame: Uint8Array): ReturnType<EventStreamCodec["decode"]> {
    try {
      return this.#codec.decode(frame);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      throw new EventStreamError(`a frame is malformed: ${said}`, { cause: error });
    }
  }
}

/** The whole frame that begins there. Null: not all of it has come. */
function frameAt(bytes: Buffer, at: number): Uint8Array | null {
  if (bytes.byteLength - at < PRELUDE_BYTES) return null;
  const lengths = bytes.subarray(at, at + LENGTHS_BYTES);
  if (crc32(lengths) !== bytes.readUInt32BE(at + LENGTHS_BYTES)) {
    throw new EventStreamError("the checksum of a frame's lengths is wrong");
  }
  const length = bytes.readUInt32BE(at);
  if (length < FRAME_BYTES_MIN || FRAME_BYTES_MAX < length) {
    throw new EventStreamError(`a frame of ${length} bytes`);
  }
  return bytes.byteLength - at < length ? null : bytes.subarray(at, at + length);
}

function toEvent(payload: Uint8Array): BedrockStreamItem {
  const encoded = textIn(objectIn(parseLooseJson(payload))?.["bytes"]);
  if (encoded === null) throw new EventStreamError("a frame's payload holds no event");
  const event = Buffer.from(encoded, "base64");
  // Line breaks inside JSON are white space, and would end the event's line.
  for (const lineBreak of [LINE_FEED, CARRIAGE_RETURN]) {
    for (let at = event.indexOf(lineBreak); at !== -1; at = event.indexOf(lineBreak, at + 1)) {
      event[at] = SPACE;
    }
  }
  const start = event.indexOf(OPEN_BRACE);
  const members = start === -1 ? [] : listMembers(event, { start, end: event.byteLength });
  const type = members.findLast(({ name }) => name === "type");
  const name = readText(event, type?.value);
  const head = name === null ? "data: " : `event: ${name.replaceAll(/[\r\n]/g, "")}\ndata: `;
  return { kind: "event", bytes: Buffer.concat([Buffer.from(head), event, Buffer.from("\n\n")]) };
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const OPEN_BRACE = 0x7b;
