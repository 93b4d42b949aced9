/** `atelier users edit-roles`. */
import { fail, ok } from "@atelier/base/result";
import { getUser, updateUserRoles } from "@atelier/contract/http/users";
import { ROLES, type Role } from "@atelier/contract/permissions";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, choicesOption, defineCommand, shown } from "../command.ts";
import { rolesText } from "../output/user-fields.ts";
import { safe } from "../output/terminal-safe.ts";

export const usersEditRoles = defineCommand({
  name: "users edit-roles",
  summary: "Set, add or take away a user's roles",
  details: "Everybody is a member: `--role member` leaves no other role.",
  examples: [
    "atelier users edit-roles bob --add auditor",
    "atelier users edit-roles bob --role user-admin --role auditor",
    "atelier users edit-roles bob --role member",
  ],
  args: { user: argument("a username or user id") },
  options: {
    role: choicesOption("--role <role>", "the complete list; repeat it for several", ROLES),
    add: choicesOption("--add <role>", "give this role besides", ROLES),
    remove: choicesOption("--remove <role>", "take this role away", ROLES),
  },
  run: async (cli, { args, options }) => {
    const isEdit = options.add.length + options.remove.length > 0;
    if (isEdit === options.role.length > 0) {
      return fail(usageFailure("Give either --role, or --add and --remove."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    let roles: readonly Role[] = options.role;
    if (isEdit) {
      const user = await api.value.call(getUser, { params: args });
      if (!user.ok) return user;
      roles = [...user.value.roles, ...options.add].filter(
        (role) => !options.remove.includes(role),
      );
    }
    const wanted = [...new Set(roles)].filter((role) => role !== "member");
    const user = await api.value.call(updateUserRoles, { params: args, body: { roles: wanted } });
    if (!user.ok) return user;
    return ok(
      shown({
        json: user.value,
        text: () => safe`${user.value.username} has the roles: ${rolesText(user.value.roles)}.`,
      }),
    );
  },
});
