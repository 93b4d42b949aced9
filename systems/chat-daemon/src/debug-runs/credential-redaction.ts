/**
 * Takes credentials out of what is recorded: by the names of headers and query parameters, by their values
 * wherever those appear, and by the forms that keys of providers have.
 */

export const REDACTED = "[redacted]";

/** What limits of rates are told by has `token` in its name, and is no secret. */
const SECRET_NAME =
  /^(?!.*rate-?limit).*(?:authorization|cookie|token|secret|password|credential|signature|api-?key)|-key$|^key$|^sig$/i;
/** A shorter one would take words out of prompts. */
const CREDENTIAL_CHARACTERS_MIN = 8;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** The headers that may be told, and the credentials in those that may not. */
export function redactHeaders(headers: Headers): {
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: readonly string[];
} {
  const credentials: string[] = [];
  const shown = [...headers].map(([name, value]): [string, string] => {
    if (!isSecretName(name)) return [name, value];
    credentials.push(withoutScheme(value));
    return [name, REDACTED];
  });
  return { headers: Object.fromEntries(shown), credentials };
}

export function redactUrl(text: string): {
  readonly url: string;
  readonly credentials: readonly string[];
} {
  const url = new URL(text);
  const credentials = [url.username, url.password].filter((part) => part !== "");
  if (credentials.length > 0) [url.username, url.password] = [REDACTED, ""];
  for (const [name, value] of [...url.searchParams]) {
    if (!isSecretName(name)) continue;
    credentials.push(value);
    url.searchParams.set(name, REDACTED);
  }
  return { url: url.href, credentials };
}

/** `Bearer …` and the like: the word is not secret. */
export function withoutScheme(value: string): string {
  return value.replace(/^(?:Bearer|Basic|Token)\s+/i, "");
}

/** `[*]`: providers print keys with stars in their errors. */
const CREDENTIAL_FORMS =
  /\b(?:sk|pk|rk)[-_][\w*.-]{6,}|\bAIza[\w*-]{16,}|\b(?:AKIA|ASIA)[A-Z0-9*]{12,}|\bxox[a-z]-[\w*-]{8,}|\bgh[a-z]_\w{20,}|\bBearer\s+[\w.~+/*-]{8,}=*/g;

/** From text or JSON alike. Before it is cut: half of a credential is not known for one. */
export function withoutCredentials(text: string, credentials: ReadonlySet<string>): string {
  let clean = text;
  for (const credential of credentials) {
    if (credential.length < CREDENTIAL_CHARACTERS_MIN) continue;
    clean = clean.replaceAll(credential, REDACTED);
    // As JSON spells it; a credential in JSON that is itself text of JSON has no such spelling in use.
    const spelt = JSON.stringify(credential).slice(1, -1);
    if (spelt !== credential) clean = clean.replaceAll(spelt, REDACTED);
  }
  return clean.replaceAll(CREDENTIAL_FORMS, REDACTED);
}

/** Of what is left of a text of which the middle was never kept: the beginning, and the end. */
export function withoutHalfCredentials(
  { first, last }: { readonly first: string; readonly last: string },
  credentials: ReadonlySet<string>,
): { readonly first: string; readonly last: string } {
  let [begin, end] = [first, last];
  for (const credential of credentials) {
    for (let length = credential.length - 1; length >= CREDENTIAL_CHARACTERS_MIN; length -= 1) {
      const [head, tail] = [credential.slice(0, length), credential.slice(-length)];
      if (begin.endsWith(head)) begin = begin.slice(0, -length) + REDACTED;
      if (end.startsWith(tail)) end = REDACTED + end.slice(length);
    }
  }
  return { first: begin, last: end };
}
