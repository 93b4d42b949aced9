/**
 * Seals secrets for the database and opens them again: AES-256-GCM in an envelope.
 *
 * Each value has a data key of its own, drawn at random; the deployment's encryption key wraps only
 * that data key. So rotation replaces the wrapping and leaves the ciphertext as it is. Both layers
 * are bound to the place the value is stored at: a sealed value copied to another row or column
 * does not open there.
 *
 * Bytes: version (1) | key id (7) | nonce (12), wrapped data key (32), tag (16) | nonce (12),
 * ciphertext, tag (16). The key id is the first 7 bytes of the key's SHA-256 (spec platform 9.5).
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";

export interface Vault {
  /** In hex. The first encrypts; the others only open what they once sealed. */
  readonly keyIds: readonly [string, ...string[]];
  /** `where` names the place: "table/column/row id". */
  seal(plain: string, where: string): Buffer;
  /** Throws a VaultError when the key is not among ours, or the bytes are not what was sealed there. */
  open(sealed: Uint8Array, where: string): Secret;
  /** The same value under the first key; null when it is there already. Throws as `open` does. */
  rewrap(sealed: Uint8Array, where: string): Buffer | null;
  /** Seals under one named key of ours: the proof that the registry of keys keeps. */
  sealWith(keyId: string, plain: string, where: string): Buffer;
  /** Proves to servers that have the same keys that one of them said this, for this purpose. */
  sign(text: string, purpose: string): string;
  /** Whether any of our keys signed it. */
  isSigned(text: string, purpose: string, signature: string): boolean;
}

/** What signs and checks among servers that have the same keys, for one purpose. */
export function signerFor(vault: Pick<Vault, "sign" | "isSigned">, purpose: string) {
  return {
    sign: (text: string): string => vault.sign(text, purpose),
    isSigned: (text: string, signature: string): boolean =>
      vault.isSigned(text, purpose, signature),
  };
}

/** A sealed value that this server cannot open. The message names key ids and places, never values. */
export class VaultError extends Error {}

/** How to write one in the configuration: the base64 of 32 random bytes. */
export const ENCRYPTION_KEY_BYTES = 32;

/** The keys as configured. The failure lists all mistakes, without showing any key. */
export function createVault(keys: readonly Secret[]): Result<Vault, readonly string[]> {
  const parsed = keys.map((key) => parseKey(key));
  const mistakes = parsed.flatMap((key, index) =>
    key === null ? [`encryption key ${index + 1} is not the base64 of 32 bytes`] : [],
  );
  const wrappers = parsed.filter((key) => key !== null);
  const ids = wrappers.map((wrapper) => wrapper.id);
  if (new Set(ids).size !== ids.length) mistakes.push("an encryption key is listed twice");
  const [first, ...others] = wrappers;
  if (first === undefined && mistakes.length === 0) mistakes.push("there is no encryption key");
  if (first === undefined || mistakes.length > 0) return fail(mistakes);
  return ok(new EnvelopeVault([first, ...others]));
}

/** The id of the key that wraps a sealed value, in hex. Null when the bytes are no sealed value. */
export function sealingKeyId(sealed: Uint8Array): string | null {
  if (sealed.length < CIPHERTEXT_AT + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION) return null;
  return Buffer.from(sealed.subarray(1, WRAPPED_AT)).toString("hex");
}

const VERSION = 1;
const KEY_ID_BYTES = 7;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const WRAPPED_AT = 1 + KEY_ID_BYTES;
const CIPHERTEXT_AT = WRAPPED_AT + NONCE_BYTES + ENCRYPTION_KEY_BYTES + TAG_BYTES;

type Wrapper = { readonly id: string; readonly key: Buffer };

class EnvelopeVault implements Vault {
  readonly keyIds: readonly [string, ...string[]];
  readonly #first: Wrapper;
  readonly #wrappers: ReadonlyMap<string, Wrapper>;

  constructor(wrappers: readonly [Wrapper, ...Wrapper[]]) {
    const [first, ...others] = wrappers;
    this.keyIds = [first.id, ...others.map((wrapper) => wrapper.id)];
    this.#first = first;
    this.#wrappers = new Map(wrappers.map((wrapper) => [wrapper.id, wrapper]));
  }

  seal(plain: string, where: string): Buffer {
    return sealUnder(this.#first, plain, where);
  }

  sealWith(keyId: string, plain: string, where: string): Buffer {
    return sealUnder(this.#wrapperOf(keyId, where), plain, where);
  }

  open(sealed: Uint8Array, where: string): Secret {
    const { dataKey } = this.#unwrap(sealed, where);
    return new Secret(decrypt(dataKey, sealed.subarray(CIPHERTEXT_AT), where).toString("utf8"));
  }

  rewrap(sealed: Uint8Array, where: string): Buffer | null {
    const { dataKey, keyId } = this.#unwrap(sealed, where);
    const ciphertext = sealed.subarray(CIPHERTEXT_AT);
    // Bytes that do not open would be lost for good once the key that wraps them is gone.
    decrypt(dataKey, ciphertext, where);
    if (keyId === this.#first.id) return null;
    return Buffer.concat([head(this.#first, dataKey, where), ciphertext]);
  }

  sign(text: string, purpose: string): string {
    return signUnder(this.#first, text, purpose);
  }

  isSigned(text: string, purpose: string, signature: string): boolean {
    const wrapper = this.#wrappers.get(signature.split(".", 1)[0] ?? "");
    if (wrapper === undefined) return false;
    const given = Buffer.from(signature);
    const wanted = Buffer.from(signUnder(wrapper, text, purpose));
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #unwrap(sealed: Uint8Array, where: string): { dataKey: Buffer; keyId: string } {
    const keyId = sealingKeyId(sealed);
    if (keyId === null) throw new VaultError(`the value at ${where} is not a sealed value`);
    const wrapper = this.#wrapperOf(keyId, where);
    return {
      dataKey: decrypt(wrapper.key, sealed.subarray(WRAPPED_AT, CIPHERTEXT_AT), where),
      keyId,
    };
  }

  #wrapperOf(keyId: string, where: string): Wrapper {
    const wrapper = this.#wrappers.get(keyId);
    if (wrapper !== undefined) return wrapper;
    throw new VaultError(
      `the value at ${where} is encrypted with key ${keyId}, which this server does not have`,
    );
  }
}

function parseKey(key: Secret): Wrapper | null {
  const text = key.reveal().trim();
  const bytes = Buffer.from(text, "base64");
  // Decoding skips what is not base64: encoding again shows whether something was skipped.
  const isExact = bytes.toString("base64").replace(/=+$/, "") === text.replace(/=+$/, "");
  if (bytes.length !== ENCRYPTION_KEY_BYTES || !isExact) return null;
  const digest = createHash("sha256").update(bytes).digest();
  return { id: digest.subarray(0, KEY_ID_BYTES).toString("hex"), key: bytes };
}

/** Under a key of its own for each purpose: the encryption key itself signs nothing. */
function signUnder({ id, key }: Wrapper, text: string, purpose: string): string {
  const own = createHmac("sha256", key).update(`atelier:${purpose}`).digest();
  return `${id}.${createHmac("sha256", own).update(text).digest("base64url")}`;
}

function sealUnder(wrapper: Wrapper, plain: string, where: string): Buffer {
  const dataKey = randomBytes(ENCRYPTION_KEY_BYTES);
  return Buffer.concat([
    head(wrapper, dataKey, where),
    encrypt(dataKey, Buffer.from(plain, "utf8"), where),
  ]);
}

function head(wrapper: Wrapper, dataKey: Buffer, where: string): Buffer {
  return Buffer.concat([
    Buffer.from([VERSION]),
    Buffer.from(wrapper.id, "hex"),
    encrypt(wrapper.key, dataKey, where),
  ]);
}

function encrypt(key: Buffer, plain: Buffer, where: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(where, "utf8"));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, box: Uint8Array, where: string): Buffer {
  const nonce = box.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(where, "utf8")).setAuthTag(box.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([
      decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
  } catch (cause) {
    throw new VaultError(`the value at ${where} does not open: it was changed or moved`, { cause });
  }
}
