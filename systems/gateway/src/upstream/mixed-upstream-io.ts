/**
 * The upstream client for providers over TLS. Up to a number of exchanges at once it speaks HTTP/1.1 over
 * the raw client, which costs least there; what comes on top goes through undici, over HTTP/2 where the
 * provider has it: many slow streams on one connection cost less than as many connections, and their
 * handshakes. A provider that refuses HTTP/1.1 gets everything through undici; a refused handshake
 * has carried nothing of a request. docs/decisions/0028-few-over-http1.md.
 */
import { openRawUpstream, type RawUpstreamOptions } from "./raw-upstream-io.ts";
import { openUndiciUpstream } from "./undici-upstream-io.ts";
import type { UpstreamClient } from "./upstream-client.ts";

export type MixedUpstreamOptions = RawUpstreamOptions & {
  /** Exchanges at once over HTTP/1.1. Absent: what was measured to be best. */
  readonly http1Max?: number;
};

/** At 100 streams of 30 events a second both cost the same; below it HTTP/1.1 does less, above it HTTP/2. */
const HTTP1_MAX = 100;

export function openMixedUpstream(options: MixedUpstreamOptions): UpstreamClient {
  const { http1Max = HTTP1_MAX } = options;
  const many = openUndiciUpstream(options);
  let isHttp1Refused = false;
  const few = openRawUpstream({
    ...options,
    onHttp1Refused: () => {
      isHttp1Refused = true;
      return many;
    },
  });
  let isClosing = false;
  return {
    send: (call, listener) => {
      // The raw client says that it is closed.
      const isFew = isClosing || (!isHttp1Refused && few.inUse < http1Max);
      return (isFew ? few : many).send(call, listener);
    },
    close: async () => {
      isClosing = true;
      // What it carries may still go over to the other.
      await few.close();
      await many.close();
    },
  };
}
