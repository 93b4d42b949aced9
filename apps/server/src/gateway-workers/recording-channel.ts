/**
 * What the recording threads of one server tell each other: tool calls whose results may come back
 * within milliseconds, before the database has them, to whichever thread gets them.
 */
import type { RecorderElsewhereDeps } from "@atelier/control-plane/recorder-elsewhere";
import { BroadcastChannel } from "node:worker_threads";

type RecordingPeers = RecorderElsewhereDeps["peers"];
type EmittedToolCalls = Parameters<RecordingPeers["tell"]>[0];

export class RecordingChannel implements RecordingPeers, Disposable {
  readonly #channel: BroadcastChannel;

  /** All threads that know the name hear each other. */
  constructor(name: string) {
    this.#channel = new BroadcastChannel(name);
    // It keeps no thread alive.
    this.#channel.unref();
  }

  tell(emitted: EmittedToolCalls): void {
    this.#channel.postMessage(emitted);
  }

  onTold(listener: (emitted: EmittedToolCalls) => void): void {
    // Only `tell` of another thread posts here. The types are those of a browser.
    this.#channel.addEventListener("message", (event) =>
      listener((event as unknown as { readonly data: EmittedToolCalls }).data),
    );
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}
