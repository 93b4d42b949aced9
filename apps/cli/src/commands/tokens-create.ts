/** `atelier tokens create`: the token's value is shown this once. */
import { ok } from "@atelier/base/result";
import { formatDurationMs } from "@atelier/base/duration";
import { createApiToken } from "@atelier/contract/http/sign-in";
import { SCOPES } from "@atelier/contract/permissions";
import { signedIn } from "../cli.ts";
import {
  choicesOption,
  defineCommand,
  durationMsOption,
  shown,
  switchOption,
  textOption,
} from "../command.ts";
import { relativeTime } from "../output/relative-time.ts";
import { safe, terminalSafe } from "../output/terminal-safe.ts";

export const tokensCreate = defineCommand({
  name: "tokens create",
  summary: "Create an API token; its value is shown this once",
  details: "Coding tools and SDKs send the token as their API key to the gateway.",
  examples: [
    "atelier tokens create --name laptop --lifetime 30d",
    "export OPENAI_API_KEY=$(atelier tokens create --name ci --scope ai_gateway:use --quiet)",
  ],
  args: {},
  options: {
    name: textOption("-n, --name <name>", "to recognise it by"),
    lifetime: durationMsOption("--lifetime <duration>", "how long it is valid, such as 12h or 30d"),
    scope: choicesOption("--scope <scope>", "what it may do; repeat it for several", SCOPES),
    user: textOption("--user <user>", "for this user; default: yourself"),
    quiet: switchOption("--quiet", "print the value alone, for scripts"),
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const { name, lifetime, scope, user = "me" } = options;
    const created = await api.value.call(createApiToken, {
      params: { user },
      body: {
        ...(name === undefined ? {} : { token_name: name }),
        ...(lifetime === undefined ? {} : { lifetime: formatDurationMs(lifetime) }),
        ...(scope.length === 0 ? {} : { scopes: [...scope] }),
      },
    });
    if (!created.ok) return created;
    const { key, id, expires_at: expiresAt } = created.value;
    return ok(
      shown({
        json: created.value,
        text: () => {
          if (options.quiet) return terminalSafe(key);
          const expires = relativeTime(expiresAt, cli.look.now);
          return (
            safe`Created API token ${name ?? id}. It expires ${expires}.` + safe`\n\n  ${key}\n`
          );
        },
        note: options.quiet ? null : "Keep the value: it is not shown again.",
      }),
    );
  },
});
