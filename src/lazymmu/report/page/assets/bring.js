// SPDX-License-Identifier: GPL-2.0-or-later
// A counterexample that several findings share stands beside the first; a link brings it to others.
"use strict";
(() => {
  for (const link of document.querySelectorAll("[data-bring]")) {
    link.addEventListener("click", (event) => {
      const way = document.getElementById(link.dataset.bring);
      const place = link.closest(".beside");
      if (!way || !place) return;
      event.preventDefault();
      if (way.parentElement !== place) place.append(way);
      window.dispatchEvent(new Event("resize"));
      way.scrollIntoView({ block: "nearest" });
    });
  }
})();
