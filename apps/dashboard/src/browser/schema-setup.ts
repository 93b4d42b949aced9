/**
 * Runs before any schema exists: without it the schema library tries to compile code at run time,
 * which the page's security policy forbids.
 */
import { config } from "zod";

config({ jitless: true });
