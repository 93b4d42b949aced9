/**
 * The stored sign-ins, one per server; the last server signed in to is the default.
 *
 * A token is only ever given for the URL it was stored with.
 */
import { Secret } from "@atelier/base/secret";
import { z } from "zod";

export type StoredSignIn = {
  readonly token: Secret;
  /** `session`: made by signing in here, so signing out ends it. `token`: brought by the user. */
  readonly kind: "session" | "token";
  readonly username: string;
};

export type Credentials = {
  readonly defaultUrl: string | null;
  readonly servers: ReadonlyMap<string, StoredSignIn>;
};

export const NO_CREDENTIALS: Credentials = { defaultUrl: null, servers: new Map() };

const CredentialsFile = z.object({
  version: z.literal(1),
  default_url: z.string().nullable(),
  servers: z.record(
    z.string(),
    z.object({
      token: z.string().min(1),
      kind: z.enum(["session", "token"]),
      username: z.string(),
    }),
  ),
});

/** Null when the text is not ours. */
export function parseCredentials(text: string): Credentials | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null; // Damaged by hand: the caller says which file it is.
  }
  const parsed = CredentialsFile.safeParse(json);
  if (!parsed.success) return null;
  const servers = Object.entries(parsed.data.servers).map(
    ([url, { token, kind, username }]) =>
      [url, { token: new Secret(token), kind, username }] as const,
  );
  return { defaultUrl: parsed.data.default_url, servers: new Map(servers) };
}

export function formatCredentials({ defaultUrl, servers }: Credentials): string {
  const file: z.input<typeof CredentialsFile> = {
    version: 1,
    default_url: defaultUrl,
    servers: Object.fromEntries(
      [...servers].map(([url, { token, kind, username }]) => [
        url,
        { token: token.reveal(), kind, username },
      ]),
    ),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

export function withSignIn(all: Credentials, url: string, signIn: StoredSignIn): Credentials {
  return { defaultUrl: url, servers: new Map([...all.servers, [url, signIn]]) };
}

/** Another server that is still signed in to becomes the default, the latest first. */
export function withoutSignIn(all: Credentials, url: string): Credentials {
  const servers = new Map([...all.servers].filter(([each]) => each !== url));
  const defaultUrl = all.defaultUrl === url ? ([...servers.keys()].at(-1) ?? null) : all.defaultUrl;
  return { defaultUrl, servers };
}
