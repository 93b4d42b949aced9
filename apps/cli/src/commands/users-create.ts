/** `atelier users create`. */
import { fail, ok, type Result } from "@atelier/base/result";
import { createUser } from "@atelier/contract/http/users";
import { ROLES } from "@atelier/contract/permissions";
import { usageFailure, type CliFailure } from "../cli-failure.ts";
import { signedIn, type Cli } from "../cli.ts";
import { choicesOption, defineCommand, shown, switchOption, textOption } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";
import { newPassword } from "../secret-input.ts";

export const usersCreate = defineCommand({
  name: "users create",
  summary: "Create a user",
  details: "What is not given is asked for. The new user signs in with email and password.",
  examples: [
    "atelier users create --username bob --email bob@example.com",
    "echo $PASSWORD | atelier users create --username bob --email bob@example.com \\\n      --role auditor --password-stdin",
  ],
  args: {},
  options: {
    username: textOption("-u, --username <name>", "letters and digits, with hyphens between"),
    email: textOption("-e, --email <email>", "what they sign in with"),
    name: textOption("-n, --name <name>", "full name"),
    role: choicesOption("--role <role>", "besides member; repeat it for several", ROLES),
    passwordStdin: switchOption("--password-stdin", "read the password from stdin"),
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const username = await given(cli, options.username, { label: "Username", flag: "--username" });
    if (!username.ok) return username;
    const email = await given(cli, options.email, { label: "Email", flag: "--email" });
    if (!email.ok) return email;
    const password = await newPassword(cli, {
      isFromInput: options.passwordStdin,
      optionName: "--password-stdin",
      whose: username.value,
    });
    if (!password.ok) return password;
    const user = await api.value.call(createUser, {
      body: {
        username: username.value,
        email: email.value,
        password: password.value.reveal(),
        roles: options.role.filter((role) => role !== "member"),
        ...(options.name === undefined ? {} : { name: options.name }),
      },
    });
    if (!user.ok) return user;
    return ok(shown({ json: user.value, text: () => safe`Created user ${user.value.username}.` }));
  },
});

async function given(
  cli: Cli,
  value: string | undefined,
  { label, flag }: { readonly label: string; readonly flag: string },
): Promise<Result<string, CliFailure>> {
  if (value !== undefined) return ok(value);
  if (cli.prompts !== null) return cli.prompts.text(label);
  return fail(usageFailure(`${label} is not given.`, `Use ${flag}.`));
}
