/**
 * What a call of a tool server is for, in the model's words: people read it as the call's headline (spec
 * agents 6.7). It is asked of the model beside the tool's own input, and the server is not told.
 */

/** The same name as in the tools that come with this server: whoever shows calls looks for it. */
const INTENT = "model_intent";

const INTENT_SCHEMA = {
  type: "string",
  description:
    "What this call is for, as a short phrase that begins with a verb in -ing and is shown to the user, such as: looking up the public holidays",
};

type Schema = Readonly<Record<string, unknown>>;

/** False: the tool has an input of that name itself, and it is the tool's. */
export function canTakeIntent(inputSchema: object): boolean {
  return !Object.hasOwn(objectIn(inputSchema, "properties"), INTENT);
}

/** First of all inputs, so that a model writes it before the rest and people read it at once. */
export function withIntent<Input extends object>(inputSchema: Input): Input {
  const required: unknown = "required" in inputSchema ? inputSchema.required : [];
  return {
    ...inputSchema,
    type: "object",
    properties: { [INTENT]: INTENT_SCHEMA, ...objectIn(inputSchema, "properties") },
    required: [INTENT, ...(Array.isArray(required) ? (required as unknown[]) : [])],
  };
}

/** Models forget it now and then: the call is made all the same. */
export function withoutIntent(args: Schema): Record<string, unknown> {
  const { [INTENT]: _intent, ...rest } = args;
  return rest;
}

function objectIn(holder: object, name: string): Schema {
  const value: unknown = Reflect.get(holder, name);
  return typeof value === "object" && value !== null ? (value as Schema) : {};
}
