#!/usr/bin/env node
/**
 * The `atelier` command. Runs the command line from source, in the caller's folder, on a recent
 * enough Node: see tools/bootstrap.mjs.
 */
import { bootstrap } from "../../../tools/bootstrap.mjs";

process.exit(await bootstrap("apps/cli/src/main.ts", process.argv.slice(2)));
