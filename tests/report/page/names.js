// SPDX-License-Identifier: GPL-2.0-or-later
// What has a role but no name, headings that leave out a level, tables without heads.
const found = [];
function name(one) {
  const by = (one.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  return (one.getAttribute("aria-label") ?? "") || by.trim() || [...(one.labels ?? [])].map((l) => l.textContent).join(" ");
}
const shown = (one) => one.checkVisibility();
for (const one of document.querySelectorAll("input, select, textarea, svg, [role=region], [role=group], [role=img], section[aria-live]")) {
  if (shown(one) && one.getAttribute("aria-hidden") !== "true" && !name(one)) found.push(`no name: ${one.outerHTML.slice(0, 80)}`);
}
for (const one of document.querySelectorAll("button, a[href], summary")) {
  if (shown(one) && !(name(one) || one.textContent.trim())) found.push(`no name: ${one.outerHTML.slice(0, 80)}`);
}
for (const one of document.querySelectorAll("table")) {
  if (shown(one) && !(one.caption || name(one))) found.push(`no caption: ${one.className}`);
  if (shown(one) && !one.querySelector("th[scope]")) found.push(`no heads: ${one.className}`);
}
let before = 0;
for (const one of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
  if (!shown(one)) continue;
  const level = Number(one.tagName[1]);
  if (level > before + 1) found.push(`a level is left out: ${one.textContent}`);
  before = level;
}
if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
if (document.querySelectorAll("main").length !== 1) found.push("not one main");
if (!document.documentElement.lang) found.push("no language");
const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) found.push(`twice: #${id}`);
for (const link of document.querySelectorAll("a[href^='#']")) {
  const target = decodeURIComponent(link.getAttribute("href").slice(1));
  if (!target.includes("=") && !document.getElementById(target)) found.push(`leads nowhere: #${target}`);
}
return found;
