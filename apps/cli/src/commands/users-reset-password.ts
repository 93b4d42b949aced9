/** `atelier users reset-password`: also for your own account, which needs the old password. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import { getUser, updateUserPassword } from "@atelier/contract/http/users";
import { usageFailure, type CliFailure } from "../cli-failure.ts";
import { signedIn, type Cli } from "../cli.ts";
import { argument, defineCommand, shown, switchOption, textOption } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";
import { newPassword, secretFromFile } from "../secret-input.ts";

export const usersResetPassword = defineCommand({
  name: "users reset-password",
  summary: "Set a user's password; their other sessions and API tokens end",
  details: "Your own account needs the old password as well.",
  examples: [
    "atelier users reset-password bob",
    "echo $PASSWORD | atelier users reset-password bob --password-stdin",
  ],
  args: { user: argument("a username, user id, or `me`") },
  options: {
    passwordStdin: switchOption("--password-stdin", "read the new password from stdin"),
    oldPasswordFile: textOption("--old-password-file <path>", "your own: read the old one from it"),
  },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const me = await api.value.call(getUser, { params: { user: "me" } });
    if (!me.ok) return me;
    const user = await api.value.call(getUser, { params: args });
    if (!user.ok) return user;
    const { id, username } = user.value;
    const old = id === me.value.id ? await oldPassword(cli, options.oldPasswordFile) : ok(null);
    if (!old.ok) return old;
    const password = await newPassword(cli, {
      isFromInput: options.passwordStdin,
      optionName: "--password-stdin",
      whose: username,
    });
    if (!password.ok) return password;
    const done = await api.value.call(updateUserPassword, {
      params: { user: id },
      body: {
        password: password.value.reveal(),
        ...(old.value === null ? {} : { old_password: old.value.reveal() }),
      },
    });
    if (!done.ok) return done;
    return ok(
      shown({ json: { user: username }, text: () => safe`Set the password of ${username}.` }),
    );
  },
});

async function oldPassword(
  cli: Cli,
  path: string | undefined,
): Promise<Result<Secret, CliFailure>> {
  if (path !== undefined) return secretFromFile(path, "--old-password-file");
  if (cli.prompts !== null) return cli.prompts.secret("Your present password");
  return fail(usageFailure("Your own account needs the old password.", "Use --old-password-file."));
}
