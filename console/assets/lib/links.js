// The REST API of links, as the page uses it.

import { get, getText, query, send } from "./api.js";

const ROOT = "/api/links";
const one = (id, rest = "") => `${ROOT}/${encodeURIComponent(id)}${rest}`;

export const list = (asked, signal) => get(ROOT + query(asked), signal);
export const read = (id, signal) => get(one(id), signal);
export const create = (link) => send("POST", ROOT, link);
export const change = (id, changes) => send("PATCH", one(id), changes);
export const remove = (id) => send("DELETE", one(id));
export const stats = (id, asked, signal) => get(one(id, `/stats${query(asked)}`), signal);
export const history = (id, signal) => get(one(id, "/history"), signal);
export const rollback = (id, version) => send("POST", one(id, "/rollback"), { version });
export const explain = (id, visitor) => send("POST", one(id, "/explain"), visitor);
export const qr = (id, signal) => getText(one(id, "/qr.svg"), signal);
export const qrPath = (id, kind) => one(id, `/qr.${kind}`);

/** The state of a link in one word. */
export function stateOf(link, now = Date.now()) {
  if (!link.enabled) return "switched off";
  if (link.expires_at && Date.parse(link.expires_at) <= now) return "expired";
  if (link.max_clicks !== null && link.clicks_left === 0) return "used up";
  return "active";
}

/** Without the scheme: what people read aloud. */
export const shown = (url) => url.replace(/^https?:\/\//, "");
