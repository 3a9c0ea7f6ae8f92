// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dateTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});

export const count = (n) => whole.format(n);

/** Three significant digits at most: 0.25, 3.4, 812, 1,284. */
export function number(n) {
  if (n >= 100) return whole.format(n);
  if (n >= 10) return String(Math.round(n * 10) / 10);
  return String(Math.round(n * 100) / 100);
}

export const rate = (n) => `${number(n)}/s`;

export function millis(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms >= 10000) return `${number(ms / 1000)} s`;
  if (ms >= 1) return `${number(ms)} ms`;
  return `${Math.max(1, Math.round(ms * 1000))} µs`;
}

export const micros = (us) => millis(us / 1000);

export function percent(share) {
  const p = share * 100;
  if (p === 0) return "0 %";
  return p < 0.1 ? "< 0.1 %" : `${p < 10 ? Math.round(p * 10) / 10 : Math.round(p)} %`;
}

export function bytes(n) {
  if (n === null || n === undefined) return "–";
  return `${number(n / 1048576)} MB`;
}

export const clock = (ms) => clockTime.format(ms);
export const minutes = (ms) => shortTime.format(ms);
export const date = (value) => dateTime.format(new Date(value));

/** How long ago, roughly: "3 min ago". */
export function ago(ms, now = Date.now()) {
  const s = Math.max(0, Math.round((now - ms) / 1000));
  if (s < 2) return "just now";
  if (s < 90) return `${s} s ago`;
  if (s < 5400) return `${Math.round(s / 60)} min ago`;
  if (s < 129600) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86400)} days ago`;
}

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
