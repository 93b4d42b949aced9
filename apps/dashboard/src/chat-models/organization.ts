/** Whose models are shown: a deployment has one organization. */

export const ORGANIZATION = { organization: "default" } as const;
