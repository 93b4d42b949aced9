/** Lines between servers of one process, for tests: they can be cut, muted and clogged. */
import type { PartLine, PartLines, PartLineService } from "@atelier/contract/rpc/chat-part-lines";

type Passed = Parameters<PartLine["pass"]>;

export class MemoryLines implements PartLines {
  /** How often anybody dialled. */
  dials = 0;
  /** What servers that drive chats say gets lost, and nobody notices. */
  isMute = false;
  /** It is not taken any more. */
  isClogged = false;
  readonly #services = new Map<string, PartLineService>();
  readonly #ends = new Set<() => void>();

  serve(serverId: string, service: PartLineService): void {
    this.#services.set(serverId, service);
  }

  /** It is not reached any more. */
  leave(serverId: string): void {
    this.#services.delete(serverId);
    this.cut();
  }

  cut(): void {
    for (const end of this.#ends) end();
  }

  get openCount(): number {
    return this.#ends.size;
  }

  dial: PartLines["dial"] = async ({ serverId, chatId }, hear) => {
    this.dials += 1;
    const service = this.#services.get(serverId);
    if (service === undefined) return null;
    const over = new AbortController();
    const end = (): void => {
      this.#ends.delete(end);
      over.abort(new Error("the line is over"));
    };
    this.#ends.add(end);
    const lineOf = (take: (text: string) => boolean): PartLine => ({
      signal: over.signal,
      end,
      pass: (...[text, done]: Passed) => {
        if (over.signal.aborted) done(new Error("the line is over"));
        else if (take(typeof text === "string" ? text : text.text)) queueMicrotask(() => done());
      },
    });
    const asked = service(
      chatId,
      lineOf((text) => {
        if (!this.isMute && !this.isClogged) hear(text);
        return !this.isClogged;
      }),
    );
    return lineOf((text) => {
      asked(text);
      return true;
    });
  };
}
