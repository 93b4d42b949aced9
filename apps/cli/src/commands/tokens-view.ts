/** `atelier tokens view`: all but the value, which the server does not know. */
import { ok } from "@atelier/base/result";
import { getApiToken } from "@atelier/contract/http/sign-in";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, textOption } from "../command.ts";
import { fields, orDash, since } from "../output/people.ts";

export const tokensView = defineCommand({
  name: "tokens view",
  summary: "Show one API token, without its value",
  examples: ["atelier tokens view laptop"],
  args: { token: argument("its name or id") },
  options: { user: textOption("--user <user>", "of this user; default: yourself") },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const params = { user: options.user ?? "me", key: args.token };
    const token = await api.value.call(getApiToken, { params });
    if (!token.ok) return token;
    const { look } = cli;
    return ok(
      shown({
        json: token.value,
        text: () =>
          fields(look, [
            ["Name", orDash(token.value.token_name)],
            ["Id", token.value.id],
            ["Scopes", token.value.scopes.join(", ")],
            ["Created", since(look, token.value.created_at)],
            ["Last used", since(look, token.value.last_used_at)],
            ["Expires", since(look, token.value.expires_at)],
          ]),
      }),
    );
  },
});
