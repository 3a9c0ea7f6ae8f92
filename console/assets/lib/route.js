// Every view has a URL below /console/. Links are plain links; this makes them answer at once.

import { html, store } from "./dom.js";

const BASE = "/console";

const decoded = (path) => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

const read = () => ({
  path: decoded(location.pathname.slice(BASE.length)).replace(/\/+$/, "") || "/",
  search: Object.fromEntries(new URLSearchParams(location.search)),
});

export const route = store(read());

addEventListener("popstate", () => route.set(read()));

export const href = (path) => BASE + path;

/** Goes to a view; `replace` when it is not worth a step back. */
export function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", href(path));
  const before = route.get().path;
  route.set(read());
  if (!replace && before !== route.get().path) {
    scrollTo(0, 0);
    document.querySelector("main")?.focus({ preventScroll: true });
  }
}

/** A link to a view. */
export function A({ to, children, ...rest }) {
  const click = (event) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!plain || event.defaultPrevented) return;
    event.preventDefault();
    go(to);
  };
  return html`<a href=${href(to)} onClick=${click} ...${rest}>${children}</a>`;
}
