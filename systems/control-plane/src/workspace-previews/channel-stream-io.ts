/** A channel of bytes to a port as a stream of Node's, for its HTTP client. Back-pressure goes through both ways. */
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";
import { Duplex } from "node:stream";

export function channelStream(channel: ByteChannel): Duplex {
  const incoming = channel.incoming[Symbol.asyncIterator]();
  return new Duplex({
    read() {
      incoming.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (error: unknown) => this.destroy(errorOf(error)),
      );
    },
    write(bytes: Buffer, _encoding, done) {
      tell(channel.write(bytes), done).catch((error: unknown) => this.destroy(errorOf(error)));
    },
    final(done) {
      tell(channel.end(), done).catch((error: unknown) => this.destroy(errorOf(error)));
    },
    destroy(error, done) {
      channel.destroy();
      done(error);
    },
  });
}

/** How it went, to a stream, which knows no promises. */
async function tell(work: Promise<void>, done: (error: Error | null) => void): Promise<void> {
  let failed: Error | null = null;
  try {
    await work;
  } catch (error) {
    failed = errorOf(error);
  }
  done(failed);
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error("the channel broke");
}
