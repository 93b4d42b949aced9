/** The host's cryptographic source of randomness. The one file that draws from it. */
import type { Random } from "./random.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** Bytes at or above this would favour the alphabet's first letters. */
const UNBIASED_BELOW = 256 - (256 % ALPHABET.length);

export const systemRandom: Random = {
  uuid: () => crypto.randomUUID(),
  alphanumeric: (length) => {
    let text = "";
    while (text.length < length) {
      for (const byte of crypto.getRandomValues(new Uint8Array(length * 2))) {
        if (byte < UNBIASED_BELOW && text.length < length) text += ALPHABET[byte % ALPHABET.length];
      }
    }
    return text;
  },
};
