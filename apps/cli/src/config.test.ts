/** The environment: precedence, the config directory, and what a server inherits. */
import assert from "node:assert/strict";
import test from "node:test";
import { parseEnvironment } from "./config.ts";

test("the ATELIER_ spelling wins over the CODER_ one, and an empty variable is not set", () => {
  const both = parseEnvironment(
    { ATELIER_URL: "http://a", CODER_URL: "http://c", CODER_SESSION_TOKEN: "c" },
    "/home/ann",
  );
  assert.equal(both.url, "http://a");
  assert.equal(both.token?.reveal(), "c");
  const empty = parseEnvironment(
    { ATELIER_URL: "", CODER_URL: "http://c", ATELIER_TOKEN: " ", ATELIER_SESSION_TOKEN: "s\n" },
    "/home/ann",
  );
  assert.equal(empty.url, "http://c");
  assert.equal(empty.token?.reveal(), "s");
});

for (const { variables, configDir } of [
  { variables: {}, configDir: "/home/ann/.config/atelier" },
  { variables: { XDG_CONFIG_HOME: "/x" }, configDir: "/x/atelier" },
  { variables: { XDG_CONFIG_HOME: "/x", ATELIER_CONFIG_DIR: "/y" }, configDir: "/y" },
]) {
  test(`the sign-in is in ${configDir} with ${JSON.stringify(variables)}`, () => {
    assert.equal(parseEnvironment(variables, "/home/ann").configDir, configDir);
  });
}

test("NO_COLOR and a dumb terminal take the colors away", () => {
  assert.equal(parseEnvironment({}, "/").allowsColors, true);
  assert.equal(parseEnvironment({ NO_COLOR: "1" }, "/").allowsColors, false);
  assert.equal(parseEnvironment({ TERM: "dumb" }, "/").allowsColors, false);
});

test("a server that we start does not get our own variables, which it would refuse", () => {
  const { serverVariables } = parseEnvironment(
    { PATH: "/bin", ATELIER_URL: "http://a", ATELIER_TOKEN: "t", ATELIER_HTTP_ADDRESS: "x" },
    "/",
  );
  assert.deepEqual(serverVariables, { PATH: "/bin", ATELIER_HTTP_ADDRESS: "x" });
});
