/**
 * Lines between servers: one that drives a chat tells another, whose people watch it, what is being
 * written. The control plane dials, lets servers in and finds out which lines are dead; chats say what is told.
 *
 * What is passed arrives once and in order, or the line is over. Whether it arrives is not said: what has
 * to be certain is read from the database.
 */
import type { SharedText } from "./socket-service.ts";

export interface PartLine {
  /** Aborts when it is over, whoever ended it. */
  readonly signal: AbortSignal;
  /** `done` is called once: when the other server takes more, or with an error when the line is over. */
  pass(text: string | SharedText, done: (error?: Error | null) => void): void;
  /** At once. What is on its way is lost. */
  end(): void;
}

/** What the other server says, in order. */
export type HearText = (text: string) => void;

/** The way to other servers. */
export interface PartLines {
  /** Null: the server is not reached, or does not say where it is. */
  dial(
    wanted: { readonly serverId: string; readonly chatId: string },
    hear: HearText,
    signal: AbortSignal,
  ): Promise<PartLine | null>;
}

/** Serves a server that has dialled, until the line is over. */
export type PartLineService = (chatId: string, line: PartLine) => HearText;
