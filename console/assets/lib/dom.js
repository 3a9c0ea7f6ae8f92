// The one place that knows the vendored libraries: markup, state and effects.

import { h, render, Fragment } from "../vendor/preact.mjs";
import htm from "../vendor/htm.mjs";

export { render, Fragment };
export {
  useState, useEffect, useLayoutEffect, useMemo, useRef, useCallback,
} from "../vendor/hooks.mjs";

import { useEffect, useState } from "../vendor/hooks.mjs";

/** Markup as a tagged template. Values become text and attributes, never markup. */
export const html = htm.bind(h);

/** A value that views can watch. */
export function store(value) {
  const watchers = new Set();
  return {
    get: () => value,
    set(next) {
      value = typeof next === "function" ? next(value) : next;
      for (const watcher of [...watchers]) watcher(value);
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

/** The value of a store; the view is drawn again when it changes. */
export function useStore(source) {
  const [, redraw] = useState(0);
  useEffect(() => source.watch(() => redraw((n) => n + 1)), [source]);
  return source.get();
}

/** What `load` answers: `{ data, error, loading, reload }`. Old data stays while new data comes. */
export function useLoad(load, deps) {
  const [state, set] = useState({ data: null, error: null, loading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    set((s) => ({ ...s, loading: true }));
    load(abort.signal).then(
      (data) => set({ data, error: null, loading: false }),
      (error) => {
        if (error.name !== "AbortError") set((s) => ({ data: s.data, error, loading: false }));
      },
    );
    return () => abort.abort();
  }, [...deps, turn]);
  return { ...state, reload: () => setTurn((n) => n + 1) };
}
