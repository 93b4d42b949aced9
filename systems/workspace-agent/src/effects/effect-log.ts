/**
 * What the effect journal remembers, as a fold over the lines of its file (contract, workspace/effect).
 * Pure: reading the lines again after a crash gives the state that was durable.
 */
import type { Effect } from "@atelier/contract/rpc/workspace/effect";

export type EffectLine =
  | {
      readonly kind: "begun";
      readonly chatId: string;
      readonly callId: string;
      readonly inputHash: string;
      readonly fence: number;
      readonly atMs: number;
    }
  /** What the work itself wants to know if it is interrupted after this. */
  | {
      readonly kind: "noted";
      readonly chatId: string;
      readonly callId: string;
      readonly note: unknown;
    }
  | {
      readonly kind: "ended";
      readonly chatId: string;
      readonly callId: string;
      /** A Result, as the caller got it. */
      readonly outcome: unknown;
      readonly atMs: number;
    }
  /** Of a chat whose effects are forgotten, or that has begun none. */
  | { readonly kind: "fence"; readonly chatId: string; readonly fence: number };

export type EffectEntry = {
  readonly chatId: string;
  readonly callId: string;
  readonly inputHash: string;
  readonly atMs: number;
  readonly note: unknown;
  /** Undefined: it has not ended. */
  readonly outcome: unknown;
};

export type Admission =
  | { readonly kind: "new" }
  | { readonly kind: "interrupted"; readonly note: unknown }
  | { readonly kind: "recorded"; readonly outcome: unknown }
  | { readonly kind: "stale_fence"; readonly fence: number }
  | { readonly kind: "effect_mismatch" };

export class EffectState {
  readonly #entries = new Map<string, EffectEntry>();
  readonly #fences = new Map<string, number>();

  get size(): number {
    return this.#entries.size;
  }

  /** What a call may do. Changes nothing. */
  admit(effect: Effect): Admission {
    const fence = this.#fences.get(effect.chatId) ?? 0;
    if (effect.fence < fence) return { kind: "stale_fence", fence };
    const entry = this.#entries.get(keyOf(effect));
    if (entry === undefined) return { kind: "new" };
    if (entry.inputHash !== effect.inputHash) return { kind: "effect_mismatch" };
    if (entry.outcome !== undefined) return { kind: "recorded", outcome: entry.outcome };
    return { kind: "interrupted", note: entry.note };
  }

  /** Whether this fence is the highest seen and has to be remembered. */
  isNewFence({ chatId, fence }: Effect): boolean {
    return fence > (this.#fences.get(chatId) ?? 0);
  }

  apply(line: EffectLine): void {
    const key = keyOf(line);
    const entry = this.#entries.get(key);
    switch (line.kind) {
      case "fence":
        this.#raiseFence(line);
        return;
      case "begun": {
        this.#raiseFence(line);
        const { chatId, callId, inputHash, atMs } = line;
        this.#entries.set(key, {
          chatId,
          callId,
          inputHash,
          atMs,
          note: entry?.note ?? null,
          outcome: undefined,
        });
        return;
      }
      case "noted":
        if (entry !== undefined) this.#entries.set(key, { ...entry, note: line.note });
        return;
      case "ended":
        if (entry !== undefined) {
          this.#entries.set(key, { ...entry, note: null, outcome: line.outcome, atMs: line.atMs });
        }
    }
  }

  /** What effects that have begun and not ended have noted last. */
  *openNotes(): Generator<unknown> {
    for (const { note, outcome } of this.#entries.values()) {
      if (outcome === undefined && note !== null) yield note;
    }
  }

  /** Forgets ended effects from before a moment. Fences stay: they cost little and guard for ever. */
  forgetBefore(atMs: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.outcome !== undefined && entry.atMs < atMs) this.#entries.delete(key);
    }
  }

  /** Lines that make this state, and nothing that it has forgotten. */
  *lines(): Generator<EffectLine> {
    for (const [chatId, fence] of this.#fences) yield { kind: "fence", chatId, fence };
    for (const { chatId, callId, inputHash, atMs, note, outcome } of this.#entries.values()) {
      yield { kind: "begun", chatId, callId, inputHash, fence: 0, atMs };
      if (note !== null) yield { kind: "noted", chatId, callId, note };
      if (outcome !== undefined) yield { kind: "ended", chatId, callId, outcome, atMs };
    }
  }

  #raiseFence({ chatId, fence }: { readonly chatId: string; readonly fence: number }): void {
    this.#fences.set(chatId, Math.max(fence, this.#fences.get(chatId) ?? 0));
  }
}

function keyOf(of: { readonly chatId: string; readonly callId?: string }): string {
  return JSON.stringify([of.chatId, of.callId ?? ""]);
}

/** One line of the file. Its checksum tells a line that was torn by a crash. */
export function encodeLine(line: EffectLine, checksum: (text: string) => string): string {
  const json = JSON.stringify(line);
  return `${checksum(json)} ${json}\n`;
}

/** The lines up to the first that is not whole, and how many bytes they take. */
export function decodeLines(
  bytes: Buffer,
  checksum: (text: string) => string,
): { readonly lines: readonly EffectLine[]; readonly wholeBytes: number } {
  const lines: EffectLine[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, at);
    if (end === -1) return { lines, wholeBytes: at };
    const text = bytes.subarray(at, end).toString("utf8");
    const space = text.indexOf(" ");
    const json = text.slice(space + 1);
    if (space === -1 || checksum(json) !== text.slice(0, space)) return { lines, wholeBytes: at };
    lines.push(JSON.parse(json) as EffectLine);
    at = end + 1;
  }
}
