// The system as the server tells it, second by second, and the ten minutes before.

import { store } from "./dom.js";
import { events, keyNeeded } from "./api.js";

const POINTS_MAX = 600;
const MARKS_MAX = 1024;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 8000;

/** `state`: connecting, live, lost. `at`: the moment that is looked at, in ms; null for now. */
export const live = store({
  state: "connecting", now: null, times: [], series: {}, marks: [], at: null,
});

export const lookAt = (at) => live.set((s) => ({ ...s, at }));

/** Watches until the page is hidden, and again when it is seen. */
export function watch() {
  let abort = null;
  const start = async () => {
    abort = new AbortController();
    const { signal } = abort;
    let pause = RETRY_FIRST_MS;
    while (!signal.aborted) {
      try {
        await events("/console/api/stream", (name, data) => {
          pause = RETRY_FIRST_MS;
          take(name, data);
        }, signal);
      } catch {
        // Shown as "lost" below; a missing key is asked for by the page.
      }
      if (signal.aborted) return;
      live.set((s) => ({ ...s, state: "lost" }));
      await new Promise((go) => setTimeout(go, pause));
      pause = Math.min(pause * 2, RETRY_MAX_MS);
      while (keyNeeded.get() && !signal.aborted) await new Promise((go) => setTimeout(go, 300));
    }
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) abort.abort();
    else if (abort.signal.aborted) start();
  });
  start();
}

function take(name, data) {
  if (name === "past") {
    live.set((s) => ({ ...s, times: data.times, series: data.series, marks: [] }));
  } else if (name === "now") {
    live.set((s) => ({ ...s, ...grown(s, data), state: "live", now: data }));
  }
}

/** The history with the last second added. */
function grown(s, data) {
  const at = Math.floor(data.at / 1000);
  const marks = data.marks.length
    ? [...s.marks, ...data.marks].sort((a, b) => a.at - b.at).slice(-MARKS_MAX)
    : s.marks;
  if (s.times.length && s.times[s.times.length - 1] >= at) return { marks };
  const times = [...s.times, at].slice(-POINTS_MAX);
  const names = new Set([...Object.keys(s.series), ...data.second.map(([n]) => n)]);
  const latest = Object.fromEntries(data.second);
  const series = {};
  for (const name of names) {
    const old = s.series[name];
    const point = latest[name];
    series[name] = {};
    for (const column of ["rate", "errors", "p50_ms", "p99_ms"]) {
      const before = old?.[column] ?? new Array(s.times.length).fill(null);
      series[name][column] = [...before, point?.[column] ?? null].slice(-POINTS_MAX);
    }
  }
  return { times, series, marks };
}

/** The figures of a series at a moment: the last point that is not after it. */
export function figuresAt(s, name, at) {
  let index = s.times.findLastIndex((t) => t <= at);
  if (index < 0) index = 0;
  const series = s.series[name];
  const pick = (column) => series?.[column][index] ?? null;
  return {
    rate: pick("rate") ?? 0, errors: pick("errors") ?? 0,
    p50_ms: pick("p50_ms"), p99_ms: pick("p99_ms"),
  };
}

/** The state of something at a past moment, by the same bounds as the server's. */
export function healthOf(figures) {
  if (figures.errors >= 0.05) return "failing";
  if (figures.errors >= 0.005 || (figures.p99_ms ?? 0) >= 250) return "strained";
  return figures.rate > 0 ? "well" : "idle";
}

/** The system as it is drawn: now, or with the figures of the moment that is looked at. */
export function scene(s) {
  if (!s.now || s.at === null) return s.now;
  const then = (key) => {
    const figures = figuresAt(s, key, s.at);
    return { ...figures, health: healthOf(figures), why: null, before: null, breaker: null };
  };
  return {
    ...s.now,
    totals: figuresAt(s, "total", s.at),
    services: s.now.services.map((v) => ({ ...v, ...then(`service:${v.name}`), routes: [] })),
    edges: s.now.edges.map((e) => ({ ...e, ...then(`${e.kind}:${e.from}>${e.to}`) })),
  };
}
