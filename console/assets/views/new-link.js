// Makes a link and goes to it.

import { html } from "../lib/dom.js";
import { create } from "../lib/links.js";
import { go } from "../lib/route.js";
import { LinkForm } from "./link-form.js";

export function NewLink() {
  const save = async (values) => {
    const given = Object.entries(values).filter(([, v]) => v !== null && v !== false && v.length !== 0);
    const link = await create(Object.fromEntries(given));
    go(`/links/${link.id}`);
  };
  return html`<div class="page narrow"><h1>New link</h1>
    <${LinkForm} save=${save} label="Make the link" /></div>`;
}
