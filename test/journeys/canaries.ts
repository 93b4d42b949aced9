/**
 * Secrets that can be recognised wherever they turn up: each has a part that is found nowhere else,
 * and that part is looked for in every spelling that software gives to text by itself.
 */
import { systemRandom } from "@atelier/base/system-random";
import assert from "node:assert/strict";

export class Canaries {
  /** What it is → the part to look for. */
  readonly #parts = new Map<string, string>();

  /** A new secret. `make` puts the part into the shape that the secret needs. */
  add(what: string, make: (part: string) => string = (part) => `sk-${part}`): string {
    const part = systemRandom.alphanumeric(24);
    this.watch(what, part);
    return make(part);
  }

  /** A secret that somebody else drew. */
  watch(what: string, part: string): void {
    assert.ok(part.length >= 16, `${what} is long enough to be told from chance`);
    this.#parts.set(what, part);
  }

  /** Which of them are in a text, as sentences. */
  foundIn(place: string, text: string): string[] {
    return [...this.#parts].flatMap(([what, part]) =>
      spellingsOf(part)
        .filter(([, spelling]) => text.includes(spelling))
        .map(([how]) => `${what} is in ${place} ${how}`),
    );
  }

  /** Of these, the ones that a text lacks: shows that a secret was really in use. */
  missingIn(text: string, whats: readonly string[]): string[] {
    return whats.filter((what) => !text.includes(this.#parts.get(what) ?? "unknown"));
  }
}

/** How, and what it looks like. The part is of letters and digits, so that most ways leave it alone. */
function spellingsOf(part: string): [how: string, spelling: string][] {
  const bytes = Buffer.from(part);
  const reversed = [...part].toReversed().join("");
  return [
    ["as it is", part],
    ["in hex", bytes.toString("hex")],
    ["in upper-case hex", bytes.toString("hex").toUpperCase()],
    // Base64 of a longer text that holds it, at each of the three places it can begin.
    ...[0, 1, 2].map((skipped): [string, string] => [
      "in base64",
      Buffer.concat([Buffer.alloc(skipped), bytes])
        .toString("base64")
        .slice(skipped === 0 ? 0 : 4, -4),
    ]),
    ["as character codes", [...bytes].join(",")],
    ["as UTF-16", [...part].join("\0")],
    ["reversed", reversed],
  ];
}
