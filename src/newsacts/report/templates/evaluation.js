"use strict";
// The threshold explorer: figures of every label at the threshold of its slider, from the counts in the page.
(() => {
  const store = document.getElementById("tallies");
  if (!store) return;
  const labels = JSON.parse(store.textContent);
  const f1 = labels.map(() => null);
  const show = (value) => (value === null ? "–" : value.toFixed(3));
  const ratio = (above, below) => (below ? above / below : null);

  const measure = (label, step) => {
    const hits = label.positives[step], count = hits + label.negatives[step], support = label.positives[0];
    return { count, precision: ratio(hits, count), recall: ratio(hits, support), f1: ratio(2 * hits, count + support) };
  };

  const update = (part, index) => {
    const input = part.querySelector("input"), label = labels[index], step = Number(input.value);
    const figures = measure(label, step);
    f1[index] = figures.f1;
    part.querySelector(".at").textContent = (step / 1000).toFixed(3);
    for (const name of ["precision", "recall", "f1"]) {
      part.querySelector(`[data-show="${name}"]`).textContent = show(figures[name]);
    }
    part.querySelector('[data-show="count"]').textContent = String(figures.count);
    input.setAttribute(
      "aria-valuetext",
      `threshold ${(step / 1000).toFixed(3)}: precision ${show(figures.precision)}, recall ${show(figures.recall)}, ` +
        `F1 ${show(figures.f1)}, ${figures.count} sentences labelled`,
    );
    const dot = document.getElementById(`moving-${index}`);
    if (dot) {
      const there = figures.precision !== null && figures.recall !== null;
      dot.setAttribute("visibility", there ? "visible" : "hidden");
      if (there) {
        dot.setAttribute("cx", String(100 * figures.recall));
        dot.setAttribute("cy", String(100 * (1 - figures.precision)));
      }
    }
    const known = f1.filter((value) => value !== null);
    const mean = known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
    document.getElementById("macro").textContent = show(mean);
  };

  document.querySelectorAll(".slider").forEach((part) => {
    const index = Number(part.dataset.label), input = part.querySelector("input");
    // Up, so that a sentence below the stored threshold does not slip in.
    const reset = () => {
      input.value = String(Math.ceil(labels[index].threshold * 1000));
      update(part, index);
    };
    input.addEventListener("input", () => update(part, index));
    part.querySelector(".back").addEventListener("click", reset);
    reset();
  });
})();
// The list of errors, by label and kind.
(() => {
  const list = document.getElementById("error-list");
  if (!list) return;
  const label = document.getElementById("error-label"), kind = document.getElementById("error-kind");
  const filter = () => {
    let shown = 0;
    for (const item of list.children) {
      const fits = (!label.value || item.dataset.label === label.value) && (!kind.value || item.dataset.kind === kind.value);
      item.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    document.getElementById("error-count").textContent = `${shown} of ${list.children.length}`;
  };
  label.addEventListener("change", filter);
  kind.addEventListener("change", filter);
  filter();
})();
