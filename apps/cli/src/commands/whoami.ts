/** `atelier whoami`: the server and user that commands work with. */
import { ok } from "@atelier/base/result";
import { getUser } from "@atelier/contract/http/users";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { fields } from "../output/people.ts";
import { userFields } from "../output/user-fields.ts";

export const whoami = defineCommand({
  name: "whoami",
  summary: "Show the server and the user that you are signed in as",
  examples: ["atelier whoami", "atelier whoami --json"],
  args: {},
  options: {},
  run: async (cli) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const { url } = api.value;
    const user = await api.value.call(getUser, { params: { user: "me" } });
    if (!user.ok) return user;
    return ok(
      shown({
        json: { url, user: user.value },
        text: () =>
          `${fields(cli.look, [["Server   ", url]])}\n${userFields(cli.look, user.value)}`,
      }),
    );
  },
});
