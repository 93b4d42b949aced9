/** `atelier logout`: end the stored session and forget it. */
import { fail, ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/sign-in";
import { EXIT_CODES, notSignedInFailure } from "../cli-failure.ts";
import { apiOf, serverUrl, storedSignIn } from "../cli.ts";
import { defineCommand, shown, switchOption } from "../command.ts";
import { withoutSignIn } from "../credentials.ts";
import { loadCredentials, saveCredentials } from "../credentials-file.ts";
import { safe } from "../output/terminal-safe.ts";

export const logout = defineCommand({
  name: "logout",
  summary: "End the stored session and forget it",
  details: "A token that you stored yourself is forgotten, and stays valid.",
  examples: ["atelier logout"],
  args: {},
  options: { local: switchOption("--local", "only forget it, without asking the server") },
  run: async (cli, { options }) => {
    const url = await serverUrl(cli);
    if (!url.ok) return url;
    const stored = url.value === null ? ok(null) : await storedSignIn(cli, url.value);
    if (!stored.ok) return stored;
    if (url.value === null || stored.value === null) {
      return fail(notSignedInFailure("No sign-in is stored."));
    }
    const { token, kind } = stored.value;
    if (kind === "session" && !options.local) {
      const ended = await apiOf(cli, url.value, token).call(contract.logout, {});
      // A session that has ended already is what we want.
      if (!ended.ok && ended.failure.exitCode !== EXIT_CODES.notSignedIn) return ended;
    }
    const credentials = await loadCredentials(cli.configDir);
    if (!credentials.ok) return credentials;
    const rest = withoutSignIn(credentials.value, url.value);
    const saved = await saveCredentials(cli.configDir, rest, cli.random);
    if (!saved.ok) return saved;
    const server = url.value;
    return ok(shown({ json: { url: server }, text: () => safe`Signed out of ${server}.` }));
  },
});
