import assert from "node:assert/strict";
import { Console } from "node:console";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { deserialize, serialize } from "node:v8";
import { Secret } from "./secret.ts";

const VALUE = "hunter2-canary";
const secret = new Secret(VALUE);
/** As code sees it that the compiler does not check. */
// oxlint-disable-next-line typescript/no-explicit-any
const untyped: any = secret;
const nested = { list: [secret], map: new Map([["key", secret]]), set: new Set([secret]) };

/** Whatever turns a value into text, on purpose or on the way to a log. */
const WAYS: Readonly<Record<string, () => unknown>> = {
  String: () => String(secret),
  template: () => `${untyped}`,
  concatenation: () => "x" + untyped,
  locale: () => secret.toLocaleString(),
  "join of a list": () => [secret, secret].join(),
  "JSON, nested": () => JSON.stringify({ secret, nested, list: [secret] }),
  inspect: () => inspect(secret),
  "inspect, nested, with all it can show": () =>
    inspect(nested, { showHidden: true, showProxy: true, getters: true, depth: null }),
  "inspect without our own word": () => inspect(nested, { customInspect: false, depth: null }),
  "inspect of a proxy": () => inspect(new Proxy(secret, {}), { showProxy: true }),
  "an object made from its fields": () => inspect(Object.assign({}, secret), { showHidden: true }),
  "its descriptors": () => inspect(Object.getOwnPropertyDescriptors(secret)),
  "%s": () => format("%s", secret),
  "%o": () => format("%o", nested),
  "%O": () => format("%O", nested),
  "%j": () => format("%j", nested),
  "%d": () => format("%d", secret),
  "no placeholder": () => format(secret, nested),
  "an error's message": () => inspect(new Error(`refused: ${untyped}`)),
  "an error's cause": () => inspect(new Error("refused", { cause: secret })),
  "an error's field": () => inspect(Object.assign(new Error("refused"), { nested })),
  "a failed assertion": () => {
    try {
      assert.deepEqual(nested, {});
    } catch (error) {
      return inspect(error, { showHidden: true, depth: null });
    }
  },
  structuredClone: () => inspect(structuredClone(nested), { showHidden: true, depth: null }),
  "structuredClone, as JSON": () => JSON.stringify(structuredClone({ secret })),
  "serialization between processes": () => serialize(nested).toString("latin1"),
  "deserialized again": () => inspect(deserialize(serialize(nested)), { depth: null }),
  console: () => {
    const stream = new PassThrough();
    const console = new Console(stream, stream);
    console.log(secret, nested);
    console.log("%s %o %O %j", secret, secret, nested, nested);
    console.dir(nested, { showHidden: true, depth: null });
    console.table([{ secret }]);
    console.error(new Error("refused", { cause: nested }));
    return String(stream.read());
  },
};

for (const [way, write] of Object.entries(WAYS)) {
  test(`a secret does not show: ${way}`, () => {
    const text = String(write());
    assert.doesNotMatch(text, /hunter2/);
    assert.ok(text.length > 0);
  });
}

test("only reveal() gives it, to whoever asks for it by name", () => {
  assert.equal(secret.reveal(), VALUE);
  assert.deepEqual([Reflect.ownKeys(secret), Object.keys(secret)], [[], []]);
});
