// Talks to the server: JSON, problem details, an idempotency key on every change, one live stream.

import { store } from "./dom.js";

const KEY = "tradewind-api-key";

/** True while the server wants an API key that we do not have. */
export const keyNeeded = store(false);

/** What went wrong, in words to show: `message`, and `fields` by JSON pointer. */
export class ApiError extends Error {
  constructor(status, problem, fallback) {
    super(sentence(problem?.detail ?? fallback));
    this.status = status;
    this.code = problem?.code ?? "";
    this.fields = Object.fromEntries(
      (problem?.errors ?? []).map((e) => [e.pointer.replace(/^\//, ""), sentence(e.detail)]),
    );
  }
}

/** A text of the server as a sentence: a capital first, a full stop last. */
export function sentence(text) {
  const full = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(full) ? full : `${full}.`;
}

/** Keeps the key for this tab. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key.trim());
  keyNeeded.set(false);
}

export const hasKey = () => sessionStorage.getItem(KEY) !== null;

/** Saves what lies at a path as a file: links cannot carry the key. */
export async function save(path, name) {
  const url = URL.createObjectURL(await (await request(path)).blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function headers(more = {}) {
  const key = sessionStorage.getItem(KEY);
  return key ? { authorization: `Bearer ${key}`, ...more } : more;
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: headers(options.headers) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const away = "the server does not answer; see whether tradewind still runs, then try again";
    throw new ApiError(0, null, away);
  }
  if (response.status === 401) keyNeeded.set(true);
  if (response.ok) return response;
  let problem = null;
  try {
    problem = await response.json();
  } catch {
    // Not a problem document: the status has to do.
  }
  const fallback = `the server answered ${response.status}; try again, and look at its log if it stays so`;
  throw new ApiError(response.status, problem, fallback);
}

export const get = async (path, signal) => (await request(path, { signal })).json();

export const getText = async (path, signal) => (await request(path, { signal })).text();

/** Sends a change. The key makes a repeated click, or a retry below us, take effect once. */
export async function send(method, path, body) {
  const more = { "idempotency-key": crypto.randomUUID() };
  if (body !== undefined) more["content-type"] = "application/json";
  const options = { method, headers: more, body: body === undefined ? undefined : JSON.stringify(body) };
  const response = await request(path, options);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/** A query string of the values that are there; with its question mark. */
export function query(values) {
  const entries = Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== "");
  return entries.length ? `?${new URLSearchParams(entries)}` : "";
}

/**
 * Reads server-sent events until `signal` aborts or the server ends. `fetch` instead of
 * EventSource, because that cannot send a key.
 */
export async function events(path, onEvent, signal) {
  const response = await request(path, { signal, headers: { accept: "text/event-stream" } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const field = (name) =>
        lines.filter((l) => l.startsWith(`${name}: `)).map((l) => l.slice(name.length + 2)).join("\n");
      const data = field("data");
      if (data) onEvent(field("event"), JSON.parse(data));
    }
  }
}
