/** A person's own pages: profile, password, sessions, tokens, appearance; and a session that ends meanwhile. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgePage, openBrowser, signIn, untilSo, WITHOUT_CHROMIUM } from "./browser-world.ts";

test(
  "a person makes a token, sees it once, uses it, and takes it back",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const person = await setUpFirstUser(server);
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, person);

    await page.goto("/settings/tokens");
    await page.getByRole("heading", { name: "API tokens" }).waitFor();
    await page.getByRole("button", { name: "Make a token" }).click();
    const dialog = page.getByRole("dialog", { name: "Make an API token" });
    await dialog.getByLabel("Name").fill("test");
    await dialog.getByRole("button", { name: "Make it" }).click();
    await dialog.getByText("You already have an API token of this name.").waitFor();
    const findings = await judgePage(page, "token-refused");
    await dialog.getByLabel("Name").fill("laptop");
    await dialog.getByRole("button", { name: "Make it" }).click();
    const shown = dialog.getByLabel("the token", { exact: true });
    await shown.waitFor();
    findings.push(...(await judgePage(page, "token-made")));
    const token = (await shown.textContent()) ?? "";
    await dialog.getByRole("button", { name: "Copy the token" }).click();
    await dialog.getByText("Copied").waitFor();
    assert.equal(await page.evaluate("navigator.clipboard.readText()"), token);
    // It is limited to the gateway, so it knows of its person, but changes nothing.
    const made = await server.api("POST", "/api/v2/users/me/keys/tokens", { token, body: {} });
    assert.equal(made.status, 404);
    await dialog.getByRole("button", { name: "I have it" }).click();
    await page.getByText(token).waitFor({ state: "detached" });
    await page.getByRole("cell", { name: "laptop" }).waitFor();
    findings.push(...(await judgePage(page, "tokens")));

    const row = page.getByRole("row").filter({ hasText: "laptop" });
    await row.getByRole("button", { name: "Revoke" }).click();
    findings.push(...(await judgePage(page, "token-revoke")));
    await page.getByRole("button", { name: "Revoke it" }).click();
    await row.waitFor({ state: "detached" });
    // What is remembered of a credential is forgotten when the news of its end has come.
    for (let status = 404; status !== 401;) {
      ({ status } = await server.api("GET", "/api/v2/users/me", { token }));
      assert.ok(status === 401 || status === 404);
    }
    assert.deepEqual(findings, []);
  },
);

test(
  "profile, password, sessions and appearance are one's own to change",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const person = await setUpFirstUser(server);
    await using world = await openBrowser(server.url);
    const { page } = world;
    await signIn(page, person);

    await page.goto("/settings/account");
    await page.getByLabel("Name", { exact: false }).first().fill("Ann Example");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Your profile is saved.").waitFor();
    const findings = await judgePage(page, "account");

    await page.goto("/settings/security");
    await page.getByLabel("Present password").fill("wrong");
    await page.getByLabel("New password").fill("another-horse-battery-7");
    await page.getByRole("button", { name: "Change the password" }).click();
    await page.getByText("The old password is not right.").waitFor();
    await page.getByLabel("Present password").fill(person.password);
    await page.getByRole("button", { name: "Change the password" }).click();
    await page.getByText("Your password is changed.").waitFor();
    await page.getByText("this one").waitFor();
    findings.push(...(await judgePage(page, "security")));

    await page.goto("/settings/appearance");
    const isDark = async () =>
      (await page.evaluate("document.documentElement.dataset.theme")) === "dark";
    await page.getByLabel("Dark").check();
    await untilSo(isDark, "it is dark");
    await page.reload();
    await page.getByRole("heading", { name: "Appearance" }).waitFor();
    await untilSo(isDark, "it is dark");
    await page.getByLabel("As the system has it").check();
    findings.push(...(await judgePage(page, "appearance")));

    // The session ends elsewhere. Signing in again happens over the page.
    await page.goto("/settings/account");
    await page.getByLabel("Username").fill("ann-the-owner");
    const login = await server.api("POST", "/api/v2/users/login", {
      body: { email: person.email, password: "another-horse-battery-7" },
    });
    const token: string = login.body.session_token;
    const { body } = await server.api("GET", "/api/v2/users/me/sessions", { token });
    for (const session of body.sessions.filter((each: { current: boolean }) => !each.current)) {
      await server.api("DELETE", `/api/v2/users/me/sessions/${session.id}`, { token });
    }
    // What looks for waiting agents may have learned it before.
    await page.locator("main button[type=submit]").first().dispatchEvent("click");
    const again = page.getByRole("dialog", { name: "Sign in again" });
    await again.waitFor();
    findings.push(...(await judgePage(page, "sign-in-again")));
    await again.getByLabel("Email").fill(person.email);
    await again.getByLabel("Password").fill("another-horse-battery-7");
    await again.getByRole("button", { name: "Sign in" }).click();
    await again.waitFor({ state: "detached" });
    assert.equal(await page.getByLabel("Username").inputValue(), "ann-the-owner");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Your profile is saved.").waitFor();
    // Of a socket that is dialled in the moment in which the session ends, Chromium itself tells.
    const others = world.complaints.filter((each) => !each.startsWith("WebSocket connection to"));
    world.complaints.splice(0, world.complaints.length, ...others);
    assert.deepEqual(findings, []);
  },
);
