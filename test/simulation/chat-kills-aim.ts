/**
 * One moment of one chat that is waited for. Where it is bytes on a wire they are held up when they come,
 * so that the strike falls exactly there: before a statement reaches the database, after the database
 * has done it and before its server learns of it, before the workspace hears of a command, after it has
 * done it, before the model says anything.
 */
import type { ModelCall } from "./chat-kills-model.ts";
import type { Moment } from "./chat-kills-moments.ts";
import { tallyNumber, type TallyCall } from "./chat-kills-tally.ts";
import type { HeldFate, WireTap } from "./faulty-wire.ts";
import { isAnswerWhole, PostgresTalk, type Said } from "./postgres-talk.ts";
import { SocketFrames } from "./socket-frames.ts";

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** `Side`: a server, by whatever its world knows it. */
export class Aim<Side> {
  readonly moment: Moment;
  readonly #key: string;
  #chatId: string | null = null;
  #seen = 0;
  #isTaken = false;
  readonly #hit = Promise.withResolvers<Side | null>();
  readonly #fate = Promise.withResolvers<HeldFate>();

  /** Of the chat whose messages carry this key. */
  constructor(moment: Moment, key: string) {
    this.moment = moment;
    this.#key = key;
  }

  /** Resolves when it is held, with the server on whose wire it is. Null: on another wire. */
  get hit(): Promise<Side | null> {
    return this.#hit.promise;
  }

  /** Known once somebody has tried to create it. */
  get chatId(): string | null {
    return this.#chatId;
  }

  /** What is held goes on, or is lost with its connection. From now on nothing is. */
  release(fate: HeldFate): void {
    this.#isTaken = true;
    this.#fate.resolve(fate);
  }

  isOfDatabase(said: Said): boolean {
    this.#learn(said);
    const { moment } = this;
    if (moment.kind !== "asked" && moment.kind !== "answered") return false;
    if (moment.isAnswer !== undefined) return false;
    return this.#isNth(moment, moment.is(said, this.#about));
  }

  /** Whether only the answer tells. */
  isMaybeOfDatabase(said: Said): boolean {
    const { moment } = this;
    return (
      moment.kind === "answered" && moment.isAnswer !== undefined && moment.is(said, this.#about)
    );
  }

  isAnsweredSo(answer: string): boolean {
    const { moment } = this;
    if (moment.kind !== "answered" || moment.isAnswer === undefined) return false;
    return this.#isNth(moment, moment.isAnswer(answer, this.#about));
  }

  isOfAgent(text: string): boolean {
    const { moment } = this;
    if (moment.kind !== "dispatched" && moment.kind !== "carried out") return false;
    return this.#isNth({}, moment.is(text, this.#about));
  }

  isOfRelay(text: string): boolean {
    const { moment } = this;
    if (moment.kind !== "relayed" && moment.kind !== "carried out elsewhere") return false;
    return this.#isNth({}, moment.is(text, this.#about));
  }

  isOfModel({ key, kind }: ModelCall): boolean {
    const { moment } = this;
    if (moment.kind !== "model") return false;
    const own = `${this.#key}${moment.of ?? ""}`;
    return this.#isNth(moment, kind === moment.call && key.startsWith(own));
  }

  isOfTally(call: TallyCall): boolean {
    return this.#isNth({}, isTallyMoment(this.moment, call, this.#key));
  }

  hold(side: Side | null): Promise<HeldFate> {
    this.#hit.resolve(side);
    return this.#fate.promise;
  }

  /** It has come, and what follows will be held. */
  reached(): void {
    this.#hit.resolve(null);
  }

  get #about() {
    return { key: this.#key, chatId: this.#chatId };
  }

  /** Once. */
  #isNth({ nth = 1 }: { readonly nth?: number }, isOne: boolean): boolean {
    if (!isOne || this.#isTaken) return false;
    this.#seen += 1;
    this.#isTaken = this.#seen === nth;
    return this.#isTaken;
  }

  #learn({ text, values }: Said): void {
    if (this.#chatId !== null || !text.includes("insert into chat_messages")) return;
    if (values.includes(`#${this.#key}a `)) this.#chatId = UUID.exec(values)?.[0] ?? null;
  }
}

/** Of the chat whose messages carry this key. */
export function isTallyMoment(moment: Moment, call: TallyCall, key: string): boolean {
  if (call.kind === "list") return moment.kind === "remote list";
  if (moment.kind !== "remote" || moment.isDone !== call.isDone) return false;
  return call.number === tallyNumber(`${key}a`);
}

/** For one connection of a server to the database. What `heard` gives a promise for comes later. */
export function databaseTap<Side>(
  side: () => Side | null,
  aims: () => readonly Aim<Side>[],
  heard: (said: Said) => Promise<HeldFate> | null,
): WireTap {
  const talk = new PostgresTalk();
  let awaited: Aim<Side> | null = null;
  let candidates: readonly Aim<Side>[] = [];
  let answer = "";
  return {
    sent: (bytes) => {
      for (const said of talk.read(bytes)) {
        const delayed = heard(said);
        if (delayed !== null) return delayed;
        const aim = aims().find((each) => each.isOfDatabase(said));
        if (aim?.moment.kind === "asked") return aim.hold(side());
        awaited = aim ?? awaited;
        candidates = aims().filter((each) => each.isMaybeOfDatabase(said));
        answer = "";
      }
      return null;
    },
    answered: (bytes) => {
      if (awaited === null && candidates.length === 0) return null;
      if (candidates.length > 0) answer += bytes.toString("latin1");
      if (!isAnswerWhole(bytes)) return null;
      const aim = awaited ?? candidates.find((each) => each.isAnsweredSo(answer));
      awaited = null;
      candidates = [];
      return aim?.hold(side()) ?? null;
    },
  };
}

/** For one connection of the workspace's agent to a server. `heard` is told what the agent is told. */
export function agentTap<Side>(
  aims: () => readonly Aim<Side>[],
  heard: (text: string) => void,
): WireTap {
  let mute: Aim<Side> | null = null;
  return {
    sent: () => mute?.hold(null) ?? null,
    answered: (bytes) => {
      const text = bytes.toString("utf8");
      heard(text);
      const aim = aims().find((each) => each.isOfAgent(text));
      if (aim === undefined) return null;
      if (aim.moment.kind === "dispatched") return aim.hold(null);
      // What it answers is held up: nobody hears of what it does.
      mute = aim;
      aim.reached();
      return null;
    },
  };
}

/** For one connection of a server to another. `heard` is told what is asked on it, and with which request it began. */
export function relayTap<Side>(
  aims: () => readonly Aim<Side>[],
  heard: (text: string) => void,
): WireTap {
  const frames = new SocketFrames();
  let mute: Aim<Side> | null = null;
  let hasBegun = false;
  return {
    sent: (bytes) => {
      const said = frames.read(bytes).toString("utf8");
      const text = hasBegun ? said : `${frames.head ?? ""}\n${said}`;
      hasBegun = frames.head !== null;
      heard(text);
      const aim = aims().find((each) => each.isOfRelay(text));
      if (aim === undefined) return null;
      if (aim.moment.kind === "relayed") return aim.hold(null);
      mute = aim;
      aim.reached();
      return null;
    },
    answered: () => mute?.hold(null) ?? null,
  };
}
