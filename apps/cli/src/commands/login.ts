/** `atelier login`: sign in to a server and remember it; on a fresh one, create the first user. */
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import * as contract from "@atelier/contract/http/sign-in";
import { createFirstUser, firstUserExists, getUser } from "@atelier/contract/http/users";
import { plainFailure, usageFailure, type CliFailure } from "../cli-failure.ts";
import { apiOf, checkedToken, serverUrl, type Api, type Cli } from "../cli.ts";
import {
  defineCommand,
  optionalArgument,
  shown,
  switchOption,
  textOption,
  type Answer,
} from "../command.ts";
import { withSignIn, type StoredSignIn } from "../credentials.ts";
import { loadCredentials, saveCredentials } from "../credentials-file.ts";
import { safe } from "../output/terminal-safe.ts";
import { newPassword, secretFromInput } from "../secret-input.ts";
import { isCleartext, parseServerUrl, SERVER_URL_DEFAULT } from "../server-url.ts";

const OPTIONS = {
  email: textOption("--email <email>", "sign in as; without it you are asked"),
  passwordStdin: switchOption("--password-stdin", "read the password from stdin"),
  useToken: switchOption("--use-token", "store a token you have: of --token, or asked for"),
  tokenStdin: switchOption("--token-stdin", "store a token you have: read from stdin"),
  firstEmail: textOption("--first-user-email <email>", "fresh server: the first user's email"),
  firstUsername: textOption("--first-user-username <name>", "fresh server: their username"),
  firstName: textOption("--first-user-name <name>", "fresh server: their full name"),
  firstPasswordStdin: switchOption(
    "--first-user-password-stdin",
    "fresh server: read their password from stdin",
  ),
};

type LoginOptions = {
  readonly [Key in keyof typeof OPTIONS]: ReturnType<(typeof OPTIONS)[Key]["valueOf"]>;
};

export const login = defineCommand({
  name: "login",
  summary: "Sign in to a server; on a fresh server, create its first user",
  details: "The sign-in is stored for this URL, which becomes the default of all commands.",
  examples: [
    "atelier login https://atelier.example.com",
    "echo $PASSWORD | atelier login 127.0.0.1:3000 --email ann@example.com --password-stdin",
    "echo $PASSWORD | atelier login 127.0.0.1:3000 --first-user-email ann@example.com \\\n      --first-user-username ann --first-user-password-stdin",
    "atelier login https://atelier.example.com --token-stdin < token.txt",
  ],
  args: { url: optionalArgument("the server; default: the one of before") },
  options: OPTIONS,
  run: async (cli, { args, options }) => {
    const url = await urlToSignInTo(cli, args.url);
    if (!url.ok) return url;
    if (isCleartext(url.value)) {
      cli.note("Warning: http:// sends your password and token readably through the network.");
    }
    const api = apiOf(cli, url.value, null);
    const signIn =
      options.useToken || options.tokenStdin
        ? await tokenSignIn(cli, url.value, options)
        : await sessionSignIn(cli, api, options);
    return signIn.ok ? remember(cli, url.value, signIn.value) : signIn;
  },
});

type SignIn = Pick<StoredSignIn, "token" | "kind">;

async function urlToSignInTo(
  cli: Cli,
  given: string | undefined,
): Promise<Result<string, CliFailure>> {
  if (given !== undefined) return parseServerUrl(given);
  const known = await serverUrl(cli);
  if (!known.ok) return known;
  if (known.value !== null) return ok(known.value);
  if (cli.prompts === null) {
    const remedy = `Give its URL: atelier login ${SERVER_URL_DEFAULT}`;
    return fail(usageFailure("Which server?", remedy));
  }
  const answer = await cli.prompts.text("The server's URL", SERVER_URL_DEFAULT);
  return answer.ok ? parseServerUrl(answer.value) : answer;
}

async function tokenSignIn(
  cli: Cli,
  url: string,
  { tokenStdin }: LoginOptions,
): Promise<Result<SignIn, CliFailure>> {
  const given = tokenStdin
    ? await secretFromInput(cli, "--token-stdin")
    : await tokenAtHand(cli, url);
  if (!given.ok) return given;
  const token = checkedToken(given.value);
  return token.ok ? ok({ token: token.value, kind: "token" }) : token;
}

async function tokenAtHand(cli: Cli, url: string): Promise<Result<Secret, CliFailure>> {
  const given = cli.flags.token ?? cli.environment.token;
  if (given !== null) return ok(given);
  if (cli.prompts !== null) return cli.prompts.secret(safe`Your token for ${url}`);
  return fail(usageFailure("No token is given.", "Use --token-stdin, or set ATELIER_TOKEN."));
}

async function sessionSignIn(
  cli: Cli,
  api: Api,
  options: LoginOptions,
): Promise<Result<SignIn, CliFailure>> {
  const exists = await api.call(firstUserExists, {});
  const isFresh = !exists.ok && exists.failure.code === "resource.not_found";
  if (!exists.ok && !isFresh) return exists;
  const who = isFresh ? await firstUser(cli, api, options) : await knownUser(cli, options);
  if (!who.ok) return who;
  const { email, password } = who.value;
  const session = await api.call(contract.login, { body: { email, password: password.reveal() } });
  if (!session.ok) return session;
  return ok({ token: new Secret(session.value.session_token), kind: "session" });
}

type LoginData = { readonly email: string; readonly password: Secret };

async function firstUser(
  cli: Cli,
  api: Api,
  options: LoginOptions,
): Promise<Result<LoginData, CliFailure>> {
  const asked = await firstUserNames(cli, options);
  if (!asked.ok) return asked;
  const { email, username } = asked.value;
  const password = await newPassword(cli, {
    isFromInput: options.firstPasswordStdin,
    optionName: "--first-user-password-stdin",
    whose: username,
  });
  if (!password.ok) return password;
  const created = await api.call(createFirstUser, {
    body: {
      email,
      username,
      password: password.value.reveal(),
      ...(options.firstName === undefined ? {} : { name: options.firstName }),
    },
  });
  if (!created.ok) return created;
  cli.note(safe`Created the first user ${username}, an owner.`);
  return ok({ email, password: password.value });
}

async function firstUserNames(
  cli: Cli,
  { firstEmail, firstUsername }: LoginOptions,
): Promise<Result<{ email: string; username: string }, CliFailure>> {
  if (firstEmail !== undefined && firstUsername !== undefined) {
    return ok({ email: firstEmail, username: firstUsername });
  }
  if (cli.prompts === null) {
    const remedy =
      "Give --first-user-email, --first-user-username and --first-user-password-stdin to create the first user.";
    return fail(plainFailure("This server has no users yet.", remedy));
  }
  cli.note("This server has no users yet. You create the first one, who becomes an owner.");
  const email = firstEmail === undefined ? await cli.prompts.text("Email") : ok(firstEmail);
  if (!email.ok) return email;
  const username =
    firstUsername === undefined ? await cli.prompts.text("Username") : ok(firstUsername);
  return username.ok ? ok({ email: email.value, username: username.value }) : username;
}

async function knownUser(cli: Cli, options: LoginOptions): Promise<Result<LoginData, CliFailure>> {
  if (options.firstEmail !== undefined || options.firstPasswordStdin) {
    const message = "This server has its first user already.";
    const remedy = "Sign in with --email and --password-stdin.";
    return fail({ ...usageFailure(message, remedy), code: "setup.already_done", exitCode: 5 });
  }
  const { prompts } = cli;
  const unasked = fail(
    usageFailure(
      "Nobody can be asked for email and password.",
      "Give --email and --password-stdin, or --token-stdin.",
    ),
  );
  const email =
    options.email === undefined ? ((await prompts?.text("Email")) ?? unasked) : ok(options.email);
  if (!email.ok) return email;
  const password = options.passwordStdin
    ? await secretFromInput(cli, "--password-stdin")
    : ((await prompts?.secret("Password")) ?? unasked);
  return password.ok ? ok({ email: email.value, password: password.value }) : password;
}

/** Asks the server whose the token is, which also shows that it works, and stores it. */
async function remember(
  cli: Cli,
  url: string,
  signIn: SignIn,
): Promise<Result<Answer, CliFailure>> {
  const user = await apiOf(cli, url, signIn.token).call(getUser, { params: { user: "me" } });
  if (!user.ok) return user;
  const { username, email } = user.value;
  const stored = await loadCredentials(cli.configDir);
  if (!stored.ok) return stored;
  const credentials = withSignIn(stored.value, url, { ...signIn, username });
  const saved = await saveCredentials(cli.configDir, credentials, cli.random);
  if (!saved.ok) return saved;
  return ok(
    shown({
      json: { url, username, email },
      text: () => safe`Signed in to ${url} as ${username}.`,
    }),
  );
}
