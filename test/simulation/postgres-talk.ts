/**
 * Understands what a client of Postgres says on one connection: which statement, with which values, in
 * which transaction. Only the client's half of the protocol, as far as that takes.
 */

export type Said = {
  /** `begin`, `commit` and the like too. */
  readonly text: string;
  /** As they are on the wire, in one: to be searched. */
  readonly values: string;
  /** All texts and values of the transaction up to here; without a transaction its own. */
  readonly within: { readonly texts: string; readonly values: string };
};

const LENGTH_BYTES = 4;

export class PostgresTalk {
  readonly #texts = new Map<string, string>();
  /** The first message of a connection has no letter. */
  #hasBegun = false;
  #rest: Buffer = Buffer.alloc(0);
  #transaction: { texts: string; values: string } | null = null;

  /** Statements that are complete with these bytes. */
  read(bytes: Buffer): readonly Said[] {
    this.#rest = this.#rest.byteLength === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const said: Said[] = [];
    for (;;) {
      const letterBytes = this.#hasBegun ? 1 : 0;
      if (this.#rest.byteLength < letterBytes + LENGTH_BYTES) return said;
      const end = letterBytes + this.#rest.readInt32BE(letterBytes);
      if (this.#rest.byteLength < end) return said;
      const letter = this.#hasBegun ? String.fromCharCode(this.#rest[0] ?? 0) : "";
      const body = this.#rest.toString("latin1", letterBytes + LENGTH_BYTES, end);
      this.#hasBegun = true;
      this.#rest = this.#rest.subarray(end);
      const each = this.#hear(letter, body);
      if (each !== null) said.push(each);
    }
  }

  #hear(letter: string, body: string): Said | null {
    const fields = body.split("\0", 2);
    switch (letter) {
      case "P": // Parse: the statement's name and its text.
        this.#texts.set(fields[0] ?? "", fields[1] ?? "");
        return null;
      case "B": // Bind: the portal's name, the statement's, then values.
        return this.#say(this.#texts.get(fields[1] ?? "") ?? "", body);
      case "Q": // A text without values.
        return this.#say(fields[0] ?? "", "");
      default:
        return null;
    }
  }

  #say(text: string, values: string): Said {
    if (/^(?:begin|start transaction)/i.test(text)) this.#transaction = { texts: "", values: "" };
    const { texts: before, values: valuesBefore } = this.#transaction ?? { texts: "", values: "" };
    const within = { texts: `${before}\n${text}`, values: `${valuesBefore}\n${values}` };
    if (this.#transaction !== null) this.#transaction = within;
    if (/^(?:commit|rollback)/i.test(text)) this.#transaction = null;
    return { text, values, within };
  }
}

/** Whether the server has said all it has to say to what it was asked. */
export function isAnswerWhole(bytes: Buffer): boolean {
  const READY = Buffer.from([0x5a, 0, 0, 0, 5]);
  return bytes.byteLength > READY.byteLength && bytes.subarray(-6, -1).equals(READY);
}
