/* The reader's state: what-if settings, hidden options, sorting and filter. It lives in the address behind "#?", so that a link
   shares it, and nowhere else. All text goes in by textContent; styles go through the CSSOM. */
var PlannerControls = (function () {
  "use strict";

  var SIGNS = { USD: "$", EUR: "\u20ac", GBP: "\u00a3" };
  var SHOWN = 12;
  var MOVED = ["traffic", "efficiency", "electricity", "horizon", "context"];

  function all(selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); }
  function element(tag, text, className) {
    var made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function significant(value, digits) {
    if (!isFinite(value) || !value) return value === 0 ? "0" : "\u2013";
    var rounded = +value.toPrecision(digits || 3);
    return Math.abs(rounded) >= 1000 ? rounded.toLocaleString("en-US") : String(rounded);
  }

  function money(amount, currency) {
    if (!isFinite(amount)) return "\u2013";
    var sign = SIGNS[currency] || currency + " ", size = Math.abs(amount);
    if (size > 0 && size < 0.1) return sign + amount.toPrecision(2);
    var digits = size < 1000 ? 2 : 0;
    return sign + amount.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  /* ---- state and address ---- */

  function read() {
    var state = { off: {}, hidden: {} };
    if (location.hash.slice(0, 2) !== "#?") return state;
    var given;
    try { given = new URLSearchParams(location.hash.slice(2)); } catch (error) { return state; }
    given.forEach(function (value, key) {
      if (key === "off" || key === "hidden") value.split("~").slice(0, 500).forEach(function (name) { if (name) state[key][name] = true; });
      else if (/^[a-z_0-9]{1,24}$/.test(key)) state[key] = value.slice(0, 200);
    });
    return state;
  }

  function write(state) {
    var kept = new URLSearchParams();
    Object.keys(state).forEach(function (key) {
      var value = state[key];
      if (key === "off" || key === "hidden") value = Object.keys(value).join("~");
      if (value !== "" && value !== undefined && value !== null && value !== false) kept.set(key, value);
    });
    var text = kept.toString();
    try { history.replaceState(null, "", text ? "#?" + text : location.pathname + location.search); } catch (error) { /* a sandbox */ }
  }

  function make(data) {
    var state = read(), listeners = [];
    function set(key, value) { state[key] = value; changed(); }
    function changed() { write(state); listeners.forEach(function (listener) { listener(state); }); }
    return {
      state: state, set: set, changed: changed,
      listen: function (listener) { listeners.push(listener); listener(state); },
      toggle: function (group, name) { if (state[group][name]) delete state[group][name]; else state[group][name] = true; changed(); },
      clear: function () { Object.keys(state).forEach(function (key) { if (key === "off" || key === "hidden") state[key] = {}; else delete state[key]; }); changed(); }
    };
  }

  /* ---- the what-if ---- */

  function number(text, otherwise, low, high) {
    var value = parseFloat(text);
    return isFinite(value) && value > 0 ? Math.min(high, Math.max(low, value)) : otherwise;
  }

  function settings(data, state) {
    var made = PlannerWhatIf.planned(data);
    MOVED.forEach(function (name) { made[name] = number(state[name], 1, 0.01, 100); });
    made.context = Math.min(2, Math.max(0.5, made.context));
    made.utilisation = number(state.utilisation, data.basis.utilisation, 0.01, 1);
    data.terms.forEach(function (term) { made.prices[term] = number(state["price_" + term], 1, 0.01, 100); });
    made.region = data.regions.indexOf(state.region) >= 0 ? state.region : "";
    return made;
  }

  function factorOf(input) {
    var low = +input.dataset.low, high = +input.dataset.high, share = +input.value / 1000;
    if (input.dataset.linear !== undefined) return Math.round((low + (high - low) * share) * 100) / 100;
    var factor = +(low * Math.pow(high / low, share)).toPrecision(3);
    return Math.abs(factor - 1) < 0.015 ? 1 : factor;
  }

  function placeOf(input, factor) {
    var low = +input.dataset.low, high = +input.dataset.high;
    var share = input.dataset.linear !== undefined ? (factor - low) / (high - low) : Math.log(factor / low) / Math.log(high / low);
    return Math.round(1000 * Math.min(1, Math.max(0, share)));
  }

  function slider(control, input) {
    var out = document.getElementById(input.id + "-out"), planned = +input.dataset.planned;
    input.addEventListener("input", function () {
      var factor = factorOf(input);
      control.set(input.name, factor === planned ? "" : String(factor));
    });
    control.listen(function (state) {
      var factor = number(state[input.name], planned, +input.dataset.low, +input.dataset.high);
      input.value = placeOf(input, factor);
      var text = significant(+input.dataset.scale * factor) + (input.dataset.unit === "%" ? " %" : " " + input.dataset.unit);
      out.textContent = text;
      input.setAttribute("aria-valuetext", text);
      input.parentNode.classList.toggle("moved", factor !== planned);
    });
  }

  function ranked(data, found, state) {
    var order = found.map(function (now, i) { return { now: now, option: data.options[i], i: i }; }).filter(function (x) {
      return x.now.keeps && !state.off[x.option.term] && !state.hidden[x.option.label];
    });
    return order.sort(function (a, b) { return a.now.cost - b.now.cost || a.i - b.i; });
  }

  function row(control, data, x, k, most, show) {
    var made = element("tr", undefined, x.option.label === data.choice ? "choice" : ""), head = element("th");
    head.scope = "row";
    head.appendChild(element("bdi", x.option.label, "name"));
    if (x.option.label === data.choice) { head.append(" "); head.appendChild(element("span", "the plan\u2019s choice", "tag pick")); }
    if (x.now.count !== x.option.instances) head.appendChild(element("span", "now " + significant(x.now.count) + " instances instead of " + significant(x.option.instances), "sub"));
    made.appendChild(element("td", String(k + 1), "number rank"));
    made.appendChild(head);
    var cost = element("td", show(x.now.cost), "number"), bar = element("span", undefined, "bar");
    bar.style.width = Math.max(1, 100 * x.now.cost / most) + "%";
    cost.appendChild(bar);
    made.appendChild(cost);
    made.appendChild(element("td", show(data.before[x.i].cost), "number soft"));
    var change = x.now.cost / data.before[x.i].cost - 1;
    made.appendChild(element("td", Math.abs(change) < 0.0005 ? "\u2013" : (change > 0 ? "+" : "\u2212") + significant(100 * Math.abs(change), 2) + " %", "number"));
    var hide = element("button", "Hide", "quiet");
    hide.type = "button";
    hide.setAttribute("aria-label", "Hide " + x.option.label);
    hide.addEventListener("click", function () { control.toggle("hidden", x.option.label); });
    var last = element("td");
    last.appendChild(hide);
    made.appendChild(last);
    return made;
  }

  function verdict(data, order, found, show) {
    var at = data.options.map(function (o) { return o.label; }).indexOf(data.choice);
    if (!order.length) return "Nothing keeps the limits at these settings.";
    var best = order[0], said = best.option.label + " is the cheapest at " + show(best.now.cost) + (data.period === "run" ? " for the run" : " a " + data.period) + ". ";
    if (best.i === at) {
      var next = order[1];
      return said + "That is the plan\u2019s choice" + (next ? "; " + next.option.label + " comes next, " + significant(100 * (next.now.cost / best.now.cost - 1), 2) + " % dearer." : ".");
    }
    if (at < 0) return said;
    if (!found[at].keeps) return said + "The plan\u2019s choice breaks a limit here.";
    return said + "The plan\u2019s choice would cost " + show(found[at].cost) + ", " + significant(100 * (found[at].cost / best.now.cost - 1), 2) + " % more.";
  }

  function whatif(control, data) {
    var section = document.getElementById("whatif");
    if (!section || !data.options) return;
    data.before = PlannerWhatIf.evaluate(data, PlannerWhatIf.planned(data));
    var body = document.getElementById("whatif-rows"), said = document.getElementById("whatif-said"), more = document.getElementById("whatif-more");
    all("input[type=range]", section).forEach(function (input) { slider(control, input); });
    all("input[data-term]", section).forEach(function (box) {
      box.addEventListener("change", function () { control.toggle("off", box.dataset.term); });
      control.listen(function (state) { box.checked = !state.off[box.dataset.term]; });
    });
    [["region", ""], ["currency", data.currency], ["rate", "1"]].forEach(function (pair) {
      var field = document.getElementById("whatif-" + pair[0]);
      if (!field) return;
      field.addEventListener("change", function () { control.set(pair[0], field.value === pair[1] ? "" : field.value); });
      control.listen(function (state) { if (document.activeElement !== field) field.value = state[pair[0]] || pair[1]; });
    });
    document.getElementById("whatif-reset").addEventListener("click", control.clear);
    document.getElementById("whatif-unhide").addEventListener("click", function () { control.state.hidden = {}; control.changed(); });
    control.listen(function (state) {
      var found = PlannerWhatIf.evaluate(data, settings(data, state)), order = ranked(data, found, state);
      var code = /^[A-Za-z]{3}$/.test(state.currency || "") ? state.currency.toUpperCase() : data.currency, rate = number(state.rate, 1, 1e-6, 1e6);
      var show = function (amount) { return money(amount * rate, code); };
      var most = order.length ? order[Math.min(order.length, SHOWN) - 1].now.cost : 1;
      body.replaceChildren.apply(body, order.slice(0, SHOWN).map(function (x, k) { return row(control, data, x, k, most, show); }));
      said.textContent = verdict(data, order, found, show);
      var hidden = Object.keys(state.hidden).length;
      more.textContent = order.length + " of " + data.options.length + " options keep the limits" + (order.length > SHOWN ? "; the " + SHOWN + " cheapest are shown" : "") + (hidden ? "; " + hidden + " hidden." : ".");
      document.getElementById("whatif-unhide").hidden = !hidden;
    });
  }

  return { make: make, whatif: whatif, money: money, all: all, element: element };
})();
