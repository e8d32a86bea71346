// Names and roles that the theme, docutils and the gallery leave out, for keyboards and
// screen readers.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll(".search-button-field")) {
    button.setAttribute("aria-label", "Search Ctrl+K");
  }
  for (const summary of document.querySelectorAll("summary:has(.toctree-toggle)")) {
    const link = summary.closest("li")?.querySelector("a");
    summary.setAttribute("aria-label", `Pages of ${link?.textContent.trim()}`);
  }
  for (const reference of document.querySelectorAll(".citation-list > .citation")) {
    reference.setAttribute("role", "listitem");
  }
  for (const card of document.querySelectorAll(".sphx-glr-thumbcontainer")) {
    const link = card.querySelector("a");
    link?.setAttribute("aria-label", link.textContent.trim());
  }
  // What scrolls by itself is reached by the tabulator key.
  const scrolls = () => {
    for (const box of document.querySelectorAll(
      "article table, article pre, article .floors, article div.math",
    )) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    }
  };
  scrolls();
  addEventListener("resize", scrolls);
  addEventListener("load", () => window.MathJax?.startup?.promise?.then(scrolls));
});
