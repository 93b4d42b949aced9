/** `atelier users activate`. */
import { ok } from "@atelier/base/result";
import { activateUser } from "@atelier/contract/http/users";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";

export const usersActivate = defineCommand({
  name: "users activate",
  summary: "Activate a suspended user",
  examples: ["atelier users activate bob"],
  args: { user: argument("a username or user id") },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const user = await api.value.call(activateUser, { params: args });
    if (!user.ok) return user;
    return ok(
      shown({ json: user.value, text: () => safe`Activated user ${user.value.username}.` }),
    );
  },
});
