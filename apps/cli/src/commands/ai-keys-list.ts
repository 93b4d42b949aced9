/** `atelier ai keys list`. */
import { ok } from "@atelier/base/result";
import { listUserProviderKeys } from "@atelier/contract/http/ai-user-keys";
import { signedIn } from "../cli.ts";
import { defineCommand, shown, textOption } from "../command.ts";
import { userKeysTable } from "../output/user-keys.ts";

export const aiKeysList = defineCommand({
  name: "ai keys list",
  summary: "List the model providers, and for which of them you have a key of your own",
  details: "Administrators see with --user whether somebody has keys, never the keys themselves.",
  examples: ["atelier ai keys list", "atelier ai keys list --user bob"],
  args: {},
  options: { user: textOption("--user <user>", "of this user; default: yourself") },
  run: async (cli, { options: { user = "me" } }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const listed = await api.value.call(listUserProviderKeys, { params: { user } });
    if (!listed.ok) return listed;
    const { provider_keys: keys, byok_enabled: isByokEnabled } = listed.value;
    return ok(
      shown({
        json: listed.value,
        text: () => (keys.length === 0 ? "No model providers." : userKeysTable(cli.look, keys)),
        note: isByokEnabled ? null : "Keys of one's own are not enabled here: none of them serves.",
      }),
    );
  },
});
