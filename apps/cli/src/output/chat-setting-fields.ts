/** The settings of all chats, as people read them. */
import type { ChatDays, ChatSettings } from "../chat-settings-input.ts";
import { fields, type Look } from "./people.ts";

export function chatSettingFields(look: Look, settings: ChatSettings): string {
  return fields(look, [
    ["Idle chats are archived", daysText(settings.auto_archive, "after", "never")],
    ["Archived chats are kept", daysText(settings.retention, "for", "for ever")],
    ["People choose models", settings.personal_models ? "yes" : "no"],
    ["Model calls are recorded", debugText(settings.debug_logging)],
    ["Recorded calls are kept", debugDaysText(settings.debug_retention)],
    ["Model for desktops", `${settings.computer_use_provider} (workspaces have no desktop yet)`],
  ]);
}

function debugText(debug: ChatSettings["debug_logging"]): string {
  if (debug.forced_by_deployment) return "of all chats (the server's option)";
  return debug.allow_users ? "where people want it for their own chats" : "no";
}

function debugDaysText({ days, is_set: isSet }: ChatDays): string {
  const text = daysText({ days, is_set: true }, "for", "for ever");
  return isSet ? text : `${text} (as usual)`;
}

function daysText({ days, is_set: isSet }: ChatDays, before: string, none: string): string {
  const text = days === 0 ? none : `${before} ${days} ${days === 1 ? "day" : "days"}`;
  return isSet ? text : `${text} (the server's option)`;
}
