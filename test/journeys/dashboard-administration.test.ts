/** What administrators and auditors do in the dashboard. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgePage, openBrowser, signIn, WITHOUT_CHROMIUM } from "./browser-world.ts";

const BOB = { email: "bob@example.com", username: "bob", password: "other-horse-battery-8" };

test(
  "an owner adds a person, gives and takes, and finds it in the audit log",
  WITHOUT_CHROMIUM,
  async () => {
    await using database = await testDatabase();
    await using server = await startRealServer({ postgresUrl: database.url });
    const person = await setUpFirstUser(server);
    await using world = await openBrowser(server.url);
    const { page } = world;
    const findings: string[] = [];
    const judge = async (name: string): Promise<void> => {
      findings.push(...(await judgePage(page, name)));
    };
    await signIn(page, person);

    await page.goto("/deployment/users");
    await page.getByRole("button", { name: "Add a user" }).click();
    const adding = page.getByRole("dialog", { name: "Add a user" });
    await adding.getByLabel("Email").fill(BOB.email);
    await adding.getByLabel("Username").fill("ann");
    await adding.getByLabel("First password").fill(BOB.password);
    await adding.getByLabel("auditor").check();
    await adding.getByRole("button", { name: "Add them" }).click();
    await adding.getByText("A user with this username already exists.").waitFor();
    await judge("user-new");
    await adding.getByLabel("Username").fill(BOB.username);
    await adding.getByRole("button", { name: "Add them" }).click();
    await adding.waitFor({ state: "detached" });

    await page.getByRole("button", { name: "Change bob" }).click();
    await page.getByRole("menuitem", { name: "Suspend…" }).waitFor();
    await judge("user-menu");
    await page.getByRole("menuitem", { name: "Suspend…" }).click();
    await page.getByRole("button", { name: "Suspend", exact: true }).click();
    await page.getByRole("cell", { name: "suspended" }).waitFor();
    await judge("users");
    const login = { body: { email: BOB.email, password: BOB.password } };
    assert.equal((await server.api("POST", "/api/v2/users/login", login)).status, 403);
    await page.getByRole("button", { name: "Change bob" }).click();
    await page.getByRole("menuitem", { name: "Roles…" }).click();
    await page.getByRole("dialog").getByLabel("auditor").uncheck();
    await judge("user-roles");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByLabel("Search").fill("nobody");
    await page.getByText("Nobody fits").waitFor();

    await page.goto("/logs/audit?username=ann");
    await page.getByText("ann changed the user bob").first().click();
    await page.getByText("Request id").first().waitFor();
    await judge("audit");
    await page.getByLabel("Action", { exact: true }).selectOption("delete");
    await page.getByText("No entry fits").waitFor();
    await judge("audit-empty");

    await page.goto("/deployment/overview");
    await page.getByText("http-address", { exact: true }).waitFor();
    await page.getByLabel("Show").selectOption("set");
    await page.getByText("log-level", { exact: true }).waitFor();
    assert.equal(await page.getByText("audit-retention", { exact: true }).count(), 0);
    await judge("options");

    await page.goto("/health");
    await page.getByText("It answers the server.").waitFor();
    await judge("health");
    await page.goto("/logs/connection");
    await page.getByText("Nobody was connected yet.").waitFor();
    await judge("connections");
    assert.deepEqual(findings, []);
  },
);
