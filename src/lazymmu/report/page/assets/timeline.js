// SPDX-License-Identifier: GPL-2.0-or-later
// Draws timelines of traces, as much of each as is looked at, and zooms.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const NAMES = 190, ROW = 20, TOP = 24, LEAST = 1.5;
  const source = document.getElementById("lazymmu-timeline");
  if (!source) return;
  const { kinds, traces } = JSON.parse(source.textContent);
  const UNITS = [["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]];

  function time(ns) {
    const [unit, size] = UNITS.find(([, one]) => Math.abs(ns) >= one) ?? UNITS[3];
    return `${Number((ns / size).toPrecision(4))} ${unit}`;
  }

  function make(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function fitted(text, width) {
    const most = Math.floor(width / 6.7);
    return text.length <= most ? text : most > 1 ? `${text.slice(0, most - 1)}…` : "";
  }

  class Timeline {
    constructor(figure, trace) {
      this.figure = figure;
      this.trace = trace;
      // A clock that counts has no unit: a count is a thousand here.
      this.time = trace.counts ? (n) => `${Math.round(n / 1000)} counts` : time;
      this.room = figure.querySelector(".drawn");
      this.under = figure.querySelector(".under");
      this.whole = Math.max(trace.span, 1) * 1.02;
      this.from = -this.whole * 0.01;
      this.length = this.whole;
      this.finding = -1;
      figure.querySelector(".controls").hidden = false;
      for (const button of figure.querySelectorAll("[data-do]")) {
        button.addEventListener("click", () => this.act(button.dataset.do));
      }
      this.room.addEventListener("keydown", (event) => this.key(event));
      this.room.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      this.room.addEventListener("pointerdown", (event) => this.drag(event));
      this.room.addEventListener("pointerover", (event) => this.tell(event));
      new ResizeObserver(() => this.draw()).observe(this.room);
      this.draw();
    }

    get width() { return Math.max(this.room.clientWidth - NAMES, 50); }
    x(at) { return NAMES + ((at - this.from) / this.length) * this.width; }

    // Look at `length` nanoseconds from `from` on, as far as there are that many.
    look(from, length) {
      this.length = Math.min(Math.max(length, 10), this.whole);
      const first = -this.whole * 0.01;
      this.from = Math.min(Math.max(from, first), first + this.whole - this.length);
      this.draw();
    }

    zoom(factor, at = this.from + this.length / 2) {
      const length = Math.min(Math.max(this.length * factor, 10), this.whole);
      this.look(at - ((at - this.from) * length) / this.length, length);
    }

    act(what) {
      const shift = this.length / 4;
      if (what === "in") this.zoom(0.5);
      else if (what === "out") this.zoom(2);
      else if (what === "back") this.look(this.from - shift, this.length);
      else if (what === "on") this.look(this.from + shift, this.length);
      else if (what === "all") this.look(-this.whole * 0.01, this.whole);
      else if (what === "next") this.show(this.finding + 1);
      else if (what === "previous") this.show(this.finding - 1);
    }

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const what = {
        "+": "in", "=": "in", "-": "out", ArrowLeft: "back", ArrowRight: "on", "0": "all",
        Home: "all", n: "next", p: "previous",
      }[event.key];
      if (!what) return;
      event.preventDefault();
      this.act(what);
    }

    wheel(event) {
      const inside = event.clientX - this.room.getBoundingClientRect().left;
      if (inside < NAMES || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
      event.preventDefault();
      const at = this.from + ((inside - NAMES) / this.width) * this.length;
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, at);
    }

    drag(event) {
      const mark = event.target.closest?.("[data-mark]");
      if (mark) return this.show(Number(mark.dataset.mark));
      const [begun, from] = [event.clientX, this.from];
      const move = (now) => {
        this.look(from - ((now.clientX - begun) / this.width) * this.length, this.length);
      };
      const end = () => {
        window.removeEventListener("pointermove", move);
        window.removeEventListener("pointerup", end);
      };
      window.addEventListener("pointermove", move);
      window.addEventListener("pointerup", end);
    }

    // Go to a finding: close by, and told below.
    show(number) {
      const marks = this.trace.marks;
      if (!marks.length) return;
      this.finding = (number + marks.length) % marks.length;
      const mark = marks[this.finding];
      const length = Math.min(this.length, Math.max(this.whole / 200, 2000));
      this.look(mark.at - length / 2, length);
      this.under.textContent = `finding ${mark.number} at ${this.time(mark.at)}: ${mark.what}`;
    }

    tell(event) {
      const told = event.target.dataset?.told;
      if (told) this.under.textContent = told;
    }

    ticks(svg, height) {
      const rough = this.length / Math.max(this.width / 110, 2);
      const power = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
      for (let at = Math.ceil(this.from / step) * step; at <= this.from + this.length; at += step) {
        const group = make("g", { class: "tick" });
        const x = this.x(at);
        group.append(make("line", { x1: x, x2: x, y1: TOP - 6, y2: height }));
        group.append(make("text", { x: x + 3, y: 12 }, at === 0 ? "0" : this.time(at)));
        svg.append(group);
      }
    }

    // The bars of a track that are in sight; those closer than can be seen are drawn as one.
    track(svg, track, y) {
      const until = this.from + this.length;
      const open = new Map();
      const shown = this.time;
      const flush = (one) => {
        const left = Math.max(this.x(one.start), NAMES);
        const right = Math.min(Math.max(this.x(one.end), left + LEAST), NAMES + this.width);
        const kind = kinds[one.kind];
        const thin = kind === "inner" || kind === "away" ? 6 : kind === "reading" ? 3 : 0;
        const rect = make("rect", {
          class: one.parts > 1 ? `${kind} many` : kind, x: left, width: Math.max(right - left, LEAST),
          y: y + 3 + thin / 2, height: ROW - 6 - thin, "data-bar": "", "data-told": one.told(),
        });
        svg.append(rect);
        const name = one.parts === 1 && kind === "runs" ? fitted(one.label, right - left - 6) : "";
        if (name) svg.append(make("text", { class: "on-bar", x: left + 3, y: y + 14 }, name));
      };
      for (const [start, length, kind, label, count] of track.bars) {
        if (start > until) break;
        if (start + length < this.from) continue;
        const before = open.get(kind);
        const gap = LEAST * (this.length / this.width);
        if (before && start - before.end < gap && (length < gap || before.end - before.start < gap)) {
          before.end = Math.max(before.end, start + length);
          before.parts += 1;
          before.count += count;
          continue;
        }
        if (before) flush(before);
        const text = this.trace.labels[label];
        open.set(kind, {
          start, end: start + length, kind, count, parts: count > 1 ? 2 : 1, label: text,
          told() {
            const many = this.count > 1 ? `${this.count} × ` : "";
            const what = this.count > 1 ? kinds[this.kind] : `${kinds[this.kind]} ${this.label}`;
            return `${track.name}: ${many}${what}, at ${shown(this.start)}, ${shown(this.end - this.start)}`;
          },
        });
      }
      for (const one of open.values()) flush(one);
    }

    marks(svg, height) {
      this.trace.marks.forEach((mark, number) => {
        const x = this.x(mark.at);
        if (x < NAMES || x > NAMES + this.width) return;
        const kind = mark.kind === "violation" ? "" : " allowed";
        svg.append(make("line", { class: `mark-line${kind}`, x1: x, x2: x, y1: TOP, y2: height }));
        const y = mark.track === null ? TOP - 2 : TOP + mark.track * ROW + 3;
        svg.append(make("path", {
          class: `mark${kind}`, d: `M${x - 6} ${y - 5}h12l-6 10z`, "data-mark": number,
          "data-told": `finding ${mark.number} at ${this.time(mark.at)}: ${mark.what}`,
        }));
      });
    }

    draw() {
      const { tracks } = this.trace;
      const height = TOP + tracks.length * ROW + 4;
      const full = NAMES + this.width;
      const svg = make("svg", { width: full, height, viewBox: `0 0 ${full} ${height}`, "aria-hidden": "true" });
      this.ticks(svg, height);
      tracks.forEach((track, number) => {
        const y = TOP + number * ROW;
        const other = number > 0 && (track.of === "task") !== (tracks[number - 1].of === "task");
        svg.append(make("line", { class: other ? "group" : "row", x1: 0, x2: full, y1: y, y2: y }));
        this.track(svg, track, y);
      });
      this.marks(svg, height);
      svg.append(make("rect", { class: "names", x: 0, y: 0, width: NAMES - 4, height }));
      tracks.forEach((track, number) => {
        const label = make("text", { x: 6, y: TOP + number * ROW + 14 }, fitted(track.name, NAMES - 12));
        label.append(make("title", {}, track.name));
        svg.append(label);
      });
      svg.append(make("text", { class: "span", x: 6, y: 12 }, `${this.time(this.length)} in sight`));
      this.room.replaceChildren(svg);
      this.figure.querySelector("output").textContent =
        `${this.time(Math.max(this.from, 0))} to ${this.time(Math.min(this.from + this.length, this.trace.span))}`;
    }
  }

  const lines = [...document.querySelectorAll(".timeline")].map(
    (figure) => new Timeline(figure, traces[Number(figure.dataset.trace)]),
  );
  for (const button of document.querySelectorAll("[data-show]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const wanted = Number(button.dataset.show);
      for (const line of lines) {
        const number = line.trace.marks.findIndex((mark) => mark.number === wanted);
        if (number < 0) continue;
        line.show(number);
        line.figure.scrollIntoView({ block: "nearest" });
        line.room.focus({ preventScroll: true });
      }
    });
  }
  window.addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
    for (const line of lines) line.draw();
  });
})();
