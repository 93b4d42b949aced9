/** What of a form is kept while the person is elsewhere: everything but its secrets. */

type Texts = Readonly<Record<string, string>>;

export function draftText(values: Texts, secrets: readonly string[]): string {
  const open = Object.entries(values).filter(([name]) => !secrets.includes(name));
  return JSON.stringify(Object.fromEntries(open));
}

/** A draft of an earlier version of the form may have other fields: only those that there are count. */
export function withDraft<Values extends Texts>(
  initial: Values,
  text: string | null,
  secrets: readonly string[],
): Values {
  const draft = parseDraft(text);
  const fromDraft: Record<string, string> = {};
  for (const name of Object.keys(initial)) {
    const value = draft[name];
    if (typeof value === "string" && !secrets.includes(name)) fromDraft[name] = value;
  }
  return { ...initial, ...fromDraft };
}

function parseDraft(text: string | null): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text ?? "{}");
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch {
    return {}; // Whatever stands there, it is no draft.
  }
}
