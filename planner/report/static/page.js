/* What the page does when scripts run: live charts, sorting, filtering, copying. All text goes in by textContent, all
   styles through the CSSOM: the page's policy allows no inline style and no markup from strings is needed. */
(function () {
  "use strict";

  var root = document.documentElement;
  var data = JSON.parse(document.getElementById("data").textContent);
  var tip = document.getElementById("tip");
  var control = PlannerControls.make(data);
  root.classList.add("scripted");

  function all(selector, from) {
    return Array.prototype.slice.call((from || document).querySelectorAll(selector));
  }

  function element(tag, text, className) {
    var made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  /* Tooltip: rows of [name, value]; the first row is the title. */
  function showTip(rows, event) {
    tip.replaceChildren();
    tip.appendChild(element("strong", rows[0][0]));
    var list = element("dl");
    rows.slice(1).forEach(function (row) {
      list.appendChild(element("dt", row[0]));
      list.appendChild(element("dd", row[1]));
    });
    tip.appendChild(list);
    tip.hidden = false;
    var x = event.clientX + 16, y = event.clientY + 16;
    if (x + tip.offsetWidth > window.innerWidth - 8) x = Math.max(8, event.clientX - tip.offsetWidth - 12);
    if (y + tip.offsetHeight > window.innerHeight - 8) y = Math.max(8, event.clientY - tip.offsetHeight - 12);
    tip.style.left = x + "px";
    tip.style.top = y + "px";
  }

  function hideTip() { tip.hidden = true; }

  function bringToLife(holder) {
    var chart = data.charts[holder.dataset.chart];
    var box = element("div", undefined, "live");
    holder.appendChild(box);
    var live = null, width = 0, variant = 0;
    var select = document.querySelector("[data-variants='" + holder.dataset.chart + "']");
    if (select && chart.variants) {
      select.addEventListener("change", function () { variant = +select.value; width = 0; draw(); });
    }
    function draw() {
      if (!holder.clientWidth || holder.clientWidth === width) return;
      width = holder.clientWidth;
      var made = PlannerCharts[chart.build](chart.variants ? chart.variants[variant] : chart.data, width);
      if (live) live.dispose();
      box.style.height = made.height + "px";
      live = echarts.init(box, null, { renderer: "svg", width: width, height: made.height });
      live.setOption(made.option);
      live.on("mousemove", function (event) {
        if (event.data && event.data.tip) showTip(event.data.tip, event.event.event);
      });
      live.on("mouseout", hideTip);
      live.on("globalout", hideTip);
      holder.classList.add("is-live");
    }
    draw();
    new ResizeObserver(draw).observe(holder);
  }

  function compare(a, b, numeric) {
    if (a === "" || b === "") return a === b ? 0 : a === "" ? 2 : -2;
    if (numeric) return a - b;
    return a < b ? -1 : a > b ? 1 : 0;
  }

  function sortBy(table, column, descending) {
    var body = table.tBodies[0], head = table.tHead.rows[0].cells[column];
    var numeric = head.dataset.type === "number";
    var keyed = all("tr", body).map(function (row) { 
      var cell = row.cells[column];
      return [numeric ? cell.dataset.v : cell.textContent.trim().toLowerCase(), row];
    });
    keyed.sort(function (a, b) {
      var order = compare(a[0], b[0], numeric);
      return descending && Math.abs(order) !== 2 ? -order : order;
    });
    keyed.forEach(function (pair) { body.appendChild(pair[1]); });
    all("th", table.tHead).forEach(function (cell) { cell.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  }

  /* On a phone each cell says itself what its column is. */
  function label(table) {
    var heads = all("thead th", table).map(function (head) { return head.textContent.trim(); });
    all("tbody tr", table).forEach(function (row) {
      all("td", row).forEach(function (cell) { cell.dataset.label = heads[cell.cellIndex]; });
    });
  }

  function makeSortable(table) {
    var select = document.getElementById("sort-by"), columns = all("th", table.tHead);
    columns.forEach(function (head, column) {
      head.querySelector("button").addEventListener("click", function () {
        control.set("sort", column + (head.getAttribute("aria-sort") === "ascending" ? "d" : "a"));
      });
    });
    select.addEventListener("change", function () { control.set("sort", select.value + "a"); });
    control.listen(function (state) {
      var wanted = /^(\d{1,2})([ad])$/.exec(state.sort || "0a");
      if (!wanted || +wanted[1] >= columns.length) return;
      var order = wanted[2] === "d" ? "descending" : "ascending";
      if (columns[+wanted[1]].getAttribute("aria-sort") !== order) sortBy(table, +wanted[1], wanted[2] === "d");
      select.value = wanted[1];
    });
  }

  function makeFilter(table) {
    var box = document.getElementById("filter"), only = document.getElementById("only-feasible");
    var said = document.getElementById("filter-said"), rows = all("tbody tr", table);
    var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
    var names = rows.map(function (row) { return row.querySelector(".name").textContent; });
    var unhide = document.getElementById("options-unhide");
    rows.forEach(function (row, i) {
      var hide = element("button", "Hide", "quiet hide");
      hide.type = "button";
      hide.setAttribute("aria-label", "Hide " + names[i]);
      hide.addEventListener("click", function () { control.toggle("hidden", names[i]); });
      row.querySelector(".name").after(" ", hide);
    });
    control.listen(function (state) {
      var words = (state.filter || "").toLowerCase().split(/\s+/).filter(Boolean), count = 0;
      rows.forEach(function (row, i) {
        var keep = words.every(function (word) { return texts[i].indexOf(word) >= 0; });
        row.hidden = !keep || !!state.hidden[names[i]] || (state.fits === "1" && row.classList.contains("rejected"));
        if (!row.hidden) count++;
      });
      if (document.activeElement !== box) box.value = state.filter || "";
      only.checked = state.fits === "1";
      unhide.hidden = !Object.keys(state.hidden).length;
      said.textContent = count === rows.length ? rows.length + " options" : count + " of " + rows.length + " options";
    });
    box.addEventListener("input", function () { control.set("filter", box.value); });
    only.addEventListener("change", function () { control.set("fits", only.checked ? "1" : ""); });
    unhide.addEventListener("click", function () { control.state.hidden = {}; control.changed(); });
  }

  /* A phone shows rows as cards; the roles keep the table a table for those who hear it. */
  function keepRoles(table) {
    table.setAttribute("role", "table");
    all("thead, tbody", table).forEach(function (part) { part.setAttribute("role", "rowgroup"); });
    all("tr", table).forEach(function (row) { row.setAttribute("role", "row"); });
    all("td", table).forEach(function (cell) { cell.setAttribute("role", "cell"); });
    all("th", table).forEach(function (cell) {
      cell.setAttribute("role", cell.scope.indexOf("row") === 0 ? "rowheader" : "columnheader");
    });
  }

  function say(button, text) {
    var before = button.dataset.label || (button.dataset.label = button.textContent);
    button.textContent = text;
    setTimeout(function () { button.textContent = before; }, 1600);
  }

  function copyOld(source) {
    getSelection().selectAllChildren(source);
    var done = document.execCommand("copy");
    getSelection().removeAllRanges();
    return done;
  }

  function makeCopy(button) {
    var source = document.getElementById(button.dataset.copy);
    button.addEventListener("click", function () {
      var fallback = function () { say(button, copyOld(source) ? "Copied" : "Select and copy by hand"); };
      if (!navigator.clipboard) return fallback();
      navigator.clipboard.writeText(source.textContent).then(function () { say(button, "Copied"); }, fallback);
    });
  }

  function save(name, type, parts) {
    var link = element("a");
    link.href = URL.createObjectURL(new Blob(parts, { type: type }));
    link.download = name;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
  }

  function makeDownload(button) {
    button.addEventListener("click", function () {
      if (button.dataset.download === "plan") save("plan.yaml", "application/yaml", [data.plan]);
      else save("options.csv", "text/csv", ["\ufeff", data.csv]);
    });
  }

  function makeShare(button) {
    button.addEventListener("click", function () {
      var done = function () { say(button, "Copied"); }, failed = function () { say(button, "It is in the address bar"); };
      if (!navigator.clipboard) return failed();
      navigator.clipboard.writeText(location.href).then(done, failed);
    });
  }

  /* Paper shows everything: closed details are opened for the printer and closed again after. */
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = all("details:not([open])");
    opened.forEach(function (item) { item.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (item) { item.open = false; });
    opened = [];
  });

  all("[data-chart]").forEach(bringToLife);
  all("table.sortable").forEach(function (table) { label(table); makeSortable(table); makeFilter(table); });
  all("table").forEach(keepRoles);
  all("[data-copy]").forEach(makeCopy);
  all("[data-download]").forEach(makeDownload);
  all("[data-share]").forEach(makeShare);
  PlannerControls.whatif(control, data.whatif);
  window.addEventListener("scroll", hideTip, { passive: true });
})();
