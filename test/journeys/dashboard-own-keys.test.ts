/** What a person is told of their own keys, as each provider's key policy has it. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";

/** No request ever goes there. */
const NOWHERE = { type: "anthropic", base_url: "http://127.0.0.1:9", api_keys: ["made-up-key-1"] };

test(
  "own keys are asked for where one is needed, and not taken where only the company's serves",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const person = await setUpFirstUser(server);
    for (const [name, policy] of [
      ["shared", { allow_user_api_key: false }],
      ["needed", { central_api_key_enabled: false, allow_user_api_key: true }],
    ] as const) {
      const body = { ...NOWHERE, name, ...policy };
      const made = await server.api("POST", "/api/v2/ai/providers", {
        token: person.session,
        body,
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
    }
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, person);
    await page.goto("/settings/provider-keys");
    const rowOf = (name: string) => page.getByRole("row").filter({ hasText: name });
    // Narrow screens have it below the name, wide ones in a column.
    const said = (name: string, text: string) =>
      rowOf(name).getByText(text).filter({ visible: true });
    await said("needed", "needed: the company’s does not serve").waitFor();
    await said("shared", "only the company’s serves").waitFor();
    assert.equal(await rowOf("shared").getByRole("button").count(), 0);
    const findings = await judgePage(page, "own-keys-policies");

    await rowOf("needed").getByRole("button", { name: "Bring your own" }).click();
    const own = page.getByRole("dialog", { name: "Your key for needed" });
    await own.getByLabel("API key").fill("made-up-own-test-key");
    await own.getByRole("button", { name: "Keep it" }).click();
    await rowOf("needed").getByRole("button", { name: "Forget" }).click();
    await page.getByRole("button", { name: "Forget it" }).click();
    await said("needed", "needed: the company’s does not serve").waitFor();
    assert.deepEqual(findings, []);
  },
);
