/** `atelier users show`. */
import { ok } from "@atelier/base/result";
import { getUser } from "@atelier/contract/http/users";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { userFields } from "../output/user-fields.ts";

export const usersShow = defineCommand({
  name: "users show",
  summary: "Show one user",
  examples: ["atelier users show ann"],
  args: { user: argument("a username, user id, or `me`") },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const user = await api.value.call(getUser, { params: args });
    if (!user.ok) return user;
    return ok(shown({ json: user.value, text: () => userFields(cli.look, user.value) }));
  },
});
