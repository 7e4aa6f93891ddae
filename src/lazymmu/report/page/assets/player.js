// SPDX-License-Identifier: GPL-2.0-or-later
// Steps through counterexamples. All text is in the page already; this shows and marks it.
"use strict";
(() => {
  const ways = [...document.querySelectorAll(".way")].filter((way) => way.querySelector(".player"));
  if (!ways.length) return;
  const steps = new Map(ways.map((way) => [way, 0]));
  let current = ways[0];

  // A lane's bar at a column: bars are as wide as the columns that they span.
  function barAt(row, column) {
    let at = 0;
    for (const bar of row.querySelectorAll("td")) {
      at += bar.colSpan;
      if (column < at) return bar;
    }
    return null;
  }

  function changed(row, step) {
    return step > 0 && barAt(row, step) !== barAt(row, step - 1);
  }

  // What holds after a step: of each lane that says something then its name and its bar's text.
  function tellState(way, step) {
    const list = way.querySelector(".now .state");
    const found = [];
    for (const row of way.querySelectorAll(".lanes tr[data-group]")) {
      const bar = barAt(row, step);
      if (!bar || !bar.textContent.trim() || row.dataset.group === "Who runs") continue;
      const name = document.createElement("dt");
      const heading = document.createElement("span");
      heading.textContent = row.dataset.group;
      name.append(heading, " ", row.querySelector("th").textContent.trim());
      const value = document.createElement("dd");
      value.textContent = bar.textContent;
      value.classList.toggle("changed", changed(row, step));
      found.push(name, value);
    }
    list.replaceChildren(...found);
  }

  function markColumn(way, step) {
    for (const link of way.querySelectorAll(".lanes thead a")) {
      const here = Number(link.dataset.step) === step;
      if (here) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
    const room = way.querySelector(".lanes-room");
    const head = way.querySelector(`.lanes thead a[data-step="${step}"]`).parentElement;
    const cursor = way.querySelector(".cursor");
    cursor.style.left = `${head.offsetLeft}px`;
    cursor.style.width = `${head.offsetWidth}px`;
    const names = way.querySelector(".lanes tbody th[scope=row]").offsetWidth;
    if (head.offsetLeft - names < room.scrollLeft) room.scrollLeft = head.offsetLeft - names;
    const over = head.offsetLeft + head.offsetWidth - room.clientWidth;
    if (over > room.scrollLeft) room.scrollLeft = over;
    for (const row of way.querySelectorAll(".lanes tr[data-group]")) {
      for (const bar of row.querySelectorAll("td.here")) bar.classList.remove("here");
      const bar = barAt(row, step);
      if (bar && bar.className) bar.classList.add("here");
    }
  }

  function show(way, wanted, { address = true } = {}) {
    const last = Number(way.dataset.last);
    const step = Math.min(Math.max(wanted, 0), last);
    current = way;
    steps.set(way, step);
    const slider = way.querySelector("input[type=range]");
    slider.value = String(step);
    const row = document.getElementById(`${way.id}-step-${step}`);
    const said = row && row.dataset.said ? row.dataset.said : "before the first step";
    slider.setAttribute("aria-valuetext", `${step} of ${last}: ${said}`);
    way.querySelector("output").textContent = `${step} / ${last}`;
    for (const [go, end] of [["first", 0], ["back", 0], ["on", last], ["last", last]]) {
      way.querySelector(`[data-go=${go}]`).disabled = step === end;
    }
    for (const card of way.querySelectorAll(".now .card")) {
      card.hidden = Number(card.dataset.step) !== step;
    }
    for (const other of way.querySelectorAll(".steps tr[aria-current]")) {
      other.removeAttribute("aria-current");
    }
    if (row) row.setAttribute("aria-current", "step");
    tellState(way, step);
    markColumn(way, step);
    if (address) {
      const which = ways.length > 1 ? `way=${way.dataset.way}&` : "";
      history.replaceState(null, "", `#${which}step=${step}`);
    }
  }

  function fromAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const number = asked.get("step");
    if (number === null || !/^\d{1,6}$/.test(number)) return;
    const way = ways.find((one) => one.dataset.way === (asked.get("way") ?? ways[0].dataset.way));
    if (!way) return;
    show(way, Number(number), { address: false });
    if (way !== ways[0]) way.scrollIntoView();
  }

  // Those keys of the page as a whole; where something is typed or scrolled they keep their meaning.
  function onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const at = event.target instanceof Element ? event.target : document.body;
    if (at.closest("input, select, textarea, [contenteditable]")) return;
    const last = Number(current.dataset.last);
    const now = steps.get(current);
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(current, to);
  }

  for (const way of ways) {
    const room = way.querySelector(".lanes-room");
    const cursor = document.createElement("div");
    cursor.className = "cursor";
    cursor.setAttribute("aria-hidden", "true");
    room.append(cursor);
    way.querySelector(".controls").hidden = false;
    way.querySelector(".now").hidden = false;
    const slider = way.querySelector("input[type=range]");
    slider.addEventListener("input", () => show(way, Number(slider.value)));
    for (const button of way.querySelectorAll("[data-go]")) {
      button.addEventListener("click", () => {
        const now = steps.get(way);
        const to = { first: 0, back: now - 1, on: now + 1, last: Number(way.dataset.last) };
        show(way, to[button.dataset.go]);
      });
    }
    way.addEventListener("pointerdown", () => { current = way; });
    way.addEventListener("focusin", () => { current = way; });
    for (const link of way.querySelectorAll(".lanes thead a")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        show(way, Number(link.dataset.step));
      });
    }
    show(way, 0, { address: false });
  }
  current = ways[0];
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", fromAddress);
  window.addEventListener("resize", () => {
    for (const way of ways) markColumn(way, steps.get(way));
  });
  window.addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
  fromAddress();
})();
