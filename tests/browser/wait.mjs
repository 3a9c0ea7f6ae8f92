// Waiting with a bound, and assertions that say what was seen.

const PAUSE_MS = 50;
/** Far longer than anything takes, for a busy machine. */
export const LONG_MS = 60000;

/** What `look` answers once that is true; throws after `most` ms, or when `look` throws. */
export async function until(what, look, most = LONG_MS) {
  const end = Date.now() + most;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`waited ${most} ms in vain until ${what}`);
    await new Promise((go) => setTimeout(go, PAUSE_MS));
  }
}

export function same(seen, wanted, what = "value") {
  if (seen !== wanted) throw new Error(`${what}: wanted ${JSON.stringify(wanted)}, saw ${JSON.stringify(seen)}`);
}

export function truth(seen, what) {
  if (!seen) throw new Error(what);
}
