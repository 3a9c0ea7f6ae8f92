// Starts a system of its own: a free port, a fresh data directory, gone afterwards.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { until } from "./wait.mjs";

/** What the program says about the system with this data directory, or at this internal address. */
async function status(bin, ...where) {
  const { stdout } = await promisify(execFile)(resolve(bin), ["status", "--json", ...where]);
  return JSON.parse(stdout);
}

export async function startSystem(bin, more = []) {
  const folder = await mkdtemp(join(tmpdir(), "tradewind-browser-"));
  await chmod(folder, 0o711); // PostgreSQL runs as another user when we are root.
  const ready = join(folder, "ready.json");
  const flags = ["up", "--listen", "127.0.0.1:0", "--ready-file", ready, "--data", join(folder, "data"), ...more];
  const child = spawn(resolve(bin), flags, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => { said = (said + chunk).slice(-4000); });
  child.on("error", (error) => { said += error.message; });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 20000);
      await ended;
      clearTimeout(late);
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const urls = await until("the system is ready", async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${said}`);
      return JSON.parse(await readFile(ready, "utf8").catch(() => "null"));
    });
    return { gateway: urls.gateway, lab: join(folder, "data", "lab"), stop, status: () => status(bin, "--data", join(folder, "data")) };
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${said}`);
  }
}
